/* Cycles of a strip program on a tile: what strip_cost.c and kernel_cost.c share; host only. */
#ifndef SPINDLE_STRIP_COST_H
#define SPINDLE_STRIP_COST_H

#include "kernel_cost.h"

typedef uint64_t sixteenths; /* of a cycle */

/* first: the first operand that the program may name. */
sixteenths strip_cost(const struct kernel_args *args, const struct costs *costs, uint32_t first);

#endif
