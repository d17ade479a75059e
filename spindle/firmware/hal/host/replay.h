/* replay.h: the time of an epoch: what the tapes of all cores take together (docs/spec/timing.md). */
#ifndef SPINDLE_REPLAY_H
#define SPINDLE_REPLAY_H

#include "spindle_costs.h"
#include "spindle_records.h"
#include "tape.h"

#define REPLAY_CORES SPINDLE_LANES
#define REPLAY_QUEUE 64 /* transfers of a core under way: hal_host.c waits before there are more */

/* Who hears of times, in whole cycles. */
struct replay_step {
    uint32_t lane, step;
    uint32_t cycles, compute, dma_wait;
};
typedef void replay_step_fn(void *context, const struct replay_step *step);
typedef void replay_arrive_fn(void *context, uint32_t lane, uint64_t cycles);

/* Time n_cores tapes from `start` (ticks) on; clocks[i]: when core i is at its tape's end. At the
 * start no transfer is under way and the next ticket of core i is first_ticket[i]. */
struct replay_job {
    const struct costs *costs;
    const struct tape *tapes[REPLAY_CORES];
    uint32_t first_ticket[REPLAY_CORES];
    uint32_t n_cores;
    uint64_t start;
    uint64_t clocks[REPLAY_CORES];
    replay_step_fn *on_step;
    replay_arrive_fn *on_arrive;
    void *context;
};

void replay_run(struct replay_job *job);

#endif
