/* stream.c: entries of the program stream, through the core's two record slots.
 *
 * While the entry in one slot runs, the one that follows is fetched into the other. A slot remembers
 * which stream offset it holds, so a lane finds what another lane of this core left there.
 */
#include "parts.h"

static int in_stream(const struct rt_core *core, uint32_t at, uint32_t size)
{
    uint32_t end = core->command->program_bytes;
    return size >= sizeof(struct step) && size <= SPINDLE_RECORD_SLOT_BYTES && (size & 3u) == 0 &&
           (at & 3u) == 0 && at <= end && size <= end - at;
}

static void fetch(struct rt_core *core, uint32_t slot, uint32_t at, uint32_t size)
{
    struct dma_rows entry = {core->command->program + at, 0, size / 4, 1};
    core->last_ticket = hal_dma_read(core->hal, &entry, hal_record_slot(core->hal, slot));
    core->slot_ticket[slot] = core->last_ticket;
    core->slot_at[slot] = at;
}

static uint32_t slot_of(const struct rt_core *core, uint32_t at)
{
    return core->slot_at[core->slot] == at ? core->slot : 1 - core->slot;
}

const struct step *stream_get(struct rt_core *core, const struct rt_lane *lane, uint32_t at,
                              uint32_t size)
{
    uint32_t slot = slot_of(core, at);
    const struct step *step;
    if (!in_stream(core, at, size)) {
        rt_fault(core, lane, FAULT_BAD_STEP, at, size);
        return 0;
    }
    if (core->slot_at[slot] != at) {
        fetch(core, slot, at, size);
    }
    rt_wait(core, &core->run[core->current].spent, core->slot_ticket[slot]);
    step = (const struct step *)(const void *)hal_record_slot(core->hal, slot);
    if (step->size != size) {
        rt_fault(core, lane, FAULT_BAD_STEP, at, step->size);
        return 0;
    }
    core->slot = slot;
    return step;
}

/* Fetch into the slot that is not in use; nonsense is found when the entry is needed. */
void stream_prefetch(struct rt_core *core, uint32_t at, uint32_t size)
{
    if (in_stream(core, at, size) && core->slot_at[1 - core->slot] != at) {
        fetch(core, 1 - core->slot, at, size);
    }
}

/* The entry's header says its size: its second word's low half. */
int stream_first_size(struct rt_core *core, struct rt_lane *lane)
{
    if (!in_stream(core, lane->at, sizeof(struct step))) {
        rt_fault(core, lane, FAULT_BAD_STEP, lane->at, 0);
        return 0;
    }
    lane->size = hal_read_word(core->hal, core->command->program + lane->at + 4) & 0xffffu;
    return 1;
}
