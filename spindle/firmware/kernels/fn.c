/* Elementary functions in integer arithmetic, step by step as docs/spec/functions.md says.
 *
 * In and out: float32 bits. Twin of spindle/ir/functions.py (same bits). "Qn" is an integer that
 * stands for value * 2^n. No division, no float type, no loop but Horner's; on the ARM968 a
 * 32x32->64 multiply is 3 cycles and a call has 6 (exp) to 13 (pow) of them.
 */
#include "fn.h"

#include "function_tables.h"

#define SIGN 0x80000000u
#define INF 0x7f800000u
#define ONE 0x3f800000u
#define HALF 0x3f000000u

/* value = (-1)^sign * mant * 2^(exp - 23); mant in [2^23, 2^24), or 0 for zero. */
typedef struct {
    uint32_t sign;      /* 0 or 1 */
    int32_t exp;        /* 128 for Inf and NaN */
    uint32_t mant;
    uint32_t magnitude; /* the bits without the sign */
} fn_parts;

/* value / 2^q */
typedef struct {
    int64_t value;
    int32_t q;
} fn_fixed;

/* An integer with bit 63 set, and its exponent or how far it was shifted. */
typedef struct {
    uint64_t top;
    int32_t exp;
} fn_scaled;

/* log2(m * 2^exp) before it is put together: octave + T[index] + z * slope. */
typedef struct {
    uint32_t index;
    int32_t octave;
    int32_t z;     /* Q37 */
    int64_t slope; /* Q62 */
} fn_log2;

/* x = 2^n * 2^(f / 2^32) */
typedef struct {
    int32_t n;
    uint32_t f;
} fn_power;

static inline uint32_t high_u(uint32_t a, uint32_t b)
{
    return (uint32_t)(((uint64_t)a * b) >> 32);
}

static inline int32_t high_s(int32_t a, int32_t b)
{
    return (int32_t)(((int64_t)a * b) >> 32);
}

/* Shift x (not 0) left until bit 63 is set; by words, as 64-bit variable shifts cost far more. */
static inline fn_scaled shift_to_top(uint64_t x)
{
    uint32_t high = (uint32_t)(x >> 32), low = (uint32_t)x;
    if (high == 0) {
        int32_t zeros = __builtin_clz(low);
        return (fn_scaled){(uint64_t)(low << zeros) << 32, 32 + zeros};
    }
    int32_t zeros = __builtin_clz(high);
    high = (high << zeros) | ((low >> 1) >> (31 - zeros));
    return (fn_scaled){((uint64_t)high << 32) | (low << zeros), zeros};
}

static inline fn_parts unpack(uint32_t bits)
{
    fn_parts x = {bits >> 31, 0, bits & 0x7fffffu, bits & 0x7fffffffu};
    int32_t field = (int32_t)(x.magnitude >> 23);
    if (field > 0) {
        x.exp = field - 127;
        x.mant |= 0x800000u;
    } else {
        int32_t shift = x.mant ? __builtin_clz(x.mant) - 8 : 24;
        x.exp = -126 - shift;
        x.mant <<= shift;
    }
    return x;
}

static inline int is_nan(fn_parts x) { return x.magnitude > INF; }

/* mant / 2^8 to nearest even: the carry of rest + 127 + last bit is the rounding. */
static inline uint32_t round_drop_8(uint32_t mant)
{
    return (mant >> 8) + (((mant & 0xffu) + 0x7fu + ((mant >> 8) & 1u)) >> 8);
}

static inline uint32_t round_drop(uint32_t mant, int32_t drop)
{
    uint32_t kept = mant >> drop, rest = mant - (kept << drop), half = 1u << (drop - 1);
    return kept + (rest > half || (rest == half && (kept & 1u)));
}

/* Bits of mant * 2^(exp - 31), mant >= 2^31: round to nearest even, denormals, Inf. */
static uint32_t pack_32(uint32_t sign, int32_t exp, uint32_t mant)
{
    sign <<= 31;
    if (exp > 127)
        return sign | INF;
    if (exp >= -126)
        return sign | (((uint32_t)(exp + 126) << 23) + round_drop_8(mant));
    if (exp >= -149)
        return sign | round_drop(mant, -118 - exp);
    return sign | (exp == -150 && mant > SIGN);
}

/* Bits of product * 2^(exp - 62), product not 0; its top 32 bits count. */
static uint32_t pack_64(uint32_t sign, int32_t exp, uint64_t product)
{
    fn_scaled s = shift_to_top(product);
    return pack_32(sign, exp + 1 - s.exp, (uint32_t)(s.top >> 32));
}

