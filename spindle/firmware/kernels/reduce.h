/* Inner loops of reductions: what strip_reduce.c and reduce_sum.c share. */
#ifndef SPINDLE_REDUCE_H
#define SPINDLE_REDUCE_H

#include "strip.h"

/* acc op x[0] op x[step] op x[2 step] ... in order: n elements, may be 0. */
typedef uint32_t fold_fn(uint32_t acc, const uint32_t *x, uint32_t step, uint32_t n);

STRIP_INLINE uint32_t fold(uint32_t acc, const uint32_t *x, uint32_t step, uint32_t n, op_2 *op)
{
    for (; n > 0; n--, x += step) {
        acc = op(acc, *x);
    }
    return acc;
}

fold_fn fold_add_f32;
/* acc[i] = acc[i] + x[i]; n is 1 at least. */
void merge_add_f32(uint32_t *acc, const uint32_t *x, uint32_t n);

#endif
