/* Rows and strips of a tile: where nothing keeps rows apart, the whole tile is one row.
 *
 * In: the task's program and operands. Out: struct strip_shape. A narrow tile costs a strip per row
 * otherwise. Rows may be joined where the program does not ask for a row (BCAST, IOTA and most RED
 * do), and every operand lies densely or has no place in the tile at all. One operand with a single
 * row for all is repeated, if two of its rows fit in a strip: strips then hold whole rows. Where the
 * program is one RED along the rows, a strip takes all rows, one under the other.
 */
#include "strip.h"

static uint32_t reduces(const struct instr *in)
{
    return in->prim >= PRIM_RED_ADD_F32 && in->prim <= PRIM_RED_OR_I32;
}

static uint32_t asks_for_row(const struct instr *in)
{
    return in->prim == PRIM_BCAST || in->prim == PRIM_IOTA || (reduces(in) && in->reg[2] != 3);
}

static uint32_t program_joins(const struct kernel_args *args)
{
    for (uint32_t i = args->task->n_prologue; i < args->task->n_instrs; i++) {
        if (asks_for_row(&args->program[i])) {
            return 0;
        }
    }
    return 1;
}

/* Count an operand in; 0 where it keeps the rows apart. */
static uint32_t operand_joins(struct strip_shape *joined, const struct kernel_args *args,
                              uint32_t i)
{
    const struct operand *op = &args->operands[i];
    uint32_t columns = args->tile.extent[2];
    if (op->stride[2] == 0) {
        return op->stride[1] == 0;
    }
    if (op->stride[1] != 0) {
        return operand_step(op, &args->tile, 1) == columns;
    }
    if (joined->repeated != NOT_REPEATED || 2 * columns > SPINDLE_STRIP) {
        return 0;
    }
    joined->repeated = i;
    while (joined->length + columns <= SPINDLE_STRIP) {
        joined->length += columns;
    }
    return 1;
}

/* Returns 0 where rows stay apart; `joined` is then of no use. */
static uint32_t join(struct strip_shape *joined, const struct kernel_args *args, uint32_t first)
{
    joined->rows = 1;
    joined->columns = args->tile.extent[1] * args->tile.extent[2];
    joined->length = 0;
    joined->repeated = NOT_REPEATED;
    for (uint32_t i = first; i < args->task->n_operands; i++) {
        if (!operand_joins(joined, args, i)) {
            return 0;
        }
    }
    joined->length = joined->length == 0 ? SPINDLE_STRIP : joined->length;
    return 1;
}

/* The body is one RED, with its EXT, of an operand along the rows. */
static uint32_t program_stacks(const struct kernel_args *args)
{
    const struct task *task = args->task;
    const struct instr *in = args->program + task->n_prologue;
    return task->n_instrs == task->n_prologue + 2u && reduces(in) && in->reg[2] == 1 &&
           in->reg[1] < SPINDLE_MAX_OPERANDS;
}

void strip_shape_of(struct strip_shape *shape, const struct kernel_args *args, uint32_t first)
{
    uint32_t rows = args->tile.extent[1], stacked = rows > 1 && program_stacks(args);
    shape->stacked = 1;
    if (rows > 1 && !stacked && program_joins(args) && join(shape, args, first)) {
        return;
    }
    shape->stacked = stacked ? rows : 1;
    shape->rows = stacked ? 1 : rows;
    shape->columns = args->tile.extent[2];
    shape->length = SPINDLE_STRIP;
    shape->repeated = NOT_REPEATED;
}
