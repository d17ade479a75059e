/* dma.c: hal.h's transfers on a SpiNNaker core.
 *
 * The DMA controller takes one transfer and one behind it; further ones wait in a ring, equal rows of a
 * tile as one request. While a core waits it moves the ring itself (hal_pump in irq.S) as each
 * transfer ends; while it computes, an interrupt does, once two have ended: half as many interrupts
 * for some 50 cycles of the engine.
 */
#include "port.h"

/* An error stops the controller: everything asked for counts as over, and the launch ends. */
void hal_give_up(struct hal *hal)
{
    uint32_t stat = REG(DMA_BASE + DMA_STAT);
    REG(DMA_BASE + DMA_CTRL) = DMA_CTRL_FLUSH;
    REG(DMA_BASE + DMA_CTRL) = DMA_CTRL_START;
    hal_fail(hal, FAULT_DMA, hal->head->sdram, stat);
    hal->head = hal->tail;
    hal->committed = hal->queued;
    hal->done = hal->queued;
}

static uint32_t is_past(const struct hal *hal, uint32_t ticket)
{
    return (int32_t)(hal->done - ticket) >= 0;
}

static void wait(struct hal *hal, uint32_t ticket)
{
    uint32_t cpsr = port_disable_irq();
    REG(DMA_BASE + DMA_GCTL) = DMA_GCTL_EACH;
    for (hal_pump(hal); !is_past(hal, ticket); hal_pump(hal)) {
        REG(VIC_BASE + VIC_ENABLE) = 1u << VIC_DMA_DONE;
        port_wait_for_interrupt();
        port_restore(cpsr); /* the monitor's messages, if that is what woke us */
        port_disable_irq();
    }
    REG(DMA_BASE + DMA_GCTL) = DMA_GCTL_PAIRS;
    port_restore(cpsr);
}

/* Asleep with IRQ off: the done line, enabled in the VIC, ends it without a handler. */
uint32_t hal_dma_wait(struct hal *hal, uint32_t ticket)
{
    uint32_t start;
    if (is_past(hal, ticket)) {
        return 0;
    }
    start = port_cycles();
    wait(hal, ticket);
    return port_cycles() - start;
}

/* First and last row, and no way around the address space between them. */
static uint32_t rows_in_arena(const struct hal *hal, const struct dma_rows *rows, uint32_t bytes)
{
    int64_t way;
    if (rows->n_rows == 1) {
        return hal_in_arena(hal, rows->sdram, bytes);
    }
    way = (int64_t)(int32_t)rows->stride * (int32_t)(rows->n_rows - 1);
    return hal_in_arena(hal, rows->sdram, bytes) && way == (int32_t)way &&
           hal_in_arena(hal, rows->sdram + (uint32_t)way, bytes);
}

static uint32_t is_full(const struct hal *hal)
{
    return hal->tail == hal->head && hal->committed != hal->queued;
}

/* The interrupt takes what `queued` counts, if something waited there before; else nobody would. */
static uint32_t add(struct hal *hal, const struct dma_rows *rows, uint32_t dtcm, uint32_t desc)
{
    struct dma_request *request = hal->tail;
    uint32_t before = hal->queued;
    uint32_t ticket = before + rows->n_rows;
    request->sdram = rows->sdram;
    request->dtcm = dtcm;
    request->desc = desc;
    request->left = rows->n_rows;
    request->stride = rows->stride;
    hal->tail = request + 1 == hal->ring + DMA_RING ? hal->ring : request + 1;
    port_order();
    hal->queued = ticket;
    if (hal->committed == before) {
        hal_pump(hal);
    }
    return ticket;
}

static uint32_t queue(struct hal *hal, const struct dma_rows *rows, uint32_t dtcm, uint32_t to)
{
    uint32_t bytes = rows->words * 4;
    uint32_t bad_length = rows->words - 1 >= SPINDLE_DMA_MAX_BYTES / 4;
    if (bad_length || !rows_in_arena(hal, rows, bytes)) {
        hal_fail(hal, bad_length ? FAULT_DMA : FAULT_BAD_ADDRESS, rows->sdram, bytes);
        return hal->queued;
    }
    while (is_full(hal)) {
        hal_dma_wait(hal, hal->done + 1);
    }
    return add(hal, rows, dtcm, DMA_DESC_WIDE | to | bytes);
}

uint32_t hal_dma_read(struct hal *hal, const struct dma_rows *rows, void *dtcm)
{
    return queue(hal, rows, (uint32_t)(uintptr_t)dtcm, 0);
}

uint32_t hal_dma_write(struct hal *hal, const struct dma_rows *rows, const void *dtcm)
{
    return queue(hal, rows, (uint32_t)(uintptr_t)dtcm, DMA_DESC_TO_SDRAM);
}
