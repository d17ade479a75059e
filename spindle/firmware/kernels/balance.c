/* BALANCE: d_k, the power of two that moves from B to A at contracted index k.
 *
 * In: operands 0 and 1, partial maxima a_k along dim 1 and b_k along dim 2 (one row per tile of the
 * scan), dim 3 fast. Out: operand 2, d_k = (b_k - a_k) >> 1 rounded down, 0 where either has no
 * element. Follows docs/spec/kernels.md and docs/numerics.md 3.
 */
#include "exponent.h"
#include "families.h"

/* Of a column of n words; n is 1 at least. */
static inline int32_t largest(const int32_t *x, uint32_t pitch, uint32_t n)
{
    int32_t found = *x;
    while (--n != 0) {
        x += pitch;
        found = exponent_max(found, *x);
    }
    return found;
}

void balance_compute(const struct kernel_args *args)
{
    const uint32_t *extent = args->tile.extent;
    const int32_t *a = (const int32_t *)args->data[0], *b = (const int32_t *)args->data[1];
    int32_t *d = (int32_t *)args->data[2];
    uint32_t pitch = operand_row_words(&args->operands[0], &args->tile);
    for (uint32_t k = extent[3]; k != 0; k--) {
        int32_t a_k = largest(a++, pitch, extent[1]), b_k = largest(b++, pitch, extent[2]);
        uint32_t empty = a_k == SPINDLE_EMPTY_EXPONENT || b_k == SPINDLE_EMPTY_EXPONENT;
        *d++ = empty ? 0 : (b_k - a_k) >> 1;
    }
}
