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

void scan_compute(const struct kernel_args *args)
{
    struct view v;
    int32_t *r = (int32_t *)args->work;
    view_x(&v, args);
    clear(r, v.n_f);
    scan_columns(&v, r, (int32_t *)args->data[1], scan_rows(&v, r));
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
    scan_rows(&v, r);
    for (uint32_t f = 0; args->tile.last_inner && f < v.n_f; f++) {
        out[f * step] = r[f];
    }
}

/* Precondition: operand 1 lies with dim 1 fast. */
void scan_k_compute(const struct kernel_args *args)
{
    struct view v;
    view_x(&v, args);
    scan_columns(&v, (const int32_t *)args->data[1], (int32_t *)args->data[2], scan_finite(&v));
}

uint32_t scan_work_words(const struct task *task) { return task->tile[1]; }
