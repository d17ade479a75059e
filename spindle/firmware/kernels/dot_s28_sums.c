/* Exact integer sums of DOT_S28, plain C: 2x2 outputs in registers, a chunk of 8 k at a time.
 *
 * In and out: dot_s28.h. Two products for one multiplication (panel.h), as arm/dot_s28_sums.S has
 * them (same bits); host/dot_s28_sums.c, which multiplies each pair, has the same at a K-block's end.
 * Cycles on ARM: kernel_cost.c (mac_s28, dot_s28_chunk, dot_s28_block).
 */
#include "dot_s28.h"

struct sums_2x2 {
    int64_t s00, s01, s10, s11;
};

/* What a fresh block begins with: the corrections of row and column. */
static void begin(struct sums_2x2 *s, const struct dot_pair *pair, uint32_t j)
{
    const struct panel_row *rows = pair->rows, *columns = pair->column_rows + j;
    int64_t low = panel_correction(&rows[0]), high = panel_correction(&rows[1]);
    int64_t left = panel_correction(&columns[0]), right = panel_correction(&columns[1]);
    s->s00 = low + left;
    s->s01 = low + right;
    s->s10 = high + left;
    s->s11 = high + right;
}

static inline void add_chunk(struct sums_2x2 *s, const int32_t *a, const int32_t *b)
{
    for (uint32_t k = 0; k < PLACES; k += 4) {
        int32_t t = a[k] + b[k + 2], u = a[k + 2] + b[k];
        int32_t t_right = t + b[k + 3], u_right = u + b[k + 1];
        s->s00 += (int64_t)t * u;
        s->s01 += (int64_t)t_right * u_right;
        s->s10 += (int64_t)(t + a[k + 1]) * (u + a[k + 3]);
        s->s11 += (int64_t)(t_right + a[k + 1]) * (u_right + a[k + 3]);
    }
}

void dot_s28_sums(int64_t *sums, const struct dot_pair *pair)
{
    for (uint32_t j = 0; j < pair->columns; j += 2) {
        int64_t *low = sums + j, *high = sums + pair->columns + j;
        const int32_t *a = pair->a, *b = pair->b + j / 2 * pair->b_pitch;
        struct sums_2x2 s = {low[0], low[1], high[0], high[1]};
        if (pair->fresh) {
            begin(&s, pair, j);
        }
        for (uint32_t chunk = 0; chunk < pair->chunks; chunk++) {
            add_chunk(&s, a, b);
            a += PLACES;
            b += PLACES;
        }
        low[0] = s.s00;
        low[1] = s.s01;
        high[0] = s.s10;
        high[1] = s.s11;
    }
}
