/* Registers of the router, its diagnostic counters and its interrupts.
 *
 * In: register accesses in time order, finished packets. Out: values, lines 15 and 16 of all cores.
 * Follows: data sheet chapter 10.
 */
#include <string.h>

#include "router.h"

#define ALL_CORES 0x3ffffu
#define CONTROL_RESET 0x00800001u
#define P2P_ALL_DROP 0x00db6db6u

enum filter_bits { FILTER_SEEN = 1 << 29, FILTER_ENABLE = 1 << 30 };
enum control_bits { CONTROL_DUMP_INT = 1 << 2 };

/* The state the boot ROM leaves: tables that match nothing, all P2P dropped. */
void router_reset(struct chip *chip) {
    struct router *router = &chip->router;
    memset(router, 0, sizeof *router);
    router->control = CONTROL_RESET;
    router->fixed_route = 0xfc000000;
    for (uint32_t i = 0; i < ROUTER_ENTRIES; i++)
        router->mc_key[i] = 0xffffffff;
    for (uint32_t i = 0; i < 8192; i++)
        router->p2p[i] = P2P_ALL_DROP;
    for (uint32_t i = 0; i < CHIP_LINKS; i++)
        router->link_credit[i] = LINK_CREDITS;
    for (uint32_t i = 0; i < CHIP_CORES; i++)
        router->core_room[i] = chip->options.cores_ok >> i & 1 ? chip->options.receiver_depth : 0;
    router->link_up = chip->options.links_up;
    router->lose_rate = chip->options.lose_rate;
    router->lose_seed = chip_mix(chip->options.seed ^ (uint64_t)chip->options.index << 32);
}

/* ---- diagnostics */

static uint32_t destinations(const struct router *router, bool dropped) {
    uint32_t sent = router->head_outputs & ~router->head_pending;
    uint32_t monitor = 1u << (router->control >> 8 & 0x1f), cores = sent >> CHIP_LINKS;
    return (dropped ? 1u : 0) | (cores & ~monitor ? 2u : 0) | (cores & monitor ? 4u : 0) |
           (sent & 0x3f) << 3;
}

/* One bit per property in the layout of a filter; a filter counts a packet that has a bit in common
 * with it in each field. */
static uint32_t properties(const struct router *router, const struct packet *packet, bool dropped) {
    uint32_t bits = destinations(router, dropped) << 16;
    bits |= packet->link == CHIP_LOCAL ? 1u << 14 : 1u << 15;
    bits |= packet_has_payload(packet) ? 1u << 12 : 1u << 13;
    bits |= router->head_default ? 1u << 10 : 1u << 11;
    bits |= 1u << 4; /* no emergency routing */
    return bits | 1u << packet_type(packet);
}

