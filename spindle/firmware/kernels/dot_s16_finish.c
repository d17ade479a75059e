/* The end of DOT_S13 and DOT_S16: exact sums to float32, rounded once. Plain C, twin of
 * arm/dot_s16_finish.S (same bits).
 */
#include "dot_s16.h"
#include "round_scaled.h"

static int64_t sum_at(const struct dot_s16_row *row, uint32_t place)
{
    uint64_t high = row->high ? (uint64_t)row->high[place] : 0;
    return (int64_t)((high << 32) + (uint64_t)row->sums[place]);
}

void dot_s16_finish(const struct dot_s16_row *row)
{
    for (uint32_t j = 0; j < row->n; j++) {
        uint32_t place = j / TRIPLE * BLOCK + j % TRIPLE;
        int32_t exponent = row->exponent + (int16_t)row->columns[j];
        row->c[j] = round_scaled(sum_at(row, place), exponent);
    }
}
