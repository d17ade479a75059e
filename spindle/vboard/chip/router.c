/* The router's pipeline: one packet at its output stage; while an output of that packet is blocked,
 * every packet of the chip waits behind it.
 *
 * In: packets from cores (EV_CC_TX) and links (EV_LINK_RX), room and credits coming back.
 * Out: EV_CC_RX at cores packet_cycles later, packets on links hop_cycles later, dumped packets.
 * Follows: data sheet chapter 10. Registers: router_regs.c; route of a packet: route.c.
 *
 *   blocked for wait1 (+ wait2) router clocks -> the blocked outputs are dropped: dump registers,
 *   counters, interrupt 16. Emergency routing is not modelled (the monitor leaves it off).
 *
 * A link takes a packet when the other end has given a credit (LINK_CREDITS packets wait there) and
 * its wires are at most LINK_AHEAD packets behind. A core takes one when its receiver has room.
 */
#include "chip.h"
#include "router.h"

#define LINK_AHEAD 4u
#define TX_CYCLES 8u /* transmitter to router, while nothing is blocked */
#define WAIT_FOR_EVER 0xffu

struct packet *router_head(struct router *router) {
    return &router->queue[router->queue_head];
}

/* ---- outputs */

static bool send_to_core(struct chip *chip, const struct packet *packet, uint32_t core,
                         uint64_t now) {
    struct router *router = &chip->router;
    if (chip->rom_boot.active && core == chip_monitor(chip)) {
        rom_take_packet(chip, packet, now);
        return true;
    }
    if (core >= CHIP_CORES || !router->core_room[core])
        return false;
    router->core_room[core]--;
    uint32_t arg[4] = {packet->key, packet->payload,
                       packet->control | (uint32_t)packet->link << 8, 0};
    chip_schedule(chip, now + chip->costs.packet_cycles, EV_CC_RX, core, arg);
    return true;
}

static bool link_is_usable(const struct chip *chip, uint32_t link) {
    bool disabled = chip->sysctl.link_disable >> (8 + link) & 1;
    return chip->router.link_up >> link & 1 && !disabled && chip->router.link_credit[link];
}

static bool send_to_link(struct chip *chip, const struct packet *packet, uint32_t link,
                         uint64_t now) {
    struct router *router = &chip->router;
    uint64_t ahead = LINK_AHEAD * (uint64_t)chip->costs.link_long_cycles;
    if (!link_is_usable(chip, link))
        return false;
    if (router->link_free[link] > now + ahead) {
        chip_schedule(chip, router->link_free[link] - ahead, EV_ROUTER_TRY, link, (uint32_t[4]){0});
        return false;
    }
    uint64_t start = router->link_free[link] > now ? router->link_free[link] : now;
    bool is_long = packet_has_payload(packet);
    router->link_free[link] =
        start + (is_long ? chip->costs.link_long_cycles : chip->costs.link_short_cycles);
    router->link_credit[link]--;
    const struct chip_host *host = chip->wires.host;
    host->link_send(host->ctx, chip->options.index, link, start + chip->costs.hop_cycles, packet);
    return true;
}

static void send_pending(struct chip *chip, uint64_t now) {
    struct router *router = &chip->router;
    const struct packet *packet = router_head(router);
    for (uint32_t left = router->head_pending; left; left &= left - 1) {
        uint32_t output = (uint32_t)__builtin_ctz(left);
        bool sent = output < CHIP_LINKS ? send_to_link(chip, packet, output, now)
                                        : send_to_core(chip, packet, output - CHIP_LINKS, now);
        if (sent)
            router->head_pending &= ~(1u << output);
    }
}

/* ---- end of a packet */

static void dump(struct chip *chip, uint64_t now) {
    struct router *router = &chip->router;
    const struct packet *packet = router_head(router);
    router->dropped++;
    if (router->dump_stat) {
        router->dump_stat |= 0x40000000;
        return;
    }
    router->dump_stat = 0x80000000;
    router->dump_header = (uint32_t)packet->link << 24 | (uint32_t)packet->control << 16 |
                          (router->control & 0xc0);
    router->dump_key = packet->key;
    router->dump_payload = packet->payload;
    router->dump_outputs = router->head_pending;
    router_update_dump_line(chip, now, CHIP_CORES);
}

