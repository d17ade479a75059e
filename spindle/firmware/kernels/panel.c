/* The last step of QUANTISE, mantissas of a pair of rows to panel words, and a look at all exponent
 * words (panel.h). Plain C, twin of arm/panel.S (same bits).
 */
#include "panel.h"

/* Differences in place; sum: of each row's products of neighbours in k. */
static void chunk_differences(int32_t *q, int64_t *sum)
{
    for (uint32_t i = 0; i < PLACES; i += 4) {
        sum[0] += (int64_t)q[i] * q[i + 2];
        sum[1] += (int64_t)q[i + 1] * q[i + 3];
        q[i + 1] -= q[i];
        q[i + 3] -= q[i + 2];
    }
}

static void settle(struct panel_row *row, int64_t sum)
{
    uint64_t correction = 0 - (uint64_t)sum;
    row->unused = 0;
    row->correction[0] = (uint32_t)correction;
    row->correction[1] = (uint32_t)(correction >> 32);
}

void panel_differences(uint32_t *panel, uint32_t n_chunks, struct panel_row *rows)
{
    int64_t sum[2] = {0, 0};
    for (uint32_t i = 0; i < n_chunks; i++) {
        chunk_differences((int32_t *)panel + i * PLACES, sum);
    }
    settle(&rows[0], sum[0]);
    settle(&rows[1], sum[1]);
}

uint32_t panel_words(const struct panel_row *rows, uint32_t n)
{
    uint32_t words = 0;
    for (uint32_t i = 0; i < n; i++) {
        words |= rows[i].exponent;
    }
    return words;
}
