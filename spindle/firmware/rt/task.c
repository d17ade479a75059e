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

/* The terms of an operand that is sound lie in the record. */
static int operand_sound(const struct operand *op, uint32_t n_terms)
{
    return (op->fast < SPINDLE_MAX_DIMS || op->fast == SPINDLE_NO_DIM) && op->granule1 != 0 &&
           op->granule3 != 0 && op->align_words != 0 &&
           (op->align_words & (op->align_words - 1)) == 0 && op->unit_words != 0 &&
           op->dtcm + op->buffer <= ARENA_WORDS && op->addr.n_terms <= n_terms;
}

static void point(struct rt_run *run, const struct step *step, const struct task *task)
{
    run->step = step;
    run->task = task;
    run->operands = (const struct operand *)(task + 1);
    run->terms = (const struct term *)(run->operands + task->n_operands);
    run->program = (const struct instr *)(run->terms + task->n_terms);
}

/* Which transfers the operand takes part in. A RESIDENT operand's only tile was left in DTCM by an
 * earlier task of this lane, unless another lane of the core came between. */
static void sort_operand(const struct rt_core *core, struct rt_run *run, const struct operand *op,
                         uint32_t bit)
{
    uint32_t inner = run->task->inner;
    int stays = (op->flags & OPERAND_RESIDENT) && core->n_lanes == 1;
    if (inner == SPINDLE_NO_DIM || op->stride[inner] != 0 || op->fast == inner) {
        run->each |= bit;
    }
    if (op->flags & OPERAND_STORE) {
        run->stores |= bit;
    } else if ((op->flags & (OPERAND_LAZY | OPERAND_INTERNAL)) == 0 && !stays) {
        run->loads[op->buffer != 0] |= bit;
    }
}

/* Returns 0 where the record is not sound. */
static int prepare_operands(struct rt_core *core, const struct rt_lane *lane, struct rt_run *run)
{
    const struct term *terms = run->terms;
    uint32_t left = run->task->n_terms;
    run->loads[0] = 0;
    run->loads[1] = 0;
    run->stores = 0;
    run->each = 0;
    for (uint32_t i = 0; i < run->task->n_operands; i++) {
        const struct operand *op = &run->operands[i];
        if (!operand_sound(op, left)) {
            return 0;
        }
        run->stored[i][0] = 0;
        run->stored[i][1] = 0;
        sort_operand(core, run, op, 1u << i);
        if ((op->flags & OPERAND_INTERNAL) == 0) {
            run->base[i] = control_address(core, lane, &op->addr, terms);
        }
        terms += op->addr.n_terms;
        left -= op->addr.n_terms;
    }
    return left == 0 && run->task->work + run->task->temps <= ARENA_WORDS;
}

/* A lane without tiles looks at the operands no further. */
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
    run->loaded[0] = 0;
    tiles_start(run, lane);
    if (tiles_valid(run, &run->place[0]) && !prepare_operands(core, lane, run)) {
        rt_fault(core, lane, FAULT_BAD_STEP, step->kind, task->n_operands);
    }
    return core->stopped == 0;
}
