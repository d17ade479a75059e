/* task.c: a task entry in a record slot, checked and made ready to run on a lane. */
#include "parts.h"

#define ARENA_WORDS (SPINDLE_TILE_ARENA_BYTES / 4)

static uint32_t record_bytes(const struct task *task)
{
    return sizeof(struct step) + sizeof(struct task) + task->n_operands * sizeof(struct operand) +
           task->n_terms * sizeof(struct term) + task->n_instrs * sizeof(struct instr);
}

static int well_formed(const struct step *step, const struct task *task)
{
    int sound = step->size >= sizeof(struct step) + sizeof(struct task) &&
                task->n_operands <= SPINDLE_MAX_OPERANDS && task->n_temps <= SPINDLE_MAX_TEMPS &&
                (task->inner < SPINDLE_MAX_DIMS || task->inner == SPINDLE_NO_DIM) &&
                task->lane_first < SPINDLE_LANES && step->size == record_bytes(task);
    for (uint32_t dim = 0; dim < SPINDLE_MAX_DIMS; dim++) {
        sound = sound && task->tile[dim] != 0;
    }
    return sound;
}

static int operands_sound(const struct rt_run *run)
{
    uint32_t n_terms = 0;
    for (uint32_t i = 0; i < run->task->n_operands; i++) {
        const struct operand *op = &run->operands[i];
        n_terms += op->addr.n_terms;
        if ((op->fast >= SPINDLE_MAX_DIMS && op->fast != SPINDLE_NO_DIM) || op->granule1 == 0 ||
            op->granule3 == 0 || op->align_words == 0 || op->unit_words == 0 ||
            op->dtcm + op->buffer > ARENA_WORDS) {
            return 0;
        }
    }
    return n_terms == run->task->n_terms && run->task->work + run->task->temps <= ARENA_WORDS;
}

static void point(struct rt_run *run, const struct step *step, const struct task *task)
{
    run->step = step;
    run->task = task;
    run->operands = (const struct operand *)(task + 1);
    run->terms = (const struct term *)(run->operands + task->n_operands);
    run->program = (const struct instr *)(run->terms + task->n_terms);
}

static void resolve(struct rt_core *core, const struct rt_lane *lane, struct rt_run *run)
{
    const struct term *terms = run->terms;
    for (uint32_t i = 0; i < run->task->n_operands; i++) {
        const struct operand *op = &run->operands[i];
        run->stored[i][0] = 0;
        run->stored[i][1] = 0;
        if ((op->flags & OPERAND_INTERNAL) == 0) {
            run->base[i] = control_address(core, lane, &op->addr, terms);
        }
        terms += op->addr.n_terms;
    }
}

int task_prepare(struct rt_core *core, const struct rt_lane *lane, struct rt_run *run,
                 const struct step *step)
{
    const struct task *task = (const struct task *)(step + 1);
    hal_charge_step(core->hal);
    if (!well_formed(step, task)) {
        rt_fault(core, lane, FAULT_BAD_STEP, step->kind, step->size);
        return 0;
    }
    if (task->kernel >= N_KERNELS) {
        rt_fault(core, lane, FAULT_BAD_KERNEL, task->kernel, step->size);
        return 0;
    }
    point(run, step, task);
    if (!operands_sound(run)) {
        rt_fault(core, lane, FAULT_BAD_STEP, step->kind, task->n_operands);
        return 0;
    }
    resolve(core, lane, run);
    tiles_start(run, lane);
    run->loaded[0] = 0;
    return core->stopped == 0;
}
