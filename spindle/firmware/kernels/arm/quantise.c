/* QUANTISE on ARM: ordinary pairs of rows by assembly, the others word by word; bits of ../quantise.c.
 *
 * In and out: ../quantise.c. Ordinary: two rows, an even number of k, no Inf or NaN, and a largest
 * exponent so far above that of a zero or denormal that both become 0 without being looked at; or no
 * element but zeros.
 */
#include "../quantise.h"
#include "families.h"
#include "quantise_loops.h"

#define TOP_SHIFT 22
#define ZERO_DISTANCE 28 /* field of E above field 0 (with d) that leaves nothing of a denormal */
#define SHIFT_LIMIT 250  /* field of E above any: shifts keep to 8 bits */

/* Of sign * d over the K-block. */
struct range {
    int32_t low, high;
};

static void find_range(struct range *range, const struct source *s)
{
    int32_t low = s->sign * s->d[0], high = low;
    for (uint32_t k = 1; k < s->n_k; k++) {
        int32_t d = s->sign * s->d[k];
        low = d < low ? d : low;
        high = d > high ? d : high;
    }
    range->low = low;
    range->high = high;
}

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

/* The last chunk of a row, part of which is missing. */
static void row_tail(const struct source *s, const uint32_t *x, int32_t exponent, uint32_t *out)
{
    uint32_t k = s->n_k & ~(SPINDLE_CHUNK - 1u);
    for (uint32_t end = k + SPINDLE_CHUNK; k < end; k++, out += 2) {
        uint32_t word = k < s->n_k ? x[k * s->step_k] : 0;
        *out = word << 1 == 0 ? 0 : (uint32_t)mantissa(word, s->sign * s->d[k], exponent);
    }
}

/* Returns 0 where the pair is not ordinary; nothing is written then. */
static uint32_t pair_fast(const struct source *s, uint32_t f, const struct range *range,
                          uint32_t *exponents, uint32_t *out)
{
    int32_t step_f = (int32_t)s->step_f * 4, top[2], field;
    uint32_t whole = s->n_k / SPINDLE_CHUNK, base[2], exponent[2], ordinary;
    struct quantise_loop loop = {s->x + f * s->step_f, s->d, s->n_k, step_f,
                                 (int32_t)s->step_k * 4 - step_f, s->sign};
    if (f + 2 > s->n_f || s->n_k % 2 != 0 || whole == 0 ||
        (!s->given && !quantise_tops(&loop, top))) {
        return 0;
    }
    for (uint32_t i = 0; i < 2; i++) {
        if (s->given) {
            ordinary = given_field(s, f + i, range, &field, &exponent[i]);
        } else {
            field = (top[i] >> TOP_SHIFT) - 1;
            ordinary = settle_field(s, loop.x + i * s->step_f, range, &field, &exponent[i]);
        }
        if (!ordinary) {
            return 0;
        }
        base[i] = (uint32_t)s->sign << 16 | (uint32_t)(field + 5);
    }
    loop.n_k = whole * SPINDLE_CHUNK;
    quantise_mantissas(&loop, base, out, (s->pitch - PLACES) * 4);
    for (uint32_t i = 0; i < 2; i++) {
        exponents[f + i] = exponent[i];
        if (loop.n_k != s->n_k) {
            row_tail(s, loop.x + i * s->step_f, (int16_t)exponent[i], out + whole * s->pitch + i);
        }
    }
    return 1;
}

/* Exponent word of any row. */
static uint32_t row_exponent(const struct source *s, const uint32_t *x)
{
    int32_t e = SPINDLE_EMPTY_EXPONENT;
    uint32_t flag = 0;
    for (uint32_t k = 0; k < s->n_k; k++, x += s->step_k) {
        e = exponent_max(e, exponent_plus(*x, s->sign * s->d[k]));
        flag |= is_nonfinite(*x) ? SPINDLE_NONFINITE_FLAG : 0;
    }
    return ((uint32_t)e & 0xffffu) | flag;
}

/* Any row, or one that is missing: zeros. out: its first place; zeros where k is missing. */
static void row_slow(const struct source *s, uint32_t f, uint32_t *exponents, uint32_t *out)
{
    const uint32_t *x = s->x + f * s->step_f;
    uint32_t n_k = f < s->n_f ? s->n_k : 0;
    if (n_k != 0) {
        exponents[f] = s->given ? s->given[f] : row_exponent(s, x);
    }
    for (uint32_t k0 = 0; k0 < s->n_k; k0 += SPINDLE_CHUNK, out += s->pitch) {
        for (uint32_t k = k0; k < k0 + SPINDLE_CHUNK; k++, x += s->step_k) {
            int32_t q = k < n_k ? mantissa(*x, s->sign * s->d[k], (int16_t)exponents[f]) : 0;
            out[2 * (k - k0)] = (uint32_t)q;
        }
    }
}

void quantise_compute(const struct kernel_args *args)
{
    uint32_t *exponents = args->data[3], *out = args->data[2];
    struct source s;
    struct range range;
    view_source(&s, args);
    find_range(&range, &s);
    for (uint32_t f = 0; f < s.n_f; f += 2, out += PLACES) {
        if (!pair_fast(&s, f, &range, exponents, out)) {
            row_slow(&s, f, exponents, out);
            row_slow(&s, f + 1, exponents, out + 1);
        }
    }
}
