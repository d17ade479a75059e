/* Integer sums of DOT_S13 and DOT_S16, plain C: 3x3 outputs, a chunk of 8 k at a time.
 *
 * In and out: dot_s16.h. Twin of arm/dot_s16_sums.S and host/dot_s16_sums.c: the same sums; which of
 * them tell of a sum that left int32 and came back is theirs. Cycles on ARM: kernel_cost.c.
 */
#include "dot_s16.h"

typedef int32_t rows_of_8k[TRIPLE][SPINDLE_CHUNK];

static int32_t low(uint32_t word) { return (int16_t)word; }
static int32_t high(uint32_t word) { return (int32_t)word >> 16; }

static void view_narrow(rows_of_8k q, const uint32_t *words)
{
    for (uint32_t k = 0; k < SPINDLE_CHUNK; k += 2, words += TRIPLE) {
        q[0][k] = low(words[0]);
        q[1][k] = high(words[0]);
        q[2][k] = low(words[1]);
        q[2][k + 1] = high(words[1]);
        q[0][k + 1] = low(words[2]);
        q[1][k + 1] = high(words[2]);
    }
}

static void view_wide(rows_of_8k q, const uint32_t *words)
{
    for (uint32_t i = 0; i < WIDE_WORDS; i++) {
        q[i % TRIPLE][i / TRIPLE] = (int32_t)words[i] >> 9;
    }
}

static void add_chunk(int64_t *sums, rows_of_8k a, rows_of_8k b, uint32_t shift)
{
    for (uint32_t i = 0; i < BLOCK; i++) {
        for (uint32_t k = 0; k < SPINDLE_CHUNK; k++) {
            sums[i] += a[i / TRIPLE][k] * b[i % TRIPLE][k] >> shift;
        }
    }
}

/* One block of 3x3; returns whether a sum does not fit. */
static uint32_t block_sums(const struct dot_triple *t, uint32_t j, uint32_t wide)
{
    const uint32_t *a = t->a, *b = t->b + j * t->chunks * NARROW_WORDS;
    int64_t sums[BLOCK];
    rows_of_8k rows, columns;
    uint32_t left = 0;
    for (uint32_t i = 0; i < BLOCK; i++) {
        sums[i] = t->start[j * t->start_step + i];
    }
    for (uint32_t chunk = 0; chunk < t->chunks; chunk++, b += NARROW_WORDS) {
        if (wide) {
            view_wide(rows, a + chunk * WIDE_WORDS);
        } else {
            view_narrow(rows, a + chunk * NARROW_WORDS);
        }
        view_narrow(columns, b);
        add_chunk(sums, rows, columns, wide ? 7 : 0);
    }
    for (uint32_t i = 0; i < BLOCK; i++) {
        t->sums[j * BLOCK + i] = (int32_t)sums[i];
        left |= sums[i] != (int32_t)sums[i];
    }
    return left;
}

static uint32_t triple_sums(const struct dot_triple *t, uint32_t wide)
{
    uint32_t left = 0;
    for (uint32_t j = 0; j < t->columns; j++) {
        left |= block_sums(t, j, wide);
    }
    return left;
}

uint32_t dot_s13_sums(const struct dot_triple *triple) { return triple_sums(triple, 0); }
uint32_t dot_s16_sums(const struct dot_triple *triple) { return triple_sums(triple, 1); }
