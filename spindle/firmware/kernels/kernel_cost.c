/* Cycle formulas, one per kernel: host only. In: a tile (no data) and a cost set in 1/16 cycle.
 *
 * Out: cycles of computing that tile; strip programs of dots count with the last inner tile. Sums
 * are 64 bits wide. The formulas follow the loops of the ARM build, groups and pairs that are not
 * full included; tests/firmware/test_cost_arm.py holds them against it. The constants and where
 * they come from: spindle/spec/costs.py, tables.py; strip programs: strip_cost.c.
 */
#include "kernel_cost.h"
#include "dot_s16.h"
#include "families.h"
#include "strip_cost.h"

#define BLOCK_SIDE 2u
#define SCAN_GROUP 6u /* arm/scan_loops.h */

static sixteenths groups(uint32_t n, uint32_t size) { return (n + size - 1) / size; }

/* K-blocks that this tile touches, and those it finishes; all but the first are added to C. */
static sixteenths dot_s28_cost(const struct kernel_args *args, const struct costs *costs)
{
    const struct task *task = args->task;
    const struct tile *tile = &args->tile;
    uint32_t m = tile->extent[1], n = tile->extent[2];
    uint32_t k = tile->origin[3], end = k + tile->extent[3], k_block = task->k_block;
    uint32_t touched = (end + k_block - 1) / k_block - k / k_block;
    uint32_t finished = touched - (end < task->extent[3] && end % k_block != 0);
    sixteenths pairs = groups(m, BLOCK_SIDE), blocks = pairs * groups(n, BLOCK_SIDE);
    sixteenths chunks = groups(tile->extent[3], SPINDLE_CHUNK);
    sixteenths macs = blocks * BLOCK_SIDE * BLOCK_SIDE * chunks * SPINDLE_CHUNK;
    uint32_t added = finished - (finished != 0 && k < k_block);
    sixteenths segment = costs->dot_s28_tile_cycles + pairs * costs->dot_s28_pair_cycles +
                         (sixteenths)(m + n) * costs->dot_s28_row_cycles +
                         blocks * costs->dot_s28_block_cycles;
    sixteenths row = costs->dot_s28_finish_row_cycles + n * (sixteenths)costs->dot_s28_finish_cycles;
    return touched * segment + macs * costs->mac_s28_cycles +
           blocks * chunks * costs->dot_s28_chunk_cycles + m * finished * row +
           (sixteenths)m * n * added * costs->dot_s28_add_cycles;
}

/* C's first terms are products alone. */
static sixteenths dot_f32_cost(const struct kernel_args *args, const struct costs *costs)
{
    const struct tile *tile = &args->tile;
    sixteenths m = tile->extent[1], n = tile->extent[2], k = tile->extent[3];
    sixteenths firsts = tile->origin[3] == 0 ? m * n : 0;
    return m * costs->dot_f32_row_cycles + m * k * costs->dot_f32_k_cycles +
           m * n * k * costs->mac_f32_cycles - firsts * costs->prim[PRIM_ADD_F32];
}

/* Largest exponents of rows: six rows at a time, or fewer by themselves. */
static sixteenths scan_rows_cost(const struct costs *costs, uint32_t n_f, uint32_t n_k)
{
    if (n_f < SCAN_GROUP) {
        return (sixteenths)n_f * (costs->scan_row_cycles + n_k * costs->scan_one_cycles);
    }
    return groups(n_f, SCAN_GROUP) *
           (costs->scan_rows_cycles + (sixteenths)n_k * costs->scan_rows_k_cycles);
}

/* The same of columns, relative to their rows; fewer than six one by one. */
static sixteenths scan_columns_cost(const struct costs *costs, uint32_t n_f, uint32_t n_k)
{
    if (n_k < SCAN_GROUP) {
        return (sixteenths)n_f * n_k * costs->scan_slow_cycles;
    }
    return groups(n_k, SCAN_GROUP) *
           (costs->scan_columns_cycles + (sixteenths)n_f * costs->scan_columns_f_cycles);
}

static sixteenths scan_cost(const struct kernel_args *args, const struct costs *costs)
{
    uint32_t n_f = args->tile.extent[1], n_k = args->tile.extent[3], kernel = args->task->kernel;
    sixteenths cost = costs->scan_tile_cycles;
    if (kernel == KERNEL_SCAN_K) {
        cost += (sixteenths)n_f * n_k * costs->scan_finite_cycles;
    } else {
        cost += scan_rows_cost(costs, n_f, n_k);
    }
    return kernel == KERNEL_SCAN_FREE ? cost : cost + scan_columns_cost(costs, n_f, n_k);
}

