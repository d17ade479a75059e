/* One chip: 18 cores, their parts, the router, memory - wired together and kept in time order.
 *
 * In: events (struct chip_event) from a queue that the board owns, the cores' bus accesses.
 * Out: new events, packets on links, Ethernet frames, typed faults.
 * Follows: SpiNNaker data sheet 2.02; costs from spindle/spec/costs.py.
 *
 * TIME. All times are cycles of the 200 MHz core clock. Every core has its own local time
 * (arm_core.cycles). The rules that make results independent of the order in which cores are run:
 *
 *   1. What one core does reaches another core's private state (interrupt lines, receiver, reset)
 *      at least LOOKAHEAD = costs.packet_cycles later, as an event.
 *   2. Hence a core may run until the next event of the chip, or LOOKAHEAD beyond the slowest
 *      awake core, whichever is first; inside that stretch it needs to look at nobody.
 *   3. A read of shared state (SDRAM, SysRAM, system controller, router, Ethernet) at cycle t first
 *      brings all other cores and the events up to t: chip_catch_up(), a nested run of at most one
 *      level per core. Ties: events first, then cores by number. All reads of one instruction see
 *      the state at the instruction's start (a block load is one burst); waits add up. Without
 *      that, the second transfer of a block load would have to look past a read that waits for it.
 *   4. A write to shared state is an event (EV_STORE): CHIP_ACT later for the unbuffered aliases,
 *      costs.sdram_word_cycles later for the buffered ones.
 *   5. Events of equal time are ordered by content (chip_event_before), never by insertion. So
 *      what a core does at cycle t is an event of t + CHIP_ACT at the earliest, from which its
 *      latency counts: events of t may have been handled before the core was run, or not yet.
 *
 * Other chips are at least costs.hop_cycles away, so the board may run chips in turn or
 * in threads, in windows of hop_cycles: chip_run(chip, window_end) for each, then exchange.
 *
 * SNAPSHOT. struct chip up to `wires` is plain data; chip_save() and chip_load() move it, the
 * cores and the touched memory; the board adds its queue.
 */
#ifndef SPINDLE_CHIP_H
#define SPINDLE_CHIP_H

#include "../arm/arm.h"
#include "parts.h"

#define CHIP_ACT 1 /* cycles from what a core does to its event: rule 5 */

/* Typed errors. An application core stops at one; for the monitor they are counted and listed. */
enum chip_fault_code {
    FAULT_NONE,
    FAULT_UNSUPPORTED, /* a register that the log of the vendor's software does not hold */
    FAULT_UNDEFINED,   /* SDRAM that nobody wrote is read by a core */
    FAULT_UNTESTED,    /* a mode of a known register that was never run */
    FAULT_RACE,        /* see dma.c */
    FAULT_GUARD,       /* a write outside the arena */
    FAULT_CODES
};

struct chip_fault {
    uint32_t code, core, pc, addr;
    uint64_t cycle; /* of the first one; addr too */
    uint64_t count; /* with this code, core and pc */
};
#define CHIP_FAULTS 64

/* Units: cycles, and 1/65536 byte per cycle. */
struct chip_costs {
    uint32_t packet_cycles, hop_cycles, link_short_cycles, link_long_cycles;
    uint32_t sdram_word_cycles, local_word_cycles;
    uint32_t dma_fixed_cycles, dma_engine_rate, dma_total_rate;
    uint32_t eth_rx_cycles_per_byte, eth_tx_cycles_per_byte, eth_latency_cycles;
};

struct chip_options {
    uint64_t seed;
    uint32_t x, y, index;       /* place; number of the chip on the board */
    uint32_t cores_ok;          /* bit per physical core that works */
    uint32_t links_up;          /* bit per link with a working neighbour */
    uint32_t receiver_depth;    /* packets a core's receiver holds, 1 by default */
    uint32_t lose_rate;         /* of 2^32, application multicast only */
    uint32_t quantum;           /* longest stretch of one core; results do not depend on it */
    uint32_t has_ethernet, pristine, allow_faults; /* allow_faults: list only, stop nobody */
    uint32_t guard_base, guard_size;               /* SDRAM an application may write; size 0: all */
};

