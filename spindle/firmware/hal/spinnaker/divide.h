/* Unsigned division seam, ARM side: the ARM968 has no divide instruction (divide.c). */
#ifndef SPINDLE_DIVIDE_H
#define SPINDLE_DIVIDE_H

#include <stdint.h>

/* a / b, rounded down; 0xffffffff when b is 0. */
uint32_t divide_u32(uint32_t a, uint32_t b);

#endif
