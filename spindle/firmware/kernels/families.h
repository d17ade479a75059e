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
void dot_s28_compute(const struct kernel_args *args);
void dot_f32_compute(const struct kernel_args *args);

/* A dot's own operands; its epilogue names those behind them. */
#define DOT_S28_OPERANDS 6u
#define DOT_F32_OPERANDS 2u

/* Rows and columns of C with a non-finite element. */
uint32_t dot_s28_flagged(const struct kernel_args *args);

/* Words of the workspace: twins of the kernels that need one. */
uint32_t scan_work_words(const struct task *task);
uint32_t dot_s28_work_words(const struct task *task);

#endif
