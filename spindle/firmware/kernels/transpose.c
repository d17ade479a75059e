/* TRANSPOSE: operand 0 with dim 1 fast to operand 1 with dim 2 fast; words only move. */
#include "families.h"

void transpose_compute(const struct kernel_args *args)
{
    const struct tile *tile = &args->tile;
    const uint32_t *x = args->data[0];
    uint32_t *y = args->data[1];
    uint32_t x_step = operand_step(&args->operands[0], tile, 2);
    uint32_t y_step = operand_step(&args->operands[1], tile, 1);
    for (uint32_t row = 0; row < tile->extent[1]; row++) {
        for (uint32_t column = 0; column < tile->extent[2]; column++) {
            y[row * y_step + column] = x[column * x_step + row];
        }
    }
}
