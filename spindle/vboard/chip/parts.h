/* State of the parts of a chip: one struct per part, plain data, no pointers.
 *
 * In: register accesses and events, each with its cycle (200 MHz core clock).
 * Out: the structs below; effects on other parts go through chip.h.
 * Follows: SpiNNaker data sheet 2.02, chapters 5-15; ARM DDI 0181 (PL190).
 */
#ifndef SPINDLE_CHIP_PARTS_H
#define SPINDLE_CHIP_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#define CHIP_CORES 18
#define CHIP_LINKS 6
#define CHIP_SDRAM_SIZE 0x08000000u
#define CHIP_SYSRAM_SIZE 0x8000u
#define CHIP_ROM_SIZE 0x8000u
#define CHIP_LOCAL 7 /* "link" of a packet that comes from a core of this chip */
#define CHIP_NEVER UINT64_MAX

/* What a register access came to. */
enum chip_access {
    ACCESS_OK,
    ACCESS_BUS_ERROR,   /* the core takes an abort */
    ACCESS_UNSUPPORTED, /* not in the register log: stops an application core */
    ACCESS_UNTESTED     /* modelled from the data sheet alone: stops an application core */
};

/* ---- vic.c: PL190, one per core ---- */

enum vic_source {
    VIC_WATCHDOG = 0, VIC_SOFT = 1, VIC_TIMER1 = 4, VIC_TIMER2 = 5, VIC_CC_RX_READY = 6,
    VIC_CC_TX_FULL = 9, VIC_CC_TX_OVERRUN = 10, VIC_CC_TX_EMPTY = 11, VIC_DMA_DONE = 12,
    VIC_DMA_ERROR = 13, VIC_DMA_TIMEOUT = 14, VIC_ROUTER_COUNTER = 15, VIC_ROUTER_DUMP = 16,
    VIC_ROUTER_ERROR = 17, VIC_CPU_INT = 18, VIC_ETH_TX = 19, VIC_ETH_RX = 20, VIC_ETH_PHY = 21,
    VIC_SLOW_TIMER = 22, VIC_CC_TX_NOT_FULL = 23, VIC_CC_MC = 24, VIC_CC_P2P = 25, VIC_CC_NN = 26,
    VIC_CC_FR = 27
};

struct vic {
    uint32_t lines, soft, select, enable, protect;
    uint32_t default_addr, addr[16], control[16];
    uint32_t in_service; /* bit n: level n in service; 16 = the non-vectored level */
};

enum chip_access vic_read(struct vic *vic, uint32_t offset, uint32_t *value);
enum chip_access vic_write(struct vic *vic, uint32_t offset, uint32_t value);
void vic_set_line(struct vic *vic, enum vic_source source, bool level);
bool vic_irq(const struct vic *vic);
bool vic_fiq(const struct vic *vic);

/* ---- timer.c: ADK dual timer, two of these per core ---- */

struct timer {
    uint32_t load, control;
    uint32_t count;      /* value at `since`; what VALUE reads while stopped */
    uint64_t since;
    bool raw;            /* expired and not cleared */
    bool expired;        /* a one-shot that has run out; LOAD starts it again */
    uint64_t scheduled;  /* cycle of the newest expiry event; others are ignored */
};

void timer_reset(struct timer *timer);
enum chip_access timer_read(const struct timer *timer, uint32_t offset, uint64_t now,
                            uint32_t *value);
enum chip_access timer_write(struct timer *timer, uint32_t offset, uint64_t now, uint32_t value);
/* Cycle of the next expiry, CHIP_NEVER if none. */
uint64_t timer_expiry(const struct timer *timer);
void timer_expire(struct timer *timer, uint64_t now);
bool timer_line(const struct timer *timer);

/* ---- dma.c: one engine per core; the chip's SDRAM bandwidth is shared ---- */

enum dma_phase { DMA_IDLE, DMA_ISSUED, DMA_FIXED, DMA_DATA };

struct dma_transfer {
    uint32_t system_addr, tcm_addr, desc;
};

struct dma {
    uint32_t system_addr, tcm_addr; /* registers, used at the next commit */
    uint32_t stat;                  /* error and done bits; the rest is computed */
    uint32_t gctl, sctl, tmtv;
    uint32_t phase;                 /* enum dma_phase of the active transfer */
    bool queued, paused;
    struct dma_transfer active, next;
    uint64_t target;                /* value of dma_bus.progress at which the data is over */
    int32_t watch;                  /* handle of arm_watch, -1 = none */
    uint32_t generation;
    uint8_t data[0x10000];          /* source, read at start */
};

/* All engines in their data phase move the same number of bytes per cycle:
 * min(engine rate, chip total / engines). progress counts it in 1/65536 byte. */
struct dma_bus {
    uint64_t progress, since, rate;
    uint32_t active, generation;
};

