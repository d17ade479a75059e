/* What quantise.c and arm/quantise.c share: the source of a tile, one element's mantissa. */
#ifndef SPINDLE_QUANTISE_H
#define SPINDLE_QUANTISE_H

#include "exponent.h"
#include "kernels.h"
#include "panel.h"

struct source {
    const uint32_t *x;
    const int32_t *d;
    uint32_t step_f, step_k; /* words */
    uint32_t n_f, n_k;
    int32_t sign;          /* of d: 1 or -1 */
    const uint32_t *given; /* exponent words of the rows, or 0: they are to be found */
};

/* Mantissa of x * 2^d in units of 2^(e - 26). One spare bit below keeps the shift at 1 or more. */
static inline int32_t mantissa(uint32_t x, int32_t d, int32_t e)
{
    uint32_t q = magnitude_in(x, e - d, 26, 4);
    return x >> 31 ? -(int32_t)q : (int32_t)q;
}

static inline uint32_t source_chunks(const struct source *s)
{
    return (s->n_k + SPINDLE_CHUNK - 1) / SPINDLE_CHUNK;
}

static inline void view_source(struct source *s, const struct kernel_args *args)
{
    s->x = args->data[0];
    s->d = (const int32_t *)args->data[1];
    s->step_f = operand_step(&args->operands[0], &args->tile, 1);
    s->step_k = operand_step(&args->operands[0], &args->tile, 3);
    s->n_f = args->tile.extent[1];
    s->n_k = args->tile.extent[3];
    s->sign = args->task->arg & 1 ? -1 : 1;
    s->given = args->task->arg & SPINDLE_QUANTISE_GIVEN ? args->data[4] : 0;
}

#endif
