/* Rows and strips of a tile: where nothing keeps rows apart, the whole tile is one row.
 *
 * In: the task's program and operands. Out: struct strip_shape. A narrow tile costs a strip per row
 * otherwise. Rows may be joined where the program does not ask for an element's place (BCAST, IOTA and
 * RED do), and every operand lies densely or has no place in the tile at all. One operand with a single
 * row for all is repeated, if two of its rows fit in a strip: strips then hold whole rows.
 */
#include "strip.h"

static uint32_t asks_for_place(uint32_t prim)
{
    return prim == PRIM_BCAST || prim == PRIM_IOTA ||
           (prim >= PRIM_RED_ADD_F32 && prim <= PRIM_RED_OR_I32);
}

static uint32_t program_joins(const struct kernel_args *args)
{
    for (uint32_t i = args->task->n_prologue; i < args->task->n_instrs; i++) {
        if (asks_for_place(args->program[i].prim)) {
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

void strip_shape_of(struct strip_shape *shape, const struct kernel_args *args, uint32_t first)
{
    if (args->tile.extent[1] > 1 && program_joins(args) && join(shape, args, first)) {
        return;
    }
    shape->rows = args->tile.extent[1];
    shape->columns = args->tile.extent[2];
    shape->length = SPINDLE_STRIP;
    shape->repeated = NOT_REPEATED;
}
