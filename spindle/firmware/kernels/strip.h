/* Strip programs: the state a primitive sees, loops over one strip, and all primitives' names.
 *
 * A primitive reads its registers from the instruction and works on s->n elements of them. A
 * destination may be a source: each element is read before it is written, so every loop may be
 * vectorised although pointers alias (the assume_safety pragma says just that).
 * Contract of each primitive: docs/spec/kernels.md; bits: docs/numerics.md.
 */
#ifndef SPINDLE_STRIP_H
#define SPINDLE_STRIP_H

#include "kernels.h"

#define STRIP_REGS (SPINDLE_MAX_OPERANDS + SPINDLE_MAX_TEMPS)

#define NOT_REPEATED SPINDLE_MAX_OPERANDS

/* What a program runs over: the tile's rows, or the whole tile as one (strip_shape.c). */
struct strip_shape {
    uint32_t rows, columns;
    uint32_t stacked;  /* rows that a strip takes one under the other (RED), else 1 */
    uint32_t length;   /* elements of a full strip */
    uint32_t repeated; /* operand whose one row is repeated over a strip, or NOT_REPEATED */
};

struct strip {
    uint32_t *reg[STRIP_REGS]; /* first element of the strip in each register */
    const struct kernel_args *args;
    uint32_t n;      /* elements, 1..SPINDLE_STRIP */
    uint32_t row;    /* in the tile, along dim 1 */
    uint32_t column; /* of element 0, along dim 2 (in a joined tile: of all its elements) */
    uint32_t row_step[SPINDLE_MAX_OPERANDS];
    uint32_t column_step[SPINDLE_MAX_OPERANDS]; /* to the next strip: its length or 0 */
    uint32_t *row_at[SPINDLE_MAX_OPERANDS];     /* of the next row */
    struct strip_shape shape;
    uint32_t repeat[SPINDLE_STRIP]; /* of shape.repeated */
};

typedef void prim_fn(const struct strip *s, const struct instr *in);
typedef uint32_t op_1(uint32_t a);
typedef uint32_t op_2(uint32_t a, uint32_t b);

#define STRIP_INLINE static inline __attribute__((always_inline))

/* dst = op(a), element by element. */
STRIP_INLINE void map_1(const struct strip *s, const struct instr *in, op_1 *op)
{
    uint32_t *d = s->reg[in->reg[0]], n = s->n;
    const uint32_t *a = s->reg[in->reg[1]];
#pragma clang loop vectorize(assume_safety) interleave_count(1)
    for (uint32_t i = 0; i < n; i++) {
        d[i] = op(a[i]);
    }
}

/* dst = op(a, b), element by element. */
STRIP_INLINE void map_2(const struct strip *s, const struct instr *in, op_2 *op)
{
    uint32_t *d = s->reg[in->reg[0]], n = s->n;
    const uint32_t *a = s->reg[in->reg[1]], *b = s->reg[in->reg[2]];
#pragma clang loop vectorize(assume_safety) interleave_count(1)
    for (uint32_t i = 0; i < n; i++) {
        d[i] = op(a[i], b[i]);
    }
}

void strip_shape_of(struct strip_shape *shape, const struct kernel_args *args, uint32_t first);
void strip_begin(struct strip *s, const struct kernel_args *args, uint32_t first);

/* Run the task's strip program over the tile; it names no operand below `first`. */
void strip_run(const struct kernel_args *args, uint32_t first);
void strip_compute(const struct kernel_args *args);

prim_fn prim_ext, prim_splat, prim_bcast, prim_copy, prim_iota, prim_select;
prim_fn prim_add_f32, prim_sub_f32, prim_mul_f32, prim_div_f32, prim_max_f32, prim_min_f32;
prim_fn prim_neg_f32, prim_abs_f32, prim_sign_f32, prim_floor_f32, prim_ceil_f32, prim_sqrt_f32;
prim_fn prim_rsqrt_f32, prim_exp_f32, prim_expm1_f32, prim_log_f32, prim_log1p_f32, prim_tanh_f32;
prim_fn prim_logistic_f32, prim_pow_f32, prim_is_finite_f32;
prim_fn prim_eq_f32, prim_ne_f32, prim_lt_f32, prim_le_f32;
prim_fn prim_add_i32, prim_sub_i32, prim_mul_i32, prim_div_s32, prim_div_u32, prim_rem_s32;
prim_fn prim_rem_u32, prim_and_i32, prim_or_i32, prim_xor_i32, prim_not_i32, prim_shl_i32;
prim_fn prim_shr_u32, prim_shr_s32, prim_max_s32, prim_min_s32, prim_max_u32, prim_min_u32;
prim_fn prim_abs_s32, prim_neg_i32, prim_sign_s32, prim_popcnt_i32, prim_eq_i32, prim_ne_i32;
prim_fn prim_lt_s32, prim_le_s32, prim_lt_u32, prim_le_u32, prim_not_bool;
prim_fn prim_f32_to_s32, prim_f32_to_u32, prim_s32_to_f32, prim_u32_to_f32;
prim_fn prim_f32_to_bool, prim_i32_to_bool;
prim_fn prim_adam_f32, prim_reduce;

#endif
