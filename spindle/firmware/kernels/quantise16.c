/* QUANTISE_13, QUANTISE_16: float32 rows to 13- or 16-bit mantissas in a panel; an exponent a row.
 *
 * In: operand 0 X (dim 3 or dim 1 fast), f along dim 1, k along dim 3. Out: operand 1 the panel, narrow or,
 * with SPINDLE_QUANTISE_WIDE, wide (dot_s16.h); operand 2 exponent words. E = max of e(x), all of k
 * in the tile; with SPINDLE_QUANTISE_GIVEN operand 2 is an input, and k may be cut.
 * q = RNE(x * 2^(11 - E)), |q| <= 4095, or RNE(x * 2^(14 - E)), |q| <= 32767. Follows docs/spec/dots16.md.
 */
#include "quantise16.h"

#include "families.h"

void quantise_16_compute(const struct kernel_args *args)
{
    const struct task *task = args->task;
    uint32_t *panel = args->data[1], step;
    struct quantise_16 s;
    view_x(&s.v, args);
    s.words = args->data[2];
    s.given = task->arg & SPINDLE_QUANTISE_GIVEN;
    s.places = task->kernel == KERNEL_QUANTISE_16 ? 14 : 11;
    s.wide = task->arg & SPINDLE_QUANTISE_WIDE;
    step = view_chunks(&s.v) * (s.wide ? WIDE_WORDS : NARROW_WORDS);
    for (uint32_t f = 0; f < s.v.n_f; f += TRIPLE, panel += step) {
        quantise_16_triple(panel, &s, f);
    }
}
