/* Order of float32 bit patterns by integer comparisons: shared by elementwise and reducing code. */
#ifndef SPINDLE_ORDER_H
#define SPINDLE_ORDER_H

#include "sf.h"

#define F32_SIGN 0x80000000u
#define F32_INF 0x7f800000u
#define F32_ONE 0x3f800000u

static inline uint32_t f32_is_nan(uint32_t a) { return (a & ~F32_SIGN) > F32_INF; }

/* Orders as the floats do, -0 below +0: the bits of a negative number count downwards. */
static inline int32_t f32_key(uint32_t a)
{
    return (int32_t)(a ^ ((uint32_t)((int32_t)a >> 31) >> 1));
}

static inline uint32_t f32_max(uint32_t a, uint32_t b)
{
    uint32_t larger = f32_key(a) > f32_key(b) ? a : b;
    return (f32_is_nan(a) | f32_is_nan(b)) ? SF_NAN : larger;
}

static inline uint32_t f32_min(uint32_t a, uint32_t b)
{
    uint32_t smaller = f32_key(a) < f32_key(b) ? a : b;
    return (f32_is_nan(a) | f32_is_nan(b)) ? SF_NAN : smaller;
}

#endif