/* What the sender of the head waits for: a free transmitter, or a credit. */
static void give_back(struct chip *chip, bool was_blocked, uint64_t now) {
    const struct packet *packet = router_head(&chip->router);
    const struct chip_host *host = chip->wires.host;
    bool others = was_blocked || packet->waited; /* it was another core that let it go: rule 1 */
    uint64_t delay = others ? chip->costs.packet_cycles : TX_CYCLES;
    if (packet->is_local)
        chip_schedule(chip, now + delay, EV_CC_TX_DONE, packet->core, (uint32_t[4]){0});
    else
        host->link_credit(host->ctx, chip->options.index, packet->core,
                          now + chip->costs.hop_cycles);
}

static void finish_head(struct chip *chip, bool dropped, bool was_blocked, uint64_t now) {
    struct router *router = &chip->router;
    router->routed++;
    if (dropped)
        dump(chip, now);
    router_count(chip, router_head(router), dropped, now);
    give_back(chip, was_blocked, now);
    router->queue_head = (router->queue_head + 1) % ROUTER_QUEUE;
    router->queue_count--;
    router->head_routed = false;
    router->wait_generation++;
}

/* ---- the pipeline */

/* Router clocks of a wait field. */
static uint64_t wait_clocks(uint32_t field) {
    uint32_t mantissa = field & 15, exponent = field >> 4;
    if (exponent <= 4)
        return (uint64_t)(mantissa + 16 - (1u << (4 - exponent))) << exponent;
    return (uint64_t)(mantissa + 16) << exponent;
}

static void start_wait(struct chip *chip, uint64_t now) {
    struct router *router = &chip->router;
    uint32_t wait1 = router->control >> 16 & 0xff, wait2 = router->control >> 24;
    if (wait1 == WAIT_FOR_EVER || wait2 == WAIT_FOR_EVER)
        return;
    uint64_t cycles = (wait_clocks(wait1) + wait_clocks(wait2)) * 3 / 2;
    chip_schedule(chip, now + cycles, EV_ROUTER_WAIT, 0, (uint32_t[4]){router->wait_generation});
}

/* Advance as far as possible. */
static void step(struct chip *chip, uint64_t now) {
    struct router *router = &chip->router;
    while (router->queue_count && router->control & 1) {
        bool was_blocked = router->head_routed;
        if (!was_blocked) {
            router_route_head(chip, now);
            router->head_routed = true;
        }
        bool dropped = router->head_outputs == 0 || router->head_lost;
        if (!dropped)
            send_pending(chip, now);
        if (!dropped && router->head_pending) {
            if (!was_blocked)
                start_wait(chip, now);
            return;
        }
        finish_head(chip, dropped && !router->head_silent, was_blocked, now);
    }
}

void router_push(struct chip *chip, const struct packet *packet, uint64_t now) {
    struct router *router = &chip->router;
    struct packet *slot = &router->queue[(router->queue_head + router->queue_count) % ROUTER_QUEUE];
    *slot = *packet;
    slot->waited = router->queue_count++ != 0;
    if (router->queue_count == 1)
        step(chip, now);
}

void router_step(struct chip *chip, uint64_t now) {
    step(chip, now);
}

/* ---- events */

static struct packet packet_of(const struct chip_event *event) {
    bool is_local = event->kind == EV_CC_TX;
    return (struct packet){.key = event->arg[0], .payload = event->arg[1],
                           .control = (uint8_t)event->arg[2],
                           .link = (uint8_t)(is_local ? event->arg[2] >> 8 : event->unit),
                           .core = (uint8_t)event->unit, .is_local = is_local};
}

/* A packet behind a blocked one in the queue loses only time. */
static void wait_is_over(struct chip *chip, uint32_t generation, uint64_t now) {
    struct router *router = &chip->router;
    if (generation != router->wait_generation || !router->head_routed)
        return;
    finish_head(chip, true, true, now);
    step(chip, now);
}

void router_event(struct chip *chip, const struct chip_event *event) {
    struct router *router = &chip->router;
    struct packet packet;
    switch (event->kind) {
    case EV_CC_TX: case EV_LINK_RX:
        packet = packet_of(event);
        router_push(chip, &packet, event->time);
        return;
    case EV_CC_POPPED: router->core_room[event->unit]++; break;
    case EV_LINK_CREDIT: router->link_credit[event->unit]++; break;
    case EV_ROUTER_WAIT: wait_is_over(chip, event->arg[0], event->time); return;
    default: break;
    }
    step(chip, event->time);
}
