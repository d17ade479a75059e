/* Assembly loops of SCAN over six rows (or six contracted indices) at a time. */
#ifndef SPINDLE_SCAN_LOOPS_H
#define SPINDLE_SCAN_LOOPS_H

#include <stdint.h>

#define SCAN_GROUP 6

/* n times six words `step` bytes apart; `jump` leads from the sixth to the next first one. */
struct scan_loop {
    const uint32_t *x;
    uint32_t n; /* at least 1 */
    int32_t step, jump;
};
_Static_assert(sizeof(void *) != 4 || sizeof(struct scan_loop) == 16, "scan_loops.S");

/* top[i] = largest word of column i shifted left by one: above 0xff000000 where one is not finite. */
void scan_tops(const struct scan_loop *loop, uint32_t *top);

/* top[i] = largest (field + frac - r) << 24 of column i, signed, over non-zero words; r: one word per
 * step along n; field is the exponent's, 0 for denormals. No word: INT32_MIN. All words finite. */
void scan_relative_tops(const struct scan_loop *loop, const int32_t *r, int32_t *top);

#endif
