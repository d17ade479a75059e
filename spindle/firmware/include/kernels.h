/* Kernels: what computes on a tile that lies in DTCM. No DMA, no packets, no time, no heap, no float.
 *
 * rt/ moves operands in and out and calls, for every tile of a lane in order:
 *     kernel_compute     each tile; with task->inner, state stays in the workspace between them
 *     kernel_flagged     after the last inner tile: does the non-finite rule decide an output?
 *     kernel_rescue_*    only then (dots): sees original operands chunk by chunk
 *     kernel_epilogue    after the last inner tile of a dot: strip program over C
 * Contracts: docs/spec/kernels.md. Numerics: docs/numerics.md. Every function is pure C11, the same
 * file for ARM and host; kernels/host holds host-only variants of exact integer sums.
 */
#ifndef SPINDLE_KERNELS_H
#define SPINDLE_KERNELS_H

#include "tile.h"

struct kernel_args {
    const struct task *task;
    const struct operand *operands;
    const struct instr *program;
    struct tile tile;
    uint32_t *data[SPINDLE_MAX_OPERANDS]; /* each operand's current tile in DTCM */
    uint32_t *work;                       /* workspace: kernel's own words, temps, reduce states */
};

/* A dot on mantissas: panels, their exponents, lazy originals, C, then a strip program's operands. */
static inline uint32_t kernel_has_panels(uint32_t kernel)
{
    return kernel == KERNEL_DOT_S28 || kernel == KERNEL_DOT_S13 || kernel == KERNEL_DOT_S16;
}

static inline uint32_t kernel_is_dot(uint32_t kernel)
{
    return kernel == KERNEL_DOT_F32 || kernel_has_panels(kernel);
}

/* Run the task's kernel on one tile. Precondition: every non-LAZY input operand is in DTCM. */
void kernel_compute(const struct kernel_args *args);

/* Number of rows and columns of C (dots) with a non-finite element; 0 for other kernels. */
uint32_t kernel_flagged(const struct kernel_args *args);

/* Clear the rescue's state; then rescue_chunk for consecutive k in any order of chunks. */
void kernel_rescue_begin(const struct kernel_args *args);

/* a: A[m][kn] dense float32 bits of the tile's rows, b: B[n][kn] of its columns, k = k0..k0+kn-1.
 * Strides in words, so that either orientation of the original may be passed. */
struct rescue_chunk {
    const uint32_t *a;
    const uint32_t *b;
    uint32_t a_row, a_k, b_row, b_k; /* word strides per row (column of C for b) and per k */
    uint32_t kn;
};
void kernel_rescue_chunk(const struct kernel_args *args, const struct rescue_chunk *chunk);

/* Write NaN or Inf into the outputs that the rule decides; returns how many. */
uint32_t kernel_rescue_end(const struct kernel_args *args);

/* Run the strip program over C, rows of the tile. */
void kernel_epilogue(const struct kernel_args *args);

/* Words of DTCM the kernel itself needs (without temps and reduce states) for task->tile. Also used
 * on the ARM side's checks; the compiler asks it through kernels_host. */
uint32_t kernel_work_words(const struct task *task);

#endif
