/* QUANTISE on ARM: ordinary pairs of rows by assembly, the others word by word; bits of ../quantise.c.
 *
 * In and out: ../quantise.c. Ordinary: two rows, an even number of k, no Inf or NaN, and a largest
 * exponent so far above that of a zero or denormal that both become 0 without being looked at; or no
 * element but zeros.
 */
#include "../quantise.h"
#include "families.h"
#include "quantise_loops.h"

#define TOP_SHIFT 14
#define ZERO_DISTANCE 28 /* field of E above field 0 (with d) that leaves nothing of a denormal */
#define SHIFT_LIMIT 250  /* field of E above any: shifts keep to 8 bits */

/* The loop over a tile's pairs; ordinary tops, by the range of sign * d over the K-block: a row that holds
 * an Inf or NaN has the field 255 or, with d, at least 255 + low. */
static void view_loop(struct quantise_loop *loop, const struct source *s)
{
    int32_t range[2], low, high;
    quantise_range(s->d, s->n_k, range);
    low = s->sign > 0 ? range[0] : -range[1];
    high = s->sign > 0 ? range[1] : -range[0];
    loop->d = s->d;
    loop->n_k = s->n_k;
    loop->step_f = (int32_t)s->step_f * 4;
    loop->jump_k = (int32_t)s->step_k * 4 - loop->step_f;
    loop->sign = s->sign;
    loop->least = (high + ZERO_DISTANCE) * (1 << TOP_SHIFT);
    loop->most = (low + SHIFT_LIMIT + 1) * (1 << TOP_SHIFT);
}

static uint32_t is_ordinary(int32_t top, const struct quantise_loop *loop)
{
    return top >= loop->least && top < loop->most;
}

static uint32_t is_zero(const struct source *s, const uint32_t *x)
{
    uint32_t bits = 0;
    for (uint32_t k = 0; k < s->n_k; k++, x += s->step_k) {
        bits |= *x << 1;
    }
    return bits == 0;
}

/* Top of a row whose exponent word was given. Returns 0 where the row is not ordinary. */
static uint32_t given_top(uint32_t exponent, const struct quantise_loop *loop, int32_t *top)
{
    *top = ((int16_t)exponent + 127) * (1 << TOP_SHIFT);
    return !(exponent & SPINDLE_NONFINITE_FLAG) && is_ordinary(*top, loop);
}

/* Exponent word of a row with this top; a row of zeros gets a top that leaves nothing of it. Returns 0
 * where the row is not ordinary. */
static uint32_t settle_top(const struct source *s, const uint32_t *x,
                           const struct quantise_loop *loop, int32_t *top, uint32_t *exponent)
{
    *exponent = (uint32_t)((*top >> TOP_SHIFT) - 127) & 0xffffu;
    if (!is_ordinary(*top, loop) && is_zero(s, x)) {
        *top = loop->least;
        *exponent = (uint32_t)SPINDLE_EMPTY_EXPONENT & 0xffffu;
    }
    return is_ordinary(*top, loop);
}

/* A pair with given exponents, or with a row that may be of zeros: rows hold both tops. Returns 0 where
 * it is not ordinary. */
static uint32_t pair_settled(const struct source *s, uint32_t f, const struct quantise_loop *loop,
                             struct panel_row *rows, uint32_t *out)
{
    uint32_t base[2], exponent[2], ordinary;
    for (uint32_t i = 0; i < 2; i++) {
        int32_t top = (int32_t)rows[i].exponent;
        if (s->given) {
            exponent[i] = s->given[f + i];
            ordinary = given_top(exponent[i], loop, &top);
        } else {
            ordinary = settle_top(s, loop->x + i * s->step_f, loop, &top, &exponent[i]);
        }
        if (!ordinary) {
            return 0;
        }
        base[i] = (uint32_t)s->sign << 16 | (uint32_t)((top >> TOP_SHIFT) + 5);
    }
    quantise_mantissas(loop, base, out);
    rows[0].exponent = exponent[0];
    rows[1].exponent = exponent[1];
    return 1;
}

/* Zeros of both rows where k is missing. */
static void pair_pad(const struct source *s, uint32_t *out)
{
    for (uint32_t i = 2 * s->n_k; i < source_chunks(s) * PLACES; i++) {
        out[i] = 0;
    }
}

/* Returns 0 where the pair is not ordinary. */
static uint32_t pair_fast(const struct source *s, uint32_t f, struct quantise_loop *loop,
                          struct panel_row *rows, uint32_t *out)
{
    uint32_t done;
    if (f + 2 > s->n_f || s->n_k % 2 != 0) {
        return 0;
    }
    loop->x = s->x + f * s->step_f;
    done = (!s->given && quantise_pair(loop, rows, out)) || pair_settled(s, f, loop, rows, out);
    if (done) {
        pair_pad(s, out);
    }
    return done;
}

/* Exponent word of any row. */
static uint32_t row_exponent(const struct source *s, const uint32_t *x)
{
    int32_t e = SPINDLE_EMPTY_EXPONENT;
    uint32_t nonfinite = 0;
    for (uint32_t k = 0; k < s->n_k; k++, x += s->step_k) {
        e = exponent_max(e, exponent_plus(*x, s->sign * s->d[k]));
        nonfinite |= is_nonfinite(*x);
    }
    return exponent_word(e, nonfinite);
}

/* Any row, or one that is missing: zeros. out: its first place; zeros where k is missing. */
static void row_slow(const struct source *s, uint32_t f, struct panel_row *row, uint32_t *out)
{
    const uint32_t *x = s->x + f * s->step_f;
    uint32_t n_k = f < s->n_f ? s->n_k : 0;
    row->exponent = (uint32_t)SPINDLE_EMPTY_EXPONENT & 0xffffu;
    if (n_k != 0) {
        row->exponent = s->given ? s->given[f] : row_exponent(s, x);
    }
    for (uint32_t k = 0; k < source_chunks(s) * SPINDLE_CHUNK; k++, x += s->step_k) {
        int32_t q = k < n_k ? mantissa(*x, s->sign * s->d[k], (int16_t)row->exponent) : 0;
        out[2 * k] = (uint32_t)q;
    }
}

void quantise_compute(const struct kernel_args *args)
{
    struct panel_row *rows = (struct panel_row *)args->data[3];
    uint32_t *out = args->data[2], chunks;
    struct source s;
    struct quantise_loop loop;
    view_source(&s, args);
    view_loop(&loop, &s);
    chunks = source_chunks(&s);
    for (uint32_t f = 0; f < s.n_f; f += 2, out += chunks * PLACES, rows += 2) {
        if (!pair_fast(&s, f, &loop, rows, out)) {
            row_slow(&s, f, rows, out);
            row_slow(&s, f + 1, rows + 1, out + 1);
        }
        panel_differences(out, chunks, rows);
    }
}
