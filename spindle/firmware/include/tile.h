/* Where a tile of an operand lies in DTCM: shared by rt/ (which moves it) and kernels/ (which read it).
 *
 * A tile covers indices origin[d] .. origin[d]+extent[d]-1 of dims 0..3; extent[0] is 1. An operand's
 * tile lies as dense rows: one row per combination of granules of the dims it is indexed by, other
 * than its fast dim, dims in increasing order, the last varying quickest; a row is the fast dim's
 * indices, unit_words each, rounded up to align_words. docs/spec/image.md draws it.
 */
#ifndef SPINDLE_TILE_H
#define SPINDLE_TILE_H

#include "spindle_records.h"

struct tile {
    uint32_t origin[SPINDLE_MAX_DIMS];
    uint32_t extent[SPINDLE_MAX_DIMS];
    uint32_t first_inner; /* 1: first tile along task->inner (always 1 without inner) */
    uint32_t last_inner;  /* 1: last one */
};

static inline uint32_t operand_granule(const struct operand *op, uint32_t dim)
{
    return dim == 1 ? op->granule1 : dim == 3 ? op->granule3 : 1;
}

/* Rows along one dim: 1 where the operand is not indexed by it or it is the fast dim. */
static inline uint32_t operand_rows(const struct operand *op, const struct tile *t, uint32_t dim)
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

/* Words of one row. */
static inline uint32_t operand_row_words(const struct operand *op, const struct tile *t)
{
    uint32_t n = op->fast == SPINDLE_NO_DIM ? 1 : t->extent[op->fast];
    uint32_t align = op->align_words;
    return align == 1 ? n * op->unit_words : (n * op->unit_words + align - 1) / align * align;
}

/* Words from one granule of `dim` to the next; 0 where the operand is not indexed by it. */
static inline uint32_t operand_step(const struct operand *op, const struct tile *t, uint32_t dim)
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

#endif
