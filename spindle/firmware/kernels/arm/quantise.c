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

/* Of sign * d over the K-block. */
struct range {
    int32_t low, high;
};

static void find_range(struct range *range, const struct source *s)
{
    int32_t found[2];
    quantise_range(s->d, s->n_k, found);
    range->low = s->sign > 0 ? found[0] : -found[1];
    range->high = s->sign > 0 ? found[1] : -found[0];
}

/* Not where the row holds an Inf or NaN: its field is 255 or, with d, at least 255 + low. */
static uint32_t is_ordinary(int32_t field, const struct range *range)
{
    return field - range->high >= ZERO_DISTANCE && field - range->low <= SHIFT_LIMIT;
}

static uint32_t is_zero(const struct source *s, const uint32_t *x)
{
    uint32_t bits = 0;
    for (uint32_t k = 0; k < s->n_k; k++, x += s->step_k) {
        bits |= *x << 1;
    }
    return bits == 0;
}

/* Field and exponent word of a row as they were given. Returns 0 where the row is not ordinary. */
static uint32_t given_field(const struct source *s, uint32_t f, const struct range *range,
                            int32_t *field, uint32_t *exponent)
{
    *exponent = s->given[f];
    *field = (int16_t)*exponent + 127;
    return !(*exponent & SPINDLE_NONFINITE_FLAG) && is_ordinary(*field, range);
}

/* Exponent word of a row with this largest field; a row of zeros gets a field that leaves nothing of it.
 * Returns 0 where the row is not ordinary. */
static uint32_t settle_field(const struct source *s, const uint32_t *x, const struct range *range,
                             int32_t *field, uint32_t *exponent)
{
    *exponent = (uint32_t)(*field - 127) & 0xffffu;
    if (!is_ordinary(*field, range) && is_zero(s, x)) {
        *field = range->high + ZERO_DISTANCE;
        *exponent = (uint32_t)SPINDLE_EMPTY_EXPONENT & 0xffffu;
    }
    return is_ordinary(*field, range);
}

/* Zeros of both rows where k is missing. */
static void pair_pad(const struct source *s, uint32_t *out)
{
    for (uint32_t i = 2 * s->n_k; i < source_chunks(s) * PLACES; i++) {
        out[i] = 0;
    }
}

/* Returns 0 where the pair is not ordinary; nothing is written then. */
static uint32_t pair_fast(const struct source *s, uint32_t f, const struct range *range,
                          struct panel_row *rows, uint32_t *out)
{
    int32_t step_f = (int32_t)s->step_f * 4, top[2], field;
    uint32_t base[2], exponent[2], ordinary;
    struct quantise_loop loop = {s->x + f * s->step_f, s->d, s->n_k, step_f,
                                 (int32_t)s->step_k * 4 - step_f, s->sign};
    if (f + 2 > s->n_f || s->n_k % 2 != 0) {
        return 0;
    }
    if (!s->given) {
        quantise_tops(&loop, top);
    }
    for (uint32_t i = 0; i < 2; i++) {
        if (s->given) {
            ordinary = given_field(s, f + i, range, &field, &exponent[i]);
        } else {
            field = top[i] >> TOP_SHIFT;
            ordinary = settle_field(s, loop.x + i * s->step_f, range, &field, &exponent[i]);
        }
        if (!ordinary) {
            return 0;
        }
        base[i] = (uint32_t)s->sign << 16 | (uint32_t)(field + 5);
    }
    quantise_mantissas(&loop, base, out);
    pair_pad(s, out);
    rows[0].exponent = exponent[0];
    rows[1].exponent = exponent[1];
    return 1;
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
    struct range range;
    view_source(&s, args);
    find_range(&range, &s);
    chunks = source_chunks(&s);
    for (uint32_t f = 0; f < s.n_f; f += 2, out += chunks * PLACES, rows += 2) {
        if (!pair_fast(&s, f, &range, rows, out)) {
            row_slow(&s, f, rows, out);
            row_slow(&s, f + 1, rows + 1, out + 1);
        }
        panel_differences(out, chunks, rows);
    }
}