static bool filter_matches(uint32_t filter, uint32_t bits) {
    static const uint32_t fields[] = {0x1ff0000, 0xc000, 0x3000, 0xc00, 0xf0, 0xf};
    for (uint32_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (!(filter & bits & fields[i]))
            return false;
    return true;
}

static uint32_t counter_interrupts(const struct router *router) {
    uint32_t mask = 0;
    for (uint32_t i = 0; i < 16; i++)
        if (router->filters[i] & FILTER_SEEN && router->filters[i] & FILTER_ENABLE)
            mask |= 1u << i;
    return mask;
}

static void update_counter_line(struct chip *chip, bool before, uint64_t now, uint32_t own) {
    bool after = counter_interrupts(&chip->router) != 0;
    if (before != after)
        chip_shared_line(chip, ALL_CORES, VIC_ROUTER_COUNTER, after, now, own);
}

void router_count(struct chip *chip, const struct packet *packet, bool dropped, uint64_t now) {
    struct router *router = &chip->router;
    uint32_t bits = properties(router, packet, dropped);
    bool before = counter_interrupts(router) != 0;
    for (uint32_t i = 0; i < 16; i++)
        if (router->filter_enable >> i & 1 && filter_matches(router->filters[i], bits)) {
            router->counters[i]++;
            router->filters[i] |= FILTER_SEEN;
        }
    update_counter_line(chip, before, now, CHIP_CORES);
}

void router_update_dump_line(struct chip *chip, uint64_t now, uint32_t own) {
    const struct router *router = &chip->router;
    bool level = router->dump_stat && router->control & CONTROL_DUMP_INT;
    if (level != router->dump_line) {
        chip->router.dump_line = level;
        chip_shared_line(chip, ALL_CORES, VIC_ROUTER_DUMP, level, now, own);
    }
}

/* ---- reads */

static uint32_t status(const struct router *router) {
    uint32_t counters = counter_interrupts(router), value = counters;
    value |= router->dump_line ? 1u << 29 : 0;
    value |= counters || router->dump_line ? 1u << 31 : 0;
    if (router->queue_count)
        value |= 1u << 16 | (router->head_routed ? 2u : 1u) << 24;
    return value;
}

static uint32_t read_dump_stat(struct chip *chip, uint32_t core, uint64_t now) {
    uint32_t value = chip->router.dump_stat;
    chip->router.dump_stat = 0;
    router_update_dump_line(chip, now, core);
    return value;
}

static uint32_t read_filter(struct chip *chip, uint32_t core, uint32_t i, uint64_t now) {
    struct router *router = &chip->router;
    uint32_t value = router->filters[i];
    bool before = counter_interrupts(router) != 0;
    router->filters[i] &= ~(uint32_t)FILTER_SEEN;
    update_counter_line(chip, before, now, core);
    return value | (value & FILTER_SEEN && value & FILTER_ENABLE ? 1u << 31 : 0);
}

static enum chip_access read_tables(struct chip *chip, uint32_t core, uint32_t offset, uint64_t now,
                                    uint32_t *value) {
    const struct router *router = &chip->router;
    if (offset - 0x200 < 0x40)
        *value = read_filter(chip, core, (offset - 0x200) / 4, now);
    else if (offset - 0x300 < 0x40)
        *value = router->counters[(offset - 0x300) / 4];
    else if (offset - 0x4000 < 0x1000)
        *value = router->mc_route[(offset - 0x4000) / 4];
    else if (offset - 0x8000 < 0x1000 || offset - 0xc000 < 0x1000)
        return ACCESS_BUS_ERROR;
    else if (offset - 0x10000 < 0x8000)
        *value = router->p2p[(offset - 0x10000) / 4];
    else
        return ACCESS_UNSUPPORTED;
    return ACCESS_OK;
}

enum chip_access router_read(struct chip *chip, uint32_t core, uint32_t offset, uint64_t now,
                             uint32_t *value) {
    struct router *router = &chip->router;
    switch (offset) {
    case 0x00: *value = router->control; break;
    case 0x04: *value = status(router); break;
    case 0x08: case 0x0c: case 0x10: *value = 0; break; /* no packet is ever malformed */
    case 0x14: *value = router->error_stat; break;
    case 0x18: *value = router->dump_header; break;
    case 0x1c: *value = router->dump_key; break;
    case 0x20: *value = router->dump_payload; break;
    case 0x24: *value = router->dump_outputs; break;
    case 0x28: *value = read_dump_stat(chip, core, now); break;
    case 0x2c: *value = router->filter_enable; break;
    case 0x30: *value = router->timing; break;
    case 0x80: *value = router->diversion; break;
    case 0x84: *value = router->fixed_route; break;
    default: return read_tables(chip, core, offset, now, value);
    }
    return ACCESS_OK;
}

/* ---- writes */

static void entry_changed(struct router *router, uint32_t entry) {
    uint64_t bit = 1ull << entry % 64;
    bool possible = !(router->mc_key[entry] & ~router->mc_mask[entry]);
    uint64_t *group = &router->mc_possible[entry / 64];
    *group = possible ? *group | bit : *group & ~bit;
}

static void write_counters(struct router *router, uint32_t value) {
    for (uint32_t i = 0; i < 16; i++)
        if (value >> (16 + i) & 1)
            router->counters[i] = 0;
    router->filter_enable = value & 0xffff;
}

/* Emergency routing (wait2) counts as a longer wait. */
static enum chip_access write_control(struct chip *chip, uint32_t value, uint64_t now) {
    chip->router.control = value & 0xffff1fff;
    router_update_dump_line(chip, now, CHIP_CORES);
    router_step(chip, now);
    return value >> 24 ? ACCESS_UNTESTED : ACCESS_OK;
}

static enum chip_access write_tables(struct router *router, uint32_t offset, uint32_t value) {
    uint32_t entry = (offset & 0xfff) / 4;
    if (offset - 0x200 < 0x40)
        router->filters[(offset - 0x200) / 4] = value & 0x5fffffff;
    else if (offset - 0x300 < 0x40)
        router->counters[(offset - 0x300) / 4] = value;
    else if (offset - 0x4000 < 0x1000)
        router->mc_route[entry] = value & 0xffffff;
    else if (offset - 0x8000 < 0x1000)
        router->mc_key[entry] = value;
    else if (offset - 0xc000 < 0x1000)
        router->mc_mask[entry] = value;
    else if (offset - 0x10000 < 0x8000)
        router->p2p[(offset - 0x10000) / 4] = value & 0xffffff;
    else
        return ACCESS_UNSUPPORTED;
    if (offset - 0x8000 < 0x8000)
        entry_changed(router, entry);
    return ACCESS_OK;
}

enum chip_access router_write(struct chip *chip, uint32_t core, uint32_t offset, uint64_t now,
                              uint32_t value) {
    struct router *router = &chip->router;
    (void)core;
    switch (offset) {
    case 0x00: return write_control(chip, value, now);
    case 0x2c: write_counters(router, value); break;
    case 0x30: router->timing = value & 7; return ACCESS_UNTESTED;
    case 0x80: router->diversion = value & 0xfff; return ACCESS_UNTESTED;
    case 0x84: router->fixed_route = value & 0xfcffffff; break;
    default: return write_tables(router, offset, value);
    }
    return ACCESS_OK;
}
