/* QUANTISE on ARM: ordinary pairs of rows by assembly, the others word by word; bits of ../quantise.c.
 *
 * In and out: ../quantise.c. Ordinary: two rows, whole chunks of k, no Inf or NaN, and a largest exponent
 * so far above that of a zero or denormal that both become 0 without being looked at.
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

/* Returns 0 where the pair is not ordinary; nothing is written then. */
static uint32_t pair_fast(const struct source *s, uint32_t f, const struct range *range,
                          uint32_t *exponents, uint32_t *out)
{
    int32_t step_f = (int32_t)s->step_f * 4, top[2], field[2];
    const struct quantise_loop loop = {s->x + f * s->step_f, s->d, s->n_k, step_f,
                                       (int32_t)s->step_k * 4 - step_f, s->sign};
    uint32_t base[2];
    if (f + 2 > s->n_f || s->n_k % SPINDLE_CHUNK != 0 || !quantise_tops(&loop, top)) {
        return 0;
    }
    for (uint32_t i = 0; i < 2; i++) {
        field[i] = (top[i] >> TOP_SHIFT) - 1;
        base[i] = (uint32_t)s->sign << 16 | (uint32_t)(field[i] + 5);
    }
    if (!is_ordinary(field[0], range) || !is_ordinary(field[1], range)) {
        return 0;
    }
    exponents[f] = (uint32_t)(field[0] - 127) & 0xffffu;
    exponents[f + 1] = (uint32_t)(field[1] - 127) & 0xffffu;
    quantise_mantissas(&loop, base, out, (s->pitch - PLACES) * 4);
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
        exponents[f] = row_exponent(s, x);
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
