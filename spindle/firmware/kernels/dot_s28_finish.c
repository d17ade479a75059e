/* The end of DOT_S28's K-blocks: sums to float32, rounded once, added to C. Plain C, twin of
 * arm/dot_s28_finish.S (same bits).
 */
#include "dot_s28.h"
#include "round_scaled.h"
#include "sf.h"

void dot_s28_finish(const struct dot_row *row)
{
    uint32_t *c = row->c, n = row->n, first_block = row->first_block;
    const int64_t *sums = row->sums;
    const struct panel_row *columns = row->columns;
    int32_t exponent = row->exponent;
#pragma clang loop vectorize(assume_safety)
    for (uint32_t j = 0; j < n; j++) {
        uint32_t value = round_scaled(sums[j], exponent + (int16_t)columns[j].exponent);
        uint32_t sum = sf_add(c[j], value);
        c[j] = first_block ? value : sum;
    }
}