enum chip_event_kind {
    EV_STORE,       /* unit core; args addr, value, size | number << 8, pc; number 0: unbuffered */
    EV_LINE,        /* unit 0; args source, level, mask of cores */
    EV_CORE_STOP,   /* unit core; args is_reset: reset or clock stop begins */
    EV_CORE_START,  /* unit core; args pc, restart (0: go on after a clock stop) */
    EV_TIMER,       /* unit core; args timer */
    EV_DMA_START,   /* unit core; args generation */
    EV_DMA_DATA,    /* unit core; args generation: the fixed part is over */
    EV_DMA_DONE,    /* unit 0; args generation: the next engine has moved its bytes */
    EV_CC_RX,       /* unit core; args key, payload, control | link << 8 */
    EV_CC_POPPED,   /* unit core: the receiver has room for one more */
    EV_CC_TX,       /* unit core; args key, payload, control | link << 8 */
    EV_CC_TX_DONE,  /* unit core: the transmitter is free again */
    EV_LINK_RX,     /* unit link; args key, payload, control */
    EV_LINK_CREDIT, /* unit link */
    EV_ROUTER_WAIT, /* unit 0; args generation: the head waited for too long */
    EV_ROUTER_TRY,  /* unit link: wires are free again */
    EV_ETH_RX,      /* unit 0: the next frame of the backlog has come in */
    EV_ETH_TX,      /* unit 0: the frame has left */
    EV_KINDS
};

struct chip_event {
    uint64_t time;
    uint32_t chip;
    uint16_t kind, unit;
    uint32_t arg[4];
};

struct chip;

/* What the board gives. All calls name the chip by its index. schedule may be called for any time
 * not before the last popped event of that chip. */
struct chip_host {
    void *ctx;
    void (*schedule)(void *ctx, const struct chip_event *event);
    uint64_t (*next_time)(void *ctx, uint32_t chip); /* CHIP_NEVER: empty */
    void (*pop)(void *ctx, uint32_t chip, struct chip_event *event);
    /* A packet or a credit that reaches the other end of a link at `time`: the board schedules
     * EV_LINK_RX / EV_LINK_CREDIT there, unit = (link + 3) % 6. */
    void (*link_send)(void *ctx, uint32_t chip, uint32_t link, uint64_t time,
                      const struct packet *packet);
    void (*link_credit)(void *ctx, uint32_t chip, uint32_t link, uint64_t time);
    /* A frame that the host sees at `time`. */
    void (*ethernet_send)(void *ctx, uint32_t chip, uint64_t time, const uint8_t *frame,
                          uint32_t size_bytes);
};

struct chip_core {
    struct vic vic;
    struct timer timers[2];
    struct dma dma;
    struct comms comms;
    uint64_t write_done;     /* cycle at which the write buffer is empty */
    uint32_t last_store[4];  /* of the buffered stores, arguments as in EV_STORE */
    uint32_t store_number, drained_number; /* of the last one; of the last one a read forced out */
    uint64_t sample_time, sample_end; /* of the instruction that reads; of its last access */
    uint32_t sample_pc;
    bool exists, held;   /* held: in reset, clock stopped, or never started */
    bool restart;        /* a release is a restart from the boot area */
};

/* ctx of a core's bus. */
struct chip_port {
    struct chip *chip;
    uint32_t core;
};

/* What is not plain data. */
struct chip_wires {
    const struct chip_host *host;
    struct chip_port ports[CHIP_CORES];
    struct arm_core *arm[CHIP_CORES];
    uint8_t *sdram;          /* CHIP_SDRAM_SIZE, committed lazily */
    uint8_t *sdram_touched;  /* a byte per 4 KB page: filled with garbage or data */
    uint32_t *sdram_defined; /* a bit per word that somebody wrote */
    uint8_t *backlog;        /* ETH_BACKLOG_SIZE on chips with Ethernet, else null */
};

struct chip {
    struct chip_options options;
    struct chip_costs costs;
    struct chip_core cores[CHIP_CORES];
    struct dma_bus dma_bus;
    struct router router;
    struct sysctl sysctl;
    struct pl340 pl340;
    struct watchdog watchdog;
    struct ethernet ethernet;
    struct rom_boot rom_boot;
    uint8_t sysram[CHIP_SYSRAM_SIZE];
    uint8_t rom[CHIP_ROM_SIZE];
    uint64_t now;         /* time of the last event */
    uint32_t on_stack;    /* cores inside arm_run */
    uint32_t runnable;    /* cores that are awake; their local times: */
    uint64_t times[CHIP_CORES];
    uint32_t fault_count; /* listed: one per code, core and pc, at most CHIP_FAULTS */
    struct chip_fault faults[CHIP_FAULTS];

    struct chip_wires wires; /* keep last */
};

/* ---- life (chip.c) ---- */

/* Power on: memories, tables and (unless pristine) VIC and timers filled with seeded garbage, all
 * cores held. Allocates memory and cores; false: none left. host must outlive the chip. */
bool chip_init(struct chip *chip, const struct chip_options *options,
               const struct chip_costs *costs, const struct chip_host *host);
