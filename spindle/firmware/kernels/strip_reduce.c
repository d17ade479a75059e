/* RED_*: reductions along the columns (axis 2), the rows (1) or both (3) of a strip program.
 *
 * In: a strip of the source. Out: on the last position the result, in the destination operand. The
 * state lies in the workspace: acc[n_out], then levels rows of n_out words (n_out: outputs of a
 * tile). Float sums and products have a fixed order: blocks of 256 positions, each from its first
 * element on; finished blocks merge as a binary counter does; docs/spec/kernels.md. "Lanes" are
 * outputs that advance together: the columns of the strip for axis 1, else one; where a strip takes all
 * rows of a tile, each lane adds those of a block at once. Combines commute bit for bit (there is one
 * NaN), so older and newer need no order in the code.
 */
#include "order.h"
#include "reduce.h"

#define BLOCK 256u

struct reduction {
    fold_fn *fold;
    uint32_t *acc;   /* of the first lane */
    uint32_t *level; /* row 0, of the first lane */
    uint32_t *out;
    uint32_t lanes, n_out;
    uint32_t position; /* of the next element */
    uint32_t total;
    uint32_t block; /* positions per block */
    uint32_t init;
};

static inline uint32_t i32_add(uint32_t a, uint32_t b) { return a + b; }
static inline uint32_t i32_mul(uint32_t a, uint32_t b) { return a * b; }
static inline uint32_t i32_and(uint32_t a, uint32_t b) { return a & b; }
static inline uint32_t i32_or(uint32_t a, uint32_t b) { return a | b; }
static inline uint32_t s32_max(uint32_t a, uint32_t b) { return (int32_t)a > (int32_t)b ? a : b; }
static inline uint32_t s32_min(uint32_t a, uint32_t b) { return (int32_t)a < (int32_t)b ? a : b; }
static inline uint32_t u32_max(uint32_t a, uint32_t b) { return a > b ? a : b; }
static inline uint32_t u32_min(uint32_t a, uint32_t b) { return a < b ? a : b; }

static uint32_t fold_mul_f32(uint32_t acc, const uint32_t *x, uint32_t step, uint32_t n)
{
    return fold(acc, x, step, n, sf_mul);
}
static uint32_t fold_max_f32(uint32_t acc, const uint32_t *x, uint32_t step, uint32_t n)
{
    return fold(acc, x, step, n, f32_max);
}
static uint32_t fold_min_f32(uint32_t acc, const uint32_t *x, uint32_t step, uint32_t n)
{
    return fold(acc, x, step, n, f32_min);
}
static uint32_t fold_add_i32(uint32_t acc, const uint32_t *x, uint32_t step, uint32_t n)
{
    return fold(acc, x, step, n, i32_add);
}
static uint32_t fold_mul_i32(uint32_t acc, const uint32_t *x, uint32_t step, uint32_t n)
{
    return fold(acc, x, step, n, i32_mul);
}
static uint32_t fold_max_s32(uint32_t acc, const uint32_t *x, uint32_t step, uint32_t n)
{
    return fold(acc, x, step, n, s32_max);
}
static uint32_t fold_min_s32(uint32_t acc, const uint32_t *x, uint32_t step, uint32_t n)
{
    return fold(acc, x, step, n, s32_min);
}
static uint32_t fold_max_u32(uint32_t acc, const uint32_t *x, uint32_t step, uint32_t n)
{
    return fold(acc, x, step, n, u32_max);
}
static uint32_t fold_min_u32(uint32_t acc, const uint32_t *x, uint32_t step, uint32_t n)
{
    return fold(acc, x, step, n, u32_min);
}
static uint32_t fold_and_i32(uint32_t acc, const uint32_t *x, uint32_t step, uint32_t n)
{
    return fold(acc, x, step, n, i32_and);
}
static uint32_t fold_or_i32(uint32_t acc, const uint32_t *x, uint32_t step, uint32_t n)
{
    return fold(acc, x, step, n, i32_or);
}

static fold_fn *const FOLDS[] = {
    [PRIM_RED_ADD_F32 - PRIM_RED_ADD_F32] = fold_add_f32,
    [PRIM_RED_MUL_F32 - PRIM_RED_ADD_F32] = fold_mul_f32,
    [PRIM_RED_MAX_F32 - PRIM_RED_ADD_F32] = fold_max_f32,
    [PRIM_RED_MIN_F32 - PRIM_RED_ADD_F32] = fold_min_f32,
    [PRIM_RED_ADD_I32 - PRIM_RED_ADD_F32] = fold_add_i32,
    [PRIM_RED_MUL_I32 - PRIM_RED_ADD_F32] = fold_mul_i32,
    [PRIM_RED_MAX_S32 - PRIM_RED_ADD_F32] = fold_max_s32,
    [PRIM_RED_MIN_S32 - PRIM_RED_ADD_F32] = fold_min_s32,
    [PRIM_RED_MAX_U32 - PRIM_RED_ADD_F32] = fold_max_u32,
    [PRIM_RED_MIN_U32 - PRIM_RED_ADD_F32] = fold_min_u32,
    [PRIM_RED_AND_I32 - PRIM_RED_ADD_F32] = fold_and_i32,
    [PRIM_RED_OR_I32 - PRIM_RED_ADD_F32] = fold_or_i32,
};

