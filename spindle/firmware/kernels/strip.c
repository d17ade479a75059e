/* Strip interpreter: runs a task's strip program over the rows of a tile, up to 64 columns at a
 * time; strip_begin.c sets them up, strip_shape.c says which rows are one.
 *
 * In: operands' tiles in DTCM and the program. Out: what the program writes. Registers 0..15 are
 * operands (place of the row, and of the column where indexed by dim 2), 16..47 temporaries of 64
 * words. Follows docs/spec/kernels.md. Cycles: strip_cost.c.
 */
#include "strip.h"

static prim_fn *const PRIMITIVES[N_PRIMITIVES] = {
    [PRIM_EXT] = prim_ext,
    [PRIM_SPLAT] = prim_splat,
    [PRIM_BCAST] = prim_bcast,
    [PRIM_COPY] = prim_copy,
    [PRIM_IOTA] = prim_iota,
    [PRIM_ADD_F32] = prim_add_f32,
    [PRIM_SUB_F32] = prim_sub_f32,
    [PRIM_MUL_F32] = prim_mul_f32,
    [PRIM_DIV_F32] = prim_div_f32,
    [PRIM_MAX_F32] = prim_max_f32,
    [PRIM_MIN_F32] = prim_min_f32,
    [PRIM_NEG_F32] = prim_neg_f32,
    [PRIM_ABS_F32] = prim_abs_f32,
    [PRIM_SIGN_F32] = prim_sign_f32,
    [PRIM_FLOOR_F32] = prim_floor_f32,
    [PRIM_CEIL_F32] = prim_ceil_f32,
    [PRIM_SQRT_F32] = prim_sqrt_f32,
    [PRIM_RSQRT_F32] = prim_rsqrt_f32,
    [PRIM_EXP_F32] = prim_exp_f32,
    [PRIM_EXPM1_F32] = prim_expm1_f32,
    [PRIM_LOG_F32] = prim_log_f32,
    [PRIM_LOG1P_F32] = prim_log1p_f32,
    [PRIM_TANH_F32] = prim_tanh_f32,
    [PRIM_LOGISTIC_F32] = prim_logistic_f32,
    [PRIM_POW_F32] = prim_pow_f32,
    [PRIM_IS_FINITE_F32] = prim_is_finite_f32,
    [PRIM_EQ_F32] = prim_eq_f32,
    [PRIM_NE_F32] = prim_ne_f32,
    [PRIM_LT_F32] = prim_lt_f32,
    [PRIM_LE_F32] = prim_le_f32,
    [PRIM_ADD_I32] = prim_add_i32,
    [PRIM_SUB_I32] = prim_sub_i32,
    [PRIM_MUL_I32] = prim_mul_i32,
    [PRIM_DIV_S32] = prim_div_s32,
    [PRIM_DIV_U32] = prim_div_u32,
    [PRIM_REM_S32] = prim_rem_s32,
    [PRIM_REM_U32] = prim_rem_u32,
    [PRIM_AND_I32] = prim_and_i32,
    [PRIM_OR_I32] = prim_or_i32,
    [PRIM_XOR_I32] = prim_xor_i32,
    [PRIM_NOT_I32] = prim_not_i32,
    [PRIM_SHL_I32] = prim_shl_i32,
    [PRIM_SHR_U32] = prim_shr_u32,
    [PRIM_SHR_S32] = prim_shr_s32,
    [PRIM_MAX_S32] = prim_max_s32,
    [PRIM_MIN_S32] = prim_min_s32,
    [PRIM_MAX_U32] = prim_max_u32,
    [PRIM_MIN_U32] = prim_min_u32,
    [PRIM_ABS_S32] = prim_abs_s32,
    [PRIM_NEG_I32] = prim_neg_i32,
    [PRIM_SIGN_S32] = prim_sign_s32,
    [PRIM_POPCNT_I32] = prim_popcnt_i32,
    [PRIM_EQ_I32] = prim_eq_i32,
    [PRIM_NE_I32] = prim_ne_i32,
    [PRIM_LT_S32] = prim_lt_s32,
    [PRIM_LE_S32] = prim_le_s32,
    [PRIM_LT_U32] = prim_lt_u32,
    [PRIM_LE_U32] = prim_le_u32,
    [PRIM_NOT_BOOL] = prim_not_bool,
    [PRIM_SELECT] = prim_select,
    [PRIM_F32_TO_S32] = prim_f32_to_s32,
    [PRIM_F32_TO_U32] = prim_f32_to_u32,
    [PRIM_S32_TO_F32] = prim_s32_to_f32,
    [PRIM_U32_TO_F32] = prim_u32_to_f32,
    [PRIM_F32_TO_BOOL] = prim_f32_to_bool,
    [PRIM_I32_TO_BOOL] = prim_i32_to_bool,
    [PRIM_ADAM_F32] = prim_adam_f32,
    [PRIM_RED_ADD_F32] = prim_reduce,
    [PRIM_RED_MUL_F32] = prim_reduce,
    [PRIM_RED_MAX_F32] = prim_reduce,
    [PRIM_RED_MIN_F32] = prim_reduce,
    [PRIM_RED_ADD_I32] = prim_reduce,
    [PRIM_RED_MUL_I32] = prim_reduce,
    [PRIM_RED_MAX_S32] = prim_reduce,
    [PRIM_RED_MIN_S32] = prim_reduce,
    [PRIM_RED_MAX_U32] = prim_reduce,
    [PRIM_RED_MIN_U32] = prim_reduce,
    [PRIM_RED_AND_I32] = prim_reduce,
    [PRIM_RED_OR_I32] = prim_reduce,
};

static void strip_step(const struct strip *s, const struct instr *in, const struct instr *end)
{
    for (; in < end; in++) {
        if (in->prim != PRIM_EXT && in->prim < N_PRIMITIVES) {
            PRIMITIVES[in->prim](s, in);
        }
    }
}

/* All strips of a row; then the operands' places are those of the next one. */
static void strip_row(struct strip *s, uint32_t first)
{
    const struct task *task = s->args->task;
    const struct instr *body = s->args->program + task->n_prologue;
    const struct instr *end = s->args->program + task->n_instrs;
    uint32_t left = s->shape.columns, length = s->shape.length;
    for (uint32_t i = first; i < task->n_operands; i++) {
        s->reg[i] = s->row_at[i];
        s->row_at[i] += s->row_step[i];
    }
    for (s->column = 0;; s->column += length) {
        s->n = left < length ? left : length;
        strip_step(s, body, end);
        left -= s->n;
        if (left == 0) {
            return;
        }
        for (uint32_t i = first; i < task->n_operands; i++) {
            s->reg[i] += s->column_step[i];
        }
    }
}

void strip_run(const struct kernel_args *args, uint32_t first)
{
    struct strip s;
    strip_begin(&s, args, first);
    strip_step(&s, args->program, args->program + args->task->n_prologue);
    for (; s.row < s.shape.rows; s.row++) {
        strip_row(&s, first);
    }
}

void strip_compute(const struct kernel_args *args) { strip_run(args, 0); }