void chip_free(struct chip *chip);
/* Start a core (the board's boot ROM): arm_reset with low vectors, then pc, at a cycle. */
void chip_start_core(struct chip *chip, uint32_t core, uint32_t pc, uint64_t cycle);
uint64_t chip_hash(const struct chip *chip); /* of everything a program can see, for traces */

/* ---- time (run.c) ---- */

/* Run cores and events with time < until. Every awake core ends at >= until. */
void chip_run(struct chip *chip, uint64_t until);
/* Bring all cores but `core` and the events up to `cycle`; called before a read of shared state. */
void chip_catch_up(struct chip *chip, uint32_t core, uint64_t cycle);
/* The earliest thing this chip will do, for idle skipping: min(awake core, next event). */
uint64_t chip_next_time(const struct chip *chip);
/* Put an event into the queue and stop running cores there. */
void chip_schedule(struct chip *chip, uint64_t time, enum chip_event_kind kind, uint32_t unit,
                   const uint32_t arg[4]);
/* Look again at whether a core is awake, and when. */
void chip_refresh(struct chip *chip, uint32_t core);
/* true: nothing on this chip can still happen before an access of `core` at `cycle`. */
bool chip_is_settled(const struct chip *chip, uint32_t core, uint64_t cycle);
/* The total order of events: time, kind, unit, arguments. */
bool chip_event_before(const struct chip_event *a, const struct chip_event *b);

/* ---- events (chip.c) ---- */

void chip_handle(struct chip *chip, const struct chip_event *event);
void chip_raise_fault(struct chip *chip, uint32_t core, enum chip_fault_code code, uint32_t pc,
                      uint32_t addr, uint64_t cycle);
/* Lines that many cores share or another core drives: seen packet_cycles later (rule 1), and by
 * `own` at once (CHIP_CORES: nobody). cores is a mask. */
void chip_shared_line(struct chip *chip, uint32_t cores, enum vic_source source, bool level,
                      uint64_t cycle, uint32_t own);
/* A private line of a core. */
void chip_line(struct chip *chip, uint32_t core, enum vic_source source, bool level,
               uint64_t cycle);
void chip_update_irq(struct chip *chip, uint32_t core, uint64_t cycle);
/* After a timer register was written or a timer expired: its line and its next event. */
void chip_update_timer(struct chip *chip, uint32_t core, uint32_t timer, uint64_t cycle);
static inline uint32_t chip_monitor(const struct chip *chip) { return chip->sysctl.mon_id & 0x1f; }

/* ---- bus (bus.c): what arm_bus calls; also usable by tests and loaders ---- */

extern const struct arm_bus chip_arm_bus; /* ctx = struct chip_port * */
uint32_t chip_bus_read(void *ctx, struct arm_core *core, uint32_t addr, uint32_t size,
                       uint32_t *value);
uint32_t chip_bus_write(void *ctx, struct arm_core *core, uint32_t addr, uint32_t size,
                        uint32_t value);
uint32_t chip_bus_fetch(void *ctx, struct arm_core *core, uint32_t addr, uint32_t size,
                        uint32_t *value);
void chip_bus_watch(void *ctx, struct arm_core *core, uint32_t addr, uint32_t size, bool is_write);
/* Shared addresses as the system NoC sees them, at a time, no waits. core = CHIP_CORES: the NoC. */
enum chip_access chip_system_read(struct chip *chip, uint32_t core, uint32_t addr, uint32_t size,
                                  uint64_t cycle, uint32_t *value);
enum chip_access chip_system_write(struct chip *chip, uint32_t core, uint32_t addr, uint32_t size,
                                   uint64_t cycle, uint32_t value);

/* --guard: an application's write to SDRAM outside the arena. */
bool chip_is_guarded(const struct chip *chip, uint32_t core, uint32_t addr, uint32_t size);
void chip_bus_event(struct chip *chip, const struct chip_event *event);

/* ---- memory (memory.c) ---- */

/* Whole ranges, for DMA, the loader and back doors; false: not memory. */
bool memory_read(struct chip *chip, uint32_t addr, void *data, uint32_t size_bytes);
bool memory_write(struct chip *chip, uint32_t addr, const void *data, uint32_t size_bytes);
bool memory_is_defined(const struct chip *chip, uint32_t addr, uint32_t size_bytes);
void memory_garbage(void *data, uint32_t size_bytes, uint64_t seed);
uint64_t chip_mix(uint64_t value); /* splitmix64 */

/* ---- parts that act on the chip ---- */

enum chip_access dma_read(struct chip *chip, uint32_t core, uint32_t offset, uint64_t now,
                          uint32_t *value);
