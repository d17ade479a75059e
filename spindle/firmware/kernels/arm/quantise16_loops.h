/* Assembly loops of QUANTISE_13 and QUANTISE_16 over a triple of rows and n_k (even, at least 2)
 * contracted indices.
 */
#ifndef SPINDLE_QUANTISE16_LOOPS_H
#define SPINDLE_QUANTISE16_LOOPS_H

#include <stdint.h>

/* Bytes from one k to the next, from the first row to the second and to the third. */
struct quantise16_loop {
    const uint32_t *x;
    uint32_t n_k;
    uint32_t step_k, second, third;
    uint32_t bits; /* of a mantissa, without its sign: 12 or 15 */
};
_Static_assert(sizeof(void *) != 4 || sizeof(struct quantise16_loop) == 24, "quantise16_loops.S");

/* top[3] = each row's largest word, its sign shifted out. */
void quantise16_tops(const struct quantise16_loop *loop, uint32_t *top);

/* Mantissas into the panel. The significand, its leading one at bit 31, goes down by base[i] - field
 * places: 255 at most for every field of the row, 33 at least for field 0. */
void quantise16_narrow(const struct quantise16_loop *loop, const uint32_t *base, uint32_t *panel);
void quantise16_wide(const struct quantise16_loop *loop, const uint32_t *base, uint32_t *panel);

#endif
