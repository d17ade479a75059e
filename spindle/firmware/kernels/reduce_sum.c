/* Float sums of reductions, plain C. Twin of arm/reduce_sum.S (same bits, same order). */
#include "reduce.h"
#include "sf.h"

uint32_t fold_add_f32(uint32_t acc, const uint32_t *x, uint32_t step, uint32_t n)
{
    return fold(acc, x, step, n, sf_add);
}

void merge_add_f32(uint32_t *acc, const uint32_t *x, uint32_t n)
{
#pragma clang loop vectorize(assume_safety) interleave_count(1)
    for (uint32_t i = 0; i < n; i++) {
        acc[i] = sf_add(acc[i], x[i]);
    }
}
