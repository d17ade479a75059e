/* port.h: what only assembly can do (start.S, irq.S), and who calls whom in hal/spinnaker. */
#ifndef SPINDLE_PORT_H
#define SPINDLE_PORT_H

#include "barrier.h"
#include "regs.h"
#include "rt.h"

#define REG(address) (*(volatile uint32_t *)(uintptr_t)(address))

/* Rows that wait: the next one's addresses, bytes in SDRAM from one to the next, how many are left. */
struct dma_request {
    uint32_t sdram, stride, desc, left, dtcm;
};

/* One core's hal: the software ring in front of the DMA controller, and where things lie. */
struct hal {
    struct dma_request ring[DMA_RING];
    struct dma_request *volatile head; /* handed over next */
    volatile uint32_t queued;    /* tickets given, one a row; from 0 in each launch */
    volatile uint32_t committed; /* of these, handed to the controller */
    volatile uint32_t done;      /* of these, known to be over */
    struct dma_request *tail;    /* free, unless all are taken */
    uint32_t arena, arena_bytes, arena_end;
    uint32_t status; /* addresses in the unbuffered alias: of the status record ... */
    uint32_t self;   /* ... and of this core's record */
    uint32_t sequence;
    uint32_t profile;
    uint32_t nonfinite;
    uint32_t has_fault; /* of this launch */
};

/* The whole state of a core. Zero at start. */
struct firmware {
    struct barrier barrier; /* first: irq.S knows where the inbox is */
    struct hal hal;
    struct command command;
    struct rt_core core;
    struct rt_lane lane[SPINDLE_LANES];
    uint32_t virtual_core, physical_core;
    uint32_t vcpu;
    uint32_t place, n_places, is_service;
    uint32_t service; /* its virtual core */
    uint8_t place_core[SPINDLE_LANES];
    uint32_t running; /* the lane that runs: faults name it */
    uint32_t tag;
    volatile uint32_t doorbell; /* sequence of the last command in the ring */
    uint32_t last;              /* sequence of the launch that runs or ran last */
    uint32_t started_at;        /* cycles */
};

_Static_assert(offsetof(struct barrier_inbox, received) == 0x100, "start.S");
_Static_assert(offsetof(struct barrier_inbox, news) == 0x110, "start.S");
_Static_assert(offsetof(struct barrier, inbox.news) == BARRIER_NEWS, "barrier_look.S");
_Static_assert(offsetof(struct barrier, is_root) == BARRIER_IS_ROOT, "barrier_look.S");
_Static_assert(offsetof(struct barrier, group) == BARRIER_GROUP0, "barrier_look.S");
_Static_assert(offsetof(struct barrier, own_bits) == BARRIER_OWN_BITS, "barrier_look.S");
_Static_assert(offsetof(struct barrier, ask_slot) == BARRIER_ASK_SLOT, "barrier_look.S");
_Static_assert(offsetof(struct barrier, n_receivers) == BARRIER_RECEIVERS, "barrier_look.S");
_Static_assert(offsetof(struct barrier, generation) == BARRIER_GENERATION, "barrier_look.S");
_Static_assert(offsetof(struct barrier, phase) == BARRIER_PHASE, "barrier_look.S");
_Static_assert(offsetof(struct barrier, expected) == BARRIER_EXPECTED, "barrier_look.S");
_Static_assert(offsetof(struct barrier, flags) == BARRIER_FLAGS, "barrier_look.S");
_Static_assert(offsetof(struct barrier, sent_at) == BARRIER_SENT_AT, "barrier_look.S");
_Static_assert(offsetof(struct barrier, ask_at) == BARRIER_ASK_AT, "barrier_look.S");
_Static_assert(offsetof(struct barrier, sent) == BARRIER_SENT, "barrier_look.S");
_Static_assert(BARRIER_GROUP1 == BARRIER_GROUP0 + sizeof(struct barrier_group), "barrier_look.S");
_Static_assert(offsetof(struct rt_core, arena) == CORE_ARENA, "move.S");
_Static_assert(offsetof(struct rt_core, last_ticket) == CORE_LAST_TICKET, "move.S");
_Static_assert(offsetof(struct rt_run, operands) == RUN_OPERANDS, "move.S");
_Static_assert(offsetof(struct rt_run, base) == RUN_BASE, "move.S");
_Static_assert(offsetof(struct rt_run, spent.dma_bytes) == RUN_DMA_BYTES, "move.S");
_Static_assert(offsetof(struct rt_run, task) == RUN_TASK, "tiles.S");
_Static_assert(offsetof(struct rt_run, each) == RUN_EACH, "tiles.S");
_Static_assert(offsetof(struct rt_run, count) == RUN_COUNT, "tiles.S");
_Static_assert(offsetof(struct rt_run, n_outer) == RUN_N_OUTER, "tiles.S");
_Static_assert(offsetof(struct rt_run, n_inner) == RUN_N_INNER, "tiles.S");
_Static_assert(offsetof(struct rt_run, place) == RUN_PLACE, "tiles.S");
_Static_assert(offsetof(struct rt_run, current) == RUN_CURRENT, "tiles.S");
_Static_assert(offsetof(struct rt_place, inner) == PLACE_INNER, "tiles.S");
_Static_assert(offsetof(struct rt_place, tile.origin) == PLACE_ORIGIN, "tiles.S");
_Static_assert(offsetof(struct rt_place, tile.extent) == PLACE_EXTENT, "tiles.S");
_Static_assert(offsetof(struct rt_place, tile.first_inner) == PLACE_FIRST_INNER, "tiles.S");
_Static_assert(offsetof(struct task, inner) == TASK_INNER, "tiles.S");
_Static_assert(offsetof(struct task, lane_first) == TASK_LANE_FIRST, "tiles.S");
_Static_assert(offsetof(struct task, extent) == TASK_EXTENT, "tiles.S");
_Static_assert(offsetof(struct task, tile) == TASK_TILE, "tiles.S");
_Static_assert(offsetof(struct rt_core, lane) == CORE_LANE, "task.S");
_Static_assert(offsetof(struct rt_core, stopped) == CORE_STOPPED, "task.S");
_Static_assert(offsetof(struct rt_core, n_lanes) == CORE_N_LANES, "task.S");
_Static_assert(offsetof(struct rt_core, bound) == CORE_BOUND, "task.S");
_Static_assert(offsetof(struct rt_run, terms) == RUN_TERMS, "task.S");
_Static_assert(offsetof(struct rt_run, stored) == RUN_STORED, "task.S");
_Static_assert(offsetof(struct rt_run, loads) == RUN_LOADS, "task.S");
_Static_assert(offsetof(struct rt_run, stores) == RUN_STORES, "task.S");
_Static_assert(offsetof(struct rt_run, one_buffer) == RUN_ONE_BUFFER, "task.S");
_Static_assert(offsetof(struct rt_run, loaded) == RUN_LOADED, "task.S");
_Static_assert(N_KERNELS == 14 && RT_SLOTS == 32, "task.S");
_Static_assert(offsetof(struct firmware, hal) == HAL_OFFSET, "irq.S");
_Static_assert(sizeof(struct dma_request) == DMA_REQUEST_BYTES, "irq.S");
_Static_assert(offsetof(struct hal, head) == HAL_HEAD, "irq.S");
_Static_assert(offsetof(struct hal, queued) == HAL_QUEUED, "irq.S");
_Static_assert(offsetof(struct hal, committed) == HAL_COMMITTED, "irq.S");
_Static_assert(offsetof(struct hal, done) == HAL_COMMITTED + 4, "irq.S");
_Static_assert(offsetof(struct hal, tail) == HAL_TAIL, "dma_queue.S");
_Static_assert(offsetof(struct hal, arena) == HAL_ARENA, "dma_queue.S");
_Static_assert(offsetof(struct hal, arena_bytes) == HAL_ARENA + 4, "dma_queue.S");

