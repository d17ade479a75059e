/* Exact integer sums of DOT_S28 for the host: 8 k at once in vectors of 64-bit products.
 *
 * In and out: dot_s28.h; same bits at the end of a K-block as kernels/dot_s28_sums.c, since integer
 * sums are exact in any order; corrections are of no use here. A chunk of a pair is one vector: even
 * words belong to its first row, odd ones are what the second has more. Vector extensions of clang; on x86 a product becomes one vpmuldq.
 */
#include "dot_s28.h"

typedef int64_t wide __attribute__((vector_size(64), aligned(4)));
typedef int64_t lanes __attribute__((vector_size(64)));

struct products {
    lanes s00, s01, s10, s11;
};

/* Signed 32-bit values in 64-bit lanes: of the first row, of the second. */
static inline lanes first(lanes words) { return (words << 32) >> 32; }
static inline lanes second(lanes words) { return first(words + (words >> 32)); }

static void clear(int64_t *sums, const struct dot_pair *pair)
{
    for (uint32_t i = 0; pair->fresh && i < 2 * pair->columns; i++) {
        sums[i] = 0;
    }
}

static inline int64_t total(lanes s)
{
    return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
}

static inline void add_products(struct products *s, lanes a, lanes b)
{
    lanes a0 = first(a), a1 = second(a), b0 = first(b), b1 = second(b);
    s->s00 += a0 * b0;
    s->s01 += a0 * b1;
    s->s10 += a1 * b0;
    s->s11 += a1 * b1;
}

static inline void finish(int64_t *low, int64_t *high, const struct products *s)
{
    low[0] += total(s->s00);
    low[1] += total(s->s01);
    high[0] += total(s->s10);
    high[1] += total(s->s11);
}

static void one_pair(int64_t *sums, const struct dot_pair *pair, uint32_t j)
{
    const int32_t *a = pair->a, *b = pair->b + j / 2 * pair->b_pitch;
    struct products s = {{0}, {0}, {0}, {0}};
    for (uint32_t chunk = 0; chunk < pair->chunks; chunk++) {
        add_products(&s, *(const wide *)a, *(const wide *)b);
        a += PLACES;
        b += PLACES;
    }
    finish(sums + j, sums + pair->columns + j, &s);
}

/* Two pairs of columns share the rows' vectors. */
static void two_pairs(int64_t *sums, const struct dot_pair *pair, uint32_t j)
{
    const int32_t *a = pair->a, *b = pair->b + j / 2 * pair->b_pitch;
    struct products s = {{0}, {0}, {0}, {0}}, t = {{0}, {0}, {0}, {0}};
    for (uint32_t chunk = 0; chunk < pair->chunks; chunk++) {
        add_products(&s, *(const wide *)a, *(const wide *)b);
        add_products(&t, *(const wide *)a, *(const wide *)(b + pair->b_pitch));
        a += PLACES;
        b += PLACES;
    }
    finish(sums + j, sums + pair->columns + j, &s);
    finish(sums + j + 2, sums + pair->columns + j + 2, &t);
}

void dot_s28_sums(int64_t *sums, const struct dot_pair *pair)
{
    uint32_t j = 0;
    clear(sums, pair);
    for (; j + 4 <= pair->columns; j += 4) {
        two_pairs(sums, pair, j);
    }
    if (j < pair->columns) {
        one_pair(sums, pair, j);
    }
}
