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

static const uint8_t GROUP_OF[N_KERNELS] = KERNEL_GROUPS;

/* Operands with a bit in mask, one after another: FOR_OPERANDS(i, mask). */
#define FOR_OPERANDS(i, mask) \
    for (uint32_t left_ = (mask), i; \
         left_ != 0 && (i = (uint32_t)__builtin_ctz(left_), 1); left_ &= left_ - 1)

static inline uint32_t *buffer(struct rt_core *core, const struct operand *op, uint32_t odd)
{
    return core->arena + op->dtcm + (odd & 1u ? op->buffer : 0);
}

/* The ticket after which the buffers of a tile hold nothing that is still to be stored. */
static uint32_t latest_store(const struct rt_run *run, const struct rt_place *place)
{
    uint32_t outer = run->stored[RT_OUTER + (place->n_outers & 1)];
    uint32_t each = run->stored[RT_EACH + (place->n_tiles & 1)];
    return larger(run->stored[RT_ONE_BUFFER], larger(outer, each));
}

/* COPY's store shares the buffer of its input: wait until it has left. */
static void load(struct rt_core *core, struct rt_run *run, uint32_t index, uint32_t which)
{
    const struct rt_place *place = &run->place[index];
    uint32_t mask = place->inner == 0 ? which : which & run->each;
    if (mask == 0) {
        return;
    }
    if (run->task->kernel == KERNEL_COPY) {
        rt_wait(core, &run->spent, latest_store(run, place));
    }
    FOR_OPERANDS (i, mask) {
        uint32_t *data = buffer(core, &run->operands[i], place->odd >> i);
        move_tile(core, run, i, &place->tile, data, MOVE_READ);
    }
    run->loaded[index] = core->last_ticket;
}

static uint32_t kind_of_store(const struct rt_run *run, uint32_t bit, const struct rt_place *place)
{
    if (run->one_buffer & bit) {
        return RT_ONE_BUFFER;
    }
    return run->each & bit ? RT_EACH + (place->n_tiles & 1) : RT_OUTER + (place->n_outers & 1);
}

/* The tile that was computed: fill_args found its buffers. */
static void store(struct rt_core *core, struct rt_run *run, const struct rt_place *place)
{
    FOR_OPERANDS (i, place->tile.last_inner ? run->stores : run->stores & run->each) {
        move_tile(core, run, i, &place->tile, core->args.data[i], MOVE_WRITE);
        run->stored[kind_of_store(run, 1u << i, place)] = core->last_ticket;
    }
}

static void fill_args(struct rt_core *core, const struct rt_run *run, const struct rt_place *place)
{
    struct kernel_args *args = &core->args;
    const struct operand *op = run->operands;
    uint32_t odd = place->odd, n_operands = run->task->n_operands;
    args->task = run->task;
    args->operands = run->operands;
    args->program = run->program;
    args->work = core->arena + run->task->work;
    args->tile = place->tile;
    for (uint32_t i = 0; i < n_operands; i++, op++, odd >>= 1) {
        args->data[i] = buffer(core, op, odd);
    }
}

static void finish_dot(struct rt_core *core, struct rt_run *run)
{
    if (kernel_flagged(&core->args) != 0) {
        rescue_run(core, run);
    }
    kernel_epilogue(&core->args);
}

