/* hal.c: hal.h on a SpiNNaker core, but for transfers (dma.c) and faults (fault.c): words of SDRAM, abort,
 * profile.
 */
#include "port.h"

static volatile uint32_t *word_at(uint32_t address)
{
    return (volatile uint32_t *)(uintptr_t)(address | UNBUFFERED);
}

static volatile struct status *status_of(const struct hal *hal)
{
    return (volatile struct status *)(uintptr_t)hal->status;
}

/* ---- launches */

void hal_launch(struct hal *hal, const struct command *command)
{
    hal->sequence = command->sequence;
    hal->profile = command->profile;
    hal->nonfinite = 0;
    hal->has_fault = 0;
    hal->head = hal->ring;
    hal->tail = hal->ring;
    hal->queued = 0;
    hal->committed = 0;
    hal->done = 0;
}

/* ---- words */

uint32_t hal_read_word(struct hal *hal, uint32_t sdram)
{
    if (!hal_in_arena(hal, sdram, 4)) {
        hal_fail(hal, FAULT_BAD_ADDRESS, sdram, 4);
        return 0;
    }
    return *word_at(sdram);
}

/* ---- of a launch */

uint32_t hal_aborted(struct hal *hal)
{
    const volatile struct status *status = status_of(hal);
    return hal->has_fault || status->abort != 0 || status->stop == hal->sequence;
}

/* A word read from SDRAM is the dear part: none is read where nothing is added. */
static inline void add_to(volatile uint32_t *sum, uint32_t more)
{
    if (more != 0) {
        *sum += more;
    }
}

/* Buffered stores: nobody reads them before the launch has ended. */
void hal_profile(struct hal *hal, uint32_t lane, uint32_t step, const struct profile *spent)
{
    uint32_t at = hal->profile + (step * SPINDLE_LANES + lane) * (uint32_t)sizeof *spent;
    volatile struct profile *to = (volatile struct profile *)(uintptr_t)at;
    hal->nonfinite += spent->nonfinite;
    if (hal->profile == 0 || !hal_in_arena(hal, at, sizeof *spent)) {
        return;
    }
    add_to(&to->cycles, spent->cycles);
    add_to(&to->compute, spent->compute);
    add_to(&to->dma_wait, spent->dma_wait);
    add_to(&to->dma_bytes, spent->dma_bytes);
    add_to(&to->barrier, spent->barrier);
    add_to(&to->runs, spent->runs);
    add_to(&to->nonfinite, spent->nonfinite);
    add_to(&to->tiles, spent->tiles);
}
