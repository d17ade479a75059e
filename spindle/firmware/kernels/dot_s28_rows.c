/* A segment of DOT_S28, pair of rows by pair of rows: sums, and C where the K-block ends in it.
 *
 * In: struct dot_segment (dot_s28.h). Out: the sums in the workspace, C. Compiled as ARM code: its loop
 * runs once for every few outputs.
 */
#include "dot_s28.h"

static void view_pair(struct dot_pair *pair, const struct dot_segment *s)
{
    const struct kernel_args *args = s->args;
    pair->a = (const int32_t *)args->data[0] + s->chunk * PLACES;
    pair->b = (const int32_t *)args->data[1] + s->chunk * PLACES;
    pair->b_pitch = operand_row_words(&args->operands[1], &args->tile);
    pair->columns = (args->tile.extent[2] + 1) & ~1u;
    pair->chunks = s->chunks;
    pair->rows = s->rows[0];
    pair->column_rows = s->rows[1];
    pair->fresh = s->first;
}

static void view_row(struct dot_row *out, const struct dot_segment *s)
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

void dot_s28_rows(const struct dot_segment *s)
{
    uint32_t m = s->args->tile.extent[1];
    uint32_t a_pitch = operand_row_words(&s->args->operands[0], &s->args->tile);
    int64_t *sums = s->sums;
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
        pair.a += a_pitch;
        pair.rows += 2;
    }
}
