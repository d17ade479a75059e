/* Inside DOT_S13 and DOT_S16: what dot_s16.c, dot_s16_sums.c, dot_s16_finish.c and their variants share.
 *
 * Panels (docs/spec/dots16.md 2): rows by three, k by eight; a chunk of 8 k of a triple is NARROW_WORDS
 * words of two mantissas, or WIDE_WORDS words of one, shifted up by 9.
 */
#ifndef SPINDLE_DOT_S16_H
#define SPINDLE_DOT_S16_H

#include "dot_flags.h"

#define TRIPLE 3u
#define BLOCK (TRIPLE * TRIPLE) /* sums of a triple of rows against a triple of columns, row by row */
#define NARROW_WORDS 12u
#define WIDE_WORDS 24u

/* A triple of rows of A against the triples of columns of B, over whole chunks of 8 k. */
struct dot_triple {
    const uint32_t *a;    /* the triple's first chunk */
    const uint32_t *b;    /* the first triple's; the others follow */
    uint32_t chunks;      /* at least 1 */
    uint32_t columns;     /* triples, at least 1 */
    int32_t *sums;        /* [columns][BLOCK] out */
    const int32_t *start; /* what the sums begin with; may be sums */
    uint32_t start_step;  /* words from block to block of it: BLOCK, or 0: one for all */
};

/* sums = start + the sum of products, mod 2^32. Return 0 only if every one of them is exact: none has
 * left int32. With start 0, up to S13_CHUNKS and S16_CHUNKS never do. a of dot_s16_sums is wide. */
uint32_t dot_s13_sums(const struct dot_triple *triple);
uint32_t dot_s16_sums(const struct dot_triple *triple);

#define S13_CHUNKS 16u /* 128 * 4095^2 < 2^31 */
#define S16_CHUNKS 32u /* 256 * floor(32767^2 / 2^7) < 2^31 */

/* One row of C, made of exact sums. */
struct dot_s16_row {
    uint32_t *c;
    const int32_t *sums; /* the row's first of the first block; blocks follow one another */
    const int32_t *high; /* 0, or likewise: what to add, times 2^32 */
    const uint32_t *columns; /* exponent words */
    uint32_t n;          /* columns, at least 1 */
    int32_t exponent;    /* of the row and the mode's scale */
};

/* c[j] = sum_j * 2^(exponent + column's), rounded once. */
void dot_s16_finish(const struct dot_s16_row *row);

#endif
