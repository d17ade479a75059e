/* replay.c: cores, their DMA engines and the SDRAM they share, event by event.
 *
 * In: the cores' tapes. Out: clocks, and what every step of every lane took. The law is
 * docs/spec/timing.md: an engine serves its queue in order; a transfer takes dma_fixed_cycles, then
 * moves its bytes at min(engine's rate, SDRAM's rate / engines that move).
 *
 * All moving engines have one rate, so one number tells how far they are: `moved`, the work that an
 * engine moving since the start would have done. A transfer ends when `moved` reaches its `goal`.
 * Work is counted in 1/WORK_PER_BYTE bytes, in which every rate is a whole number per tick.
 */
#include "replay.h"

#include <string.h>

#define SHARES 720720u /* divisible by 1..16 engines */
#define WORK_PER_BYTE ((uint64_t)COST_FRACTION * COST_FRACTION * SHARES)
#define NEVER UINT64_MAX
#define HELD 2u /* transfers that the controller holds; further ones wait for the core */

enum engine_state { ENGINE_IDLE, ENGINE_FIXED, ENGINE_MOVES };

struct queued {
    uint64_t at;   /* ticks; when it is done: of its end */
    uint64_t work;
};

struct engine {
    enum engine_state state;
    uint64_t moves_at; /* FIXED: when bytes begin to move */
    uint64_t goal;     /* MOVES */
    uint32_t queued, done; /* last tickets */
    struct queued queue[REPLAY_QUEUE]; /* by ticket */
};

struct replay_core {
    const uint64_t *next, *end; /* of its tape */
    uint64_t clock;
    uint64_t began; /* the present step */
    uint64_t compute, dma_wait; /* whole cycles of it */
    uint32_t computes;          /* up to its clock */
    struct engine engine;
};

struct replay {
    struct replay_job *job;
    uint64_t now, moved;
    uint32_t n_moving, n_running; /* engines; cores not at their tape's end */
    uint64_t rate[REPLAY_CORES + 1]; /* of each of n moving engines, per tick */
    struct replay_core cores[REPLAY_CORES];
};

static uint64_t smaller(uint64_t a, uint64_t b) { return a < b ? a : b; }
static uint64_t larger(uint64_t a, uint64_t b) { return a > b ? a : b; }
static uint64_t cycles(uint64_t ticks) { return ticks / COST_FRACTION; }

/* Whole cycles spent in moving the clock to `clock`. */
static uint64_t advance(struct replay_core *core, uint64_t clock)
{
    uint64_t spent = cycles(clock) - cycles(core->clock);
    core->clock = clock;
    return spent;
}

static struct queued *entry(struct engine *engine, uint32_t ticket)
{
    return &engine->queue[ticket % REPLAY_QUEUE];
}

/* The oldest transfer in the queue gets the engine at `time` or when it is queued. */
static void engine_begin(struct replay *replay, struct engine *engine, uint64_t time)
{
    if (engine->done == engine->queued) {
        engine->state = ENGINE_IDLE;
        return;
    }
    engine->state = ENGINE_FIXED;
    engine->moves_at = larger(time, entry(engine, engine->done + 1)->at);
    engine->moves_at += replay->job->costs->dma_fixed_cycles;
}

static void queue_transfer(struct replay *replay, struct replay_core *core, uint64_t bytes)
{
    struct engine *engine = &core->engine;
    *entry(engine, ++engine->queued) = (struct queued){core->clock, bytes * WORK_PER_BYTE};
    if (engine->state == ENGINE_IDLE) {
        engine_begin(replay, engine, core->clock);
    }
}

static void end_step(struct replay *replay, struct replay_core *core, uint64_t place)
{
    struct replay_step step;
    step.lane = (uint32_t)(place % SPINDLE_LANES);
    step.step = (uint32_t)(place / SPINDLE_LANES);
    step.cycles = (uint32_t)(cycles(core->clock) - cycles(core->began));
    step.compute = (uint32_t)core->compute;
    step.dma_wait = (uint32_t)core->dma_wait;
    replay->job->on_step(replay->job->context, &step);
    core->began = core->clock;
    core->compute = 0;
    core->dma_wait = 0;
}

static void take(struct replay *replay, struct replay_core *core, uint64_t event)
{
    uint64_t value = tape_value(event);
    switch (tape_kind(event)) {
    case TAPE_WORK:
        advance(core, core->clock + value);
        break;
    case TAPE_COMPUTE:
        core->compute += advance(core, core->clock + value);
        core->computes = 1;
        break;
    case TAPE_TRANSFER:
        queue_transfer(replay, core, value);
        break;
    case TAPE_WAIT:
        value = entry(&core->engine, (uint32_t)value)->at;
        core->dma_wait += advance(core, larger(core->clock, value));
        break;
    case TAPE_STEP_END:
        end_step(replay, core, value);
        break;
    case TAPE_START:
        core->began = core->clock;
        break;
    case TAPE_ARRIVE:
        replay->job->on_arrive(replay->job->context, (uint32_t)value, cycles(core->clock));
        break;
    }
}

