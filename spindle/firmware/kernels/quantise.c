/* QUANTISE: float32 rows to 28-bit mantissas in a panel; an exponent and a correction per row of a
 * K-block.
 *
 * In: operand 0 X (dim 3 or dim 1 fast), f along dim 1, dim 3 one whole K-block; operand 1 d_k.
 * task->arg bit 0: x * 2^-d_k, else x * 2^d_k. Out: operand 2 the panel, operand 3 one struct
 * panel_row per row. E = max of e(x) +- d_k over the block; with SPINDLE_QUANTISE_GIVEN operand 4
 * has its words. q = RNE(x * 2^(+-d_k + 26 - E)). A significand has 24 bits, so q <= 2^27 - 8 and
 * the clamp of docs/numerics.md 3 never acts.
 *
 *     panel: pair of rows (a row of the tile) -> k, up to a multiple of 8 -> 2 words  k0f0 k0f1 k1f0 ...
 *
 * A pair of rows is first moved into its places of the panel (missing rows and k are zeros, which
 * have no exponent), then looked at for its two E, then turned into mantissas in place; last, those of
 * the second row become differences (panel.h).
 */
#include "families.h"
#include "quantise.h"

/* Of a pair of rows, per place of a chunk; after peaks_fold the row's in places 0 and 1. */
struct peaks {
    int32_t e[PLACES];
    uint32_t nonfinite[PLACES];
};

static void move_edge(uint32_t *out, const struct source *s, uint32_t pair, uint32_t k0)
{
    for (uint32_t i = 0; i < PLACES; i++) {
        uint32_t f = 2 * pair + (i & 1), k = k0 + (i >> 1);
        uint32_t here = f < s->n_f && k < s->n_k;
        out[i] = here ? s->x[f * s->step_f + k * s->step_k] : 0;
    }
}

/* The words of one chunk of a pair, as they are. */
static void move_chunk(uint32_t *out, const struct source *s, uint32_t pair, uint32_t k0)
{
    const uint32_t *x = s->x + 2 * pair * s->step_f + k0 * s->step_k;
    if (2 * pair + 2 > s->n_f || k0 + SPINDLE_CHUNK > s->n_k) {
        move_edge(out, s, pair, k0);
        return;
    }
    for (uint32_t i = 0; i < SPINDLE_CHUNK; i++) {
        out[2 * i] = x[i * s->step_k];
        out[2 * i + 1] = x[i * s->step_k + s->step_f];
    }
}

/* d of a chunk; the last one may be short and is then copied, with zeros behind. */
static const int32_t *chunk_d(int32_t *padded, const struct source *s, uint32_t k0)
{
    if (k0 + SPINDLE_CHUNK <= s->n_k) {
        return s->d + k0;
    }
    for (uint32_t i = 0; i < SPINDLE_CHUNK; i++) {
        padded[i] = k0 + i < s->n_k ? s->d[k0 + i] : 0;
    }
    return padded;
}

static void peaks_clear(struct peaks *peaks)
{
    for (uint32_t i = 0; i < PLACES; i++) {
        peaks->e[i] = SPINDLE_EMPTY_EXPONENT;
        peaks->nonfinite[i] = 0;
    }
}

static void peaks_raise(struct peaks *peaks, const uint32_t *x, const int32_t *d, int32_t sign)
{
    int32_t *e = peaks->e;
    uint32_t *nonfinite = peaks->nonfinite;
#pragma clang loop vectorize(assume_safety) interleave_count(1)
    for (uint32_t i = 0; i < SPINDLE_CHUNK; i++) {
        e[2 * i] = exponent_max(e[2 * i], exponent_plus(x[2 * i], sign * d[i]));
        e[2 * i + 1] = exponent_max(e[2 * i + 1], exponent_plus(x[2 * i + 1], sign * d[i]));
        nonfinite[2 * i] |= is_nonfinite(x[2 * i]);
        nonfinite[2 * i + 1] |= is_nonfinite(x[2 * i + 1]);
    }
}

static void peaks_fold(struct peaks *peaks)
{
    for (uint32_t i = 2; i < PLACES; i++) {
        peaks->e[i & 1] = exponent_max(peaks->e[i & 1], peaks->e[i]);
        peaks->nonfinite[i & 1] |= peaks->nonfinite[i];
    }
}

/* Floats of a chunk to mantissas in place; e: of the pair's rows. */
static void chunk_mantissas(uint32_t *x, const int32_t *d, int32_t sign, const int32_t *e)
{
    int32_t first = e[0], second = e[1];
#pragma clang loop vectorize(assume_safety) interleave_count(1)
    for (uint32_t i = 0; i < SPINDLE_CHUNK; i++) {
        x[2 * i] = (uint32_t)mantissa(x[2 * i], sign * d[i], first);
        x[2 * i + 1] = (uint32_t)mantissa(x[2 * i + 1], sign * d[i], second);
    }
}

/* The exponents of a pair of rows; x: its first place of the panel. */
static void peaks_find(struct peaks *peaks, const struct source *s, const uint32_t *x)
{
    int32_t padded[SPINDLE_CHUNK];
    peaks_clear(peaks);
    for (uint32_t k = 0; k < s->n_k; k += SPINDLE_CHUNK, x += PLACES) {
        peaks_raise(peaks, x, chunk_d(padded, s, k), s->sign);
    }
    peaks_fold(peaks);
}

/* Those of the pair's rows that are there as given; a missing one has none. */
static void peaks_given(struct peaks *peaks, const struct source *s, uint32_t pair)
{
    peaks_clear(peaks);
    for (uint32_t i = 0; i < 2 && 2 * pair + i < s->n_f; i++) {
        peaks->e[i] = (int16_t)s->given[2 * pair + i];
        peaks->nonfinite[i] = s->given[2 * pair + i] & SPINDLE_NONFINITE_FLAG;
    }
}

/* One pair of rows into its places of the panel, from `panel` on. */
static void pair_compute(struct panel_row *rows, const struct source *s, uint32_t pair,
                         uint32_t *panel)
{
    int32_t padded[SPINDLE_CHUNK];
    struct peaks peaks;
    uint32_t *out = panel;
    for (uint32_t k = 0; k < s->n_k; k += SPINDLE_CHUNK, out += PLACES) {
        move_chunk(out, s, pair, k);
    }
    if (s->given) {
        peaks_given(&peaks, s, pair);
    } else {
        peaks_find(&peaks, s, panel);
    }
    out = panel;
    for (uint32_t k = 0; k < s->n_k; k += SPINDLE_CHUNK, out += PLACES) {
        chunk_mantissas(out, chunk_d(padded, s, k), s->sign, peaks.e);
    }
    rows[0].exponent = exponent_word(peaks.e[0], peaks.nonfinite[0]);
    rows[1].exponent = exponent_word(peaks.e[1], peaks.nonfinite[1]);
    panel_differences(panel, source_chunks(s), rows);
}

void quantise_compute(const struct kernel_args *args)
{
    struct panel_row *rows = (struct panel_row *)args->data[3];
    uint32_t *panel = args->data[2];
    struct source s;
    view_source(&s, args);
    for (uint32_t pair = 0; 2 * pair < s.n_f; pair++) {
        pair_compute(rows + 2 * pair, &s, pair, panel + pair * source_chunks(&s) * PLACES);
    }
}
