/* Cycle formulas, one per kernel: host only. In: a tile (no data) and a cost set in 1/16 cycle.
 *
 * Out: cycles of computing that tile; strip programs of dots count with the last inner tile. Sums
 * are 64 bits wide. The constants and where they come from: spindle/spec/costs.py, tables.py.
 */
#include "kernel_cost.h"
#include "dot_s16.h"
#include "families.h"
#include "strip.h"

#define BLOCK_SIDE 2u

typedef uint64_t sixteenths;

struct program_cost {
    sixteenths elements; /* per element */
    sixteenths instrs;   /* per strip */
};

/* EXT words belong to the instruction before. */
static struct program_cost program_cost_of(const struct kernel_args *args,
                                           const struct costs *costs, uint32_t first,
                                           uint32_t end)
{
    struct program_cost cost = {0, 0};
    for (uint32_t i = first; i < end; i++) {
        uint32_t prim = args->program[i].prim;
        cost.elements += prim < N_PRIMITIVES ? costs->prim[prim] : 0;
        cost.instrs += prim == PRIM_EXT ? 0 : costs->instr_cycles;
    }
    return cost;
}

/* first: the first operand that the program may name. */
static sixteenths strip_cost(const struct kernel_args *args, const struct costs *costs,
                             uint32_t first)
{
    const struct task *task = args->task;
    struct program_cost once = program_cost_of(args, costs, 0, task->n_prologue);
    struct program_cost body = program_cost_of(args, costs, task->n_prologue, task->n_instrs);
    struct strip_shape shape;
    sixteenths strips, elements = (sixteenths)args->tile.extent[1] * args->tile.extent[2];
    strip_shape_of(&shape, args, first);
    strips = (sixteenths)shape.rows * ((shape.columns + shape.length - 1) / shape.length);
    return once.instrs + once.elements * SPINDLE_STRIP +
           strips * (costs->strip_cycles + body.instrs) + elements * body.elements;
}

/* K-blocks that this tile touches, and those it finishes; all but the first are added to C. */
static sixteenths dot_s28_cost(const struct kernel_args *args, const struct costs *costs)
{
    const struct task *task = args->task;
    const struct tile *tile = &args->tile;
    uint32_t k = tile->origin[3], end = k + tile->extent[3], k_block = task->k_block;
    uint32_t touched = (end + k_block - 1) / k_block - k / k_block;
    uint32_t finished = touched - (end < task->extent[3] && end % k_block != 0);
    sixteenths rows = (tile->extent[1] + 1) / BLOCK_SIDE;
    sixteenths columns = (tile->extent[2] + 1) / BLOCK_SIDE;
    sixteenths macs = rows * columns * BLOCK_SIDE * BLOCK_SIDE * tile->extent[3];
    sixteenths chunks = (tile->extent[3] + SPINDLE_CHUNK - 1) / SPINDLE_CHUNK;
    sixteenths outputs = (sixteenths)tile->extent[1] * tile->extent[2];
    uint32_t added = finished - (finished != 0 && k < k_block);
    return macs * costs->mac_s28_cycles + rows * columns * touched * costs->dot_s28_block_cycles +
           rows * columns * chunks * costs->dot_s28_chunk_cycles +
           outputs * finished * costs->dot_s28_finish_cycles +
           outputs * added * costs->dot_s28_add_cycles;
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
    sixteenths rows = 0;
    for (uint32_t i = 0; i < 2; i++) {
        const struct operand *op = &args->operands[i];
        rows += (sixteenths)operand_rows(op, &args->tile, 1) * operand_rows(op, &args->tile, 2);
    }
    return rows * args->tile.extent[3] * costs->balance_cycles;
}

static sixteenths compute_cost(const struct kernel_args *args, const struct costs *costs)
{
    const uint32_t *extent = args->tile.extent;
    sixteenths free_k = (sixteenths)extent[1] * extent[3];
    sixteenths plane = (sixteenths)extent[1] * extent[2];
    switch (args->task->kernel) {
    case KERNEL_STRIP:
        return strip_cost(args, costs, 0);
    case KERNEL_TRANSPOSE:
        return plane * costs->transpose_cycles;
    case KERNEL_SCAN:
        return free_k * costs->scan_cycles;
    case KERNEL_SCAN_FREE:
    case KERNEL_SCAN_K:
        return free_k * costs->scan_one_cycles;
    case KERNEL_BALANCE:
        return balance_cost(args, costs);
    case KERNEL_QUANTISE:
        return free_k * costs->quantise_cycles;
    case KERNEL_DOT_S28:
        return dot_s28_cost(args, costs);
    case KERNEL_QUANTISE_13:
    case KERNEL_QUANTISE_16:
        return free_k * costs->quantise_16_cycles;
    case KERNEL_DOT_S13:
    case KERNEL_DOT_S16:
        return dot_s16_cost(args, costs);
    case KERNEL_DOT_F32:
        return plane * extent[3] * costs->mac_f32_cycles;
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
