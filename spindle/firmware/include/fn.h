/* Elementary functions on float32 bit patterns: fn_exp, fn_log, fn_pow ...
 *
 * In and out: IEEE float32 as uint32_t bits. Integer arithmetic only; every NaN is FN_NAN and
 * denormals are kept; errors and steps are those of docs/spec/functions.md, the bits those of
 * spindle/ir/functions.py. Pure functions: no state, no interrupt or memory rules.
 */
#ifndef SPINDLE_FN_H
#define SPINDLE_FN_H

#include <stdint.h>

#define FN_NAN 0x7fc00000u

uint32_t fn_exp(uint32_t x);
uint32_t fn_expm1(uint32_t x);
uint32_t fn_log(uint32_t x);
uint32_t fn_log1p(uint32_t x);
uint32_t fn_tanh(uint32_t x);
uint32_t fn_logistic(uint32_t x);
uint32_t fn_rsqrt(uint32_t x);
uint32_t fn_pow(uint32_t x, uint32_t y);

#endif
