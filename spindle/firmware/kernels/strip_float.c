/* Float primitives on float32 bit patterns: arithmetic by sf_*, functions by fn_*, the rest here.
 *
 * A NaN that arithmetic makes is SF_NAN; NEG and ABS touch the sign bit only. Sums, products, maxima:
 * strip_arith.c; comparisons: strip_compare.c.
 */
#include "fn.h"
#include "order.h"
#include "strip.h"

void prim_div_f32(const struct strip *s, const struct instr *in) { map_2(s, in, sf_div); }
void prim_sqrt_f32(const struct strip *s, const struct instr *in) { map_1(s, in, sf_sqrt); }
void prim_rsqrt_f32(const struct strip *s, const struct instr *in) { map_1(s, in, fn_rsqrt); }
void prim_exp_f32(const struct strip *s, const struct instr *in) { map_1(s, in, fn_exp); }
void prim_expm1_f32(const struct strip *s, const struct instr *in) { map_1(s, in, fn_expm1); }
void prim_log_f32(const struct strip *s, const struct instr *in) { map_1(s, in, fn_log); }
void prim_log1p_f32(const struct strip *s, const struct instr *in) { map_1(s, in, fn_log1p); }
void prim_tanh_f32(const struct strip *s, const struct instr *in) { map_1(s, in, fn_tanh); }
void prim_logistic_f32(const struct strip *s, const struct instr *in) { map_1(s, in, fn_logistic); }
void prim_pow_f32(const struct strip *s, const struct instr *in) { map_2(s, in, fn_pow); }

static inline uint32_t f32_neg(uint32_t a) { return a ^ F32_SIGN; }
static inline uint32_t f32_abs(uint32_t a) { return a & ~F32_SIGN; }
void prim_neg_f32(const struct strip *s, const struct instr *in) { map_1(s, in, f32_neg); }
void prim_abs_f32(const struct strip *s, const struct instr *in) { map_1(s, in, f32_abs); }

/* -1, a zero with its sign, 1. */
static inline uint32_t f32_sign(uint32_t a)
{
    uint32_t one = (a & F32_SIGN) | ((a & ~F32_SIGN) ? F32_ONE : 0);
    return f32_is_nan(a) ? SF_NAN : one;
}
void prim_sign_f32(const struct strip *s, const struct instr *in) { map_1(s, in, f32_sign); }

/* Rounds the magnitude up where `away` is all ones, down where 0. */
static inline uint32_t f32_round(uint32_t a, uint32_t away)
{
    int32_t exponent = (int32_t)((a >> 23) & 0xff) - 127;
    uint32_t magnitude = a & ~F32_SIGN, fraction = 0x7fffffu >> (exponent & 31);
    uint32_t small = (a & F32_SIGN) | (magnitude ? away & F32_ONE : 0);
    uint32_t rounded = (a + (away & fraction)) & ~fraction;
    uint32_t whole = f32_is_nan(a) ? SF_NAN : a;
    return exponent >= 23 ? whole : exponent < 0 ? small : rounded;
}
static inline uint32_t f32_floor(uint32_t a) { return f32_round(a, (uint32_t)((int32_t)a >> 31)); }
static inline uint32_t f32_ceil(uint32_t a) { return f32_round(a, ~(uint32_t)((int32_t)a >> 31)); }
void prim_floor_f32(const struct strip *s, const struct instr *in) { map_1(s, in, f32_floor); }
void prim_ceil_f32(const struct strip *s, const struct instr *in) { map_1(s, in, f32_ceil); }

static inline uint32_t f32_is_finite(uint32_t a) { return (a & ~F32_SIGN) < F32_INF; }
void prim_is_finite_f32(const struct strip *s, const struct instr *in)
{
    map_1(s, in, f32_is_finite);
}
