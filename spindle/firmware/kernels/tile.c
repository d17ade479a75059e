/* Where a tile of an operand lies in DTCM: sizes and steps in words (contracts: tile.h). */
#include "tile.h"

uint32_t operand_rows(const struct operand *op, const struct tile *t, uint32_t dim)
{
    uint32_t granule = operand_granule(op, dim);
    if (op->stride[dim] == 0 || dim == op->fast) {
        return 1;
    }
    if (granule == 1) {
        return t->extent[dim];
    }
    return (t->origin[dim] + t->extent[dim] - 1) / granule - t->origin[dim] / granule + 1;
}

uint32_t operand_step(const struct operand *op, const struct tile *t, uint32_t dim)
{
    uint32_t step;
    if (op->stride[dim] == 0) {
        return 0;
    }
    if (dim == op->fast) {
        return op->unit_words;
    }
    step = operand_row_words(op, t);
    for (uint32_t later = dim + 1; later < SPINDLE_MAX_DIMS; later++) {
        step *= operand_rows(op, t, later);
    }
    return step;
}
