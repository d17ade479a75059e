/* move.c: an operand's tile between SDRAM and DTCM, as few transfers as its rows allow.
 *
 * Rows lie dense in DTCM (tile.h). Where they follow each other in SDRAM too, one transfer takes
 * them all. A tile is smaller than the arena, so no transfer passes SPINDLE_DMA_MAX_BYTES.
 */
#include "parts.h"

struct shape {
    uint32_t sdram; /* address of row 0 */
    uint32_t words; /* of one transfer */
    uint32_t rows[SPINDLE_MAX_DIMS];
};

uint32_t move_words(const struct operand *op, const struct tile *tile)
{
    uint32_t words = operand_row_words(op, tile);
    for (uint32_t dim = 0; dim < SPINDLE_MAX_DIMS; dim++) {
        words *= operand_rows(op, tile, dim);
    }
    return words;
}

/* Fold the dims whose rows are contiguous, from the last one, into the transfer's length. */
static void merge_rows(const struct operand *op, struct shape *shape)
{
    for (uint32_t dim = SPINDLE_MAX_DIMS; dim-- > 0;) {
        if (shape->rows[dim] == 1) {
            continue;
        }
        if (op->stride[dim] != (int32_t)(shape->words * 4)) {
            return;
        }
        shape->words *= shape->rows[dim];
        shape->rows[dim] = 1;
    }
}

static void find_shape(const struct operand *op, const struct tile *tile, uint32_t base,
                       struct shape *shape)
{
    shape->sdram = base;
    shape->words = operand_row_words(op, tile);
    for (uint32_t dim = 0; dim < SPINDLE_MAX_DIMS; dim++) {
        uint32_t granule = operand_granule(op, dim);
        uint32_t place = granule == 1 ? tile->origin[dim] : tile->origin[dim] / granule;
        shape->sdram += place * (uint32_t)op->stride[dim];
        shape->rows[dim] = operand_rows(op, tile, dim);
    }
    merge_rows(op, shape);
}

static uint32_t *transfer(struct rt_core *core, uint32_t sdram, uint32_t *data, uint32_t words,
                          enum move_direction direction)
{
    if (direction == MOVE_READ) {
        core->last_ticket = hal_dma_read(core->hal, sdram, data, words);
    } else {
        core->last_ticket = hal_dma_write(core->hal, sdram, data, words);
    }
    return data + words;
}

/* Row after row, the last dim varying quickest. */
static void move_rows(struct rt_core *core, const struct operand *op, const struct shape *shape,
                      uint32_t *data, enum move_direction direction)
{
    uint32_t at = shape->sdram, dim = 0;
    uint32_t left[SPINDLE_MAX_DIMS];
    for (uint32_t i = 0; i < SPINDLE_MAX_DIMS; i++) {
        left[i] = shape->rows[i];
    }
    do {
        data = transfer(core, at, data, shape->words, direction);
        for (dim = SPINDLE_MAX_DIMS; dim-- > 0 && --left[dim] == 0;) {
            left[dim] = shape->rows[dim];
            at -= (left[dim] - 1) * (uint32_t)op->stride[dim];
        }
        at += dim < SPINDLE_MAX_DIMS ? (uint32_t)op->stride[dim] : 0;
    } while (dim < SPINDLE_MAX_DIMS);
}

void move_tile(struct rt_core *core, const struct rt_lane *lane, struct rt_run *run, uint32_t index,
               const struct tile *tile, uint32_t *data, enum move_direction direction)
{
    const struct operand *op = &run->operands[index];
    uint32_t first = (uint32_t)(data - hal_arena(core->hal));
    uint32_t words = move_words(op, tile);
    struct shape shape;
    if (first + words > SPINDLE_TILE_ARENA_BYTES / 4) {
        rt_fault(core, lane, FAULT_BAD_ADDRESS, first, words);
        return;
    }
    find_shape(op, tile, run->base[index], &shape);
    move_rows(core, op, &shape, data, direction);
    run->spent.dma_bytes += words * 4;
}