enum chip_access dma_write(struct chip *chip, uint32_t core, uint32_t offset, uint64_t now,
                           uint32_t value);
void dma_reset(struct chip *chip, uint32_t core, uint64_t now);
void dma_event(struct chip *chip, const struct chip_event *event);
/* true: the access races with an unfinished transfer. */
bool dma_tcm_race(const struct chip *chip, uint32_t core, uint32_t addr, uint32_t size,
                  bool is_write);
bool dma_system_race(const struct chip *chip, uint32_t addr, uint32_t size); /* a read */
bool dma_system_range_busy(const struct chip *chip, uint32_t addr, uint32_t size); /* a store */
void dma_write_error(struct chip *chip, uint32_t core, uint64_t now); /* STAT[20] */

enum chip_access comms_read(struct chip *chip, uint32_t core, uint32_t offset, uint64_t now,
                            uint32_t *value);
enum chip_access comms_write(struct chip *chip, uint32_t core, uint32_t offset, uint64_t now,
                             uint32_t value);
void comms_reset(struct chip *chip, uint32_t core, uint64_t now);
void comms_event(struct chip *chip, const struct chip_event *event);

enum chip_access router_read(struct chip *chip, uint32_t core, uint32_t offset, uint64_t now,
                             uint32_t *value);
enum chip_access router_write(struct chip *chip, uint32_t core, uint32_t offset, uint64_t now,
                              uint32_t value);
void router_reset(struct chip *chip);
void router_push(struct chip *chip, const struct packet *packet, uint64_t now);
void router_event(struct chip *chip, const struct chip_event *event);

enum chip_access sysctl_read(struct chip *chip, uint32_t core, uint32_t offset, uint64_t now,
                             uint32_t *value);
enum chip_access sysctl_write(struct chip *chip, uint32_t core, uint32_t offset, uint64_t now,
                              uint32_t value);
void sysctl_reset(struct chip *chip);

enum chip_access pl340_read(struct chip *chip, uint32_t offset, uint32_t *value);
enum chip_access pl340_write(struct chip *chip, uint32_t offset, uint32_t value);
enum chip_access watchdog_read(struct chip *chip, uint32_t offset, uint32_t *value);
enum chip_access watchdog_write(struct chip *chip, uint32_t offset, uint32_t value);

enum chip_access ethernet_read(struct chip *chip, uint32_t core, uint32_t offset, uint32_t size,
                               uint64_t now, uint32_t *value);
enum chip_access ethernet_write(struct chip *chip, uint32_t core, uint32_t offset, uint32_t size,
                                uint64_t now, uint32_t value);
/* A frame of the host reaches the wire at `now` (>= the chip's time). false: backlog full. */
bool ethernet_receive(struct chip *chip, const uint8_t *frame, uint32_t size_bytes, uint64_t now);
void ethernet_event(struct chip *chip, const struct chip_event *event);

/* ---- boot ROM (rom.c) ---- */

/* What the ROM has done when it waits for an image: monitor chosen, router on, the serial ROM's
 * block (zeros on chips without Ethernet) in system RAM. Call after chip_init. */
void rom_power_on(struct chip *chip, uint32_t monitor, const uint8_t srom[32]);
/* The whole image has come (from the host): start the monitor. */
void rom_load(struct chip *chip, const uint8_t *image, uint32_t size_bytes, uint64_t now);
/* A packet for the monitor of a chip whose ROM is active. */
void rom_take_packet(struct chip *chip, const struct packet *packet, uint64_t now);

/* ---- register log (known.c) ---- */

/* true: the vendor's software touched this register (system address, alias folded away). */
bool chip_register_known(uint32_t addr);

/* ---- snapshot.c: between two chip_run calls ---- */

struct chip_stream {
    void *ctx;
    bool (*move)(void *ctx, void *data, size_t size_bytes); /* chip_save: reads data; else fills */
};
bool chip_save(const struct chip *chip, const struct chip_stream *out); /* false: move said so */
/* Into an initialised chip with the same options for Ethernet. false: the stream ended early. */
bool chip_load(struct chip *chip, const struct chip_stream *in);

/* ---- queue.c: a heap the board may use, one per chip ---- */

struct chip_queue {
    struct chip_event *events;
    uint32_t count, capacity;
};
/* false: no memory */
bool chip_queue_push(struct chip_queue *queue, const struct chip_event *event);
uint64_t chip_queue_next(const struct chip_queue *queue);
void chip_queue_pop(struct chip_queue *queue, struct chip_event *event);
void chip_queue_free(struct chip_queue *queue);

#endif
