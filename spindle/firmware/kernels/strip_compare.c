/* EQ, NE, LT, LE on float32 bit patterns: IEEE, words 0 or 1. Plain C, twin of arm/strip_compare.S.
 */
#include "order.h"
#include "strip.h"

static inline uint32_t ordered(uint32_t a, uint32_t b)
{
    return (f32_is_nan(a) | f32_is_nan(b)) ^ 1u;
}
static inline uint32_t both_zero(uint32_t a, uint32_t b) { return ((a | b) << 1) == 0; }
static inline uint32_t f32_eq(uint32_t a, uint32_t b)
{
    return ordered(a, b) & ((a == b) | both_zero(a, b));
}
static inline uint32_t f32_ne(uint32_t a, uint32_t b) { return f32_eq(a, b) ^ 1u; }
static inline uint32_t f32_lt(uint32_t a, uint32_t b)
{
    return ordered(a, b) & (f32_key(a) < f32_key(b)) & (both_zero(a, b) ^ 1u);
}
static inline uint32_t f32_le(uint32_t a, uint32_t b)
{
    return ordered(a, b) & ((f32_key(a) <= f32_key(b)) | both_zero(a, b));
}
void prim_eq_f32(const struct strip *s, const struct instr *in) { map_2(s, in, f32_eq); }
void prim_ne_f32(const struct strip *s, const struct instr *in) { map_2(s, in, f32_ne); }
void prim_lt_f32(const struct strip *s, const struct instr *in) { map_2(s, in, f32_lt); }
void prim_le_f32(const struct strip *s, const struct instr *in) { map_2(s, in, f32_le); }
