/* Inside DOT_S28: what dot_s28.c, dot_s28_sums.c (and its host variant) and rescue.c share. */
#ifndef SPINDLE_DOT_S28_H
#define SPINDLE_DOT_S28_H

#include "kernels.h"

/* A pair of rows of A against the pairs of columns of B, over whole chunks of k. */
struct dot_pair {
    const int32_t *a; /* the pair's 16 words of the first chunk */
    const int32_t *b; /* first pair's 16 words of the first chunk */
    uint32_t a_pitch, b_pitch; /* words from chunk to chunk */
    uint32_t columns; /* even */
    uint32_t chunks;
    uint32_t fresh; /* 1: sums hold nothing yet */
};

/* Add the exact sums of products to sums[2][columns], or set them; 512 products of |q| < 2^27 fit. */
void dot_s28_sums(int64_t *sums, const struct dot_pair *pair);

/* For the variants in C, where a fresh start is a matter of clearing. */
static inline void dot_pair_clear(int64_t *sums, const struct dot_pair *pair)
{
    for (uint32_t i = 0; pair->fresh && i < 2 * pair->columns; i++) {
        sums[i] = 0;
    }
}

/* One row of C at the end of a K-block. */
struct dot_row {
    uint32_t *c;
    const int64_t *sums;
    const uint32_t *exponents; /* words of the columns; their low halves count */
    uint32_t n;                /* columns, at least 1 */
    int32_t exponent;          /* of the row, less 52 */
    uint32_t first_block;      /* 1: C = block value, 0: C + block value */
};

/* c[j] (+)= sums[j] * 2^(exponent + exponents[j]), each rounded once. */
void dot_s28_finish(const struct dot_row *row);

/* Workspace: sums, flags of rows, flags of columns, rescue state (2 bits per output). */
struct dot_s28_work {
    int64_t *sums; /* 8-byte aligned */
    uint32_t *row_flags, *column_flags, *rescue;
};

void dot_s28_view_work(struct dot_s28_work *work, const struct kernel_args *args);

#endif
