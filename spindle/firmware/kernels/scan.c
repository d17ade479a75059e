/* SCAN, SCAN_FREE, SCAN_K: largest exponents of X along rows and contracted indices, for balancing.
 *
 * In: X[f][k] (dim 3 fast) or X[k][f] (dim 1 fast), f along dim 1, k along dim 3.
 * Out: r_f = max over k of e(x_fk), and a_k = max over f of (e(x_fk) - r_f), int32 words,
 * SPINDLE_EMPTY_EXPONENT where nothing counts. SCAN: operand 1 a, all of k in the tile. SCAN_FREE:
 * operand 1 r, over inner = 3; with SPINDLE_SCAN_WORDS exponent words, NONFINITE_FLAG where the row holds
 * an Inf or NaN. SCAN_K: operand 1 r in, 2 a out. Workspace: r[tile[1]] (not SCAN_K), flags as many.
 * Follows docs/spec/kernels.md and docs/numerics.md 3.
 */
#include "families.h"
#include "scan.h"

void scan_compute(const struct kernel_args *args)
{
    struct view v;
    int32_t *r = (int32_t *)args->work;
    view_x(&v, args);
    clear(r, v.n_f);
    scan_columns(&v, r, (int32_t *)args->data[1], scan_rows(&v, r));
}

static uint32_t holds_nonfinite(const struct view *v, uint32_t f)
{
    const uint32_t *x = v->x + f * v->step_f;
    uint32_t found = 0;
    for (uint32_t k = 0; k < v->n_k; k++, x += v->step_k) {
        found |= is_nonfinite(*x);
    }
    return found;
}

static uint32_t writes_words(const struct task *task)
{
    return task->kernel == KERNEL_SCAN_FREE && (task->arg & SPINDLE_SCAN_WORDS);
}

/* nonfinite: whether each row holds an Inf or NaN, or 0. */
static void write_rows(const struct kernel_args *args, const int32_t *r, const uint32_t *nonfinite)
{
    uint32_t step = operand_step(&args->operands[1], &args->tile, 1);
    for (uint32_t f = 0; f < args->tile.extent[1]; f++) {
        args->data[1][f * step] = nonfinite ? exponent_word(r[f], nonfinite[f]) : (uint32_t)r[f];
    }
}

void scan_free_compute(const struct kernel_args *args)
{
    struct view v;
    int32_t *r = (int32_t *)args->work;
    uint32_t *nonfinite = writes_words(args->task) ? args->work + args->task->tile[1] : 0;
    uint32_t finite;
    view_x(&v, args);
    if (args->tile.first_inner) {
        clear(r, v.n_f);
    }
    finite = scan_rows(&v, r);
    for (uint32_t f = 0; nonfinite && f < v.n_f; f++) {
        uint32_t before = args->tile.first_inner ? 0 : nonfinite[f];
        nonfinite[f] = finite ? before : before | holds_nonfinite(&v, f);
    }
    if (args->tile.last_inner) {
        write_rows(args, r, nonfinite);
    }
}

/* Precondition: operand 1 lies with dim 1 fast. */
void scan_k_compute(const struct kernel_args *args)
{
    struct view v;
    view_x(&v, args);
    scan_columns(&v, (const int32_t *)args->data[1], (int32_t *)args->data[2], scan_finite(&v));
}

uint32_t scan_work_words(const struct task *task)
{
    return writes_words(task) ? 2 * task->tile[1] : task->tile[1];
}