static inline uint64_t multiply_32_64(uint32_t a, uint64_t b)
{
    return (uint64_t)a * (uint32_t)(b >> 32) + high_u(a, (uint32_t)b);
}

/* Q62 of (mant / 2^23) * log2(e). */
static inline uint64_t times_log2e(uint32_t mant)
{
    return multiply_32_64(mant << 8, ((uint64_t)LOG2E_HIGH << 32) | LOG2E_LOW);
}

/* Whole part and fraction of +-product * 2^(exp - 62), floor; exp in -33..7. */
static inline fn_power split_power(uint64_t product, int32_t exp, uint32_t negative)
{
    uint64_t fixed = product >> (30 - exp);
    if (negative)
        fixed = 0u - fixed;
    return (fn_power){(int32_t)(fixed >> 32), (uint32_t)fixed};
}

/* 2^(f / 2^32) in Q31. */
static inline uint32_t exp2_fraction(uint32_t f)
{
    uint32_t start = EXP2_TABLE[f >> 26], t = f << 6;
    uint32_t d = high_u(t, EXP2_POLY[2]) + EXP2_POLY[1];
    d = high_u(t, d) + EXP2_POLY[0];
    d = high_u(t, d);
    return start + (high_u(start, d) >> 5);
}

/* log2(1 + z) / z in Q62 of z in Q37. */
static inline int64_t log2_slope(int32_t z)
{
    int32_t q = high_s(z, LOG2_POLY[3]) + LOG2_POLY[2];
    q = high_s(z, q) + LOG2_POLY[1];
    q = high_s(z, q) + LOG2_POLY[0];
    return (((int64_t)z * q) >> 6) + LOG2E_Q62;
}

static inline uint32_t interval(uint32_t mant) { return (mant - 0x800000u + 0x10000u) >> 17; }

/* z = m * c - 1 in Q37 of m = (top + low / 2^32) / 2^31 in [1, 2). */
static inline int32_t reduced(uint32_t top, uint32_t low, uint32_t index)
{
    uint32_t c = LOG_RECIPROCAL[index];
    uint64_t product = (uint64_t)top * c + high_u(low, c);
    return (int32_t)(uint32_t)(product >> 3); /* 1 is 2^37 here: it leaves through the top */
}

static inline fn_log2 log2_parts(uint32_t top, uint32_t low, int32_t exp)
{
    uint32_t index = interval(top >> 8);
    int32_t z = reduced(top, low, index);
    return (fn_log2){index, exp + (index >= LOG_SPLIT), z, log2_slope(z)};
}

/* Next to 1 the result is z * slope alone: its relative error must stay small. */
static inline int near_one(fn_log2 p) { return p.octave == 0 && LOG2_TABLE[p.index] == 0; }

/* octave + T[index] + w in Q55, w = z * slope in Q67. */
static inline int64_t log2_sum(fn_log2 p, int64_t w)
{
    return (int64_t)((uint64_t)p.octave << 55) + LOG2_TABLE[p.index] + (w >> 12);
}

static inline uint64_t magnitude_64(int64_t value)
{
    return value < 0 ? 0u - (uint64_t)value : (uint64_t)value;
}

/* log2(m * 2^exp): Q67 next to 1, else Q55. */
static inline fn_fixed log2_fixed(uint32_t top, int32_t exp)
{
    fn_log2 p = log2_parts(top, 0, exp);
    int32_t slope_low = (int32_t)((uint32_t)p.slope >> 1);
    int64_t w = (int64_t)p.z * (int32_t)(p.slope >> 32) + (((int64_t)p.z * slope_low) >> 31);
    return near_one(p) ? (fn_fixed){w, 67} : (fn_fixed){log2_sum(p, w), 55};
}

/* Bits of ln(m * 2^exp), m = (top + low / 2^32) / 2^31, not for 1. */
static uint32_t log_bits(uint32_t top, uint32_t low, int32_t exp)
{
    fn_log2 p = log2_parts(top, low, exp);
    if (near_one(p)) {
        uint32_t factor = high_u((uint32_t)(p.slope >> 31), LN2_Q32);
        return pack_64(p.z < 0, -6, (uint64_t)(uint32_t)(p.z < 0 ? -p.z : p.z) * factor);
    }
    int64_t sum = log2_sum(p, (int64_t)p.z * (int32_t)(p.slope >> 32));
    return pack_64(sum < 0, 7, multiply_32_64(LN2_Q32, magnitude_64(sum)));
}

/* |value| / 2^q = top * 2^(exp - 63); value not 0. */
static inline fn_scaled normalise(int64_t value, int32_t q)
{
    fn_scaled s = shift_to_top(magnitude_64(value));
    return (fn_scaled){s.top, 63 - s.exp - q};
}

