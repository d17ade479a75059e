/* rt.c: a lane's run from one barrier to the next; faults, waits and profiles for the other parts.
 *
 * In: lane state, the stream. Out: a reason to return. docs/spec/run.md, docs/spec/image.md.
 */
#include "parts.h"

void rt_core_start(struct rt_core *core, struct hal *hal, const struct command *command)
{
    core->hal = hal;
    core->command = command;
    core->slot = 0;
    core->last_ticket = 0;
    core->stopped = 0;
    core->n_lanes = 0;
    core->current = 0;
    for (uint32_t i = 0; i < 2; i++) {
        core->slot_at[i] = RT_NO_OFFSET;
        core->slot_ticket[i] = 0;
        core->run[i].ready = 0;
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

void rt_fault(struct rt_core *core, const struct rt_lane *lane, uint32_t code, uint32_t word0,
              uint32_t word1)
{
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
int rt_must_stop(struct rt_core *core, const struct rt_lane *lane)
{
    if (!core->stopped && hal_aborted(core->hal)) {
        rt_fault(core, lane, FAULT_ABORTED, 0, 0);
    }
    return core->stopped != 0;
}

void rt_wait(struct rt_core *core, struct profile *spent, uint32_t ticket)
{
    uint32_t start = hal_cycles(core->hal);
    hal_dma_wait(core->hal, ticket);
    spent->dma_wait += hal_cycles(core->hal) - start;
}

void rt_wait_all(struct rt_core *core, struct profile *spent)
{
    rt_wait(core, spent, core->last_ticket);
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

/* The present step is over: account it, and begin the time of the next one. */
void rt_report(struct rt_core *core, const struct rt_lane *lane, struct profile *spent)
{
    uint32_t now = hal_cycles(core->hal);
    spent->cycles = now - core->started_at;
    spent->runs = 1;
    hal_profile(core->hal, lane->number, lane->step, spent);
    rt_clear_profile(spent);
    core->started_at = now;
}

void rt_lane_released(struct rt_core *core, const struct rt_lane *lane)
{
    struct profile spent;
    rt_clear_profile(&spent);
    spent.barrier = hal_cycles(core->hal) - lane->arrived_at;
    hal_profile(core->hal, lane->number, lane->step, &spent);
}

static enum rt_reason run_step(struct rt_core *core, struct rt_lane *lane)
{
    const struct step *step = stream_get(core, lane, lane->at, lane->size);
    if (step == 0) {
        return RT_STOPPED;
    }
    lane->step = step->id;
    if (step->kind == STEP_TASK) {
        return pipeline_run(core, lane, step);
    }
    return control_run(core, lane, step);
}

enum rt_reason rt_run_lane(struct rt_core *core, struct rt_lane *lane)
{
    enum rt_reason reason = RT_CONTINUE;
    core->started_at = hal_cycles(core->hal);
    if (lane->size == 0 && !stream_first_size(core, lane)) {
        return RT_STOPPED;
    }
    while (reason == RT_CONTINUE) {
        reason = run_step(core, lane);
    }
    if (reason == RT_STOPPED) {
        core->run[0].ready = 0;
        core->run[1].ready = 0;
        hal_dma_wait(core->hal, core->last_ticket);
    }
    lane->arrived_at = hal_cycles(core->hal);
    return reason;
}
