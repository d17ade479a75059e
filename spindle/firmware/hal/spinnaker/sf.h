/* Soft-float seam, ARM side: correctly rounded float32 in assembly (our own; firmware/hal/spinnaker).
 *
 * Same contract as hal/host/sf.h: bit patterns in, bit patterns out, every NaN is SF_NAN, denormals
 * kept, round to nearest even. These symbols are the allow-list of tests/firmware/test_arm_build.py.
 */
#ifndef SPINDLE_SF_H
#define SPINDLE_SF_H

#include <stdint.h>

#define SF_NAN 0x7fc00000u

uint32_t sf_add(uint32_t a, uint32_t b);
uint32_t sf_sub(uint32_t a, uint32_t b);
uint32_t sf_mul(uint32_t a, uint32_t b);
uint32_t sf_div(uint32_t a, uint32_t b);
uint32_t sf_sqrt(uint32_t a);

#endif
