/* hal.h: the only way to SDRAM, packets and time. rt/ calls it; kernels/ never do.
 *
 * Two implementations: hal/host (virtual clocks, two DMA modes) and hal/spinnaker (registers).
 * A core runs one or several lanes one after another between barriers; a hal is one core's.
 * DTCM is addressed by words from the tile arena's start (hal_arena). All calls may block; none may
 * be made from an interrupt handler.
 */
#ifndef SPINDLE_HAL_H
#define SPINDLE_HAL_H

#include "kernels.h"

struct hal;

/* Each hal has its own hal_inline.h, which declares or defines these:
 *
 * hal_arena, hal_record_slot: the tile arena and the two record slots of this core's DTCM.
 *
 * hal_need_group: have the code of a kernel group in place (docs/spec/run.md, Overlays); 0 after a fault.
 *
 * hal_cycles: core clock cycles, wrapping: a real core's timer. Only for profiles: the host, which
 * knows times at the barrier only, returns 0 and fills the times of profile records itself.
 *
 * hal_charge_tile, hal_charge_step: charge what a tile or a step costs, with the operands that are
 * prepared for it. On ARM these are empty.
 *
 * hal_estimate: 0 on a machine. In the compiler's estimate (host only) tiles are neither moved nor
 * computed, a SET_REG takes its lower bound, and a while runs its body this many times (1 or more). */
#include "hal_inline.h"

/* n_rows transfers of equal length: `stride` bytes apart in SDRAM, dense in DTCM. */
struct dma_rows {
    uint32_t sdram; /* of the first; word aligned, as stride is */
    uint32_t stride;
    uint32_t words; /* of each, <= SPINDLE_DMA_MAX_BYTES / 4 */
    uint32_t n_rows; /* 1 or more */
};

/* Queue transfers, in order behind earlier ones of this core; returns the last one's ticket (each
 * transfer has one, increasing; of a launch). The source must stay unchanged, and the destination
 * untouched, until hal_dma_wait(ticket) has returned. */
uint32_t hal_dma_read(struct hal *hal, const struct dma_rows *rows, void *dtcm);
uint32_t hal_dma_write(struct hal *hal, const struct dma_rows *rows, const void *dtcm);

/* Return when every transfer up to and including `ticket` is done; ticket 0 returns at once. Returns
 * the cycles waited, as hal_cycles counts them. */
uint32_t hal_dma_wait(struct hal *hal, uint32_t ticket);

/* One word of SDRAM, read now. */
uint32_t hal_read_word(struct hal *hal, uint32_t sdram);

/* 1 when the host has set the abort flag; looked at once per tile. */
uint32_t hal_aborted(struct hal *hal);

/* Add to a profile record of (step id, lane), where the command asked for profiles. */
void hal_profile(struct hal *hal, uint32_t lane, uint32_t step, const struct profile *spent);

/* Write the fault record; the first one of a launch stays. Returns; the caller then stops. */
void hal_fault(struct hal *hal, const struct fault *fault);

#endif
