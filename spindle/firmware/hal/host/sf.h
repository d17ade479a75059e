/* Soft-float seam, host side: float32 arithmetic on bit patterns by the host's own IEEE unit.
 *
 * Kernels never use C's float: they hold float32 values as uint32_t bits and call sf_*. Every result
 * that is a NaN is SF_NAN. Round to nearest even, denormals kept: the caller of the library sets the
 * host's control word (hal_host.c). The ARM twin is hal/spinnaker/sf.h. Contract: docs/numerics.md 1.
 */
#ifndef SPINDLE_SF_H
#define SPINDLE_SF_H

#include <stdint.h>

#define SF_NAN 0x7fc00000u

static inline float sf_float(uint32_t bits)
{
    float value;
    __builtin_memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t sf_bits(float value)
{
    uint32_t bits;
    __builtin_memcpy(&bits, &value, sizeof bits);
    return (bits & 0x7fffffffu) > 0x7f800000u ? SF_NAN : bits;
}

static inline uint32_t sf_add(uint32_t a, uint32_t b) { return sf_bits(sf_float(a) + sf_float(b)); }
static inline uint32_t sf_sub(uint32_t a, uint32_t b) { return sf_bits(sf_float(a) - sf_float(b)); }
static inline uint32_t sf_mul(uint32_t a, uint32_t b) { return sf_bits(sf_float(a) * sf_float(b)); }
static inline uint32_t sf_div(uint32_t a, uint32_t b) { return sf_bits(sf_float(a) / sf_float(b)); }
static inline uint32_t sf_sqrt(uint32_t a) { return sf_bits(__builtin_sqrtf(sf_float(a))); }

#endif
