/* move.c: an operand's tile between SDRAM and DTCM, as few transfers as its rows allow.
 *
 * Rows lie dense in DTCM (tile.h). Where they follow each other in SDRAM too, one transfer takes
 * them all; where they are equally far apart, one call queues them all. A tile is smaller than the
 * arena, so no transfer passes SPINDLE_DMA_MAX_BYTES. arm/move.S is the same for ARM.
 */
#include "parts.h"

#define LEVELS (SPINDLE_MAX_DIMS - 1) /* dim 0 has extent 1 */

/* Runs of rows: level 0 varies quickest; count and stride of `n` levels. */
struct shape {
    uint32_t sdram, words; /* of the first row */
    uint32_t n;
    uint32_t count[LEVELS], stride[LEVELS];
};

/* Indices to granules: the first one and how many. Most start in granule 0. */
static void to_granules(uint32_t granule, uint32_t *first, uint32_t *rows)
{
    uint32_t last = *first + *rows - 1;
    *first = *first < granule ? 0 : *first / granule;
    *rows = (last < granule ? 0 : last / granule) - *first + 1;
}

/* Rows of one dim join the row where they are contiguous, or make a level. Returns all words. */
static uint32_t find_shape(const struct operand *op, const struct tile *tile, uint32_t base,
                           struct shape *shape)
{
    uint32_t words = operand_row_words(op, tile), total, n = 0;
    uint32_t sdram = base + tile->origin[0] * (uint32_t)op->stride[0];
    total = words;
    for (uint32_t dim = 3; dim != 0; dim--) {
        uint32_t stride = (uint32_t)op->stride[dim];
        uint32_t first = tile->origin[dim], rows = tile->extent[dim];
        uint32_t granule = operand_granule(op, dim);
        if (stride == 0) {
            continue;
        }
        if (granule != 1) {
            to_granules(granule, &first, &rows);
        }
        sdram += first * stride;
        if (dim == op->fast || rows == 1) {
            continue;
        }
        total *= rows;
        if (n == 0 && stride == words * 4) {
            words = total;
        } else {
            shape->count[n] = rows;
            shape->stride[n] = stride;
            n++;
        }
    }
    shape->sdram = sdram;
    shape->words = words;
    shape->n = n;
    return total;
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
static void move_runs(struct rt_core *core, const struct shape *shape, struct dma_rows *rows,
                      uint32_t *data, enum move_direction direction)
{
    uint32_t n_slow = shape->n == LEVELS ? shape->count[2] : 1;
    for (uint32_t slow = 0; slow < n_slow; slow++) {
        rows->sdram = shape->sdram;
        if (slow != 0) {
            rows->sdram += slow * shape->stride[2];
        }
        for (uint32_t fast = shape->count[1]; fast != 0; fast--) {
            data = move_run(core, rows, data, direction);
            rows->sdram += shape->stride[1];
        }
    }
}

void move_tile(struct rt_core *core, struct rt_run *run, uint32_t index, const struct tile *tile,
               uint32_t *data, enum move_direction direction)
{
    uint32_t first = (uint32_t)(data - core->arena);
    struct shape shape;
    struct dma_rows rows;
    uint32_t words = find_shape(&run->operands[index], tile, run->base[index], &shape);
    if (first + words > SPINDLE_TILE_ARENA_BYTES / 4) {
        rt_fault(core, FAULT_BAD_ADDRESS, first, words);
        return;
    }
    run->spent.dma_bytes += words * 4;
    rows.sdram = shape.sdram;
    rows.words = shape.words;
    rows.n_rows = shape.n == 0 ? 1 : shape.count[0];
    rows.stride = shape.n == 0 ? 0 : shape.stride[0];
    if (shape.n <= 1) {
        move_run(core, &rows, data, direction);
    } else {
        move_runs(core, &shape, &rows, data, direction);
    }
}
