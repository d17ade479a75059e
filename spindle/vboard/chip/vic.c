/* Vectored interrupt controller: ARM PL190, one per core.
 *
 * In: lines of the sources, register accesses. Out: the IRQ and FIQ levels.
 * Follows: ARM DDI 0181; data sheet chapter 5.
 *
 *   level 0..15   vector slots, 0 is the most urgent
 *   level 16      enabled IRQ sources that no slot names (non-vectored)
 *
 * Reading VADDR puts the most urgent pending level into service, level 16 included: a non-vectored
 * source that its handler never clears must not interrupt again until VADDR is written. Only levels
 * more urgent than every one in service are presented. A read with nothing pending returns DEFADDR
 * and puts nothing into service.
 */
#include "parts.h"

#define LEVELS 17
#define NON_VECTORED 16
#define SLOT_ENABLE 0x20u

static uint32_t raw(const struct vic *vic) {
    return vic->lines | vic->soft;
}

static uint32_t irq_status(const struct vic *vic) {
    return raw(vic) & vic->enable & ~vic->select;
}

static uint32_t fiq_status(const struct vic *vic) {
    return raw(vic) & vic->enable & vic->select;
}

static uint32_t lowest_bit(uint32_t mask) {
    return mask ? (uint32_t)__builtin_ctz(mask) : LEVELS;
}

/* The most urgent pending level below those in service; LEVELS: none. */
static uint32_t pending_level(const struct vic *vic) {
    uint32_t status = irq_status(vic), limit = lowest_bit(vic->in_service);
    if (!status)
        return LEVELS;
    for (uint32_t slot = 0; slot < 16 && slot < limit; slot++)
        if (vic->control[slot] & SLOT_ENABLE && status >> (vic->control[slot] & 31) & 1)
            return slot;
    return limit > NON_VECTORED ? NON_VECTORED : LEVELS;
}

static uint32_t acknowledge(struct vic *vic) {
    uint32_t level = pending_level(vic);
    if (level == LEVELS)
        return vic->default_addr;
    vic->in_service |= 1u << level;
    return level == NON_VECTORED ? vic->default_addr : vic->addr[level];
}

void vic_set_line(struct vic *vic, enum vic_source source, bool level) {
    vic->lines = (vic->lines & ~(1u << source)) | (uint32_t)level << source;
}

bool vic_irq(const struct vic *vic) {
    return pending_level(vic) != LEVELS;
}

bool vic_fiq(const struct vic *vic) {
    return fiq_status(vic) != 0;
}

enum chip_access vic_read(struct vic *vic, uint32_t offset, uint32_t *value) {
    if (offset - 0x100 < 0x40)
        *value = vic->addr[(offset - 0x100) / 4];
    else if (offset - 0x200 < 0x40)
        *value = vic->control[(offset - 0x200) / 4];
    else
        switch (offset) {
        case 0x00: *value = irq_status(vic); break;
        case 0x04: *value = fiq_status(vic); break;
        case 0x08: *value = raw(vic); break;
        case 0x0c: *value = vic->select; break;
        case 0x10: *value = vic->enable; break;
        case 0x14: case 0x1c: *value = 0; break;
        case 0x18: *value = vic->soft; break;
        case 0x20: *value = vic->protect; break;
        case 0x30: *value = acknowledge(vic); break;
        case 0x34: *value = vic->default_addr; break;
        default: return ACCESS_UNSUPPORTED;
        }
    return ACCESS_OK;
}

enum chip_access vic_write(struct vic *vic, uint32_t offset, uint32_t value) {
    if (offset - 0x100 < 0x40)
        vic->addr[(offset - 0x100) / 4] = value;
    else if (offset - 0x200 < 0x40)
        vic->control[(offset - 0x200) / 4] = value & 0x3f;
    else
        switch (offset) {
        case 0x0c: vic->select = value; break;
        case 0x10: vic->enable |= value; break;
        case 0x14: vic->enable &= ~value; break;
        case 0x18: vic->soft |= value; break;
        case 0x1c: vic->soft &= ~value; break;
        case 0x20: vic->protect = value & 1; break;
        case 0x30: vic->in_service &= vic->in_service - 1; break;
        case 0x34: vic->default_addr = value; break;
        default: return ACCESS_UNSUPPORTED;
        }
    return ACCESS_OK;
}
