/* Soft float off the fast path: what needs 64 bits, rounded once. Called by sf_edge.c (Thumb, which
 * has no long multiply) and arm/dot_s28_finish.S. In: integers and an exponent. Out: float32 bits.
 */
#include "sf_round.h"

#include "round_scaled.h"

/* value * 2^exponent: the one copy for all callers. */
uint32_t sf_round(int64_t value, int32_t exponent)
{
    return round_scaled(value, exponent);
}

/* a * b * 2^exponent. */
uint32_t sf_round_product(int32_t a, int32_t b, int32_t exponent)
{
    return sf_round((int64_t)a * b, exponent);
}

/* (a * 2^places + b) * 2^exponent, places 0..31. */
uint32_t sf_round_sum(int32_t a, int32_t b, int32_t exponent, uint32_t places)
{
    return sf_round(((int64_t)a << places) + b, exponent);
}
