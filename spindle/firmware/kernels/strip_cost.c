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

/* The last position of the reduction lies in this tile. */
static int ends_here(const struct kernel_args *args, uint32_t axis)
{
    const struct tile *tile = &args->tile;
    uint32_t dim = axis == ALONG_COLUMNS ? 2 : 1;
    return tile->origin[dim] + tile->extent[dim] >= args->task->extent[dim];
}

/* Results of a reduction: a column each, a row each, or one. */
static sixteenths outputs(const struct kernel_args *args, uint32_t axis)
{
    if (!ends_here(args, axis)) {
        return 0;
    }
    return axis == ALONG_ROWS ? args->tile.extent[2]
                              : axis == ALONG_COLUMNS ? args->tile.extent[1] : 1;
}

/* Along the columns one element after another is added to one; along the rows a row to another. */
static sixteenths reduce_element(const struct costs *costs, const struct instr *in)
{
    if (in->reg[2] != ALONG_ROWS) {
        return costs->prim[in->prim];
    }
    return in->prim == PRIM_RED_ADD_F32 ? costs->reduce_add_cycles
                                        : costs->prim[in->prim] + costs->reduce_rows_cycles;
}

static void add_reduce(struct program_cost *cost, const struct kernel_args *args,
                       const struct costs *costs, const struct instr *in, uint32_t stacked)
{
    uint32_t axis = in->reg[2];
    cost->apart |= axis == ALONG_ROWS || axis == ALONG_COLUMNS;
    cost->elements += reduce_element(costs, in);
    cost->instrs += costs->reduce_cycles;
    cost->instrs += (sixteenths)costs->reduce_row_cycles * (axis == ALONG_ROWS ? stacked : 1);
    cost->once += outputs(args, axis) * (costs->reduce_out_cycles + costs->prim[in->prim]);
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
