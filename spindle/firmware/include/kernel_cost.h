/* Cycle formulas of the kernels: host only (native's clock and the compiler's estimate). */
#ifndef SPINDLE_KERNEL_COST_H
#define SPINDLE_KERNEL_COST_H

#include "kernels.h"
#include "spindle_costs.h"

/* Cycles of kernel_compute (and, with last_inner, of kernel_epilogue) on this tile; data and work
 * of args are not read. */
uint32_t kernel_cycles(const struct kernel_args *args, const struct costs *costs);

#endif