static inline void move(uint32_t *d, const uint32_t *a, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        d[i] = a[i];
    }
}

/* acc[i] = acc[i] op x[i] for all lanes. */
static void merge(const struct reduction *r, const uint32_t *x)
{
    if (r->fold == fold_add_f32 && r->lanes > 1) {
        merge_add_f32(r->acc, x, r->lanes);
        return;
    }
    for (uint32_t i = 0; i < r->lanes; i++) {
        r->acc[i] = r->fold(r->acc[i], x + i, 1, 1);
    }
}

/* Block b ends: it joins the finished ones of equal size, as a carry runs through the bits of b. */
static void finish_block(const struct reduction *r)
{
    uint32_t block = (r->position - 1) / BLOCK, level = 0;
    for (; (block >> level) & 1u; level++) {
        merge(r, r->level + level * r->n_out);
    }
    if (r->position < r->total) {
        move(r->level + level * r->n_out, r->acc, r->lanes);
    }
}

/* What is left, newest (in acc) into older; then init. */
static void finish(const struct reduction *r)
{
    uint32_t left = (r->position - 1) / BLOCK + 1;
    left &= left - 1; /* the newest is in acc */
    for (uint32_t level = 0; r->block == BLOCK && left >> level; level++) {
        if ((left >> level) & 1u) {
            merge(r, r->level + level * r->n_out);
        }
    }
    for (uint32_t i = 0; i < r->lanes; i++) {
        r->out[i] = r->fold(r->init, &r->acc[i], 1, 1);
    }
}

static void check_end(const struct reduction *r)
{
    uint32_t last = r->position == r->total;
    if (r->block == BLOCK && (last || r->position % BLOCK == 0)) {
        finish_block(r);
    }
    if (last) {
        finish(r);
    }
}

/* How many of n positions lie in the present block. */
static uint32_t in_block(const struct reduction *r, uint32_t n)
{
    uint32_t left = BLOCK - r->position % BLOCK;
    return r->block == BLOCK && left < n ? left : n;
}

/* Every lane takes n positions of the present block, `step` words apart. */
static void take(const struct reduction *r, const uint32_t *x, uint32_t step, uint32_t n)
{
    uint32_t fresh = (r->block == BLOCK ? r->position % BLOCK : r->position) == 0;
    if (n == 1 && !fresh) {
        merge(r, x);
        return;
    }
    for (uint32_t i = 0; i < r->lanes; i++, x++) {
        r->acc[i] = r->fold(fresh ? *x : r->acc[i], fresh ? x + step : x, step, n - fresh);
    }
}

/* All lanes take n positions, up to the ends of blocks. */
static void reduce(struct reduction *r, const uint32_t *x, uint32_t step, uint32_t n)
{
    r->level = r->acc + r->n_out;
    while (n > 0) {
        uint32_t taken = in_block(r, n);
        take(r, x, step, taken);
        r->position += taken;
        x += taken * step;
        n -= taken;
        check_end(r);
    }
}

static uint32_t smaller(uint32_t a, uint32_t b) { return a < b ? a : b; }

static void describe_columns(struct reduction *r, const struct strip *s, uint32_t axis)
{
    const struct task *task = s->args->task;
    const struct tile *tile = &s->args->tile;
    r->lanes = 1;
    r->n_out = axis == 2 ? smaller(task->tile[1], task->extent[1]) : 1;
    r->acc += axis == 2 ? s->row : 0;
    r->total = axis == 2 ? task->extent[2] : task->extent[1] * task->extent[2];
    r->position = tile->origin[2] + s->column;
    r->position += axis == 2 ? 0 : (tile->origin[1] + s->row) * task->extent[2];
}

static void describe_rows(struct reduction *r, const struct strip *s)
{
    r->lanes = s->n;
    r->n_out = smaller(s->args->task->tile[2], s->args->task->extent[2]);
    r->acc += s->column;
    r->total = s->args->task->extent[1];
    r->position = s->args->tile.origin[1] + s->row;
}

void prim_reduce(const struct strip *s, const struct instr *in)
{
    const uint32_t *x = s->reg[in->reg[1]];
    struct reduction r;
    r.fold = FOLDS[in->prim - PRIM_RED_ADD_F32];
    r.acc = s->args->work + in[1].imm;
    r.out = s->reg[in->reg[0]];
    r.init = in->imm;
    r.block = in->prim <= PRIM_RED_MUL_F32 ? BLOCK : 0xffffffffu;
    if (in->reg[2] == 1) {
        uint32_t n = s->shape.stacked;
        describe_rows(&r, s);
        reduce(&r, x, n > 1 ? s->row_step[in->reg[1]] : 0, n);
    } else {
        describe_columns(&r, s, in->reg[2]);
        reduce(&r, x, 1, s->n);
    }
}
