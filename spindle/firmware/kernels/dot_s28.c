/* DOT_S28: C[m][n] from panels of 28-bit mantissas, one exponent per row and K-block.
 *
 * In: operands 0, 1 panels A, B; 2, 3 their rows' exponents and corrections (panel.h). Out: operand 6
 * C, over inner = 3. Per K-block the exact int64 sum S times 2^(Ea + Eb - 52) is rounded once; C =
 * first block's value, then C + block value in order. A K-block that lies in one tile needs the sums of one pair of rows
 * only; one cut by tiles keeps all of them in the workspace. Follows docs/spec/kernels.md.
 */
#include "dot_s28.h"
#include "families.h"

/* The part of one K-block in this tile. */
struct segment {
    const struct kernel_args *args;
    struct dot_s28_work work;
    uint32_t chunk, chunks; /* of the tile's panels */
    const struct panel_row *rows[2]; /* of the K-block: of rows, of columns */
    uint32_t first, last;   /* part of the K-block */
    uint32_t first_block;   /* of the whole dot */
};

/* Every K-block lies in one tile. */
static uint32_t blocks_whole(const struct task *task)
{
    uint32_t tile = task->tile[3], k_block = task->k_block;
    return tile >= task->extent[3] || tile % k_block == 0;
}

static uint32_t sums_words(const struct task *task)
{
    return 2u * (blocks_whole(task) ? 2u : task->tile[1]) * task->tile[2];
}

uint32_t dot_s28_work_words(const struct task *task)
{
    uint32_t m = task->tile[1], n = task->tile[2];
    return sums_words(task) + 1 + m + n + (m * n + 15) / 16;
}

void dot_s28_view_work(struct dot_s28_work *work, const struct kernel_args *args)
{
    work->sums = (int64_t *)args->work;
    work->flagged = args->work + sums_words(args->task);
    work->row_flags = work->flagged + 1;
    work->column_flags = work->row_flags + args->task->tile[1];
    work->rescue = work->column_flags + args->task->tile[2];
}

static void clear_words(uint32_t *words, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        words[i] = 0;
    }
}

static void gather_flags(uint32_t *flags, const struct panel_row *rows, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        flags[i] |= rows[i].exponent & SPINDLE_NONFINITE_FLAG;
    }
}

static void segment_flags(const struct segment *s)
{
    const struct tile *tile = &s->args->tile;
    uint32_t m = tile->extent[1], n = tile->extent[2];
    uint32_t words = panel_words(s->rows[0], m) | panel_words(s->rows[1], n);
    if ((words & SPINDLE_NONFINITE_FLAG) == 0) {
        return;
    }
    if (*s->work.flagged == 0) {
        *s->work.flagged = 1;
        clear_words(s->work.row_flags, s->args->task->tile[1] + s->args->task->tile[2]);
    }
    gather_flags(s->work.row_flags, s->rows[0], m);
    gather_flags(s->work.column_flags, s->rows[1], n);
}

static void view_pair(struct dot_pair *pair, const struct segment *s)
{
    const struct kernel_args *args = s->args;
    pair->a_pitch = operand_row_words(&args->operands[0], &args->tile);
    pair->b_pitch = operand_row_words(&args->operands[1], &args->tile);
    pair->a = (const int32_t *)args->data[0] + s->chunk * pair->a_pitch;
    pair->b = (const int32_t *)args->data[1] + s->chunk * pair->b_pitch;
    pair->columns = (args->tile.extent[2] + 1) & ~1u;
    pair->chunks = s->chunks;
    pair->rows = s->rows[0];
    pair->column_rows = s->rows[1];
    pair->fresh = s->first;
}

static void view_row(struct dot_row *out, const struct segment *s)
{
    out->c = s->args->data[6];
    out->columns = s->rows[1];
    out->n = s->args->tile.extent[2];
    out->first_block = s->first_block;
}

/* Round a row of sums and add it to C; `out` then shows the next row. */
static void finish_row(struct dot_row *out, const int64_t *sums, const struct panel_row *row)
{
    out->sums = sums;
    out->exponent = (int16_t)row->exponent - 52;
    dot_s28_finish(out);
    out->c += out->n;
}

static void segment_compute(const struct segment *s)
{
    uint32_t m = s->args->tile.extent[1];
    int64_t *sums = s->work.sums;
    struct dot_pair pair;
    struct dot_row out;
    view_pair(&pair, s);
    view_row(&out, s);
    for (uint32_t row = 0; row < m; row += 2) {
        dot_s28_sums(sums, &pair);
        for (uint32_t i = 0; s->last && i < 2 && row + i < m; i++) {
            finish_row(&out, sums + i * pair.columns, pair.rows + i);
        }
        sums += s->first && s->last ? 0 : 2 * pair.columns;
        pair.a += PLACES;
        pair.rows += 2;
    }
}

static void segment_begin(struct segment *s, const struct kernel_args *args)
{
    s->args = args;
    s->chunk = 0;
    s->rows[0] = (const struct panel_row *)args->data[2];
    s->rows[1] = (const struct panel_row *)args->data[3];
    dot_s28_view_work(&s->work, args);
    if (args->tile.first_inner) {
        *s->work.flagged = 0;
    }
}

static void segment_next(struct segment *s)
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
    struct segment s;
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
        segment_compute(&s);
        segment_next(&s);
        block = stop;
    }
}

uint32_t dot_s28_flagged(const struct kernel_args *args)
{
    struct dot_s28_work work;
    uint32_t count = 0;
    dot_s28_view_work(&work, args);
    if (*work.flagged == 0) {
        return 0;
    }
    for (uint32_t i = 0; i < args->tile.extent[1]; i++) {
        count += work.row_flags[i] != 0;
    }
    for (uint32_t j = 0; j < args->tile.extent[2]; j++) {
        count += work.column_flags[j] != 0;
    }
    return count;
}
