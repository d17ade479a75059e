/* move.c: an operand's tile between SDRAM and DTCM, as few transfers as its rows allow.
 *
 * Rows lie dense in DTCM (tile.h). Where they follow each other in SDRAM too, one transfer takes
 * them all; where they are equally far apart, one call queues them all. A tile is smaller than the
 * arena, so no transfer passes SPINDLE_DMA_MAX_BYTES.
 */
#include "parts.h"

#define LEVELS (SPINDLE_MAX_DIMS - 1) /* dim 0 has extent 1 */

/* Runs of rows: level 0 varies quickest, levels beyond `n` have one row. */
struct shape {
    struct dma_rows rows; /* level 0 */
    uint32_t n;
    uint32_t count[LEVELS], stride[LEVELS];
};

/* Rows of one dim. They join the transfer's length where they are contiguous, or make a level. */
static inline void add_dim(struct shape *shape, uint32_t rows, uint32_t stride)
{
    if (rows == 1) {
        return;
    }
    if (shape->n == 0 && stride == shape->rows.words * 4) {
        shape->rows.words *= rows;
        return;
    }
    shape->count[shape->n] = rows;
    shape->stride[shape->n] = stride;
    shape->n++;
}

static inline void find_dim(const struct operand *op, const struct tile *tile, uint32_t dim,
                            uint32_t granule, struct shape *shape)
{
    uint32_t stride = (uint32_t)op->stride[dim];
    uint32_t first = tile->origin[dim], rows = tile->extent[dim];
    if (stride == 0) {
        return;
    }
    if (granule != 1) {
        uint32_t last = first + rows - 1;
        first = first < granule ? 0 : first / granule;
        rows = (last < granule ? 0 : last / granule) - first + 1;
    }
    shape->rows.sdram += first * stride;
    if (dim != op->fast) {
        add_dim(shape, rows, stride);
    }
}

/* Returns the words of the whole tile. */
static uint32_t find_shape(const struct operand *op, const struct tile *tile, uint32_t base,
                           struct shape *shape)
{
    uint32_t words;
    shape->rows.sdram = base + tile->origin[0] * (uint32_t)op->stride[0];
    shape->rows.words = operand_row_words(op, tile);
    shape->n = 0;
    find_dim(op, tile, 3, op->granule3, shape);
    find_dim(op, tile, 2, 1, shape);
    find_dim(op, tile, 1, op->granule1, shape);
    words = shape->rows.words;
    for (uint32_t i = 0; i < shape->n; i++) {
        words *= shape->count[i];
    }
    return words;
}

uint32_t move_words(const struct operand *op, const struct tile *tile)
{
    struct shape shape;
    return find_shape(op, tile, 0, &shape);
}

static uint32_t *move_run(struct rt_core *core, const struct dma_rows *rows, uint32_t *data,
                          enum move_direction direction)
{
    if (direction == MOVE_READ) {
        core->last_ticket = hal_dma_read(core->hal, rows, data);
    } else {
        core->last_ticket = hal_dma_write(core->hal, rows, data);
    }
    return data + rows->words * rows->n_rows;
}

/* Run after run, for the dims outside of level 0. */
static void move_runs(struct rt_core *core, struct shape *shape, uint32_t *data,
                      enum move_direction direction)
{
    uint32_t start = shape->rows.sdram;
    for (uint32_t i = shape->n; i < LEVELS; i++) {
        shape->count[i] = 1;
        shape->stride[i] = 0;
    }
    shape->rows.n_rows = shape->count[0];
    shape->rows.stride = shape->stride[0];
    for (uint32_t slow = shape->count[2]; slow != 0; slow--, start += shape->stride[2]) {
        shape->rows.sdram = start;
        for (uint32_t fast = shape->count[1]; fast != 0; fast--) {
            data = move_run(core, &shape->rows, data, direction);
            shape->rows.sdram += shape->stride[1];
        }
    }
}

void move_tile(struct rt_core *core, const struct rt_lane *lane, struct rt_run *run, uint32_t index,
               const struct tile *tile, uint32_t *data, enum move_direction direction)
{
    uint32_t first = (uint32_t)(data - hal_arena(core->hal));
    struct shape shape;
    uint32_t words = find_shape(&run->operands[index], tile, run->base[index], &shape);
    if (first + words > SPINDLE_TILE_ARENA_BYTES / 4) {
        rt_fault(core, lane, FAULT_BAD_ADDRESS, first, words);
        return;
    }
    move_runs(core, &shape, data, direction);
    run->spent.dma_bytes += words * 4;
}
