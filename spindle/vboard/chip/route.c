/* Where a packet goes: multicast table with default routing, P2P table, nearest neighbour with
 * peek and poke, fixed route.
 *
 * In: the packet at the head of the router. Out: its outputs (links 0-5, cores from bit 6).
 * Follows: data sheet chapter 10.
 */
#include "router.h"

#define OPPOSITE(link) (((link) + 3) % CHIP_LINKS)
#define NN_DIRECT 0x20u
#define P2P_DROP 6u
#define P2P_MONITOR 7u
#define MONITOR_KEY 0xffff5554u /* the vendor's monitor: time beacon and signals */

static uint32_t monitor_output(const struct router *router) {
    return 1u << (CHIP_LINKS + (router->control >> 8 & 0x1f));
}

/* Lowest entry that matches; ROUTER_ENTRIES: none. */
static uint32_t match(const struct router *router, uint32_t key) {
    for (uint32_t group = 0; group < ROUTER_ENTRIES / 64; group++)
        for (uint64_t left = router->mc_possible[group]; left; left &= left - 1) {
            uint32_t entry = group * 64 + (uint32_t)__builtin_ctzll(left);
            if ((key & router->mc_mask[entry]) == router->mc_key[entry])
                return entry;
        }
    return ROUTER_ENTRIES;
}

/* Straight on; the diversion register may send it to the monitor or destroy it. */
static uint32_t default_route(const struct router *router, uint32_t link) {
    uint32_t diversion = router->diversion >> 2 * link & 3;
    if (diversion & 1)
        return monitor_output(router);
    return diversion ? 0 : 1u << OPPOSITE(link);
}

static uint32_t route_multicast(struct router *router, const struct packet *packet) {
    uint32_t entry = match(router, packet->key);
    if (entry < ROUTER_ENTRIES)
        return router->mc_route[entry];
    if (packet->link >= CHIP_LINKS)
        return 0;
    router->head_default = true;
    return default_route(router, packet->link);
}

static uint32_t route_p2p(const struct router *router, const struct packet *packet) {
    uint32_t id = packet->key & 0xffff, code = router->p2p[id >> 3] >> 3 * (id & 7) & 7;
    if (code == P2P_MONITOR)
        return monitor_output(router);
    return code == P2P_DROP ? 0 : 1u << code;
}

/* Executes a peek or poke and turns the packet into the reply on the same link. */
static uint32_t peek_or_poke(struct chip *chip, struct packet *packet, uint64_t now) {
    enum chip_access access;
    bool is_poke = packet_has_payload(packet);
    uint32_t addr = packet->key & ~3u, value = 0;
    if (is_poke)
        access = chip_system_write(chip, CHIP_CORES, addr, 4, now, packet->payload);
    else
        access = chip_system_read(chip, CHIP_CORES, addr, 4, now, &value);
    packet->key = addr | 1 | (access == ACCESS_BUS_ERROR ? 2 : 0);
    packet->payload = value;
    packet->control = is_poke ? 0x80 : 0x82;
    return 1u << packet->link;
}

static uint32_t route_neighbour(struct chip *chip, struct packet *packet, uint64_t now) {
    const struct router *router = &chip->router;
    uint32_t to = packet->control >> 2 & 7;
    if (!packet->is_local && packet->control & NN_DIRECT)
        return peek_or_poke(chip, packet, now);
    if (!packet->is_local || to == 7)
        return monitor_output(router);
    return to == 6 ? router->fixed_route >> 26 : 1u << to;
}

/* Seeded loss of application multicast, decided once, where a core sends it. */
static bool is_lost(struct router *router, const struct packet *packet) {
    if (!router->lose_rate || !packet->is_local || (packet->key & ~1u) == MONITOR_KEY)
        return false;
    uint64_t draw = chip_mix(router->lose_seed + router->lose_counter++);
    bool lost = (uint32_t)draw < router->lose_rate;
    router->lost += lost;
    return lost;
}

void router_route_head(struct chip *chip, uint64_t now) {
    struct router *router = &chip->router;
    struct packet *packet = router_head(router);
    router->head_default = router->head_lost = router->head_silent = false;
    switch (packet_type(packet)) {
    case PACKET_MC:
        router->head_outputs = route_multicast(router, packet);
        router->head_lost = is_lost(router, packet);
        router->head_silent = router->head_default && !router->head_outputs;
        break;
    case PACKET_P2P: router->head_outputs = route_p2p(router, packet); break;
    case PACKET_NN: router->head_outputs = route_neighbour(chip, packet, now); break;
    case PACKET_FR: router->head_outputs = router->fixed_route & 0xffffff; break;
    }
    router->head_pending = router->head_outputs;
}
