/* rescue.c: dots with non-finite operands (docs/numerics.md 3, Non-finite).
 *
 * The original operands (LAZY, 4 and 5) come chunk by chunk of k into the buffers of the panels,
 * which the last inner tile has left. A mantissa takes half a word or more, an element of the
 * originals a word: half of tile[3] indices of k at a time never need more.
 */
#include "parts.h"

enum { PANEL_A = 0, PANEL_B = 1, LAZY_A = 4, LAZY_B = 5 };

static void copy_tile(struct tile *to, const struct tile *from)
{
    for (uint32_t dim = 0; dim < SPINDLE_MAX_DIMS; dim++) {
        to->origin[dim] = from->origin[dim];
        to->extent[dim] = from->extent[dim];
    }
    to->first_inner = from->first_inner;
    to->last_inner = from->last_inner;
}

/* Word strides of a chunk in DTCM along its free dim and along k. */
static uint32_t free_stride(const struct operand *op, const struct tile *tile, uint32_t dim)
{
    if (op->fast == dim) {
        return op->unit_words;
    }
    return operand_row_words(op, tile) * operand_rows(op, tile, 3); /* rows over k come closer */
}

static uint32_t k_stride(const struct operand *op, const struct tile *tile)
{
    return op->fast == 3 ? op->unit_words : operand_row_words(op, tile);
}

static uint32_t tile_words(const struct operand *op, const struct tile *tile)
{
    uint32_t words = operand_row_words(op, tile);
    for (uint32_t dim = 1; dim < SPINDLE_MAX_DIMS; dim++) {
        words *= operand_rows(op, tile, dim);
    }
    return words;
}

/* Words of a panel's buffer: a full tile of k. */
static uint32_t panel_words(const struct rt_run *run, uint32_t panel, const struct tile *chunk)
{
    struct tile whole;
    uint32_t most = run->task->tile[3], all = run->task->extent[3];
    copy_tile(&whole, chunk);
    whole.origin[3] = 0;
    whole.extent[3] = most < all ? most : all;
    return tile_words(&run->operands[panel], &whole);
}

static int load(struct rt_core *core, struct rt_run *run, uint32_t lazy, const struct tile *chunk)
{
    uint32_t panel = lazy - LAZY_A + PANEL_A;
    uint32_t words = tile_words(&run->operands[lazy], chunk);
    if (words > panel_words(run, panel, chunk)) {
        rt_fault(core, FAULT_BAD_STEP, lazy, words);
        return 0;
    }
    move_tile(core, run, lazy, chunk, core->args.data[panel], MOVE_READ);
    return 1;
}

static int run_chunk(struct rt_core *core, struct rt_run *run, const struct tile *tile)
{
    const struct operand *a = &run->operands[LAZY_A];
    const struct operand *b = &run->operands[LAZY_B];
    struct rescue_chunk chunk;
    if (!load(core, run, LAZY_A, tile) || !load(core, run, LAZY_B, tile)) {
        return 0;
    }
    rt_wait(core, &run->spent, core->last_ticket);
    chunk.a = core->args.data[PANEL_A];
    chunk.b = core->args.data[PANEL_B];
    chunk.a_row = free_stride(a, tile, 1);
    chunk.a_k = k_stride(a, tile);
    chunk.b_row = free_stride(b, tile, 2);
    chunk.b_k = k_stride(b, tile);
    chunk.kn = tile->extent[3];
    kernel_rescue_chunk(&core->args, &chunk);
    return 1;
}

/* A multiple of 4 where it does not reach the end. */
static uint32_t chunk_size(const struct task *task, uint32_t k)
{
    uint32_t left = task->extent[3] - k, half = task->tile[3] / 8 * 4;
    uint32_t most = half > 4 ? half : 4;
    return left < most ? left : most;
}

void rescue_run(struct rt_core *core, struct rt_run *run)
{
    const struct task *task = run->task;
    struct tile tile;
    copy_tile(&tile, &core->args.tile);
    kernel_rescue_begin(&core->args);
    for (uint32_t k = 0; k < task->extent[3]; k += tile.extent[3]) {
        tile.origin[3] = k;
        tile.extent[3] = chunk_size(task, k);
        if (!run_chunk(core, run, &tile)) {
            return;
        }
    }
    run->spent.nonfinite += kernel_rescue_end(&core->args);
}
