/* Cycle formula of strip programs: host only; kernel_cost.c asks it for STRIP and behind dots.
 *
 * In: a tile (no data) and a cost set in 1/16 cycle. Out: cycles of its strips, in 1/16. A program is
 * asked once per tile (strip_begin), per row and per strip (strip.c); what a strip costs beside its
 * elements decides where rows are narrow. Constants: spindle/spec/costs.py, tables.py.
 */
#include "strip_cost.h"
#include "strip.h"

#define ALONG_ROWS 1u
#define ALONG_COLUMNS 2u

struct program_cost {
    sixteenths elements; /* per element */
    sixteenths instrs;   /* per strip */
    sixteenths once;     /* per tile */
    uint32_t apart;      /* asks for a row: no look at whether rows join (strip_shape.c) */
};

static int reduces(const struct instr *in)
{
    return in->prim >= PRIM_RED_ADD_F32 && in->prim <= PRIM_RED_OR_I32;
}

static sixteenths fold_call(const struct costs *costs, const struct instr *in)
{
    if (in->prim == PRIM_RED_ADD_F32) {
        return costs->reduce_call_add_cycles;
    }
    return in->prim <= PRIM_RED_MIN_F32 ? costs->reduce_call_f32_cycles
                                        : costs->reduce_call_i32_cycles;
}

/* Results of a reduction: a column each, a row each, or one. */
static sixteenths results(const struct kernel_args *args, uint32_t axis)
{
    return axis == ALONG_ROWS ? args->tile.extent[2]
                              : axis == ALONG_COLUMNS ? args->tile.extent[1] : 1;
}

/* One row merges into another by a call per element, but for float sums. */
static sixteenths reduce_element(const struct costs *costs, const struct instr *in, uint32_t merges)
{
    if (!merges) {
        return costs->prim[in->prim];
    }
    return in->prim == PRIM_RED_ADD_F32 ? costs->reduce_add_cycles
                                        : costs->prim[in->prim] + fold_call(costs, in);
}

/* Per result, beside its elements. The tile with the first position takes that as it is; the tile
 * with the last folds the result into the initial value. Along the rows each result has a fold. */
static sixteenths reduce_result(const struct kernel_args *args, const struct costs *costs,
                                const struct instr *in, uint32_t merges)
{
    uint32_t rows = in->reg[2] == ALONG_ROWS, dim = in->reg[2] == ALONG_COLUMNS ? 2 : 1;
    uint32_t at = args->tile.origin[dim], end = at + args->tile.extent[dim];
    sixteenths cost = rows && (at == 0 || !merges) ? fold_call(costs, in) : 0;
    if (at == 0) {
        cost += rows ? costs->reduce_first_cycles : 0;
        cost -= reduce_element(costs, in, merges);
    }
    if (end >= args->task->extent[dim]) {
        cost += fold_call(costs, in) + costs->prim[in->prim];
    }
    return cost;
}

static void add_reduce(struct program_cost *cost, const struct kernel_args *args,
                       const struct costs *costs, const struct instr *in, uint32_t stacked)
{
    uint32_t axis = in->reg[2], merges = axis == ALONG_ROWS && stacked == 1;
    cost->apart |= axis == ALONG_ROWS || axis == ALONG_COLUMNS;
    cost->elements += reduce_element(costs, in, merges);
    cost->instrs += costs->reduce_cycles;
    cost->once += results(args, axis) * reduce_result(args, costs, in, merges);
}

static void add_instr(struct program_cost *cost, const struct kernel_args *args,
                      const struct costs *costs, const struct instr *in, uint32_t stacked)
{
    cost->instrs += in->prim == PRIM_EXT ? costs->ext_cycles : costs->instr_cycles;
    if (reduces(in)) {
        add_reduce(cost, args, costs, in, stacked);
    } else if (in->prim == PRIM_IOTA) {
        cost->apart = 1;
        cost->instrs += costs->iota_cycles;
        cost->elements += in->reg[1] == 2 ? costs->prim[PRIM_IOTA] : costs->iota_fill_cycles;
    } else if (in->prim < N_PRIMITIVES) {
        cost->apart |= in->prim == PRIM_BCAST;
        cost->elements += costs->prim[in->prim];
    }
}

static struct program_cost program_cost_of(const struct kernel_args *args,
                                           const struct costs *costs, uint32_t first,
                                           uint32_t end, uint32_t stacked)
{
    struct program_cost cost = {0, 0, 0, 0};
    for (uint32_t i = first; i < end; i++) {
        add_instr(&cost, args, costs, &args->program[i], stacked);
    }
    return cost;
}

/* strip_begin: places of the operands from `first` on. Where the tile has many rows, steps from row to
 * row are asked for once to join the rows, and once where they stay apart. */
static sixteenths begin_cost(const struct kernel_args *args, const struct costs *costs,
                             const struct strip_shape *shape, uint32_t first, uint32_t apart)
{
    uint32_t many = args->tile.extent[1] > 1, joins = many && !apart;
    uint32_t asked = joins + (many && (shape->rows > 1 || shape->stacked > 1));
    sixteenths cost = costs->strip_tile_cycles;
    for (uint32_t i = first; i < args->task->n_operands; i++) {
        const struct operand *op = &args->operands[i];
        uint32_t steps = op->stride[1] != 0 && op->fast != 1 ? asked : 0;
        cost += costs->strip_operand_cycles + steps * (sixteenths)costs->strip_step_cycles;
    }
    if (shape->repeated != NOT_REPEATED) {
        cost += (sixteenths)shape->length * costs->repeat_cycles;
    }
    return cost;
}

sixteenths strip_cost(const struct kernel_args *args, const struct costs *costs, uint32_t first)
{
    const struct task *task = args->task;
    uint32_t body_at = task->n_prologue, end = task->n_instrs;
    sixteenths strips, places = task->n_operands - first;
    sixteenths elements = (sixteenths)args->tile.extent[1] * args->tile.extent[2];
    struct program_cost once, body;
    struct strip_shape shape;
    strip_shape_of(&shape, args, first);
    once = program_cost_of(args, costs, 0, body_at, 1);
    body = program_cost_of(args, costs, body_at, end, shape.stacked);
    strips = (sixteenths)shape.rows * ((shape.columns + shape.length - 1) / shape.length);
    return begin_cost(args, costs, &shape, first, body.apart) + once.instrs +
           once.elements * SPINDLE_STRIP + body.once +
           shape.rows * (sixteenths)costs->row_cycles +
           strips * (costs->strip_cycles + places * costs->strip_place_cycles + body.instrs) +
           elements * body.elements;
}