static uint32_t under_way(const struct engine *engine)
{
    return engine->queued - engine->done;
}

/* Interrupts may still lengthen what it computes. */
static int is_computing(const struct replay *replay, const struct replay_core *core)
{
    return core->computes && core->clock > replay->now && under_way(&core->engine) > HELD;
}

static int is_blocked(const struct replay *replay, const struct replay_core *core)
{
    uint64_t event = *core->next;
    if (is_computing(replay, core)) {
        return 1;
    }
    return tape_kind(event) == TAPE_WAIT &&
           (int32_t)((uint32_t)tape_value(event) - core->engine.done) > 0;
}

/* Follow the tape until it waits for a transfer that has not ended, or computes while transfers wait for
 * the core: nothing else depends on others. Its clock may be ahead of replay->now; so may be the times
 * of what it queues. */
static void run_core(struct replay *replay, struct replay_core *core)
{
    if (core->next == core->end) {
        return;
    }
    while (core->next < core->end && !is_blocked(replay, core)) {
        core->computes = 0;
        take(replay, core, *core->next++);
    }
    replay->n_running -= core->next == core->end;
}

/* When the next transfer begins to move or ends, or a core has computed; an end is rounded up to a tick. */
static uint64_t next_time(const struct replay *replay)
{
    uint64_t time = NEVER, goal = NEVER, rate = replay->rate[replay->n_moving];
    for (uint32_t i = 0; i < replay->job->n_cores; i++) {
        const struct replay_core *core = &replay->cores[i];
        const struct engine *engine = &core->engine;
        if (is_computing(replay, core)) {
            time = smaller(time, core->clock);
        }
        if (engine->state == ENGINE_FIXED) {
            time = smaller(time, engine->moves_at);
        } else if (engine->state == ENGINE_MOVES) {
            goal = smaller(goal, engine->goal);
        }
    }
    if (goal == NEVER) {
        return time;
    }
    goal = goal > replay->moved ? goal - replay->moved : 0;
    return smaller(time, replay->now + (goal + rate - 1) / rate);
}

/* A core that computes is interrupted to hand over the next of the transfers that wait. */
static void interrupt(struct replay *replay, struct replay_core *core)
{
    if (is_computing(replay, core)) {
        core->compute += advance(core, core->clock + replay->job->costs->dma_next_cycles);
    }
}

static void finish_transfer(struct replay *replay, struct replay_core *core)
{
    struct engine *engine = &core->engine;
    interrupt(replay, core);
    entry(engine, ++engine->done)->at = replay->now;
    replay->n_moving--;
    engine_begin(replay, engine, replay->now);
}

static void begin_to_move(struct replay *replay, struct engine *engine)
{
    engine->state = ENGINE_MOVES;
    engine->goal = replay->moved + entry(engine, engine->done + 1)->work;
    replay->n_moving++;
}

/* What happens at `time`, the next one. */
static void pass(struct replay *replay, uint64_t time)
{
    replay->moved += replay->rate[replay->n_moving] * (time - replay->now);
    replay->now = time;
    for (uint32_t i = 0; i < replay->job->n_cores; i++) {
        struct replay_core *core = &replay->cores[i];
        if (core->engine.state == ENGINE_MOVES && core->engine.goal <= replay->moved) {
            finish_transfer(replay, core);
        } else if (core->engine.state == ENGINE_FIXED && core->engine.moves_at <= time) {
            begin_to_move(replay, &core->engine);
        }
        run_core(replay, core);
    }
}

static void start_core(struct replay *replay, uint32_t i)
{
    const struct replay_job *job = replay->job;
    struct replay_core *core = &replay->cores[i];
    core->next = job->tapes[i]->events;
    core->end = core->next + job->tapes[i]->n;
    core->clock = job->start;
    core->began = job->start;
    core->compute = 0;
    core->dma_wait = 0;
    core->computes = 0;
    core->engine.state = ENGINE_IDLE;
    core->engine.queued = job->first_ticket[i] - 1;
    core->engine.done = job->first_ticket[i] - 1;
    replay->n_running += core->next < core->end;
    run_core(replay, core);
}

static void set_rates(struct replay *replay)
{
    uint64_t engine = (uint64_t)replay->job->costs->dma_bytes_per_cycle * SHARES;
    uint64_t sdram = (uint64_t)replay->job->costs->sdram_bytes_per_cycle * SHARES;
    replay->rate[0] = 0;
    for (uint32_t n = 1; n <= REPLAY_CORES; n++) {
        replay->rate[n] = smaller(engine, sdram / n);
    }
}

void replay_run(struct replay_job *job)
{
    struct replay replay = {.job = job, .now = job->start};
    set_rates(&replay);
    for (uint32_t i = 0; i < job->n_cores; i++) {
        start_core(&replay, i);
    }
    while (replay.n_running > 0) {
        pass(&replay, next_time(&replay));
    }
    for (uint32_t i = 0; i < job->n_cores; i++) {
        job->clocks[i] = replay.cores[i].clock;
    }
}
