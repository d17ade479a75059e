/* Before a tile's first strip: where its operands and temporaries lie, how far apart strips and rows
 * are.
 *
 * In: the tile, its operands and the shape of its strips (strip_shape.c). Out: struct strip.
 */
#include "strip.h"

/* The operand with one row for all gets as many copies of it as a strip holds. */
static void repeat_row(struct strip *s)
{
    const struct strip_shape *shape = &s->shape;
    const uint32_t *row = s->args->data[shape->repeated];
    uint32_t columns = s->args->tile.extent[2];
    for (uint32_t i = 0; i < shape->length; i++) {
        s->repeat[i] = i < columns ? row[i] : s->repeat[i - columns];
    }
    s->row_at[shape->repeated] = s->repeat;
    s->column_step[shape->repeated] = 0;
}

/* Operands below `first` are a dot's own; the program does not name them. */
void strip_begin(struct strip *s, const struct kernel_args *args, uint32_t first)
{
    const struct task *task = args->task;
    uint32_t steps; /* from row to row */
    s->args = args;
    s->n = SPINDLE_STRIP;
    s->row = 0;
    s->column = 0;
    strip_shape_of(&s->shape, args, first);
    steps = s->shape.rows > 1 || s->shape.stacked > 1;
    for (uint32_t i = first; i < task->n_operands; i++) {
        const struct operand *op = &args->operands[i];
        s->row_step[i] = steps ? operand_step(op, &args->tile, 1) : 0;
        s->column_step[i] = op->stride[2] != 0 ? s->shape.length : 0;
        s->row_at[i] = args->data[i];
        s->reg[i] = args->data[i];
    }
    for (uint32_t i = 0; i < task->n_temps; i++) {
        s->reg[SPINDLE_MAX_OPERANDS + i] = args->work + task->temps + i * SPINDLE_STRIP;
    }
    if (s->shape.repeated != NOT_REPEATED) {
        repeat_row(s);
    }
}
