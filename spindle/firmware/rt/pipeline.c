/* pipeline.c: one task on one lane, transfers hidden behind computing.
 *
 *     load tile 0 | load 1, compute 0, store 0 | load 2, compute 1, store 1 | ...
 *
 * Operands with two buffers are loaded a tile ahead, those with one after computing. In the place
 * of "load j+1" the last tile loads the next task's first tile, where both tasks keep to a half of
 * the arena. A buffer is written again only when its store is done; the engine works in order.
 */
#include "parts.h"

#define HALF_WORDS (SPINDLE_HALF_ARENA_BYTES / 4)

/* Bits of operands with a bit in mask, one after another: FOR_OPERANDS(i, mask). */
#define FOR_OPERANDS(i, mask) \
    for (uint32_t i = 0, left_ = (mask); left_ != 0; i++, left_ >>= 1) \
        if (left_ & 1u)

static inline uint32_t parity(const struct rt_run *run, uint32_t i, const struct rt_place *place)
{
    uint32_t n = run->each >> i & 1u ? place->n_tiles : place->n_outers;
    return run->operands[i].buffer == 0 ? 0 : n & 1u;
}

static inline uint32_t *buffer(struct rt_core *core, const struct rt_run *run, uint32_t i,
                               const struct rt_place *place)
{
    const struct operand *op = &run->operands[i];
    return hal_arena(core->hal) + op->dtcm + (parity(run, i, place) ? op->buffer : 0);
}

/* COPY's store shares the buffer of its input: wait until it has left. */
static void load(struct rt_core *core, const struct rt_lane *lane, struct rt_run *run,
                 uint32_t index, uint32_t which)
{
    const struct rt_place *place = &run->place[index];
    FOR_OPERANDS (i, place->inner == 0 ? which : which & run->each) {
        if (run->task->kernel == KERNEL_COPY) {
            rt_wait(core, &run->spent, run->stored[1][parity(run, i, place)]);
        }
        move_tile(core, lane, run, i, &place->tile, buffer(core, run, i, place), MOVE_READ);
        run->loaded[index] = core->last_ticket;
    }
}

static void store(struct rt_core *core, const struct rt_lane *lane, struct rt_run *run,
                  const struct rt_place *place)
{
    FOR_OPERANDS (i, place->tile.last_inner ? run->stores : run->stores & run->each) {
        move_tile(core, lane, run, i, &place->tile, buffer(core, run, i, place), MOVE_WRITE);
        run->stored[i][parity(run, i, place)] = core->last_ticket;
    }
}

/* The engine works in order: the latest ticket stands for all. */
static void wait_for_buffers(struct rt_core *core, struct rt_run *run, const struct rt_place *place)
{
    uint32_t latest = run->loaded[run->current];
    FOR_OPERANDS (i, run->stores) {
        uint32_t ticket = run->stored[i][parity(run, i, place)];
        latest = ticket > latest ? ticket : latest;
    }
    rt_wait(core, &run->spent, latest);
}

static void fill_args(struct rt_core *core, const struct rt_run *run, const struct rt_place *place)
{
    struct kernel_args *args = &core->args;
    args->task = run->task;
    args->operands = run->operands;
    args->program = run->program;
    args->work = hal_arena(core->hal) + run->task->work;
    for (uint32_t dim = 0; dim < SPINDLE_MAX_DIMS; dim++) {
        args->tile.origin[dim] = place->tile.origin[dim];
        args->tile.extent[dim] = place->tile.extent[dim];
    }
    args->tile.first_inner = place->tile.first_inner;
    args->tile.last_inner = place->tile.last_inner;
    for (uint32_t i = 0; i < run->task->n_operands; i++) {
        args->data[i] = buffer(core, run, i, place);
    }
}

static void finish_dot(struct rt_core *core, const struct rt_lane *lane, struct rt_run *run)
{
    if (run->task->kernel == KERNEL_DOT_S28 && kernel_flagged(&core->args) != 0) {
        rescue_run(core, lane, run);
    }
    kernel_epilogue(&core->args);
}

