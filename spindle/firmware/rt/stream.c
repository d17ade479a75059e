/* stream.c: entries of the program stream, through the core's two record slots.
 *
 * While the entry in one slot runs, the one that follows is fetched into the other. A slot remembers
 * which stream offset it holds, so a lane finds what another lane of this core left there.
 */
#include "parts.h"

static int in_stream(const struct rt_core *core, uint32_t at, uint32_t size)
{
    uint32_t end = core->command->program_bytes;
    return size >= sizeof(struct step) && size <= SPINDLE_RECORD_SLOT_BYTES &&
           ((at | size) & 3u) == 0 && at <= end && size <= end - at;
}

static void fetch(struct rt_core *core, uint32_t slot, uint32_t at, uint32_t size)
{
    struct dma_rows entry = {core->command->program + at, 0, size / 4, 1};
    core->last_ticket = hal_dma_read(core->hal, &entry, hal_record_slot(core->hal, slot));
    core->slot_ticket[slot] = core->last_ticket;
    core->slot_at[slot] = at;
}

/* What a slot holds was in the stream when it was fetched. */
const struct step *stream_get(struct rt_core *core, uint32_t at, uint32_t size)
{
    uint32_t slot = core->slot_at[core->slot] == at ? core->slot : 1 - core->slot;
    const struct step *step = (const struct step *)(const void *)hal_record_slot(core->hal, slot);
    if (core->slot_at[slot] != at) {
        if (!in_stream(core, at, size)) {
            rt_fault(core, FAULT_BAD_STEP, at, size);
            return 0;
        }
        fetch(core, slot, at, size);
    }
    rt_wait(core, &core->run[core->current].spent, core->slot_ticket[slot]);
    if (step->size != size) {
        rt_fault(core, FAULT_BAD_STEP, at, step->size);
        return 0;
    }
    core->slot = slot;
    return step;
}

/* Fetch into the slot that is not in use; nonsense is found when the entry is needed. */
void stream_prefetch(struct rt_core *core, uint32_t at, uint32_t size)
{
    uint32_t slot = 1 - core->slot;
    if (core->slot_at[slot] != at && in_stream(core, at, size)) {
        fetch(core, slot, at, size);
    }
}

/* The entry's header says its size: its second word's low half. */
int stream_first_size(struct rt_core *core)
{
    struct rt_lane *lane = core->lane;
    if (!in_stream(core, lane->at, sizeof(struct step))) {
        rt_fault(core, FAULT_BAD_STEP, lane->at, 0);
        return 0;
    }
    lane->size = hal_read_word(core->hal, core->command->program + lane->at + 4) & 0xffffu;
    return 1;
}
