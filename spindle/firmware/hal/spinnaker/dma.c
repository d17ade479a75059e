/* dma.c: hal.h's transfers on a SpiNNaker core: how they are waited for (dma_queue.S: how they begin).
 *
 * The DMA controller takes one transfer and one behind it; further ones wait in a ring, equal rows of a
 * tile as one request. While a core waits it moves the ring itself (port_dma_wait in irq.S) as
 * each transfer ends; while it computes, an interrupt does, once two have ended: half as many interrupts
 * for some 50 cycles of the engine.
 */
#include "port.h"

static uint32_t is_past(const struct hal *hal, uint32_t ticket)
{
    return (int32_t)(hal->done - ticket) >= 0;
}

uint32_t hal_dma_wait(struct hal *hal, uint32_t ticket)
{
    uint32_t start;
    if (is_past(hal, ticket)) {
        return 0;
    }
    start = port_cycles();
    port_dma_wait(hal, ticket);
    return port_cycles() - start;
}

/* Where head and tail meet, the ring is empty or full. */
void dma_wait_for_room(struct hal *hal)
{
    while (hal->tail == hal->head && hal->committed != hal->queued) {
        hal_dma_wait(hal, hal->done + 1);
    }
}
