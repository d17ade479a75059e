/* Inside DOT_S28: what dot_s28.c, dot_s28_rows.c, dot_s28_sums.c and their variants share. */
#ifndef SPINDLE_DOT_S28_H
#define SPINDLE_DOT_S28_H

#include "dot_flags.h"
#include "panel.h"

/* A pair of rows of A against the pairs of columns of B, over whole chunks of 8 k. */
struct dot_pair {
    const int32_t *a; /* the pair's words of the first k */
    const int32_t *b; /* the first pair's */
    uint32_t b_pitch; /* words from pair to pair of columns */
    uint32_t columns; /* even */
    uint32_t chunks;
    const struct panel_row *rows; /* of the pair */
    const struct panel_row *column_rows; /* of the columns */
    uint32_t fresh; /* 1: the K-block begins, sums hold nothing yet */
};

/* Add the sums of products to sums[2][columns], or set them; 512 products of |q| < 2^27 fit. They
 * are exact at the end of a K-block; before, a variant may have some of the corrections in them. */
void dot_s28_sums(int64_t *sums, const struct dot_pair *pair);

/* One row of C at the end of a K-block. */
struct dot_row {
    uint32_t *c;
    const int64_t *sums;
    const struct panel_row *columns;
    uint32_t n; /* columns, at least 1 */
    int32_t exponent; /* of the row, less 52 */
    uint32_t first_block; /* 1: C = block value, 0: C + block value */
};

/* c[j] (+)= sums[j] * 2^(exponent + column's), each rounded once. */
void dot_s28_finish(const struct dot_row *row);

/* The part of one K-block in this tile. */
struct dot_segment {
    const struct kernel_args *args;
    int64_t *sums; /* in the workspace, 8-byte aligned */
    struct dot_flags flags;
    uint32_t chunk, chunks; /* first and number, of the tile's panels */
    const struct panel_row *rows[2]; /* of the K-block: of rows, of columns */
    uint32_t first, last;   /* part of the K-block */
    uint32_t first_block;   /* of the whole dot */
};

/* Sums of all rows of the tile over a segment; where the K-block ends, C. */
void dot_s28_rows(const struct dot_segment *s);

#endif
