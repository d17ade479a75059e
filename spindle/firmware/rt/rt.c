/* rt.c: a lane's run from one barrier to the next; faults, waits and profiles for the other parts.
 *
 * In: lane state, the stream. Out: a reason to return. docs/spec/run.md, docs/spec/image.md.
 */
#include "parts.h"

void rt_core_start(struct rt_core *core, struct hal *hal, const struct command *command)
{
    core->hal = hal;
    core->command = command;
    core->lane = 0;
    core->arena = hal_arena(hal);
    core->slot = 0;
    core->last_ticket = 0;
    core->stopped = 0;
    core->n_lanes = 0;
    core->owed = 0;
    core->current = 0;
    for (uint32_t i = 0; i < RT_SLOTS; i++) {
        core->bound[i] = 0;
    }
    for (uint32_t i = 0; i < 2; i++) {
        core->slot_at[i] = RT_NO_OFFSET;
        core->slot_ticket[i] = 0;
        core->run[i].ready = RT_NOT_READY;
        rt_clear_profile(&core->run[i].spent);
    }
}

void rt_lane_start(struct rt_lane *lane, uint32_t number, const struct command *command)
{
    lane->number = number;
    lane->at = command->entry;
    lane->size = 0;
    lane->step = 0;
    lane->arrived_at = 0;
    for (uint32_t i = 0; i < SPINDLE_LOOP_REGS; i++) {
        lane->reg[i] = 0;
    }
}

void rt_fault(struct rt_core *core, uint32_t code, uint32_t word0, uint32_t word1)
{
    const struct rt_lane *lane = core->lane;
    struct fault fault;
    fault.code = code;
    fault.lane = lane->number;
    fault.pc = lane->at;
    fault.step = lane->step;
    fault.word[0] = word0;
    fault.word[1] = word1;
    core->stopped = 1;
    hal_fault(core->hal, &fault);
}

/* Looked at once per tile and per control step. */
int rt_must_stop(struct rt_core *core)
{
    if (!core->stopped && hal_aborted(core->hal)) {
        rt_fault(core, FAULT_ABORTED, 0, 0);
    }
    return core->stopped != 0;
}

void rt_clear_profile(struct profile *spent)
{
    spent->cycles = 0;
    spent->compute = 0;
    spent->dma_wait = 0;
    spent->dma_bytes = 0;
    spent->barrier = 0;
    spent->runs = 0;
    spent->nonfinite = 0;
    spent->tiles = 0;
}

/* The present step is over: the time of the next one begins. A core that runs one lane writes the
 * profile while it waits at the barrier. */
enum rt_reason rt_finish(struct rt_core *core, const struct step *step, struct profile *spent)
{
    uint32_t barrier = step->flags & STEP_FLAG_BARRIER;
    uint32_t now;
    if (barrier) {
        rt_wait(core, spent, core->last_ticket);
    }
    now = hal_cycles(core->hal);
    spent->cycles = now - core->started_at;
    spent->runs = 1;
    core->started_at = now;
    core->owed = spent;
    if (!barrier || core->n_lanes != 1) {
        rt_lane_waits(core);
    }
    return barrier ? RT_BARRIER : RT_CONTINUE;
}

void rt_lane_waits(struct rt_core *core)
{
    if (core->owed != 0) {
        hal_profile(core->hal, core->lane->number, core->lane->step, core->owed);
        rt_clear_profile(core->owed);
        core->owed = 0;
    }
}

void rt_lane_released(struct rt_core *core, const struct rt_lane *lane)
{
    struct profile spent;
    rt_lane_waits(core);
    rt_clear_profile(&spent);
    spent.barrier = hal_cycles(core->hal) - lane->arrived_at;
    hal_profile(core->hal, lane->number, lane->step, &spent);
}

static enum rt_reason run_step(struct rt_core *core, struct rt_lane *lane)
{
    const struct step *step = stream_get(core, lane->at, lane->size);
    if (step == 0) {
        return RT_STOPPED;
    }
    lane->step = step->id;
    return step->kind == STEP_TASK ? pipeline_run(core, step) : control_run(core, step);
}

enum rt_reason rt_run_lane(struct rt_core *core, struct rt_lane *lane)
{
    enum rt_reason reason = RT_CONTINUE;
    core->lane = lane;
    core->started_at = hal_cycles(core->hal);
    if (lane->size == 0 && !stream_first_size(core)) {
        reason = RT_STOPPED;
    }
    while (reason == RT_CONTINUE) {
        reason = run_step(core, lane);
    }
    if (reason != RT_BARRIER) {
        rt_lane_waits(core);
    }
    if (reason == RT_STOPPED) {
        core->run[0].ready = RT_NOT_READY;
        core->run[1].ready = RT_NOT_READY;
        hal_dma_wait(core->hal, core->last_ticket);
    }
    lane->arrived_at = hal_cycles(core->hal);
    return reason;
}
