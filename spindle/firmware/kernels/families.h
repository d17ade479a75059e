/* Entry points of the kernel families (one file each), for kernel.c's tables. */
#ifndef SPINDLE_FAMILIES_H
#define SPINDLE_FAMILIES_H

#include "kernels.h"

void transpose_compute(const struct kernel_args *args);
void scan_compute(const struct kernel_args *args);
void scan_free_compute(const struct kernel_args *args);
void scan_k_compute(const struct kernel_args *args);
void balance_compute(const struct kernel_args *args);
void quantise_compute(const struct kernel_args *args);
void quantise_16_compute(const struct kernel_args *args);
void dot_s28_compute(const struct kernel_args *args);
void dot_s16_compute(const struct kernel_args *args);
void dot_f32_compute(const struct kernel_args *args);

/* A dot's own operands; its epilogue names those behind them. */
#define DOT_PANEL_OPERANDS 6u
#define DOT_F32_OPERANDS 2u

/* Rows and columns of C with a non-finite element; not of DOT_F32. */
uint32_t dot_flagged(const struct kernel_args *args);

/* Words of the workspace: twins of the kernels that need one. A dot's flags lie behind its sums. */
uint32_t scan_work_words(const struct task *task);
uint32_t dot_s28_sums_words(const struct task *task);
uint32_t dot_s16_sums_words(const struct task *task);

static inline uint32_t dot_sums_words(const struct task *task)
{
    return task->kernel == KERNEL_DOT_S28 ? dot_s28_sums_words(task) : dot_s16_sums_words(task);
}

#endif
