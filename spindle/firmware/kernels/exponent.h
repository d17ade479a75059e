/* Exponents of float32 bit patterns: e(x) = floor(log2|x|), shared by the kernels that look for them. */
#ifndef SPINDLE_EXPONENT_H
#define SPINDLE_EXPONENT_H

#include "spindle_records.h"

/* e(x) of a finite non-zero x, denormals too; SPINDLE_EMPTY_EXPONENT for 0, Inf and NaN. */
static inline int32_t exponent_of(uint32_t bits)
{
    uint32_t magnitude = bits & 0x7fffffffu, field = magnitude >> 23;
    int32_t small = -118 - (int32_t)__builtin_clz(magnitude | 1u);
    int32_t e = field ? (int32_t)field - 127 : small;
    return magnitude == 0 || field == 255 ? SPINDLE_EMPTY_EXPONENT : e;
}

/* |x| in units of 2^(e - places), to nearest even; 0 where x does not count. e: e(x) at least; spare: zeros
 * put below a significand, so that 23 + spare - places, the least shift, is not negative. */
static inline __attribute__((always_inline)) uint32_t magnitude_in(uint32_t x, int32_t e,
                                                                   uint32_t places, uint32_t spare)
{
    uint32_t magnitude = x & 0x7fffffffu, field = magnitude >> 23;
    uint32_t shift_up = ((uint32_t)__builtin_clz(magnitude | 1u) - 8) & 31;
    uint32_t significand = field ? (magnitude & 0x7fffffu) | 0x800000u : magnitude << shift_up;
    uint32_t wide = significand << spare;
    int32_t own = exponent_of(x), below = e - own + (int32_t)(23 + spare - places);
    uint32_t drop = below > 31 ? 31 : (uint32_t)below & 31;
    uint32_t half = (1u << drop) >> 1;
    uint32_t q = (wide + half - 1 + ((wide >> drop) & 1)) >> drop;
    return own == SPINDLE_EMPTY_EXPONENT ? 0 : q;
}

/* e(x) + add, where x counts. */
static inline int32_t exponent_plus(uint32_t bits, int32_t add)
{
    int32_t e = exponent_of(bits);
    return e == SPINDLE_EMPTY_EXPONENT ? e : e + add;
}

static inline uint32_t is_nonfinite(uint32_t x) { return (x & 0x7f800000u) == 0x7f800000u; }

/* The word that stands for a row's exponent; nonfinite: 0 where it holds no Inf or NaN. */
static inline uint32_t exponent_word(int32_t e, uint32_t nonfinite)
{
    return ((uint32_t)e & 0xffffu) | (nonfinite ? SPINDLE_NONFINITE_FLAG : 0);
}

static inline int32_t exponent_max(int32_t a, int32_t b) { return a > b ? a : b; }

#endif
