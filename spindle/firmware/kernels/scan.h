/* What scan.c and arm/scan.c share: the tile's view. */
#ifndef SPINDLE_SCAN_H
#define SPINDLE_SCAN_H

#include "exponent.h"
#include "kernels.h"

struct view {
    const uint32_t *x;
    uint32_t step_f, step_k; /* words */
    uint32_t n_f, n_k;
};

static inline void view_x(struct view *v, const struct kernel_args *args)
{
    v->x = args->data[0];
    v->step_f = operand_step(&args->operands[0], &args->tile, 1);
    v->step_k = operand_step(&args->operands[0], &args->tile, 3);
    v->n_f = args->tile.extent[1];
    v->n_k = args->tile.extent[3];
}

static inline void clear(int32_t *e, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        e[i] = SPINDLE_EMPTY_EXPONENT;
    }
}

#endif
