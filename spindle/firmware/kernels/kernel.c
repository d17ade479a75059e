/* Entry points of kernels.h: what rt/ calls for each tile, by the task's kernel number. */
#include "dot_flags.h"
#include "families.h"
#include "strip.h"

typedef void compute_fn(const struct kernel_args *args);

/* COPY has nothing to compute: both operands share a buffer. */
static void copy_compute(const struct kernel_args *args) { (void)args; }

static compute_fn *const KERNELS[N_KERNELS] = {
    [KERNEL_STRIP] = strip_compute,
    [KERNEL_COPY] = copy_compute,
    [KERNEL_TRANSPOSE] = transpose_compute,
    [KERNEL_SCAN] = scan_compute,
    [KERNEL_SCAN_FREE] = scan_free_compute,
    [KERNEL_SCAN_K] = scan_k_compute,
    [KERNEL_BALANCE] = balance_compute,
    [KERNEL_QUANTISE] = quantise_compute,
    [KERNEL_DOT_S28] = dot_s28_compute,
    [KERNEL_DOT_F32] = dot_f32_compute,
    [KERNEL_QUANTISE_13] = quantise_16_compute,
    [KERNEL_QUANTISE_16] = quantise_16_compute,
    [KERNEL_DOT_S13] = dot_s16_compute,
    [KERNEL_DOT_S16] = dot_s16_compute,
};

void kernel_compute(const struct kernel_args *args)
{
    if (args->task->kernel < N_KERNELS) {
        KERNELS[args->task->kernel](args);
    }
}

uint32_t kernel_flagged(const struct kernel_args *args)
{
    return kernel_has_panels(args->task->kernel) ? dot_flagged(args) : 0;
}

void kernel_epilogue(const struct kernel_args *args)
{
    if (args->task->n_instrs == 0) {
        return; /* C itself is stored */
    }
    if (kernel_has_panels(args->task->kernel)) {
        strip_run(args, DOT_PANEL_OPERANDS);
    } else if (args->task->kernel == KERNEL_DOT_F32) {
        strip_run(args, DOT_F32_OPERANDS);
    }
}

uint32_t kernel_work_words(const struct task *task)
{
    uint32_t kernel = task->kernel;
    if (kernel == KERNEL_SCAN || kernel == KERNEL_SCAN_FREE) {
        return scan_work_words(task);
    }
    return kernel_has_panels(kernel) ? dot_sums_words(task) + dot_flags_words(task) : 0;
}
