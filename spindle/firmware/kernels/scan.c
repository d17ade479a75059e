/* SCAN, SCAN_FREE, SCAN_K: largest exponents of X along rows and contracted indices, for balancing.
 *
 * In: X[f][k] (dim 3 fast) or X[k][f] (dim 1 fast), f along dim 1, k along dim 3.
 * Out: r_f = max over k of e(x_fk), and a_k = max over f of (e(x_fk) - r_f), int32 words,
 * SPINDLE_EMPTY_EXPONENT where nothing counts. SCAN: operand 1 a, all of k in the tile. SCAN_FREE:
 * operand 1 r, over inner = 3. SCAN_K: operand 1 r in, 2 a out. Workspace: r[tile[1]] (not SCAN_K).
 * Follows docs/spec/kernels.md and docs/numerics.md 3.
 */
#include "families.h"
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

/* r_f, on top of what r holds. */
static void raise_rows(const struct view *v, int32_t *r)
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

static void scan_columns(const struct view *v, const int32_t *r, int32_t *a)
{
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

void scan_compute(const struct kernel_args *args)
{
    struct view v;
    int32_t *r = (int32_t *)args->work;
    view_x(&v, args);
    clear(r, v.n_f);
    raise_rows(&v, r);
    scan_columns(&v, r, (int32_t *)args->data[1]);
}

void scan_free_compute(const struct kernel_args *args)
{
    struct view v;
    int32_t *r = (int32_t *)args->work, *out = (int32_t *)args->data[1];
    uint32_t step = operand_step(&args->operands[1], &args->tile, 1);
    view_x(&v, args);
    if (args->tile.first_inner) {
        clear(r, v.n_f);
    }
    raise_rows(&v, r);
    for (uint32_t f = 0; args->tile.last_inner && f < v.n_f; f++) {
        out[f * step] = r[f];
    }
}

/* Precondition: operand 1 lies with dim 1 fast. */
void scan_k_compute(const struct kernel_args *args)
{
    struct view v;
    view_x(&v, args);
    scan_columns(&v, (const int32_t *)args->data[1], (int32_t *)args->data[2]);
}

uint32_t scan_work_words(const struct task *task) { return task->tile[1]; }
