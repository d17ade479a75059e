/* Exact integer sums of DOT_S28, plain C: 2x2 outputs in registers, 8 k of a chunk at a time.
 *
 * In and out: dot_s28.h. Twin of host/dot_s28_sums.c (same bits: the sums are exact). On ARM the
 * inner step is 4 loads and 4 SMLAL: 16 cycles per k (kernel_cost.c: mac_s28, dot_s28_block).
 */
#include "dot_s28.h"

struct sums_2x2 {
    int64_t s00, s01, s10, s11;
};

static inline void add_chunk(struct sums_2x2 *s, const int32_t *a, const int32_t *b)
{
    for (uint32_t k = 0; k < 2 * SPINDLE_CHUNK; k += 2) {
        s->s00 += (int64_t)a[k] * b[k];
        s->s01 += (int64_t)a[k] * b[k + 1];
        s->s10 += (int64_t)a[k + 1] * b[k];
        s->s11 += (int64_t)a[k + 1] * b[k + 1];
    }
}

void dot_s28_sums(int64_t *sums, const struct dot_pair *pair)
{
    dot_pair_clear(sums, pair);
    for (uint32_t j = 0; j < pair->columns; j += 2) {
        int64_t *low = sums + j, *high = sums + pair->columns + j;
        const int32_t *a = pair->a, *b = pair->b + j * SPINDLE_CHUNK;
        struct sums_2x2 s = {low[0], low[1], high[0], high[1]};
        for (uint32_t chunk = 0; chunk < pair->chunks; chunk++) {
            add_chunk(&s, a, b);
            a += pair->a_pitch;
            b += pair->b_pitch;
        }
        low[0] = s.s00;
        low[1] = s.s01;
        high[0] = s.s10;
        high[1] = s.s11;
    }
}
