/* Rescue of dot outputs that Inf or NaN decide: only terms with a non-finite factor count.
 *
 * In: original float32 operands, chunk by chunk of k. State: 2 bits per output in the workspace,
 * 1: +Inf seen, 2: -Inf seen, 3: both, or a NaN term (NaN * x, Inf * 0). Out: Inf or NaN in C.
 * Only outputs whose row or column is flagged are looked at. Follows docs/numerics.md 3.
 */
#include "dot_flags.h"
#include "order.h"

/* What the term x * y adds to an output's state; 0 when both are finite. */
static uint32_t term_state(uint32_t x, uint32_t y)
{
    uint32_t a = x & ~F32_SIGN, b = y & ~F32_SIGN;
    if (a < F32_INF && b < F32_INF) {
        return 0;
    }
    if (a > F32_INF || b > F32_INF || a == 0 || b == 0) {
        return 3;
    }
    return (x ^ y) & F32_SIGN ? 2 : 1;
}

static uint32_t output_state(const struct rescue_chunk *chunk, uint32_t row, uint32_t column)
{
    const uint32_t *a = chunk->a + row * chunk->a_row, *b = chunk->b + column * chunk->b_row;
    uint32_t state = 0;
    for (uint32_t k = 0; k < chunk->kn; k++) {
        state |= term_state(a[k * chunk->a_k], b[k * chunk->b_k]);
    }
    return state;
}

void kernel_rescue_begin(const struct kernel_args *args)
{
    uint32_t words = (args->tile.extent[1] * args->tile.extent[2] + 15) / 16;
    struct dot_flags flags;
    dot_flags_view(&flags, args);
    for (uint32_t i = 0; i < words; i++) {
        flags.rescue[i] = 0;
    }
}

static void rescue_row(const struct dot_flags *flags, const struct rescue_chunk *chunk,
                       uint32_t row, uint32_t n)
{
    for (uint32_t column = 0; column < n; column++) {
        if (flags->rows[row] | flags->columns[column]) {
            uint32_t place = row * n + column;
            uint32_t state = output_state(chunk, row, column);
            flags->rescue[place / 16] |= state << (place % 16 * 2);
        }
    }
}

void kernel_rescue_chunk(const struct kernel_args *args, const struct rescue_chunk *chunk)
{
    struct dot_flags flags;
    dot_flags_view(&flags, args);
    for (uint32_t row = 0; row < args->tile.extent[1]; row++) {
        rescue_row(&flags, chunk, row, args->tile.extent[2]);
    }
}

uint32_t kernel_rescue_end(const struct kernel_args *args)
{
    static const uint32_t DECIDED[4] = {0, F32_INF, F32_INF | F32_SIGN, SF_NAN};
    uint32_t n = args->tile.extent[2], count = 0;
    uint32_t pitch = operand_step(&args->operands[6], &args->tile, 1);
    struct dot_flags flags;
    dot_flags_view(&flags, args);
    for (uint32_t row = 0; row < args->tile.extent[1]; row++) {
        for (uint32_t column = 0; column < n; column++) {
            uint32_t place = row * n + column;
            uint32_t state = (flags.rescue[place / 16] >> (place % 16 * 2)) & 3u;
            if (state) {
                args->data[6][row * pitch + column] = DECIDED[state];
                count++;
            }
        }
    }
    return count;
}
