/* rt.h: the task loop, one source for ARM and host. No heap; SDRAM and time through hal.h only.
 *
 * In: a command, its program stream and binding table in SDRAM (docs/spec/image.md). Out: what the
 * tasks store, profile records, faults. A core runs its lanes one after another between barriers:
 *
 *     rt_core_start(core, hal, command); rt_lane_start(lane, number, command) for its lanes
 *     for each lane: rt_run_lane(core, lane)      until all say RT_BARRIER, or RT_END
 *     the barrier itself (the caller's), then rt_lane_released for each lane, and again
 *
 * A core keeps two record slots and two tasks under way: the one that computes and the next one,
 * whose first tile may be on its way already.
 */
#ifndef SPINDLE_RT_H
#define SPINDLE_RT_H

#include "hal.h"

enum rt_reason {
    RT_CONTINUE = 0, /* inside rt/ only */
    RT_BARRIER = 1,  /* all transfers of the lane are done; it waits for the others */
    RT_END = 2,      /* the stream has ended; all transfers are done */
    RT_STOPPED = 3,  /* fault or abort; the record is written */
};

/* What a lane keeps across barriers. */
struct rt_lane {
    uint32_t number;
    uint32_t at;         /* stream offset of the entry to run next */
    uint32_t size;       /* its bytes; 0: not known yet */
    uint32_t step;       /* id of the step that runs or ran last */
    uint32_t arrived_at; /* cycles when it reached the barrier */
    uint32_t reg[SPINDLE_LOOP_REGS];
};

/* One tile of a lane's share of a task. */
struct rt_place {
    uint32_t outer;    /* tile number along the dims that lanes share */
    uint32_t inner;    /* tile number along task->inner */
    uint32_t n_tiles;  /* tiles this lane ran before: parity of operands that inner indexes */
    uint32_t n_outers; /* outer tiles before: parity of the others */
    uint32_t odd;      /* a bit per operand: this tile uses its second buffer, if it has one */
    struct tile tile;
};

enum rt_ready {
    RT_NOT_READY = 0,
    RT_PREPARED = 1, /* checked; addresses and first tile are known */
    RT_LOADING = 2,  /* and the first tile is on its way */
};

/* Tickets of stores, by what decides when their buffer is written again. */
enum rt_stored {
    RT_ONE_BUFFER = 0, /* each tile */
    RT_OUTER = 1,      /* every second outer tile: two tickets, by parity of n_outers */
    RT_EACH = 3,       /* every second tile: two tickets, by parity of n_tiles */
    RT_N_STORED = 5,
};

/* One task under way on a lane. Pointers go into its record slot. Sets are a bit per operand. */
struct rt_run {
    const struct step *step;
    const struct task *task;
    const struct operand *operands;
    const struct term *terms;
    const struct instr *program;
    uint32_t base[SPINDLE_MAX_OPERANDS]; /* SDRAM address of element (0, 0, 0, 0) */
    uint32_t stored[RT_N_STORED];        /* the last ticket of each kind */
    uint32_t loads[2];   /* loaded after computing; a tile ahead */
    uint32_t stores;     /* stored */
    uint32_t each;       /* moved for each tile along inner, not for the first or last only */
    uint32_t one_buffer;
    uint32_t count[SPINDLE_MAX_DIMS]; /* tiles per dim */
    uint32_t n_outer, n_inner;
    struct rt_place place[2]; /* the tile that computes and the one that is loaded */
    uint32_t loaded[2];       /* ticket after which place[i] is in DTCM */
    uint32_t current;         /* index into both */
    uint32_t ready;           /* enum rt_ready */
    struct profile spent;     /* of the present step; control steps use the current run's */
};

#define RT_SLOTS 32 /* of the binding table, kept in DTCM */

struct rt_core {
    struct hal *hal;
    const struct command *command;
    struct rt_lane *lane;    /* that runs now */
    uint32_t *arena;         /* of tiles */
    uint32_t slot_at[2];     /* stream offset of the entry in each record slot */
    uint32_t slot_ticket[2]; /* when it has arrived */
    uint32_t slot;           /* the slot in use */
    uint32_t last_ticket;    /* of any transfer */
    uint32_t started_at;     /* cycles when the present step began */
    uint32_t stopped;        /* 1: a fault was written by this core */
    uint32_t n_lanes;        /* 1: set by a caller who knows; 0: perhaps several */
    struct profile *owed;    /* of the step that ended at a barrier: still to be written; or 0 */
    uint32_t bound[RT_SLOTS]; /* words of the binding table, each + 1; 0: not read yet */
    struct rt_run run[2];
    uint32_t current;        /* index into run */
    struct kernel_args args;
};

void rt_core_start(struct rt_core *core, struct hal *hal, const struct command *command);
void rt_lane_start(struct rt_lane *lane, uint32_t number, const struct command *command);

/* Run until the next barrier, the end, or a stop. */
enum rt_reason rt_run_lane(struct rt_core *core, struct rt_lane *lane);

/* Call when a lane's core has nothing to do until its barrier is passed: the step's profile is written
 * then, or else in rt_lane_released. */
void rt_lane_waits(struct rt_core *core);

/* Call for each lane when its barrier has been passed: adds the wait to its profile. */
void rt_lane_released(struct rt_core *core, const struct rt_lane *lane);

#endif
