/* address.c: SDRAM addresses of operands and words (docs/spec/image.md, Segments and addresses).
 *
 * In: an addr record and its terms, the binding table, the lane's loop registers. Out: an address.
 * Words of the binding table stay in DTCM once they are read: it does not change in a launch.
 */
#include "parts.h"

static uint32_t bound(struct rt_core *core, uint32_t slot)
{
    uint32_t *kept = slot < RT_SLOTS ? &core->bound[slot] : 0;
    uint32_t base;
    if (kept && *kept != 0) {
        return *kept - 1;
    }
    base = hal_read_word(core->hal, core->command->binding + 4u * slot);
    if (kept) {
        *kept = base + 1;
    }
    return base;
}

uint32_t address_of(struct rt_core *core, const struct addr *addr, const struct term *terms)
{
    uint32_t at;
    if (addr->slot >= core->command->n_slots) {
        rt_fault(core, FAULT_BAD_ADDRESS, addr->slot, (uint32_t)addr->offset);
        return 0;
    }
    at = bound(core, addr->slot) + (uint32_t)addr->offset;
    for (uint32_t i = addr->n_terms; i != 0; i--, terms++) {
        if (terms->reg >= SPINDLE_LOOP_REGS) {
            rt_fault(core, FAULT_BAD_STEP, terms->reg, addr->slot);
            return 0;
        }
        at += (uint32_t)terms->stride * core->lane->reg[terms->reg];
    }
    return at;
}