/* 1 / (d / 2^31) in Q31, d >= 2^31. */
static inline uint32_t reciprocal(uint32_t d)
{
    uint32_t index = interval(d >> 8);
    int32_t z = reduced(d, 0, index);
    uint32_t square = (uint32_t)(((int64_t)z * z) >> 43);
    uint32_t series = square + (uint32_t)(((uint64_t)square * square) >> 31);
    uint32_t g = 0x80000000u - (uint32_t)(z >> 6);
    g += (uint32_t)(((uint64_t)g * series) >> 31);
    return (uint32_t)(((uint64_t)g * LOG_RECIPROCAL[index]) >> 9);
}

/* Polynomial in x (Q32), coefficients Q31, lowest first; Q31. */
static inline int32_t horner(int32_t x, const int32_t *coefficients, int degree)
{
    int32_t result = coefficients[degree];
    for (int i = degree - 1; i >= 0; i--)
        result = high_s(x, result) + coefficients[i];
    return result;
}

/* x * factor, factor in Q31. */
static inline uint32_t scaled_factor(fn_parts x, uint32_t factor)
{
    return pack_64(x.sign, x.exp, (uint64_t)(x.mant << 8) * factor);
}

uint32_t fn_exp(uint32_t bits)
{
    fn_parts x = unpack(bits);
    if (is_nan(x))
        return FN_NAN;
    if (x.exp < -26)
        return ONE;
    if (x.exp > 7)
        return x.sign ? 0 : INF;
    fn_power p = split_power(times_log2e(x.mant), x.exp, x.sign);
    return pack_32(0, p.n, exp2_fraction(p.f));
}

static uint32_t expm1_small(fn_parts x)
{
    int32_t z = (int32_t)((x.mant << 8) >> (-1 - x.exp));
    z = x.sign ? -z : z;
    return scaled_factor(x, 0x80000000u + (uint32_t)high_s(z, horner(z, EXPM1_POLY, 6)));
}

static uint32_t expm1_large(fn_parts x)
{
    fn_power p = split_power(times_log2e(x.mant), x.exp, x.sign);
    uint32_t mant = exp2_fraction(p.f);
    if (x.sign) {
        int32_t shift = -p.n > 63 ? 63 : -p.n;
        return pack_64(1, 0, (UINT64_C(1) << 62) - (((uint64_t)mant << 31) >> shift));
    }
    if (p.n > 30)
        return pack_32(0, p.n, mant);
    return pack_64(0, 31, ((uint64_t)mant << p.n) - 0x80000000u);
}

uint32_t fn_expm1(uint32_t bits)
{
    fn_parts x = unpack(bits);
    if (is_nan(x))
        return FN_NAN;
    if (x.exp < -26)
        return bits;
    if (x.exp < -1)
        return expm1_small(x);
    if (x.exp > 7)
        return x.sign ? SIGN | ONE : INF;
    return expm1_large(x);
}

uint32_t fn_log(uint32_t bits)
{
    fn_parts x = unpack(bits);
    if (is_nan(x))
        return FN_NAN;
    if (x.magnitude == 0)
        return SIGN | INF;
    if (x.sign)
        return FN_NAN;
    if (x.magnitude == INF)
        return INF;
    if (x.magnitude == ONE)
        return 0;
    return log_bits(x.mant << 8, 0, x.exp);
}

static uint32_t log1p_small(fn_parts x)
{
    int32_t z = (int32_t)((x.mant << 8) >> (-6 - x.exp));
    int64_t slope = log2_slope(x.sign ? -z : z);
    return scaled_factor(x, high_u((uint32_t)(slope >> 31), LN2_Q32));
}

static uint32_t log1p_large(fn_parts x)
{
    if (x.exp > 32)
        return log_bits(x.mant << 8, 0, x.exp);
    int64_t fixed = (int64_t)((uint64_t)x.mant << (x.exp + 7)), one = INT64_C(1) << 30;
    fn_scaled s = normalise(x.sign ? one - fixed : one + fixed, 30);
    return log_bits((uint32_t)(s.top >> 32), (uint32_t)s.top, s.exp);
}

uint32_t fn_log1p(uint32_t bits)
{
    fn_parts x = unpack(bits);
    if (is_nan(x))
        return FN_NAN;
    if (x.exp < -26)
        return bits;
    if (x.exp < -7)
        return log1p_small(x);
    if (x.sign && x.magnitude >= ONE)
        return x.magnitude == ONE ? SIGN | INF : FN_NAN;
    if (x.magnitude == INF)
        return INF;
    return log1p_large(x);
}

