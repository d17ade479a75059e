/* overlay.c: a kernel group's code comes from SDRAM into the overlay window of ITCM (docs/spec/run.md,
 * Overlays). In: the session record. Out: code, or FAULT_OVERLAY. Interrupts stay on: no handler lies
 * in the window. Runs from system RAM (firmware.ld), but for overlay_copy.
 */
#include "port.h"

#define WINDOW_WORDS (SPINDLE_ITCM_WINDOW_BYTES / 4)
#define PIECE_WORDS (SPINDLE_OVERLAY_PIECE_BYTES / 4)

/* A DMA engine sees DTCM; it is not known that it sees ITCM. */
static uint32_t piece[PIECE_WORDS];

static uint32_t fetch(struct hal *hal, uint32_t from, uint32_t n_words)
{
    struct dma_rows rows = {from, 0, n_words, 1};
    uint32_t ticket = hal_dma_read(hal, &rows, piece);
    return hal_dma_wait(hal, ticket);
}

/* Sum of the words that were copied: all but where the record makes no sense. */
static uint32_t copy(struct hal *hal, uint32_t from, uint32_t n_words)
{
    uint32_t *to = (uint32_t *)SPINDLE_ITCM_WINDOW_BASE;
    uint32_t *end = to + (n_words <= WINDOW_WORDS ? n_words : 0);
    uint32_t sum = 0;
    while (to != end && !hal->has_fault) {
        uint32_t left = (uint32_t)(end - to);
        uint32_t n = left < PIECE_WORDS ? left : PIECE_WORDS;
        firmware.core.run[firmware.core.current].spent.dma_wait += fetch(hal, from, n);
        sum += overlay_copy(to, piece, n);
        to += n;
        from += 4 * n;
    }
    return sum;
}

uint32_t overlay_load(struct hal *hal, uint32_t group)
{
    const volatile struct session *session =
        (const volatile struct session *)(uintptr_t)(hal->arena | UNBUFFERED);
    const volatile struct overlay *overlay = &session->overlay[group - 1];
    uint32_t sum;
    hal->group = GROUP_RESIDENT;
    sum = copy(hal, overlay->address, overlay->bytes / 4);
    if (sum != ~overlay->check) {
        hal_fail(hal, FAULT_OVERLAY, group, sum);
    }
    if (hal->has_fault) {
        return 0;
    }
    hal->group = group;
    return 1;
}