/* ---- comms.c: communications controller, one per core ---- */

#define CC_MAX_DEPTH 8

struct packet {
    uint32_t key; /* P2P: source << 16 | destination */
    uint32_t payload;
    uint8_t control;
    uint8_t link;      /* arrival link, CHIP_LOCAL = from a core */
    uint8_t core;      /* who sent it: core if is_local, else arrival link */
    uint8_t is_local;  /* really sent by a core here, whatever SAR says */
    uint8_t waited;    /* behind another packet in the router's queue */
};

enum packet_type { PACKET_MC, PACKET_P2P, PACKET_NN, PACKET_FR };

static inline enum packet_type packet_type(const struct packet *packet) {
    return (enum packet_type)(packet->control >> 6);
}
static inline bool packet_has_payload(const struct packet *packet) {
    return (packet->control & 2) != 0;
}

struct comms {
    uint32_t tcr, txdata, sar; /* tcr: control byte and the sticky bits 30, 29 */
    uint32_t rsr_sticky;
    bool has_txdata, tx_busy;
    uint32_t rx_count;
    struct packet rx[CC_MAX_DEPTH];
    struct packet last; /* what RXKEY and RXDATA read while empty */
    uint64_t popped_at, sent_at; /* status registers lag by a cycle */
};

/* ---- router.c ---- */

#define ROUTER_QUEUE 128
#define ROUTER_ENTRIES 1024
#define LINK_CREDITS 8

struct router {
    uint32_t control, error_stat, dump_stat, dump_header, dump_key, dump_payload, dump_outputs;
    uint32_t filter_enable, timing, diversion, fixed_route;
    uint32_t filters[16], counters[16];
    uint32_t mc_route[ROUTER_ENTRIES], mc_key[ROUTER_ENTRIES], mc_mask[ROUTER_ENTRIES];
    uint64_t mc_possible[ROUTER_ENTRIES / 64]; /* entries that some key can match */
    uint32_t p2p[8192];

    struct packet queue[ROUTER_QUEUE]; /* arrived, in order; the head may be blocked */
    uint32_t queue_head, queue_count;
    bool head_routed, head_default, head_lost;
    bool head_silent; /* destroyed by the diversion register: no dump */
    bool dump_line;
    uint32_t head_outputs; /* all it had */
    uint32_t head_pending; /* and those it still waits for: links 0-5, cores from bit 6 */
    uint32_t wait_generation;

    uint32_t core_room[CHIP_CORES];
    uint32_t link_credit[CHIP_LINKS];
    uint64_t link_free[CHIP_LINKS]; /* cycle at which the link's wires are free */
    uint32_t link_up;               /* bit n: there is a working neighbour */
    uint64_t lose_seed;
    uint32_t lose_rate; /* of 2^32 */
    uint64_t lose_counter;
    uint64_t routed, dropped, lost;
};

/* ---- sysctl.c ---- */

struct sysctl {
    uint32_t cpu_disable, cpu_irq, cpu_ok, soft_reset, hard_reset, subsystem_reset;
    uint32_t reset_code, mon_id, misc, gpio_pull, gpio_port, gpio_dir, pll1, pll2, flags, clkmux;
    uint32_t link_disable, locks;
};

/* ---- sdram controller, watchdog: storage only ---- */

struct pl340 {
    uint32_t regs[0x310 / 4];
};

struct watchdog {
    uint32_t load, control, locked;
};

/* ---- rom.c: the boot ROM of a chip that waits for its image ---- */

#define ROM_IMAGE_SIZE 0x8000u

struct rom_boot {
    bool active; /* packets for the monitor go to the ROM */
    uint32_t blocks;
    uint32_t have[ROM_IMAGE_SIZE / 4 / 32]; /* a bit per word */
    uint8_t image[ROM_IMAGE_SIZE];
};

/* ---- ethernet.c ---- */

#define ETH_RX_SIZE 0xc00u
#define ETH_TX_SIZE 0x600u
#define ETH_BACKLOG_SIZE 0x400000u

struct ethernet {
    uint32_t present; /* chips without a PHY read zero */
    uint32_t control, mac_low, mac_high, phy_control, tx_length;
    bool tx_active, tx_interrupt;
    uint32_t unread, dropped;
    uint32_t rx_buf_read, rx_buf_write, rx_desc_read, rx_desc_write, rx_used;
    uint32_t descriptors[64];
    uint8_t rx[2 * ETH_RX_SIZE]; /* the second half mirrors the first: frames read linearly */
    uint8_t tx[ETH_TX_SIZE];
    bool wire_busy, wire_stalled; /* a frame is on the wire; it waits for room in the ring */
    uint32_t backlog_read, backlog_write, backlog_used; /* bytes of the host-side backlog */
};

#endif
