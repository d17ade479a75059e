/* Rows and columns of SCAN on ARM: six at a time by assembly; same bits as ../scan_rows.c.
 *
 * In and out: ../scan.h. Largest words stand for largest exponents. Left to plain C: tiles with Inf or
 * NaN, fewer than six columns, and columns whose largest may be a denormal.
 */
#include "../scan.h"
#include "scan_loops.h"

#define NOT_FINITE 0xff000000u /* Inf, shifted left by one */

/* max over i of e(x_i) - r_i; r may be null: e(x_i). */
static int32_t peak(const uint32_t *x, uint32_t step, const int32_t *r, uint32_t n)
{
    int32_t largest = SPINDLE_EMPTY_EXPONENT;
    for (uint32_t i = 0; i < n; i++, x += step) {
        largest = exponent_max(largest, exponent_plus(*x, r ? -r[i] : 0));
    }
    return largest;
}

/* First of a group: the last group may overlap the one before. */
static uint32_t group_start(uint32_t i, uint32_t n)
{
    return i + SCAN_GROUP <= n ? i : n - SCAN_GROUP;
}

/* The largest word of a row, sign gone. */
static uint32_t row_top(const uint32_t *x, uint32_t step, uint32_t n)
{
    uint32_t top = 0;
    for (uint32_t k = 0; k < n; k++, x += step) {
        top = *x << 1 > top ? *x << 1 : top;
    }
    return top;
}

/* Largest words of up to six rows from `first` on. */
static uint32_t find_tops(const struct view *v, uint32_t first, uint32_t *top)
{
    int32_t step = (int32_t)v->step_f * 4;
    struct scan_loop loop = {v->x + first * v->step_f, v->n_k, step,
                             (int32_t)v->step_k * 4 - (SCAN_GROUP - 1) * step};
    if (v->n_f >= SCAN_GROUP) {
        scan_tops(&loop, top);
        return SCAN_GROUP;
    }
    for (uint32_t f = 0; f < v->n_f; f++) {
        top[f] = row_top(v->x + f * v->step_f, v->step_k, v->n_k);
    }
    return v->n_f;
}

/* Groups of rows: their r. Returns 0 where it stops: something is not finite. */
static uint32_t rows_fast(const struct view *v, int32_t *r)
{
    uint32_t top[SCAN_GROUP];
    for (uint32_t f = 0; f < v->n_f; f += SCAN_GROUP) {
        uint32_t first = v->n_f < SCAN_GROUP ? 0 : group_start(f, v->n_f);
        uint32_t n = find_tops(v, first, top);
        for (uint32_t i = 0; i < n; i++) {
            if (top[i] >= NOT_FINITE) {
                return 0;
            }
            r[first + i] = exponent_max(r[first + i], exponent_of(top[i] >> 1));
        }
    }
    return 1;
}

uint32_t scan_rows(const struct view *v, int32_t *r)
{
    uint32_t finite = rows_fast(v, r);
    for (uint32_t f = 0; !finite && f < v->n_f; f++) {
        r[f] = exponent_max(r[f], peak(v->x + f * v->step_f, v->step_k, 0, v->n_k));
    }
    return finite;
}

uint32_t scan_finite(const struct view *v)
{
    uint32_t finite = 1;
    for (uint32_t f = 0; f < v->n_f; f++) {
        for (uint32_t k = 0; k < v->n_k; k++) {
            finite &= v->x[f * v->step_f + k * v->step_k] << 1 < NOT_FINITE;
        }
    }
    return finite;
}

/* What a denormal's exponent, taken as -127, may reach at most relative to its row. */
static int32_t denormal_limit(const int32_t *r, uint32_t n)
{
    int32_t least = 0;
    for (uint32_t f = 0; f < n; f++) {
        least = r[f] != SPINDLE_EMPTY_EXPONENT && r[f] < least ? r[f] : least;
    }
    return -127 - least;
}

static int32_t column_slow(const struct view *v, const int32_t *r, uint32_t k)
{
    return peak(v->x + k * v->step_k, v->step_f, r, v->n_f);
}

/* A group of which some have no element, or perhaps a denormal for their largest. */
static void settle_group(const struct view *v, const int32_t *r, int32_t limit, uint32_t first,
                         int32_t *a)
{
    for (uint32_t k = first; k < first + SCAN_GROUP; k++) {
        if (a[k] == SCAN_NOTHING) {
            a[k] = SPINDLE_EMPTY_EXPONENT;
        } else if (a[k] <= limit) {
            a[k] = column_slow(v, r, k);
        }
    }
}

static void columns_fast(const struct view *v, const int32_t *r, int32_t *a)
{
    int32_t step = (int32_t)v->step_k * 4, limit = denormal_limit(r, v->n_f);
    struct scan_loop loop = {0, v->n_f, step, (int32_t)v->step_f * 4 - (SCAN_GROUP - 1) * step};
    for (uint32_t k = 0; k < v->n_k; k += SCAN_GROUP) {
        uint32_t first = group_start(k, v->n_k);
        loop.x = v->x + first * v->step_k;
        if (scan_relative_tops(&loop, r, a + first) <= limit) {
            settle_group(v, r, limit, first, a);
        }
    }
}

void scan_columns(const struct view *v, const int32_t *r, int32_t *a, uint32_t finite)
{
    if (finite && v->n_k >= SCAN_GROUP) {
        columns_fast(v, r, a);
        return;
    }
    for (uint32_t k = 0; k < v->n_k; k++) {
        a[k] = column_slow(v, r, k);
    }
}
