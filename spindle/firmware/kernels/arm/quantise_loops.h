/* Assembly loops of QUANTISE over one pair of rows and n_k (even, at least 2) contracted indices. */
#ifndef SPINDLE_QUANTISE_LOOPS_H
#define SPINDLE_QUANTISE_LOOPS_H

#include <stdint.h>

/* Steps and jumps in bytes; a jump leads from the second row's word to the next k of the first. */
struct quantise_loop {
    const uint32_t *x;
    const int32_t *d;
    uint32_t n_k;
    int32_t step_f, jump_k;
    int32_t sign; /* of d: 1 or -1 */
};
_Static_assert(sizeof(void *) != 4 || sizeof(struct quantise_loop) == 24, "quantise_loops.S");

/* top[i] = largest (field + sign*d) << 14 of row i, upper fraction bits below; a zero or denormal
 * counts as field 0, Inf and NaN as 255. */
void quantise_tops(const struct quantise_loop *loop, int32_t *top);

/* range[0], range[1] = lowest, highest of n words, n at least 1. */
void quantise_range(const int32_t *d, uint32_t n, int32_t *range);

/* Mantissas into the panel; base[i] = (sign << 16) | (E_i + 132), E_i the exponent of row i. Every
 * shift E_i + 132 - sign*d - field is in 5..255, at least 33 where field 0 may occur. */
void quantise_mantissas(const struct quantise_loop *loop, const uint32_t *base, uint32_t *out);

#endif
