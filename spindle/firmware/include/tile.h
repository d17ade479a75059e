/* Where a tile of an operand lies in DTCM: shared by rt/ (which moves it) and kernels/ (which read it).
 *
 * A tile covers indices origin[d] .. origin[d]+extent[d]-1 of dims 0..3; extent[0] is 1. An operand's
 * tile lies as dense rows: one row per combination of granules of the dims it is indexed by, other
 * than its fast dim, dims in increasing order, the last varying quickest; a row is the fast dim's
 * indices, unit_words each, rounded up to align_words, a power of two. docs/spec/image.md draws it.
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

/* Indices of `dim` that share one place; granule1 is that of both free dims, 1 and 2. */
static inline uint32_t operand_granule(const struct operand *op, uint32_t dim)
{
    return dim == 0 ? 1 : dim == 3 ? op->granule3 : op->granule1;
}

/* Rows along one dim: 1 where the operand is not indexed by it or it is the fast dim. */
uint32_t operand_rows(const struct operand *op, const struct tile *t, uint32_t dim);

/* Words of one row. */
static inline uint32_t operand_row_words(const struct operand *op, const struct tile *t)
{
    uint32_t n = op->fast == SPINDLE_NO_DIM ? 1 : t->extent[op->fast];
    uint32_t align = op->align_words;
    return (n * op->unit_words + align - 1) & (0u - align);
}

/* Words from one granule of `dim` to the next; 0 where the operand is not indexed by it. */
uint32_t operand_step(const struct operand *op, const struct tile *t, uint32_t dim);

#endif