static void compute(struct rt_core *core, struct rt_run *run, const struct rt_place *place)
{
    uint32_t kernel = run->task->kernel;
    uint32_t start = hal_cycles(core->hal);
    uint32_t waited = run->spent.dma_wait;
    fill_args(core, run, place);
    hal_charge_tile(core->hal, &core->args);
    if (!hal_estimate(core->hal)) {
        kernel_compute(&core->args);
        if (place->tile.last_inner && kernel_is_dot(kernel)) {
            finish_dot(core, run);
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

static int keeps_to_other_half(const struct rt_run *run, const struct task *task)
{
    return (task->flags & TASK_EXCLUSIVE) == 0 && half_of(task) != half_of(run->task);
}

/* The task after this one, checked and its addresses found; 0 where there is none yet. */
static struct rt_run *prepare_next(struct rt_core *core, const struct rt_run *run)
{
    struct rt_run *next = &core->run[1 - core->current];
    uint32_t slot = core->slot;
    const struct step *step;
    if (run->step->next_size == 0) {
        return 0;
    }
    step = stream_get(core, core->lane->at + run->step->size, run->step->next_size);
    core->slot = slot;
    if (step == 0 || step->kind != STEP_TASK) {
        return 0;
    }
    core->lane->step = step->id; /* for faults */
    next->ready = task_prepare(core, next, step) ? RT_PREPARED : RT_NOT_READY;
    core->lane->step = run->step->id;
    return next->ready ? next : 0;
}

/* The task before `run` used the half of the next one. Its stores have left: the next one's record
 * was queued behind them, and is here. */
static void load_next_task(struct rt_core *core, struct rt_run *run)
{
    struct rt_run *next;
    if ((run->step->flags & STEP_FLAG_BARRIER) || (run->task->flags & TASK_EXCLUSIVE)) {
        return;
    }
    next = prepare_next(core, run);
    if (next != 0 && keeps_to_other_half(run, next->task)) {
        if (tiles_valid(next, &next->place[0])) {
            load(core, next, 0, next->loads[0] | next->loads[1]);
        }
        next->ready = RT_LOADING;
    }
}

/* The engine works in order: the latest ticket stands for all. */
static void run_tile(struct rt_core *core, struct rt_run *run)
{
    const struct rt_place *place = &run->place[run->current];
    uint32_t ahead = 1 - run->current;
    int more;
    tiles_next(run, place, &run->place[ahead]);
    more = tiles_valid(run, &run->place[ahead]);
    run->loaded[ahead] = 0;
    if (more) {
        load(core, run, ahead, run->loads[1]);
    } else {
        load_next_task(core, run);
    }
    rt_wait(core, &run->spent, larger(run->loaded[run->current], latest_store(run, place)));
    compute(core, run, place);
    store(core, run, place);
    if (more) {
        load(core, run, ahead, run->loads[0]);
    }
    run->current = ahead;
}

/* 0 after a fault. Tasks before this one may still be storing: only one that loads knows better.
 * The kernel's code is brought where the lane has a tile. */
static int begin(struct rt_core *core, struct rt_run *run, const struct step *step)
{
    uint32_t ready = run->step == step ? run->ready : RT_NOT_READY;
    run->ready = RT_NOT_READY;
    if (ready == RT_NOT_READY && !task_prepare(core, run, step)) {
        return 0;
    }
    if (ready != RT_LOADING) {
        rt_wait(core, &run->spent, core->last_ticket);
        if (tiles_valid(run, &run->place[0])) {
            load(core, run, 0, run->loads[0] | run->loads[1]);
        }
    }
    return !tiles_valid(run, &run->place[0]) ||
           hal_need_group(core->hal, GROUP_OF[run->task->kernel]);
}

/* Before a barrier a core that runs one lane prepares the next task while its last stores leave. */
static enum rt_reason finish(struct rt_core *core, struct rt_run *run)
{
    enum rt_reason reason;
    if ((run->step->flags & STEP_FLAG_BARRIER) && core->n_lanes == 1) {
        prepare_next(core, run);
    }
    reason = rt_finish(core, run->step, &run->spent);
    core->lane->at += run->step->size;
    core->lane->size = run->step->next_size;
    if (core->run[1 - core->current].ready) {
        core->current = 1 - core->current;
    }
    return core->stopped ? RT_STOPPED : reason;
}

enum rt_reason pipeline_run(struct rt_core *core, const struct step *step)
{
    struct rt_run *run = &core->run[core->current];
    if (!begin(core, run, step)) {
        return RT_STOPPED;
    }
    stream_prefetch(core, core->lane->at + step->size, step->next_size);
    while (tiles_valid(run, &run->place[run->current])) {
        if (rt_must_stop(core)) {
            return RT_STOPPED;
        }
        run_tile(core, run);
    }
    return core->stopped ? RT_STOPPED : finish(core, run);
}
