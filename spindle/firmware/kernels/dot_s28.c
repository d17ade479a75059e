/* DOT_S28: C[m][n] from panels of 28-bit mantissas, one exponent per row and K-block.
 *
 * In: operands 0, 1 panels A, B; 2, 3 their rows' exponents and corrections (panel.h). Out: operand 6
 * C, over inner = 3. Per K-block the exact int64 sum S times 2^(Ea + Eb - 52) is rounded once; C =
 * first block's value, then C + block value in order. A K-block that lies in one tile needs the sums of
 * one pair of rows only; one cut by tiles keeps all of them in the workspace. Follows
 * docs/spec/kernels.md.
 */
#include "dot_s28.h"
#include "families.h"

/* Every K-block lies in one tile. */
static uint32_t blocks_whole(const struct task *task)
{
    uint32_t tile = task->tile[3], k_block = task->k_block;
    return tile >= task->extent[3] || tile % k_block == 0;
}

uint32_t dot_s28_sums_words(const struct task *task)
{
    return 2u * (blocks_whole(task) ? 2u : task->tile[1]) * task->tile[2];
}

static void segment_flags(const struct dot_segment *s)
{
    const uint32_t *extent = s->args->tile.extent;
    uint32_t words = panel_words(s->rows[0], extent[1]) | panel_words(s->rows[1], extent[2]);
    if (words & SPINDLE_NONFINITE_FLAG) {
        dot_flags_add(&s->flags, s->args, &s->rows[0]->exponent, &s->rows[1]->exponent,
                      SPINDLE_PANEL_ROW_WORDS);
    }
}

static void segment_begin(struct dot_segment *s, const struct kernel_args *args)
{
    s->args = args;
    s->chunk = 0;
    s->rows[0] = (const struct panel_row *)args->data[2];
    s->rows[1] = (const struct panel_row *)args->data[3];
    s->sums = (int64_t *)args->work;
    dot_flags_view(&s->flags, args);
    if (args->tile.first_inner) {
        *s->flags.flagged = 0;
    }
}

static void segment_next(struct dot_segment *s)
{
    s->chunk += s->chunks;
    for (uint32_t i = 0; i < 2; i++) {
        const struct operand *op = &s->args->operands[2 + i];
        s->rows[i] += operand_row_words(op, &s->args->tile) / SPINDLE_PANEL_ROW_WORDS;
    }
}

void dot_s28_compute(const struct kernel_args *args)
{
    const struct task *task = args->task;
    uint32_t k = args->tile.origin[3], end = k + args->tile.extent[3];
    uint32_t block = k < task->k_block ? 0 : k - k % task->k_block;
    struct dot_segment s;
    segment_begin(&s, args);
    for (; k < end; k = block) {
        uint32_t left = task->extent[3] - block;
        uint32_t whole = block + (left < task->k_block ? left : task->k_block);
        uint32_t stop = whole < end ? whole : end;
        s.first = k == block;
        s.last = stop == whole;
        s.first_block = block == 0;
        s.chunks = (stop - k + SPINDLE_CHUNK - 1) / SPINDLE_CHUNK;
        segment_flags(&s);
        dot_s28_rows(&s);
        segment_next(&s);
        block = stop;
    }
}