static void compute(struct rt_core *core, const struct rt_lane *lane, struct rt_run *run,
                    const struct rt_place *place)
{
    uint32_t kernel = run->task->kernel;
    uint32_t start = hal_cycles(core->hal);
    uint32_t waited = run->spent.dma_wait;
    fill_args(core, run, place);
    hal_charge_tile(core->hal, &core->args);
    if (!hal_estimate(core->hal)) {
        kernel_compute(&core->args);
        if (place->tile.last_inner && (kernel == KERNEL_DOT_S28 || kernel == KERNEL_DOT_F32)) {
            finish_dot(core, lane, run);
        }
    }
    waited = run->spent.dma_wait - waited;
    run->spent.compute += hal_cycles(core->hal) - start - waited;
    run->spent.tiles++;
}

static uint32_t half_of(const struct task *task)
{
    return task->work >= HALF_WORDS;
}

static int keeps_to_other_half(const struct rt_run *run, const struct step *next)
{
    const struct task *task = (const struct task *)(next + 1);
    return next->kind == STEP_TASK && next->size >= sizeof(*next) + sizeof(*task) &&
           (task->flags & TASK_EXCLUSIVE) == 0 && half_of(task) != half_of(run->task);
}

/* The task before `run` used the half of the next one. Its stores have left: the next one's record
 * was queued behind them, and is here. */
static void load_next_task(struct rt_core *core, struct rt_lane *lane, struct rt_run *run)
{
    struct rt_run *next = &core->run[1 - core->current];
    uint32_t slot = core->slot;
    const struct step *step;
    if ((run->step->flags & STEP_FLAG_BARRIER) || (run->task->flags & TASK_EXCLUSIVE) ||
        run->step->next_size == 0) {
        return;
    }
    step = stream_get(core, lane, lane->at + run->step->size, run->step->next_size);
    core->slot = slot;
    if (step == 0 || !keeps_to_other_half(run, step)) {
        return;
    }
    lane->step = step->id; /* for faults */
    if (task_prepare(core, lane, next, step) && tiles_valid(next, &next->place[0])) {
        load(core, lane, next, 0, next->loads[0] | next->loads[1]);
    }
    lane->step = run->step->id;
    next->ready = 1;
}

static void run_tile(struct rt_core *core, struct rt_lane *lane, struct rt_run *run)
{
    const struct rt_place *place = &run->place[run->current];
    uint32_t ahead = 1 - run->current;
    int more;
    tiles_next(run, place, &run->place[ahead]);
    more = tiles_valid(run, &run->place[ahead]);
    run->loaded[ahead] = 0;
    if (more) {
        load(core, lane, run, ahead, run->loads[1]);
    } else {
        load_next_task(core, lane, run);
    }
    wait_for_buffers(core, run, place);
    compute(core, lane, run, place);
    store(core, lane, run, place);
    if (more) {
        load(core, lane, run, ahead, run->loads[0]);
    }
    run->current = ahead;
}

/* 0 after a fault. Tasks before this one may still be storing: only a ready one knows better. */
static int begin(struct rt_core *core, const struct rt_lane *lane, struct rt_run *run,
                 const struct step *step)
{
    if (run->ready && run->step == step) {
        return 1;
    }
    rt_wait_all(core, &run->spent);
    if (!task_prepare(core, lane, run, step)) {
        return 0;
    }
    if (tiles_valid(run, &run->place[0])) {
        load(core, lane, run, 0, run->loads[0] | run->loads[1]);
    }
    return 1;
}

static enum rt_reason finish(struct rt_core *core, struct rt_lane *lane, struct rt_run *run)
{
    uint32_t barrier = run->step->flags & STEP_FLAG_BARRIER;
    if (barrier) {
        rt_wait_all(core, &run->spent);
    }
    rt_report(core, lane, &run->spent);
    lane->at += run->step->size;
    lane->size = run->step->next_size;
    if (core->run[1 - core->current].ready) {
        core->current = 1 - core->current;
    }
    return barrier ? RT_BARRIER : RT_CONTINUE;
}

enum rt_reason pipeline_run(struct rt_core *core, struct rt_lane *lane, const struct step *step)
{
    struct rt_run *run = &core->run[core->current];
    int sound = begin(core, lane, run, step);
    run->ready = 0;
    if (!sound) {
        return RT_STOPPED;
    }
    stream_prefetch(core, lane->at + step->size, step->next_size);
    while (tiles_valid(run, &run->place[run->current])) {
        if (rt_must_stop(core, lane)) {
            return RT_STOPPED;
        }
        run_tile(core, lane, run);
    }
    return core->stopped ? RT_STOPPED : finish(core, lane, run);
}
