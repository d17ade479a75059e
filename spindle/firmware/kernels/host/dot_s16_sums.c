/* Integer sums of DOT_S13 and DOT_S16 for the host: 8 k at once in vectors of 32-bit products.
 *
 * In and out: dot_s16.h; the same sums as kernels/dot_s16_sums.c. Rows are unpacked once for a segment
 * of k, columns chunk by chunk. Vector extensions of clang.
 */
#include "dot_s16.h"

#define SEGMENT 64u /* chunks; rows of it lie on the stack */

typedef int32_t lanes __attribute__((vector_size(32)));
typedef int16_t halves __attribute__((vector_size(32), aligned(4)));
typedef int16_t eight_halves __attribute__((vector_size(16)));

struct rows_of_8k {
    lanes q[TRIPLE];
};

static inline lanes widen(eight_halves x) { return __builtin_convertvector(x, lanes); }

/* Halves of a chunk: r0 r1 r2 of k, r2 r0 r1 of k + 1, and so on, 24 of them. */
static inline struct rows_of_8k view_narrow(const uint32_t *words)
{
    halves a = *(const halves *)words, b = *(const halves *)(words + 4);
    return (struct rows_of_8k){{
        widen(__builtin_shufflevector(a, b, 0, 4, 6, 10, 12, 24, 26, 30)),
        widen(__builtin_shufflevector(a, b, 1, 5, 7, 11, 13, 25, 27, 31)),
        widen(__builtin_shufflevector(a, b, 2, 3, 8, 9, 14, 15, 28, 29)),
    }};
}

static inline struct rows_of_8k view_wide(const uint32_t *words)
{
    struct rows_of_8k rows;
    for (uint32_t i = 0; i < WIDE_WORDS; i++) {
        rows.q[i % TRIPLE][i / TRIPLE] = (int32_t)words[i] >> 9;
    }
    return rows;
}

static void view_segment(struct rows_of_8k *rows, const uint32_t *a, uint32_t chunks, uint32_t wide)
{
    for (uint32_t chunk = 0; chunk < chunks; chunk++, a += wide ? WIDE_WORDS : NARROW_WORDS) {
        rows[chunk] = wide ? view_wide(a) : view_narrow(a);
    }
}

static inline int32_t total(lanes s)
{
    return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
}

/* Add to BLOCK sums; returns whether one does not fit. */
static uint32_t add_totals(int32_t *sums, const lanes *s)
{
    uint32_t left = 0;
    for (uint32_t i = 0; i < BLOCK; i++) {
        left |= __builtin_add_overflow(sums[i], total(s[i]), &sums[i]);
    }
    return left;
}

/* All of a segment's products of a triple of rows and one of columns, in parts whose totals fit. */
static inline uint32_t add_segment(int32_t *sums, const struct rows_of_8k *rows, const uint32_t *b,
                                   uint32_t chunks, uint32_t wide)
{
    uint32_t left = 0, most = wide ? S16_CHUNKS : S13_CHUNKS;
    for (uint32_t done = 0; done < chunks; done += most) {
        uint32_t end = chunks - done < most ? chunks : done + most;
        lanes s[BLOCK] = {{0}};
        for (uint32_t chunk = done; chunk < end; chunk++) {
            struct rows_of_8k columns = view_narrow(b + chunk * NARROW_WORDS);
            for (uint32_t i = 0; i < BLOCK; i++) {
                s[i] += rows[chunk].q[i / TRIPLE] * columns.q[i % TRIPLE] >> (wide ? 7 : 0);
            }
        }
        left |= add_totals(sums, s);
    }
    return left;
}

static void begin(const struct dot_triple *t)
{
    for (uint32_t i = 0; i < t->columns * BLOCK; i++) {
        t->sums[i] = t->start[i / BLOCK * t->start_step + i % BLOCK];
    }
}

static inline uint32_t triple_sums(const struct dot_triple *t, uint32_t wide)
{
    struct rows_of_8k rows[SEGMENT];
    uint32_t left = 0, a_words = wide ? WIDE_WORDS : NARROW_WORDS;
    begin(t);
    for (uint32_t done = 0; done < t->chunks; done += SEGMENT) {
        uint32_t chunks = t->chunks - done < SEGMENT ? t->chunks - done : SEGMENT;
        view_segment(rows, t->a + done * a_words, chunks, wide);
        for (uint32_t j = 0; j < t->columns; j++) {
            const uint32_t *b = t->b + (j * t->chunks + done) * NARROW_WORDS;
            left |= add_segment(t->sums + j * BLOCK, rows, b, chunks, wide);
        }
    }
    return left;
}

uint32_t dot_s13_sums(const struct dot_triple *triple) { return triple_sums(triple, 0); }
uint32_t dot_s16_sums(const struct dot_triple *triple) { return triple_sums(triple, 1); }
