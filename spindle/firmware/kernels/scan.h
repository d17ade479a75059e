/* The tile's view, and what of SCAN is plain C (scan_rows.c) or assembly (arm/scan_rows.c). */
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

/* Raise r[n_f] to the rows' largest exponents. Returns 1 where every word was seen to be finite. */
uint32_t scan_rows(const struct view *v, int32_t *r);

/* a[n_k]: the columns' largest exponents, each less its row's r. finite: 1 where every word is known
 * to be; 0 is always right. */
void scan_columns(const struct view *v, const int32_t *r, int32_t *a, uint32_t finite);

/* Whether every word is finite, where scan_columns gains by it; else 0. */
uint32_t scan_finite(const struct view *v);

#endif
