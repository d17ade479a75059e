/* control.c: LOOP, LOOP_END, SET_REG, BRANCH, END; and addresses with loop registers. */
#include "parts.h"

uint32_t control_address(struct rt_core *core, const struct rt_lane *lane, const struct addr *addr,
                         const struct term *terms)
{
    uint32_t at;
    if (addr->slot >= core->command->n_slots) {
        rt_fault(core, lane, FAULT_BAD_ADDRESS, addr->slot, (uint32_t)addr->offset);
        return 0;
    }
    at = hal_read_word(core->hal, core->command->binding + 4u * addr->slot);
    at += (uint32_t)addr->offset;
    for (uint32_t i = 0; i < addr->n_terms; i++) {
        if (terms[i].reg >= SPINDLE_LOOP_REGS) {
            rt_fault(core, lane, FAULT_BAD_STEP, terms[i].reg, addr->slot);
            return 0;
        }
        at += (uint32_t)terms[i].stride * lane->reg[terms[i].reg];
    }
    return at;
}

static void go_on(struct rt_lane *lane, const struct step *step)
{
    lane->at += step->size;
    lane->size = step->next_size;
}

static void jump(struct rt_lane *lane, const struct control *control)
{
    lane->at = control->target;
    lane->size = control->target_size;
}

/* 1 to jump. A branch's register counts the trips of its while: only the estimate looks at it. */
static int branch(struct rt_core *core, const struct rt_lane *lane, const struct step *step,
                  uint32_t word)
{
    uint32_t trips = hal_estimate(core->hal);
    return trips ? lane->reg[step->reg] >= trips : word == 0;
}

static void set_reg(struct rt_core *core, struct rt_lane *lane, const struct step *step,
                    const struct control *control, uint32_t word)
{
    int32_t value = hal_estimate(core->hal) ? control->lo : (int32_t)word;
    value = value > control->hi ? control->hi : value;
    lane->reg[step->reg] = (uint32_t)(value < control->lo ? control->lo : value);
}

/* 1 to jump. */
static int act(struct rt_core *core, struct rt_lane *lane, const struct step *step,
               const struct control *control)
{
    uint32_t word = 0;
    if (step->kind == STEP_SET_REG || step->kind == STEP_BRANCH) {
        const struct term *terms = (const struct term *)(control + 1);
        word = hal_read_word(core->hal, control_address(core, lane, &control->addr, terms));
    }
    if (step->kind == STEP_LOOP) {
        lane->reg[step->reg] = 0;
        return control->count == 0;
    }
    if (step->kind == STEP_LOOP_END) {
        lane->reg[step->reg]++;
        return lane->reg[step->reg] < control->count;
    }
    if (step->kind == STEP_BRANCH) {
        return branch(core, lane, step, word);
    }
    set_reg(core, lane, step, control, word);
    return 0;
}

static int well_formed(const struct step *step, const struct control *control)
{
    uint32_t fixed = sizeof(struct step) + sizeof(struct control);
    return step->kind <= STEP_BRANCH && step->reg < SPINDLE_LOOP_REGS && step->size >= fixed &&
           control->addr.n_terms <= SPINDLE_MAX_TERMS &&
           step->size == fixed + control->addr.n_terms * sizeof(struct term);
}

static enum rt_reason finish(struct rt_core *core, struct rt_lane *lane, uint32_t barrier)
{
    struct profile *spent = &core->run[core->current].spent;
    if (barrier) {
        rt_wait_all(core, spent);
    }
    rt_report(core, lane, spent);
    return barrier ? RT_BARRIER : RT_CONTINUE;
}

enum rt_reason control_run(struct rt_core *core, struct rt_lane *lane, const struct step *step)
{
    const struct control *control = (const struct control *)(step + 1);
    uint32_t barrier = step->flags & STEP_FLAG_BARRIER;
    if (rt_must_stop(core, lane)) {
        return RT_STOPPED;
    }
    hal_charge_step(core->hal);
    if (step->kind == STEP_END) {
        hal_dma_wait(core->hal, core->last_ticket);
        return RT_END;
    }
    if (!well_formed(step, control)) {
        rt_fault(core, lane, FAULT_BAD_STEP, step->kind, step->size);
        return RT_STOPPED;
    }
    if (act(core, lane, step, control)) {
        jump(lane, control);
    } else {
        go_on(lane, step);
    }
    return core->stopped ? RT_STOPPED : finish(core, lane, barrier);
}
