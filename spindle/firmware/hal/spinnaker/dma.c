/* dma.c: hal.h's transfers on a SpiNNaker core.
 *
 * The DMA controller takes one transfer and one behind it; further ones wait in a ring, equal rows of a
 * tile as one request. While a core waits it moves the ring itself (hal_pump in irq.S); while it
 * computes, the done interrupt does.
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

/* Asleep with IRQ off: the done line, enabled in the VIC, ends it without a handler. */
void hal_dma_wait(struct hal *hal, uint32_t ticket)
{
    uint32_t cpsr;
    if (is_past(hal, ticket)) {
        return;
    }
    cpsr = port_disable_irq();
    for (hal_pump(hal); !is_past(hal, ticket); hal_pump(hal)) {
        REG(VIC_BASE + VIC_ENABLE) = 1u << VIC_DMA_DONE;
        port_wait_for_interrupt();
        port_restore(cpsr); /* the monitor's messages, if that is what woke us */
        port_disable_irq();
    }
    port_restore(cpsr);
}

/* First and last row, and no way around the address space between them. */
static uint32_t rows_in_arena(const struct hal *hal, const struct dma_rows *rows, uint32_t bytes)
{
    int64_t way = (int64_t)(int32_t)rows->stride * (int32_t)(rows->n_rows - 1);
    return hal_in_arena(hal, rows->sdram, bytes) && way == (int32_t)way &&
           hal_in_arena(hal, rows->sdram + (uint32_t)way, bytes);
}

static void wait_for_room(struct hal *hal)
{
    while (hal->tail == hal->head && hal->committed != hal->queued) {
        hal_dma_wait(hal, hal->done + 1);
    }
}

static void add(struct hal *hal, const struct dma_rows *rows, uint32_t dtcm, uint32_t desc)
{
    struct dma_request *request = hal->tail;
    uint32_t cpsr;
    request->sdram = rows->sdram;
    request->dtcm = dtcm;
    request->desc = desc;
    request->left = rows->n_rows;
    request->stride = rows->stride;
    hal->tail = request + 1 == hal->ring + DMA_RING ? hal->ring : request + 1;
    cpsr = port_disable_irq();
    hal->queued += rows->n_rows;
    if (hal->committed - hal->done < 2) {
        hal_pump(hal);
    } else {
        REG(VIC_BASE + VIC_ENABLE) = 1u << VIC_DMA_DONE;
    }
    port_restore(cpsr);
}

static uint32_t queue(struct hal *hal, const struct dma_rows *rows, uint32_t dtcm, uint32_t to)
{
    uint32_t bytes = rows->words * 4;
    uint32_t too_long = rows->words > SPINDLE_DMA_MAX_BYTES / 4;
    if (too_long || !rows_in_arena(hal, rows, bytes)) {
        hal_fail(hal, too_long ? FAULT_DMA : FAULT_BAD_ADDRESS, rows->sdram, bytes);
        return hal->queued;
    }
    wait_for_room(hal);
    add(hal, rows, dtcm, DMA_DESC_WIDE | to | bytes);
    return hal->queued;
}

uint32_t hal_dma_read(struct hal *hal, const struct dma_rows *rows, void *dtcm)
{
    return queue(hal, rows, (uint32_t)(uintptr_t)dtcm, 0);
}

uint32_t hal_dma_write(struct hal *hal, const struct dma_rows *rows, const void *dtcm)
{
    return queue(hal, rows, (uint32_t)(uintptr_t)dtcm, DMA_DESC_TO_SDRAM);
}
