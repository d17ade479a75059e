/* BALANCE: d_k, the power of two that moves from B to A at contracted index k.
 *
 * In: operands 0 and 1, partial maxima a_k and b_k, any number of rows (one per tile of the scan),
 * dim 3 fast. Out: operand 2, d_k = (b_k - a_k) >> 1 rounded down, 0 where either has no element.
 * Follows docs/spec/kernels.md and docs/numerics.md 3.
 */
#include "exponent.h"
#include "families.h"

struct partials {
    const int32_t *first;
    uint32_t rows, pitch;
};

static void view_partials(struct partials *p, const struct kernel_args *args, uint32_t operand)
{
    const struct operand *op = &args->operands[operand];
    p->first = (const int32_t *)args->data[operand];
    p->rows = operand_rows(op, &args->tile, 1) * operand_rows(op, &args->tile, 2);
    p->pitch = operand_row_words(op, &args->tile);
}

static inline int32_t peak_at(const struct partials *p, uint32_t k)
{
    int32_t peak = SPINDLE_EMPTY_EXPONENT;
    for (uint32_t row = 0; row < p->rows; row++) {
        peak = exponent_max(peak, p->first[row * p->pitch + k]);
    }
    return peak;
}

void balance_compute(const struct kernel_args *args)
{
    int32_t *d = (int32_t *)args->data[2];
    struct partials a, b;
    view_partials(&a, args, 0);
    view_partials(&b, args, 1);
    for (uint32_t k = 0; k < args->tile.extent[3]; k++) {
        int32_t a_k = peak_at(&a, k), b_k = peak_at(&b, k);
        uint32_t empty = a_k == SPINDLE_EMPTY_EXPONENT || b_k == SPINDLE_EMPTY_EXPONENT;
        d[k] = empty ? 0 : (b_k - a_k) >> 1;
    }
}
