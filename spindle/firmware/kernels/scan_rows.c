/* Rows and columns of SCAN in plain C: no word is looked at twice, so nobody asks what is finite.
 *
 * In and out: scan.h. Twin: arm/scan_rows.c, same bits.
 */
#include "scan.h"

/* Largest exponent of n words. */
static int32_t peak_of(const uint32_t *x, uint32_t step, uint32_t n)
{
    int32_t peak = SPINDLE_EMPTY_EXPONENT;
    for (uint32_t i = 0; i < n; i++) {
        peak = exponent_max(peak, exponent_of(x[i * step]));
    }
    return peak;
}

/* peak[i] = max(peak[i], e(x_i)). */
static void raise(int32_t *peak, const uint32_t *x, uint32_t step, uint32_t n)
{
#pragma clang loop vectorize(assume_safety)
    for (uint32_t i = 0; i < n; i++) {
        peak[i] = exponent_max(peak[i], exponent_of(x[i * step]));
    }
}

uint32_t scan_rows(const struct view *v, int32_t *r)
{
    if (v->step_k == 1) {
        for (uint32_t f = 0; f < v->n_f; f++) {
            r[f] = exponent_max(r[f], peak_of(v->x + f * v->step_f, v->step_k, v->n_k));
        }
    } else {
        for (uint32_t k = 0; k < v->n_k; k++) {
            raise(r, v->x + k * v->step_k, v->step_f, v->n_f);
        }
    }
    return 0;
}

/* a[k] = max(a[k], e(x[k]) - row) over one row. */
static void raise_relative(int32_t *a, const uint32_t *x, int32_t row, uint32_t n)
{
#pragma clang loop vectorize(assume_safety)
    for (uint32_t k = 0; k < n; k++) {
        a[k] = exponent_max(a[k], exponent_plus(x[k], -row));
    }
}

/* max over f of e(x_f) - r[f]. */
static int32_t relative_peak(const uint32_t *x, uint32_t step, const int32_t *r, uint32_t n)
{
    int32_t peak = SPINDLE_EMPTY_EXPONENT;
    for (uint32_t f = 0; f < n; f++) {
        peak = exponent_max(peak, exponent_plus(x[f * step], -r[f]));
    }
    return peak;
}

void scan_columns(const struct view *v, const int32_t *r, int32_t *a, uint32_t finite)
{
    (void)finite;
    if (v->step_k == 1) {
        clear(a, v->n_k);
        for (uint32_t f = 0; f < v->n_f; f++) {
            raise_relative(a, v->x + f * v->step_f, r[f], v->n_k);
        }
    } else {
        for (uint32_t k = 0; k < v->n_k; k++) {
            a[k] = relative_peak(v->x + k * v->step_k, v->step_f, r, v->n_f);
        }
    }
}

uint32_t scan_finite(const struct view *v)
{
    (void)v;
    return 0;
}
