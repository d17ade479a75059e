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

#define SCAN_NOTHING (-255)

/* a[i] = largest e(x) - r of column i over non-zero words, or SCAN_NOTHING; r: one word per step along n.
 * A denormal's exponent is taken as -127. All words finite. Returns the lowest a[i]. */
int32_t scan_relative_tops(const struct scan_loop *loop, const int32_t *r, int32_t *a);

#endif
