/* Assembly loops of QUANTISE over one pair of rows and n_k (even, at least 2) contracted indices. */
#ifndef SPINDLE_QUANTISE_LOOPS_H
#define SPINDLE_QUANTISE_LOOPS_H

#include "panel.h"

/* Steps and jumps in bytes; a jump leads from the second row's word to the next k of the first. A top is
 * the largest (field + sign*d) << 14 of a row, upper fraction bits below; a zero or denormal counts as
 * field 0, Inf and NaN as 255. */
struct quantise_loop {
    const uint32_t *x; /* of the pair */
    const int32_t *d;
    uint32_t n_k;
    int32_t step_f, jump_k;
    int32_t sign;        /* of d: 1 or -1 */
    int32_t least, most; /* tops of ordinary rows: least <= top < most */
};
_Static_assert(sizeof(void *) != 4 || sizeof(struct quantise_loop) == 32, "quantise_loops.S");

/* range[0], range[1] = lowest, highest of n words, n at least 1. */
void quantise_range(const int32_t *d, uint32_t n, int32_t *range);

/* Exponent words and mantissas of a pair where both rows are ordinary. Else returns 0, and rows hold
 * their tops in place of exponent words. */
uint32_t quantise_pair(const struct quantise_loop *loop, struct panel_row *rows, uint32_t *out);

/* Mantissas into the panel; base[i] = (sign << 16) | (E_i + 132), E_i the exponent of row i. Every
 * shift E_i + 132 - sign*d - field is in 5..255, at least 33 where field 0 may occur. */
void quantise_mantissas(const struct quantise_loop *loop, const uint32_t *base, uint32_t *out);

#endif
