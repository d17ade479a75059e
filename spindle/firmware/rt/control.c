/* control.c: LOOP, LOOP_END, SET_REG, BRANCH, END. */
#include "parts.h"

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
static int branch(struct rt_core *core, const struct step *step, uint32_t word)
{
    uint32_t trips = hal_estimate(core->hal);
    return trips ? core->lane->reg[step->reg] >= trips : word == 0;
}

static void set_reg(struct rt_core *core, const struct step *step, const struct control *control,
                    uint32_t word)
{
    int32_t value = hal_estimate(core->hal) ? control->lo : (int32_t)word;
    value = value > control->hi ? control->hi : value;
    core->lane->reg[step->reg] = (uint32_t)(value < control->lo ? control->lo : value);
}

/* 1 to jump. */
static int act(struct rt_core *core, const struct step *step, const struct control *control)
{
    uint32_t *reg = &core->lane->reg[step->reg];
    uint32_t word = 0;
    if (step->kind == STEP_SET_REG || step->kind == STEP_BRANCH) {
        const struct term *terms = (const struct term *)(control + 1);
        word = hal_read_word(core->hal, address_of(core, &control->addr, terms));
    }
    if (step->kind == STEP_LOOP) {
        *reg = 0;
        return control->count == 0;
    }
    if (step->kind == STEP_LOOP_END) {
        return ++*reg < control->count;
    }
    if (step->kind == STEP_BRANCH) {
        return branch(core, step, word);
    }
    set_reg(core, step, control, word);
    return 0;
}

static int well_formed(const struct step *step, const struct control *control)
{
    uint32_t fixed = sizeof(struct step) + sizeof(struct control);
    return step->kind <= STEP_BRANCH && step->reg < SPINDLE_LOOP_REGS && step->size >= fixed &&
           control->addr.n_terms <= SPINDLE_MAX_TERMS &&
           step->size == fixed + control->addr.n_terms * sizeof(struct term);
}

enum rt_reason control_run(struct rt_core *core, const struct step *step)
{
    const struct control *control = (const struct control *)(step + 1);
    if (rt_must_stop(core)) {
        return RT_STOPPED;
    }
    hal_charge_step(core->hal, 0);
    if (step->kind == STEP_END) {
        hal_dma_wait(core->hal, core->last_ticket);
        return RT_END;
    }
    if (!well_formed(step, control)) {
        rt_fault(core, FAULT_BAD_STEP, step->kind, step->size);
        return RT_STOPPED;
    }
    if (act(core, step, control)) {
        jump(core->lane, control);
    } else {
        go_on(core->lane, step);
    }
    if (core->stopped) {
        return RT_STOPPED;
    }
    stream_prefetch(core, core->lane->at, core->lane->size);
    return rt_finish(core, step, &core->run[core->current].spent);
}
