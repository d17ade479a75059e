/* One triple of rows of QUANTISE_13 and QUANTISE_16 in plain C, a chunk of 8 k at a time.
 *
 * In and out: quantise16.h. Twin: arm/quantise16_triple.c, same bits.
 */
#include "quantise16.h"

typedef uint32_t rows_of_8k[TRIPLE][SPINDLE_CHUNK];

static void read_edge(rows_of_8k x, const struct view *v, uint32_t f, uint32_t k0)
{
    for (uint32_t i = 0; i < TRIPLE; i++) {
        for (uint32_t k = 0; k < SPINDLE_CHUNK; k++) {
            uint32_t here = f + i < v->n_f && k0 + k < v->n_k;
            x[i][k] = here ? v->x[(f + i) * v->step_f + (k0 + k) * v->step_k] : 0;
        }
    }
}

static void read_chunk(rows_of_8k x, const struct view *v, uint32_t f, uint32_t k0)
{
    const uint32_t *from = v->x + f * v->step_f + k0 * v->step_k;
    if (f + TRIPLE > v->n_f || k0 + SPINDLE_CHUNK > v->n_k) {
        read_edge(x, v, f, k0);
        return;
    }
    for (uint32_t i = 0; i < TRIPLE; i++, from += v->step_f) {
        for (uint32_t k = 0; k < SPINDLE_CHUNK; k++) {
            x[i][k] = from[k * v->step_k];
        }
    }
}

/* Of one row, per place of a chunk. */
struct peaks {
    int32_t e[SPINDLE_CHUNK];
    uint32_t nonfinite[SPINDLE_CHUNK];
};

static void peaks_clear(struct peaks *peaks)
{
    for (uint32_t k = 0; k < SPINDLE_CHUNK; k++) {
        peaks->e[k] = SPINDLE_EMPTY_EXPONENT;
        peaks->nonfinite[k] = 0;
    }
}

static void peaks_raise(struct peaks *peaks, const uint32_t *x)
{
#pragma clang loop vectorize(assume_safety)
    for (uint32_t k = 0; k < SPINDLE_CHUNK; k++) {
        peaks->e[k] = exponent_max(peaks->e[k], exponent_of(x[k]));
        peaks->nonfinite[k] |= is_nonfinite(x[k]);
    }
}

static uint32_t peaks_word(const struct peaks *peaks)
{
    int32_t e = SPINDLE_EMPTY_EXPONENT;
    uint32_t nonfinite = 0;
    for (uint32_t k = 0; k < SPINDLE_CHUNK; k++) {
        e = exponent_max(e, peaks->e[k]);
        nonfinite |= peaks->nonfinite[k];
    }
    return exponent_word(e, nonfinite);
}

static void find_words(const struct quantise_16 *s, uint32_t f)
{
    struct peaks peaks[TRIPLE];
    rows_of_8k x;
    for (uint32_t i = 0; i < TRIPLE; i++) {
        peaks_clear(&peaks[i]);
    }
    for (uint32_t k = 0; k < s->v.n_k; k += SPINDLE_CHUNK) {
        read_chunk(x, &s->v, f, k);
        for (uint32_t i = 0; i < TRIPLE; i++) {
            peaks_raise(&peaks[i], x[i]);
        }
    }
    for (uint32_t i = 0; i < TRIPLE && f + i < s->v.n_f; i++) {
        s->words[f + i] = peaks_word(&peaks[i]);
    }
}

static void mantissas(rows_of_8k x, const int32_t *e, uint32_t places)
{
    for (uint32_t i = 0; i < TRIPLE; i++) {
        int32_t exponent = e[i];
#pragma clang loop vectorize(assume_safety)
        for (uint32_t k = 0; k < SPINDLE_CHUNK; k++) {
            x[i][k] = (uint32_t)mantissa_16(x[i][k], exponent, places);
        }
    }
}

static uint32_t both(uint32_t low, uint32_t high) { return (low & 0xffffu) | high << 16; }

static void write_narrow(uint32_t *out, rows_of_8k q)
{
    for (uint32_t k = 0; k < SPINDLE_CHUNK; k += 2, out += TRIPLE) {
        out[0] = both(q[0][k], q[1][k]);
        out[1] = both(q[2][k], q[2][k + 1]);
        out[2] = both(q[0][k + 1], q[1][k + 1]);
    }
}

static void write_wide(uint32_t *out, rows_of_8k q)
{
    for (uint32_t i = 0; i < WIDE_WORDS; i++) {
        out[i] = q[i % TRIPLE][i / TRIPLE] << 9;
    }
}

void quantise_16_triple(uint32_t *panel, const struct quantise_16 *s, uint32_t f)
{
    rows_of_8k x;
    int32_t e[TRIPLE];
    if (!s->given) {
        find_words(s, f);
    }
    for (uint32_t i = 0; i < TRIPLE; i++) {
        e[i] = f + i < s->v.n_f ? (int16_t)s->words[f + i] : SPINDLE_EMPTY_EXPONENT;
    }
    for (uint32_t k = 0; k < s->v.n_k; k += SPINDLE_CHUNK) {
        read_chunk(x, &s->v, f, k);
        mantissas(x, e, s->places);
        if (s->wide) {
            write_wide(panel, x);
            panel += WIDE_WORDS;
        } else {
            write_narrow(panel, x);
            panel += NARROW_WORDS;
        }
    }
}
