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
};

/* Add the exact sums of products: sums[2][columns]; |q| < 2^27 and 512 products fit int64. */
void dot_s28_sums(int64_t *sums, const struct dot_pair *pair);

/* Workspace: sums, flags of rows, flags of columns, rescue state (2 bits per output). */
struct dot_s28_work {
    int64_t *sums; /* 8-byte aligned */
    uint32_t *row_flags, *column_flags, *rescue;
};

void dot_s28_view_work(struct dot_s28_work *work, const struct kernel_args *args);

#endif
