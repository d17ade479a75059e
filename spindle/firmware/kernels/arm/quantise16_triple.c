/* One triple of rows of QUANTISE_13 and QUANTISE_16 on ARM: ordinary ones by assembly, the others word
 * by word; bits of ../quantise16_triple.c.
 *
 * In and out: ../quantise16.h. Ordinary: no Inf or NaN, and a largest exponent so far above that of a
 * zero or denormal that both become 0 without being looked at, and not so far that shifts do not keep
 * to 8 bits; or no element but zeros. A row that is missing is read as the first one, and left without
 * a bit.
 */
#include "../quantise16.h"
#include "quantise16_loops.h"

#define LOWEST_FIELD 16
#define HIGHEST_FIELD 222
#define ALL_BITS 33 /* places that leave nothing of a significand, nor its half */

/* Rows that are there. */
static uint32_t present(const struct view *v, uint32_t f)
{
    return v->n_f - f < TRIPLE ? v->n_f - f : TRIPLE;
}

static uint32_t find_word(const struct view *v, uint32_t f)
{
    const uint32_t *x = v->x + f * v->step_f;
    int32_t e = SPINDLE_EMPTY_EXPONENT;
    uint32_t nonfinite = 0;
    for (uint32_t k = 0; k < v->n_k; k++, x += v->step_k) {
        e = exponent_max(e, exponent_of(*x));
        nonfinite |= is_nonfinite(*x);
    }
    return exponent_word(e, nonfinite);
}

static void put(uint32_t *panel, uint32_t wide, uint32_t i, uint32_t k, int32_t q)
{
    if (wide) {
        panel[k * TRIPLE + i] = (uint32_t)q << 9;
    } else {
        uint32_t half = k % 2 == 0 ? i : i == 2 ? 3 : 4 + i;
        ((int16_t *)panel)[k / 2 * 2 * TRIPLE + half] = (int16_t)q;
    }
}

/* Any mantissas from k on, word by word. */
static void fill(uint32_t *panel, const struct quantise_16 *s, uint32_t f, uint32_t k)
{
    uint32_t rows = present(&s->v, f), end = view_chunks(&s->v) * SPINDLE_CHUNK;
    for (; k < end; k++) {
        const uint32_t *x = s->v.x + f * s->v.step_f + k * s->v.step_k;
        for (uint32_t i = 0; i < TRIPLE; i++, x += s->v.step_f) {
            uint32_t here = i < rows && k < s->v.n_k;
            put(panel, s->wide, i, k,
                here ? mantissa_16(*x, (int16_t)s->words[f + i], s->places) : 0);
        }
    }
}

static uint32_t is_ordinary(uint32_t field)
{
    return field - LOWEST_FIELD <= HIGHEST_FIELD - LOWEST_FIELD;
}

/* The row's largest field by its exponent word, lowest where it has none; 0: not an ordinary row. */
static uint32_t field_of(uint32_t word)
{
    uint32_t field = (uint32_t)((int16_t)word + 127);
    if (word == exponent_word(SPINDLE_EMPTY_EXPONENT, 0)) {
        return LOWEST_FIELD;
    }
    return word <= 0xffffu && is_ordinary(field) ? field : 0;
}

/* By the largest word of row f, its sign shifted out. */
static uint32_t word_of(const struct view *v, uint32_t f, uint32_t top)
{
    if (top == 0) {
        return exponent_word(SPINDLE_EMPTY_EXPONENT, 0);
    }
    return is_ordinary(top >> 24) ? exponent_word((int32_t)(top >> 24) - 127, 0) : find_word(v, f);
}

static void find_words(const struct quantise_16 *s, uint32_t f, const struct quantise16_loop *loop)
{
    uint32_t top[TRIPLE] = {0, 0, 0}, rows = present(&s->v, f);
    if (loop->n_k != 0) {
        quantise16_tops(loop, top);
    }
    for (uint32_t i = 0; i < rows; i++) {
        uint32_t last = s->v.x[(f + i) * s->v.step_f + (s->v.n_k - 1) * s->v.step_k] << 1;
        s->words[f + i] = word_of(&s->v, f + i, last > top[i] ? last : top[i]);
    }
}

/* Returns 0 where a row is not ordinary. */
static uint32_t find_bases(const struct quantise_16 *s, uint32_t f, uint32_t *base)
{
    uint32_t rows = present(&s->v, f);
    for (uint32_t i = 0; i < TRIPLE; i++) {
        uint32_t field = field_of(s->words[i < rows ? f + i : f]);
        if (field == 0) {
            return 0;
        }
        base[i] = field + (i < rows ? 31 - s->places : ALL_BITS);
    }
    return 1;
}

void quantise_16_triple(uint32_t *panel, const struct quantise_16 *s, uint32_t f)
{
    uint32_t rows = present(&s->v, f), step_f = s->v.step_f * 4, done = 0, base[TRIPLE];
    struct quantise16_loop loop = {s->v.x + f * s->v.step_f, s->v.n_k & ~1u, s->v.step_k * 4,
                                   rows > 1 ? step_f : 0, rows > 2 ? 2 * step_f : 0,
                                   s->places + 1};
    if (!s->given) {
        find_words(s, f, &loop);
    }
    if (loop.n_k != 0 && find_bases(s, f, base)) {
        (s->wide ? quantise16_wide : quantise16_narrow)(&loop, base, panel);
        done = loop.n_k;
    }
    fill(panel, s, f, done);
}