extern struct firmware firmware;

/* start.S, irq.S */
void port_sleep_unless(const volatile uint32_t *news); /* WFI with both interrupts off, unless *news */
uint32_t port_disable_irq(void);            /* returns the former CPSR */
void port_restore(uint32_t cpsr);           /* what port_disable_irq returned */
void port_wait_for_interrupt(void);         /* WFI; the caller has IRQ off */
void hal_pump(struct hal *hal);             /* with IRQ on or off */
void port_dma_wait(struct hal *hal, uint32_t ticket); /* asleep until it is over */
void irq_mailbox(void);                     /* vectors */
void irq_dma(void);
void irq_alarm(void);
void irq_spurious(void);
void crash_reset(void);
extern uint32_t reset_target;

static inline uint32_t port_cycles(void) { return 0u - REG(TIMER_BASE + TIMER1_VALUE); }

/* Set `news` in so many cycles; 2^32 - 1, 21 s, is never. */
static inline void port_alarm(uint32_t cycles) { REG(TIMER_BASE + TIMER2_LOAD) = cycles; }

static inline volatile struct status *status(void)
{
    return (volatile struct status *)(uintptr_t)firmware.hal.status;
}

static inline volatile struct core *core_record(uint32_t virtual_core)
{
    uint32_t at = firmware.hal.arena + SPINDLE_CORES_OFFSET + virtual_core * SPINDLE_CORE_STRIDE;
    return (volatile struct core *)(uintptr_t)(at | UNBUFFERED);
}

static inline uint32_t hal_in_arena(const struct hal *hal, uint32_t sdram, uint32_t bytes)
{
    return sdram - hal->arena <= hal->arena_bytes - bytes && (sdram & 3u) == 0;
}

/* hal.c, dma.c */
void dma_wait_for_room(struct hal *hal);
void hal_launch(struct hal *hal, const struct command *command);
void hal_stop(struct hal *hal, const struct fault *fault);

/* fault.c: of the running lane; hal_give_up after an error of the DMA controller */
void hal_give_up(struct hal *hal);
void hal_fail(struct hal *hal, uint32_t code, uint32_t word0, uint32_t word1);
void session_fail(uint32_t code, uint32_t word);

/* overlay_copy.c, overlay_words.S: return the sum of the words, a multiple of 8 of them */
uint32_t overlay_copy(struct hal *hal, uint32_t from, uint32_t n_words);
uint32_t overlay_words(uint32_t *to, const uint32_t *from, uint32_t n_words);

/* vcpu.c */
void vcpu_open(uint32_t app_id);
void vcpu_state(uint32_t state);
void vcpu_say(const char *text);

/* await.c, session.c */
uint32_t hal_intact(void);
uint32_t session_await(void); /* the end of a barrier: enum barrier_flag, never WAIT or MISSED */
uint32_t session_run_launch(void);
uint32_t session_crc32(const uint32_t *words, uint32_t n_words);

/* launch.c, serve.c, open.c */
void launch_read_command(uint32_t sequence);
void launch_begin(uint32_t sequence);
void launch_publish(uint32_t state);
void launch_ready(void);
void serve_commands(void);
void open_session(uint32_t flags_and_app);
void crash_report(uint32_t code, uint32_t psr, const uint32_t *saved, uint32_t sp, uint32_t lr);

/* mailbox.c, complete.c */
void mailbox_interrupt(uint32_t pc);
void mailbox_take_lock(uint32_t lock);
void mailbox_give_lock(uint32_t lock);
void complete_push(uint32_t sequence, uint32_t code, uint32_t cycles);

#endif
