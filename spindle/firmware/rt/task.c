/* task.c: a task entry in a record slot, checked and made ready to run on a lane.
 * arm/task.S is the same for ARM.
 */
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

/* What is found about the operands, a bit each. */
struct sorted {
    uint32_t loads[2], stores, each, one_buffer;
};

/* Which transfers the operand takes part in. A RESIDENT operand's only tile was left in DTCM by an
 * earlier task of this lane, unless another lane of the core came between. */
static inline void sort_operand(const struct rt_core *core, uint32_t inner,
                                const struct operand *op, uint32_t bit, struct sorted *sorted)
{
    uint32_t flags = op->flags;
    if (inner == SPINDLE_NO_DIM || op->stride[inner] != 0 || op->fast == inner) {
        sorted->each |= bit;
    }
    if (op->buffer == 0) {
        sorted->one_buffer |= bit;
    }
    if (flags & OPERAND_STORE) {
        sorted->stores |= bit;
    } else if ((flags & (OPERAND_LAZY | OPERAND_INTERNAL)) == 0 &&
               !((flags & OPERAND_RESIDENT) && core->n_lanes == 1)) {
        sorted->loads[op->buffer != 0] |= bit;
    }
}

/* Returns 0 where the record is not sound. */
static int prepare_operands(struct rt_core *core, struct rt_run *run)
{
    const struct task *task = run->task;
    const struct operand *op = run->operands;
    const struct term *terms = run->terms;
    const struct term *end = terms + task->n_terms;
    struct sorted sorted = {{0, 0}, 0, 0, 0};
    for (uint32_t i = 0; i < task->n_operands; i++, op++) {
        if (!operand_sound(op, (uint32_t)(end - terms))) {
            return 0;
        }
        sort_operand(core, task->inner, op, 1u << i, &sorted);
        if ((op->flags & OPERAND_INTERNAL) == 0) {
            run->base[i] = address_of(core, &op->addr, terms);
        }
        terms += op->addr.n_terms;
    }
    run->loads[0] = sorted.loads[0];
    run->loads[1] = sorted.loads[1];
    run->stores = sorted.stores;
    run->each = sorted.each;
    run->one_buffer = sorted.one_buffer;
    return terms == end && task->work + task->temps <= ARENA_WORDS;
}

static void clear_tickets(struct rt_run *run)
{
    run->loaded[0] = 0;
    for (uint32_t i = 0; i < RT_N_STORED; i++) {
        run->stored[i] = 0;
    }
}

/* A lane without tiles looks at the operands no further. */
int task_prepare(struct rt_core *core, struct rt_run *run, const struct step *step)
{
    const struct task *task = (const struct task *)(step + 1);
    int has_tiles;
    if (!well_formed(step, task)) {
        rt_fault(core, FAULT_BAD_STEP, step->kind, step->size);
        return 0;
    }
    if (task->kernel >= N_KERNELS) {
        rt_fault(core, FAULT_BAD_KERNEL, task->kernel, step->size);
        return 0;
    }
    point(run, step, task);
    clear_tickets(run);
    tiles_start(run, core->lane);
    has_tiles = tiles_valid(run, &run->place[0]);
    hal_charge_step(core->hal, has_tiles ? task->n_operands : 0);
    if (has_tiles && !prepare_operands(core, run)) {
        rt_fault(core, FAULT_BAD_STEP, step->kind, task->n_operands);
    }
    return core->stopped == 0;
}
