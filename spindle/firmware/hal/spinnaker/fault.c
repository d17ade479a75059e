/* fault.c: the fault record of this core (docs/spec/run.md, Faults), and the end of a controller in error.
 * Who calls goes on, and its lane stops at the next look. Runs from system RAM (firmware.ld).
 */
#include "port.h"

void hal_fault(struct hal *hal, const struct fault *fault)
{
    volatile struct core *self = (volatile struct core *)(uintptr_t)hal->self;
    volatile uint32_t *to = (volatile uint32_t *)&self->fault;
    const uint32_t *from = (const uint32_t *)fault;
    if (hal->has_fault) {
        return;
    }
    hal->has_fault = 1;
    for (uint32_t i = 0; i < sizeof *fault / 4; i++) {
        to[i] = from[i];
    }
    self->fault_sequence = hal->sequence;
    status()->stop = hal->sequence;
}

void hal_fail(struct hal *hal, uint32_t code, uint32_t word0, uint32_t word1)
{
    const struct rt_lane *lane = &firmware.lane[firmware.running];
    struct fault fault;
    fault.code = code;
    fault.lane = firmware.running;
    fault.pc = lane->at;
    fault.step = lane->step;
    fault.word[0] = word0;
    fault.word[1] = word1;
    hal_fault(hal, &fault);
}

void session_fail(uint32_t code, uint32_t word)
{
    hal_fail(&firmware.hal, code, word, firmware.virtual_core);
}

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
