/* Inner loops of reductions: what strip_reduce.c and reduce_sum.c share. */
#ifndef SPINDLE_REDUCE_H
#define SPINDLE_REDUCE_H

#include "strip.h"

typedef uint32_t fold_fn(uint32_t acc, const uint32_t *x, uint32_t n);
typedef void merge_fn(uint32_t *acc, const uint32_t *x, uint32_t n);

STRIP_INLINE uint32_t fold(uint32_t acc, const uint32_t *x, uint32_t n, op_2 *op)
{
    for (uint32_t i = 0; i < n; i++) {
        acc = op(acc, x[i]);
    }
    return acc;
}

STRIP_INLINE void merge(uint32_t *acc, const uint32_t *x, uint32_t n, op_2 *op)
{
#pragma clang loop vectorize(assume_safety) interleave_count(1)
    for (uint32_t i = 0; i < n; i++) {
        acc[i] = op(acc[i], x[i]);
    }
}

/* acc + x[0] + x[1] ..., in order; n may be 0. */
fold_fn fold_add_f32;
/* acc[i] = acc[i] + x[i]; n is 1 at least. */
merge_fn merge_add_f32;

#endif
