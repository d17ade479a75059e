/* Unsigned division seam, host side: the host has an instruction for it. ARM twin: hal/spinnaker. */
#ifndef SPINDLE_DIVIDE_H
#define SPINDLE_DIVIDE_H

#include <stdint.h>

/* a / b, rounded down; 0xffffffff when b is 0. */
static inline uint32_t divide_u32(uint32_t a, uint32_t b) { return b ? a / b : 0xffffffffu; }

#endif
