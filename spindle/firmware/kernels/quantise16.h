/* Inside QUANTISE_13 and QUANTISE_16: what quantise16.c, quantise16_triple.c and its ARM variant share. */
#ifndef SPINDLE_QUANTISE16_H
#define SPINDLE_QUANTISE16_H

#include "dot_s16.h"
#include "scan.h"

struct quantise_16 {
    struct view v;
    uint32_t *words; /* exponent word of each row */
    uint32_t given;  /* 0: they are to be found */
    uint32_t places; /* of a mantissa behind the leading one: 11 or 14 */
    uint32_t wide;   /* 1: the panel is */
};

static inline uint32_t view_chunks(const struct view *v)
{
    return (v->n_k + SPINDLE_CHUNK - 1) / SPINDLE_CHUNK;
}

/* Rows f, f + 1, f + 2 into their chunks of the panel, with their exponent words; missing rows and k are
 * zeros. */
void quantise_16_triple(uint32_t *panel, const struct quantise_16 *s, uint32_t f);

/* x in units of 2^(e - places) to nearest even, below 2^(places + 1) in magnitude. */
static inline int32_t mantissa_16(uint32_t x, int32_t e, uint32_t places)
{
    uint32_t q = magnitude_in(x, e, places, 0);
    uint32_t clamped = q - (q >> (places + 1));
    return x >> 31 ? -(int32_t)clamped : (int32_t)clamped;
}

#endif
