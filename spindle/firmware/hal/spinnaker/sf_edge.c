/* Soft float off the fast path: denormals, Inf, NaN, overflow, underflow. Called by sf_*.S and by loops
 * that inline them; plain C, so that every rule is readable, in Thumb for its size. Contract: sf.h.
 *
 * A finite operand is significand * 2^(field - 150), field at least 1; sums and products are exact in
 * 64 bits (or keep what is far below as one unit) and rounded once.
 */
#include "sf.h"
#include "sf_round.h"

#define SIGN 0x80000000u
#define INF 0x7f800000u
#define TWO_POW_24 0x4b800000u

uint32_t sf_add_edge(uint32_t a, uint32_t b);
uint32_t sf_mul_edge(uint32_t a, uint32_t b);
uint32_t sf_div_edge(uint32_t a, uint32_t b);
uint32_t sf_sqrt_edge(uint32_t a);

static uint32_t is_nan(uint32_t a) { return (a & ~SIGN) > INF; }
static uint32_t is_inf(uint32_t a) { return (a & ~SIGN) == INF; }
static uint32_t is_zero(uint32_t a) { return (a & ~SIGN) == 0; }

static int32_t field(uint32_t a) { return (a & INF) ? (int32_t)((a & INF) >> 23) : 1; }

static int32_t significand(uint32_t a)
{
    int32_t magnitude = (int32_t)((a & 0x7fffffu) | ((a & INF) ? 0x800000u : 0));
    return a & SIGN ? -magnitude : magnitude;
}

/* Precondition: field(a) >= field(b). */
static uint32_t add_finite(uint32_t a, uint32_t b)
{
    int32_t distance = field(a) - field(b), small = significand(b);
    if (distance > 31) {
        distance = 31;
        small = (small > 0) - (small < 0);
    }
    int32_t exponent = field(a) - distance - 150;
    uint32_t sum = sf_round_sum(significand(a), small, exponent, (uint32_t)distance);
    return sum ? sum : a & b & SIGN;
}

uint32_t sf_add_edge(uint32_t a, uint32_t b)
{
    if (is_nan(a) || is_nan(b) || (is_inf(a) && is_inf(b) && a != b)) {
        return SF_NAN;
    }
    if (is_inf(a) || is_inf(b)) {
        return is_inf(a) ? a : b;
    }
    return field(a) >= field(b) ? add_finite(a, b) : add_finite(b, a);
}

uint32_t sf_mul_edge(uint32_t a, uint32_t b)
{
    uint32_t sign = (a ^ b) & SIGN;
    if (is_nan(a) || is_nan(b) || (is_inf(a) && is_zero(b)) || (is_zero(a) && is_inf(b))) {
        return SF_NAN;
    }
    if (is_inf(a) || is_inf(b)) {
        return sign | INF;
    }
    return sign | sf_round_product(significand(a), significand(b), field(a) + field(b) - 300);
}

/* Finite, not zero: 28 bits of the quotient and one that says whether more follow. */
static uint32_t div_finite(uint32_t a, uint32_t b)
{
    uint32_t n = (uint32_t)significand(a & ~SIGN), d = (uint32_t)significand(b & ~SIGN);
    int32_t up_n = __builtin_clz(n) - 8, up_d = __builtin_clz(d) - 8;
    uint32_t quotient = 0;
    n <<= up_n;
    d <<= up_d;
    for (uint32_t i = 0; i < 28; i++) {
        uint32_t fits = n >= d;
        quotient = 2 * quotient + fits;
        n = (n - (fits ? d : 0)) * 2;
    }
    n = 2 * quotient + (n != 0);
    return sf_round_product((int32_t)n, 1, field(a) - up_n - field(b) + up_d - 28);
}

uint32_t sf_div_edge(uint32_t a, uint32_t b)
{
    uint32_t sign = (a ^ b) & SIGN;
    if (is_nan(a) || is_nan(b) || (is_inf(a) && is_inf(b)) || (is_zero(a) && is_zero(b))) {
        return SF_NAN;
    }
    if (is_inf(a) || is_zero(b)) {
        return sign | INF;
    }
    return is_zero(a) || is_inf(b) ? sign : sign | div_finite(a, b);
}

uint32_t sf_sqrt_edge(uint32_t a)
{
    if (is_zero(a) || a == INF) {
        return a;
    }
    if (is_nan(a) || (a & SIGN)) {
        return SF_NAN;
    }
    return sf_sqrt(sf_mul(a, TWO_POW_24)) - (12u << 23);
}
