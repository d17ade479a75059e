/* dma.c: hal.h's transfers on a SpiNNaker core: how they are waited for (dma_queue.S: how they begin).
 *
 * The DMA controller takes one transfer and one behind it; further ones wait in a ring, equal rows of a
 * tile as one request. While a core waits it moves the ring itself (hal_pump in irq.S) as each
 * transfer ends; while it computes, an interrupt does, once two have ended: half as many interrupts
 * for some 50 cycles of the engine.
 */
#include "port.h"

static uint32_t is_past(const struct hal *hal, uint32_t ticket)
{
    return (int32_t)(hal->done - ticket) >= 0;
}

/* The DMA line is answered here, with IRQ off; other interrupts, such as the monitor's messages, come in
 * between. */
static __attribute__((noinline)) void wait(struct hal *hal, uint32_t ticket)
{
    uint32_t cpsr = port_disable_irq();
    REG(DMA_BASE + DMA_GCTL) = DMA_GCTL_EACH;
    for (hal_pump(hal); !is_past(hal, ticket); hal_pump(hal)) {
        port_restore(cpsr);
        port_disable_irq();
        REG(VIC_BASE + VIC_ENABLE) = 1u << VIC_DMA_DONE;
        port_wait_for_interrupt();
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

/* Where head and tail meet, the ring is empty or full. */
void dma_wait_for_room(struct hal *hal)
{
    while (hal->tail == hal->head && hal->committed != hal->queued) {
        hal_dma_wait(hal, hal->done + 1);
    }
}
