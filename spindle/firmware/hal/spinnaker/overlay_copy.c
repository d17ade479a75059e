/* overlay_copy.c: overlay.c's loop over the pieces of a group's code. In: where it lies in SDRAM. Out: the
 * overlay window of ITCM, the sum of its words.
 */
#include "port.h"

#define PIECE_WORDS (SPINDLE_OVERLAY_PIECE_BYTES / 4)

/* A DMA engine sees DTCM; it is not known that it sees ITCM. */
static uint32_t piece[PIECE_WORDS];

/* Ends early after a fault of the DMA controller. */
uint32_t overlay_copy(struct hal *hal, uint32_t from, uint32_t n_words)
{
    struct profile *spent = &firmware.core.run[firmware.core.current].spent;
    struct dma_rows rows = {from, 0, PIECE_WORDS, 1};
    uint32_t *to = (uint32_t *)SPINDLE_ITCM_WINDOW_BASE;
    uint32_t sum = 0;
    for (; n_words != 0 && !hal->has_fault; n_words -= rows.words) {
        if (n_words < PIECE_WORDS) {
            rows.words = n_words;
        }
        spent->dma_wait += hal_dma_wait(hal, hal_dma_read(hal, &rows, piece));
        sum += overlay_words(to, piece, rows.words);
        to += PIECE_WORDS;
        rows.sdram += SPINDLE_OVERLAY_PIECE_BYTES;
    }
    return sum;
}
