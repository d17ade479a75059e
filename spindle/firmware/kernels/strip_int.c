/* Integer and predicate primitives: mod 2^32; division rounds towards zero, x / 0 = all ones,
 * x rem 0 = x, INT_MIN / -1 = INT_MIN; shift amounts are unsigned, 32 and more shift all bits out.
 */
#include "strip.h"

static inline uint32_t i32_add(uint32_t a, uint32_t b) { return a + b; }
static inline uint32_t i32_sub(uint32_t a, uint32_t b) { return a - b; }
static inline uint32_t i32_mul(uint32_t a, uint32_t b) { return a * b; }
static inline uint32_t i32_and(uint32_t a, uint32_t b) { return a & b; }
static inline uint32_t i32_or(uint32_t a, uint32_t b) { return a | b; }
static inline uint32_t i32_xor(uint32_t a, uint32_t b) { return a ^ b; }
static inline uint32_t i32_not(uint32_t a) { return ~a; }
static inline uint32_t i32_neg(uint32_t a) { return 0u - a; }
void prim_add_i32(const struct strip *s, const struct instr *in) { map_2(s, in, i32_add); }
void prim_sub_i32(const struct strip *s, const struct instr *in) { map_2(s, in, i32_sub); }
void prim_mul_i32(const struct strip *s, const struct instr *in) { map_2(s, in, i32_mul); }
void prim_and_i32(const struct strip *s, const struct instr *in) { map_2(s, in, i32_and); }
void prim_or_i32(const struct strip *s, const struct instr *in) { map_2(s, in, i32_or); }
void prim_xor_i32(const struct strip *s, const struct instr *in) { map_2(s, in, i32_xor); }
void prim_not_i32(const struct strip *s, const struct instr *in) { map_1(s, in, i32_not); }
void prim_neg_i32(const struct strip *s, const struct instr *in) { map_1(s, in, i32_neg); }

static inline uint32_t s32_abs(uint32_t a) { return (int32_t)a < 0 ? 0u - a : a; }
static inline uint32_t u32_div(uint32_t a, uint32_t b) { return b ? a / b : 0xffffffffu; }
static inline uint32_t u32_rem(uint32_t a, uint32_t b) { return b ? a % b : a; }
static inline uint32_t s32_div(uint32_t a, uint32_t b)
{
    uint32_t quotient = u32_div(s32_abs(a), s32_abs(b));
    return b == 0 ? 0xffffffffu : (int32_t)(a ^ b) < 0 ? 0u - quotient : quotient;
}
static inline uint32_t s32_rem(uint32_t a, uint32_t b)
{
    uint32_t rest = u32_rem(s32_abs(a), s32_abs(b));
    return (int32_t)a < 0 ? 0u - rest : rest;
}
void prim_div_s32(const struct strip *s, const struct instr *in) { map_2(s, in, s32_div); }
void prim_div_u32(const struct strip *s, const struct instr *in) { map_2(s, in, u32_div); }
void prim_rem_s32(const struct strip *s, const struct instr *in) { map_2(s, in, s32_rem); }
void prim_rem_u32(const struct strip *s, const struct instr *in) { map_2(s, in, u32_rem); }

static inline uint32_t i32_shl(uint32_t a, uint32_t b) { return b > 31 ? 0 : a << (b & 31); }
static inline uint32_t u32_shr(uint32_t a, uint32_t b) { return b > 31 ? 0 : a >> (b & 31); }
static inline uint32_t s32_shr(uint32_t a, uint32_t b)
{
    return (uint32_t)((int32_t)a >> (b > 31 ? 31 : b));
}
void prim_shl_i32(const struct strip *s, const struct instr *in) { map_2(s, in, i32_shl); }
void prim_shr_u32(const struct strip *s, const struct instr *in) { map_2(s, in, u32_shr); }
void prim_shr_s32(const struct strip *s, const struct instr *in) { map_2(s, in, s32_shr); }

static inline uint32_t s32_max(uint32_t a, uint32_t b) { return (int32_t)a > (int32_t)b ? a : b; }
static inline uint32_t s32_min(uint32_t a, uint32_t b) { return (int32_t)a < (int32_t)b ? a : b; }
static inline uint32_t u32_max(uint32_t a, uint32_t b) { return a > b ? a : b; }
static inline uint32_t u32_min(uint32_t a, uint32_t b) { return a < b ? a : b; }
static inline uint32_t s32_sign(uint32_t a) { return (int32_t)a < 0 ? 0xffffffffu : a != 0; }
void prim_max_s32(const struct strip *s, const struct instr *in) { map_2(s, in, s32_max); }
void prim_min_s32(const struct strip *s, const struct instr *in) { map_2(s, in, s32_min); }
void prim_max_u32(const struct strip *s, const struct instr *in) { map_2(s, in, u32_max); }
void prim_min_u32(const struct strip *s, const struct instr *in) { map_2(s, in, u32_min); }
void prim_abs_s32(const struct strip *s, const struct instr *in) { map_1(s, in, s32_abs); }
void prim_sign_s32(const struct strip *s, const struct instr *in) { map_1(s, in, s32_sign); }

/* Sums of 1, 2, 4, then all 8 fields of a byte by one multiply. */
static inline uint32_t i32_popcnt(uint32_t a)
{
    a -= (a >> 1) & 0x55555555u;
    a = (a & 0x33333333u) + ((a >> 2) & 0x33333333u);
    return (((a + (a >> 4)) & 0x0f0f0f0fu) * 0x01010101u) >> 24;
}
void prim_popcnt_i32(const struct strip *s, const struct instr *in) { map_1(s, in, i32_popcnt); }

static inline uint32_t i32_eq(uint32_t a, uint32_t b) { return a == b; }
static inline uint32_t i32_ne(uint32_t a, uint32_t b) { return a != b; }
static inline uint32_t s32_lt(uint32_t a, uint32_t b) { return (int32_t)a < (int32_t)b; }
static inline uint32_t s32_le(uint32_t a, uint32_t b) { return (int32_t)a <= (int32_t)b; }
static inline uint32_t u32_lt(uint32_t a, uint32_t b) { return a < b; }
static inline uint32_t u32_le(uint32_t a, uint32_t b) { return a <= b; }
static inline uint32_t bool_not(uint32_t a) { return a == 0; }
void prim_eq_i32(const struct strip *s, const struct instr *in) { map_2(s, in, i32_eq); }
void prim_ne_i32(const struct strip *s, const struct instr *in) { map_2(s, in, i32_ne); }
void prim_lt_s32(const struct strip *s, const struct instr *in) { map_2(s, in, s32_lt); }
void prim_le_s32(const struct strip *s, const struct instr *in) { map_2(s, in, s32_le); }
void prim_lt_u32(const struct strip *s, const struct instr *in) { map_2(s, in, u32_lt); }
void prim_le_u32(const struct strip *s, const struct instr *in) { map_2(s, in, u32_le); }
void prim_not_bool(const struct strip *s, const struct instr *in) { map_1(s, in, bool_not); }