/* Sums of products, and C with the last inner tile; a wide sum costs more, but is rare. */
static sixteenths dot_s16_cost(const struct kernel_args *args, const struct costs *costs)
{
    const uint32_t *extent = args->tile.extent;
    uint32_t is_s16 = args->task->kernel == KERNEL_DOT_S16;
    sixteenths chunk = is_s16 ? costs->dot_s16_chunk_cycles : costs->dot_s13_chunk_cycles;
    sixteenths rows = (extent[1] + TRIPLE - 1) / TRIPLE, columns = (extent[2] + TRIPLE - 1) / TRIPLE;
    sixteenths chunks = (extent[3] + SPINDLE_CHUNK - 1) / SPINDLE_CHUNK;
    sixteenths finish = args->tile.last_inner ? costs->dot_s16_finish_cycles : 0;
    return rows * columns * (costs->dot_s16_block_cycles + chunks * chunk) +
           (sixteenths)extent[1] * extent[2] * finish;
}

static sixteenths balance_cost(const struct kernel_args *args, const struct costs *costs)
{
    sixteenths rows = 0, k = args->tile.extent[3];
    for (uint32_t i = 0; i < 2; i++) {
        const struct operand *op = &args->operands[i];
        rows += (sixteenths)operand_rows(op, &args->tile, 1) * operand_rows(op, &args->tile, 2);
    }
    return costs->balance_tile_cycles + k * costs->balance_k_cycles +
           rows * k * costs->balance_cycles;
}

/* Pairs of rows; what is odd, rows or k, goes word by word. Given exponents are not looked for. */
static sixteenths quantise_cost(const struct kernel_args *args, const struct costs *costs)
{
    uint32_t n_f = args->tile.extent[1], n_k = args->tile.extent[3];
    uint32_t given = args->task->arg & SPINDLE_QUANTISE_GIVEN;
    uint32_t fast = n_k % 2 == 0 ? n_f / 2 : 0;
    sixteenths chunks = groups(n_k, SPINDLE_CHUNK), slow = groups(n_f, 2) - fast;
    sixteenths word = given ? costs->quantise_given_cycles : costs->quantise_cycles;
    sixteenths slow_word = given ? costs->quantise_slow_given_cycles : costs->quantise_slow_cycles;
    sixteenths pads = chunks * SPINDLE_CHUNK - n_k;
    sixteenths pair = costs->quantise_pair_cycles + 2 * n_k * word +
                      2 * pads * costs->quantise_pad_cycles;
    return costs->quantise_tile_cycles + (sixteenths)n_k * costs->quantise_k_cycles + fast * pair +
           slow * (costs->quantise_pair_cycles + chunks * costs->quantise_slow_chunk_cycles) +
           (n_f - 2 * fast) * (sixteenths)n_k * slow_word;
}

static sixteenths quantise16_cost(const struct kernel_args *args, const struct costs *costs)
{
    return (sixteenths)args->tile.extent[1] * args->tile.extent[3] * costs->quantise_16_cycles;
}

static sixteenths transpose_cost(const struct kernel_args *args, const struct costs *costs)
{
    sixteenths rows = args->tile.extent[1], columns = args->tile.extent[2];
    return costs->transpose_tile_cycles + rows * costs->transpose_row_cycles +
           rows * columns * costs->transpose_cycles;
}

static sixteenths compute_cost(const struct kernel_args *args, const struct costs *costs)
{
    switch (args->task->kernel) {
    case KERNEL_STRIP:
        return strip_cost(args, costs, 0);
    case KERNEL_TRANSPOSE:
        return transpose_cost(args, costs);
    case KERNEL_SCAN:
    case KERNEL_SCAN_FREE:
    case KERNEL_SCAN_K:
        return scan_cost(args, costs);
    case KERNEL_BALANCE:
        return balance_cost(args, costs);
    case KERNEL_QUANTISE:
        return quantise_cost(args, costs);
    case KERNEL_DOT_S28:
        return dot_s28_cost(args, costs);
    case KERNEL_QUANTISE_13:
    case KERNEL_QUANTISE_16:
        return quantise16_cost(args, costs);
    case KERNEL_DOT_S13:
    case KERNEL_DOT_S16:
        return dot_s16_cost(args, costs);
    case KERNEL_DOT_F32:
        return dot_f32_cost(args, costs);
    default:
        return 0;
    }
}

uint32_t kernel_cycles(const struct kernel_args *args, const struct costs *costs)
{
    uint32_t kernel = args->task->kernel;
    uint32_t own = kernel_has_panels(kernel) ? DOT_PANEL_OPERANDS : DOT_F32_OPERANDS;
    sixteenths cost = compute_cost(args, costs);
    if (kernel_is_dot(kernel) && args->tile.last_inner && args->task->n_instrs != 0) {
        cost += strip_cost(args, costs, own);
    }
    return (uint32_t)((cost + COST_FRACTION / 2) / COST_FRACTION);
}
