/* Panels: how QUANTISE lays mantissas out for DOT_S28 (docs/spec/image.md).
 *
 * A pair of rows f, f + 1 is one run of words: for each k the mantissa of f, then what the one of f + 1
 * has more; zeros up to a whole chunk of 8 k. So the step from one row to the other is an addition, and two products can be
 * had for one multiplication (S. Winograd, 1968): over pairs of k
 *
 *     a0 b0 + a1 b1 = (a0 + b1) (a1 + b0) - a0 a1 - b0 b1
 *
 * where the last two terms depend on one row each: minus their sums over the K-block are the rows'
 * corrections. All sums are taken mod 2^64, in which the exact sum of a K-block lies.
 */
#ifndef SPINDLE_PANEL_H
#define SPINDLE_PANEL_H

#include "spindle_records.h"

#define PLACES (2 * SPINDLE_CHUNK) /* words of a pair of rows in one chunk of 8 k */

/* What goes with a row of a panel, per K-block; there is one for each row of a pair. */
struct panel_row {
    uint32_t exponent; /* low half; NONFINITE_FLAG */
    uint32_t unused;
    uint32_t correction[2]; /* int64, low word first */
};
_Static_assert(sizeof(struct panel_row) == 4 * SPINDLE_PANEL_ROW_WORDS, "records.py");
_Static_assert(sizeof(struct panel_row) == 16, "arm/dot_s28_*.S, arm/panel.S");

/* Mantissas of a pair of rows, q_f and q_f+1 in turn, to panel words in place; the corrections of both
 * rows. n_chunks at least 1. */
void panel_differences(uint32_t *panel, uint32_t n_chunks, struct panel_row *rows);

/* All exponent words of n rows, n at least 1, or-ed. */
uint32_t panel_words(const struct panel_row *rows, uint32_t n);

static inline int64_t panel_correction(const struct panel_row *row)
{
    return (int64_t)((uint64_t)row->correction[1] << 32 | row->correction[0]);
}

#endif
