/* float32 bits of an int64 times a power of two, rounded once: the end of a K-block. */
#ifndef SPINDLE_ROUND_SCALED_H
#define SPINDLE_ROUND_SCALED_H

#include <stdint.h>

/* value * 2^exponent to nearest even: denormals, Inf and -0 as IEEE; value 0 gives +0.
 * The leading one moves to bit 63; the top 31 bits and "anything below?" decide. */
static inline uint32_t round_scaled(int64_t value, int32_t exponent)
{
    uint64_t sign = (uint64_t)(value >> 63), magnitude = ((uint64_t)value ^ sign) - sign;
    uint32_t zeros = (uint32_t)__builtin_clzll(magnitude | 1u);
    uint64_t top = magnitude << zeros;
    uint32_t kept = (uint32_t)(top >> 33) | ((top & 0x1ffffffffu) != 0);
    int32_t e = 63 - (int32_t)zeros + exponent; /* of the leading one */
    int32_t below = -126 - e > 0 ? -126 - e : 0; /* places under the smallest normal */
    uint32_t drop = (7u + (uint32_t)below) & 31u, half = (1u << drop) >> 1;
    uint32_t rounded = (kept + half - 1 + ((kept >> drop) & 1u)) >> drop;
    uint32_t field = (uint32_t)(e + 126 > 0 ? e + 126 : 0) << 23;
    uint32_t bits = below > 24 ? 0 : field + rounded;
    uint32_t finite = e > 127 ? 0x7f800000u : bits;
    return value == 0 ? 0 : finite | ((uint32_t)sign & 0x80000000u);
}

#endif