static uint32_t tanh_small(fn_parts x)
{
    uint32_t a = (x.mant << 8) >> (-1 - x.exp);
    int32_t y = (int32_t)high_u(a, a);
    return scaled_factor(x, 0x80000000u + (uint32_t)high_s(y, horner(y, TANH_POLY, 5)));
}

uint32_t fn_tanh(uint32_t bits)
{
    fn_parts x = unpack(bits);
    if (is_nan(x))
        return FN_NAN;
    if (x.exp < -13)
        return bits;
    if (x.exp < -1)
        return tanh_small(x);
    if (x.exp > 3)
        return (bits & SIGN) | ONE;
    fn_power p = split_power(times_log2e(x.mant), x.exp + 1, 1);
    uint32_t e = -1 - p.n > 31 ? 0 : exp2_fraction(p.f) >> (-1 - p.n);
    uint32_t r = reciprocal(0x80000000u + (e >> 1));
    return pack_64(x.sign, -1, ((uint64_t)r << 32) - (uint64_t)e * r);
}

uint32_t fn_logistic(uint32_t bits)
{
    fn_parts x = unpack(bits);
    if (is_nan(x))
        return FN_NAN;
    if (x.exp < -26)
        return HALF;
    if (x.exp > 7)
        return x.sign ? 0 : ONE;
    fn_power p = split_power(times_log2e(x.mant), x.exp, 1);
    uint32_t mant = exp2_fraction(p.f);
    uint32_t r = reciprocal(0x80000000u + (-p.n > 31 ? 0 : mant >> -p.n));
    return x.sign ? pack_64(0, p.n, (uint64_t)mant * r) : pack_64(0, 0, (uint64_t)r << 31);
}

uint32_t fn_rsqrt(uint32_t bits)
{
    fn_parts x = unpack(bits);
    if (is_nan(x))
        return FN_NAN;
    if (x.magnitude == 0)
        return bits | INF;
    if (x.sign)
        return FN_NAN;
    if (x.magnitude == INF)
        return 0;
    uint32_t odd = (uint32_t)x.exp & 1u;
    uint32_t start = RSQRT_TABLE[(odd << 5) | ((x.mant >> 18) & 31u)];
    uint64_t scaled = (uint64_t)(x.mant << (7 + odd)) * (start * start);
    int32_t z = (int32_t)((int64_t)(scaled >> 26) - (INT64_C(1) << 36));
    int32_t h = high_s(z, RSQRT_POLY[3]) + RSQRT_POLY[2];
    h = high_s(z, h) + RSQRT_POLY[1];
    h = high_s(z, h) + RSQRT_POLY[0];
    uint32_t factor = 0x80000000u + (uint32_t)(((int64_t)z * h) >> 36);
    return pack_64(0, ((int32_t)odd - x.exp) >> 1, ((uint64_t)start * factor) << 15);
}

/* |x| ** y for finite x other than 0 and 1, finite y other than 0; bits without sign. */
static uint32_t pow_positive(fn_parts x, fn_parts y)
{
    fn_fixed log = log2_fixed(x.mant << 8, x.exp);
    fn_scaled s = normalise(log.value, log.q);
    uint32_t negative = (log.value < 0) ^ y.sign;
    int32_t exp = y.exp + s.exp;
    if (exp < -26)
        return ONE;
    if (exp > 7)
        return negative ? 0 : INF;
    fn_power p = split_power(multiply_32_64(y.mant << 8, s.top), exp, negative);
    return pack_32(0, p.n, exp2_fraction(p.f));
}

/* 0: y is no whole number; 1: odd; 2: even. y finite. */
static inline uint32_t parity(fn_parts y)
{
    if (y.exp < 0)
        return 0;
    if (y.exp > 23)
        return 2;
    uint32_t shift = 23u - (uint32_t)y.exp;
    if (y.mant & ((1u << shift) - 1u))
        return 0;
    return (y.mant >> shift) & 1u ? 1 : 2;
}

uint32_t fn_pow(uint32_t x_bits, uint32_t y_bits)
{
    fn_parts x = unpack(x_bits), y = unpack(y_bits);
    if (y.magnitude == 0 || x_bits == ONE)
        return ONE;
    if (is_nan(x) || is_nan(y))
        return FN_NAN;
    uint32_t grows = (x.magnitude > ONE) == (y.sign == 0);
    if (y.magnitude == INF)
        return x.magnitude == ONE ? ONE : grows ? INF : 0;
    uint32_t kind = parity(y);
    uint32_t sign = x.sign && kind == 1 ? SIGN : 0;
    if (x.magnitude == 0 || x.magnitude == INF)
        return sign | (grows ? INF : 0);
    if (x.sign && kind == 0)
        return FN_NAN;
    if (x.magnitude == ONE)
        return sign | ONE;
    return sign | pow_positive(x, y);
}
