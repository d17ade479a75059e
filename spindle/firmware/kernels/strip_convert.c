/* Conversions. Float to integer: towards zero, saturating, NaN is 0. Integer to float: to nearest
 * even. To i1: 1 where the value is not 0 (NaN is 1, -0 is 0).
 */
#include "order.h"
#include "strip.h"

static inline int32_t exponent(uint32_t a) { return (int32_t)((a >> 23) & 0xff) - 127; }

static inline uint32_t f32_to_s32(uint32_t a)
{
    uint32_t negative = a >> 31, mant = ((a & 0x7fffffu) | 0x800000u) << 7;
    uint32_t magnitude = mant >> ((30 - exponent(a)) & 31);
    uint32_t value = negative ? 0u - magnitude : magnitude;
    uint32_t limit = f32_is_nan(a) ? 0 : 0x7fffffffu + negative;
    return exponent(a) < 0 ? 0 : exponent(a) > 30 ? limit : value;
}

static inline uint32_t f32_to_u32(uint32_t a)
{
    uint32_t mant = ((a & 0x7fffffu) | 0x800000u) << 8;
    uint32_t value = mant >> ((31 - exponent(a)) & 31);
    uint32_t positive = exponent(a) > 31 ? 0xffffffffu : value;
    uint32_t none = exponent(a) < 0 || a >> 31 || f32_is_nan(a);
    return none ? 0 : positive;
}

/* The leading one moves to bit 31; of the 8 bits dropped a tie goes to the even neighbour. */
static inline uint32_t u32_to_f32(uint32_t a)
{
    uint32_t zeros = (uint32_t)__builtin_clz(a | 1u), top = a << zeros, kept = top >> 8;
    uint32_t up = (top & 0xffu) + (kept & 1u) > 0x80u;
    return a ? ((157 - zeros) << 23) + kept + up : 0;
}

static inline uint32_t s32_to_f32(uint32_t a)
{
    uint32_t sign = a & F32_SIGN;
    return sign | u32_to_f32(sign ? 0u - a : a);
}

static inline uint32_t f32_to_bool(uint32_t a) { return (a << 1) != 0; }
static inline uint32_t i32_to_bool(uint32_t a) { return a != 0; }

void prim_f32_to_s32(const struct strip *s, const struct instr *in) { map_1(s, in, f32_to_s32); }
void prim_f32_to_u32(const struct strip *s, const struct instr *in) { map_1(s, in, f32_to_u32); }
void prim_s32_to_f32(const struct strip *s, const struct instr *in) { map_1(s, in, s32_to_f32); }
void prim_u32_to_f32(const struct strip *s, const struct instr *in) { map_1(s, in, u32_to_f32); }
void prim_f32_to_bool(const struct strip *s, const struct instr *in) { map_1(s, in, f32_to_bool); }
void prim_i32_to_bool(const struct strip *s, const struct instr *in) { map_1(s, in, i32_to_bool); }
