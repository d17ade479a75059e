/* The assembly loop of ADAM_F32 over one strip, and what it hands back to C. */
#ifndef SPINDLE_ADAM_LOOP_H
#define SPINDLE_ADAM_LOOP_H

#include <stddef.h>

#include "adam.h"

/* A constant for the loop's multiplications: 32 bits of significand, top one set, and what its
 * exponent adds to a packed exponent. eps: 24 bits of significand, and its packed exponent. */
struct adam_factor {
    uint32_t significand, exponent;
};

struct adam_loop {
    _Alignas(8) const uint32_t *p;
    const uint32_t *m, *v, *g;
    uint32_t *m_out, *v_out;
    struct adam_factor factor[6]; /* b1, c1, b2, c2, alpha, eps */
    uint32_t *p_out;
    uint32_t g_last;
    const uint8_t *seeds;
    struct adam k;
};
_Static_assert(sizeof(void *) != 4 || offsetof(struct adam_loop, factor) == 24, "adam_loop.S");
_Static_assert(sizeof(void *) != 4 || offsetof(struct adam_loop, p_out) == 72, "adam_loop.S");
_Static_assert(sizeof(void *) != 4 || offsetof(struct adam_loop, k) == 84, "adam_loop.S");

/* Elements i/4, i/4 - 1 ... 0. The constants' exponent fields must be: b1, c1, b2, c2 112..127,
 * alpha 103..127, eps 1..127; all positive. */
void adam_loop(const struct adam_loop *a, uint32_t i);

/* Seeds of square roots and divisions (hal/spinnaker/sf_div_sqrt.S). */
extern const uint8_t sf_seeds[256];

/* Element i/4, any values, by calls of soft float. */
void adam_element(const struct adam_loop *a, uint32_t i);

#endif
