/* DOT_F32: C[m][n] in float32, every product and every sum rounded, in order of k.
 *
 * In: operands 0 A over dims (1, 3), 1 B over (2, 3), either orientation. Out: operand 2 C, over
 * inner = 3: C = a0*b0, then C + a_k*b_k. Follows docs/spec/kernels.md. The columns of B are the
 * inner loop, so that the host may take several at once; each output keeps its order of k.
 */
#include "families.h"
#include "sf.h"

static void first_terms(uint32_t *c, uint32_t a, const uint32_t *b, uint32_t step, uint32_t n)
{
#pragma clang loop vectorize(assume_safety)
    for (uint32_t j = 0; j < n; j++) {
        c[j] = sf_mul(a, b[j * step]);
    }
}

static void add_terms(uint32_t *c, uint32_t a, const uint32_t *b, uint32_t step, uint32_t n)
{
#pragma clang loop vectorize(assume_safety)
    for (uint32_t j = 0; j < n; j++) {
        c[j] = sf_add(c[j], sf_mul(a, b[j * step]));
    }
}

static void row_compute(const struct kernel_args *args, uint32_t row)
{
    const struct tile *tile = &args->tile;
    const struct operand *a_op = &args->operands[0], *b_op = &args->operands[1];
    const uint32_t *a = args->data[0] + row * operand_step(a_op, tile, 1), *b = args->data[1];
    uint32_t *c = args->data[2] + row * operand_step(&args->operands[2], tile, 1);
    uint32_t a_k = operand_step(a_op, tile, 3), b_k = operand_step(b_op, tile, 3);
    uint32_t b_column = operand_step(b_op, tile, 2);
    for (uint32_t k = 0; k < tile->extent[3]; k++) {
        if (tile->first_inner && k == 0) {
            first_terms(c, a[0], b, b_column, tile->extent[2]);
        } else {
            add_terms(c, a[k * a_k], b + k * b_k, b_column, tile->extent[2]);
        }
    }
}

void dot_f32_compute(const struct kernel_args *args)
{
    for (uint32_t row = 0; row < args->tile.extent[1]; row++) {
        row_compute(args, row);
    }
}
