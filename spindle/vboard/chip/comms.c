/* Communications controller: one packet out at a time, a short receiver.
 *
 * In: register accesses of its core, EV_CC_RX, EV_CC_TX_DONE. Out: EV_CC_TX and EV_CC_POPPED at the
 * cycle of the access, lines 6, 9-11, 23-27 of its core.
 * Follows: data sheet chapter 8.
 *
 *   TXKEY write -> EV_CC_TX (router) -> EV_CC_TX_DONE   the transmitter is busy until the router
 *                                                       has sent or dropped the packet
 *   router -> EV_CC_RX, packet_cycles later             only when the receiver has room
 *   RXKEY read  -> EV_CC_POPPED (router)
 *
 * TCR and RSR show a change one access late: the access right behind TXKEY or RXKEY sees the old
 * state, as on silicon.
 */
#include "chip.h"

enum tcr_bits { TCR_OVERRUN = 1 << 29, TCR_NOT_FULL = 1 << 28, TCR_FULL = 1 << 30 };
#define TCR_EMPTY 0x80000000u
#define TCR_STICKY 0x60000000u
#define RSR_RECEIVED 0x80000000u
#define RSR_GOOD 0x10000000u
#define SAR_RESET 0x07000000u

static void update_lines(struct chip *chip, uint32_t core, uint64_t now) {
    const struct comms *cc = &chip->cores[core].comms;
    bool busy = cc->tx_busy;
    chip_line(chip, core, VIC_CC_TX_EMPTY, !busy, now);
    chip_line(chip, core, VIC_CC_TX_NOT_FULL, !busy, now);
    chip_line(chip, core, VIC_CC_TX_FULL, busy, now);
    chip_line(chip, core, VIC_CC_TX_OVERRUN, (cc->tcr & TCR_OVERRUN) != 0, now);
    chip_line(chip, core, VIC_CC_RX_READY, cc->rx_count != 0, now);
    for (uint32_t type = 0; type < 4; type++)
        chip_line(chip, core, (enum vic_source)(VIC_CC_MC + type),
                  cc->rx_count && packet_type(&cc->rx[0]) == type, now);
}

void comms_reset(struct chip *chip, uint32_t core, uint64_t now) {
    struct comms *cc = &chip->cores[core].comms;
    for (uint32_t i = 0; i < cc->rx_count; i++)
        chip_schedule(chip, now, EV_CC_POPPED, core, (uint32_t[4]){i});
    cc->tcr = cc->txdata = cc->rsr_sticky = cc->rx_count = 0;
    cc->sar = SAR_RESET;
    cc->has_txdata = false;
    update_lines(chip, core, now);
}

/* The access right behind the one at `changed` still sees the old state. */
static bool lags(const struct chip *chip, uint64_t changed, uint64_t now) {
    return changed && now - changed <= chip->costs.local_word_cycles;
}

/* ---- transmit */

static uint32_t read_tcr(const struct chip *chip, uint32_t core, uint64_t now) {
    const struct comms *cc = &chip->cores[core].comms;
    bool busy = cc->tx_busy && !lags(chip, cc->sent_at, now);
    return cc->tcr | (busy ? (uint32_t)TCR_FULL : TCR_EMPTY | TCR_NOT_FULL);
}

/* Sticky bits are cleared by writing 0 to them. */
static void write_tcr(struct comms *cc, uint32_t value) {
    cc->tcr = (value & 0x00ff0000) | (cc->tcr & value & TCR_STICKY);
}

static uint32_t control_byte(const struct chip *chip, const struct comms *cc, uint32_t key) {
    uint32_t control = (cc->tcr >> 16 & 0xfc) | (cc->has_txdata ? 2 : 0);
    if (control >> 6 == PACKET_P2P)
        control = (control & ~0x30u) | (key >> 16 & 3) << 4;
    if (control >> 6 != PACKET_NN && (cc->sar >> 24 & 7) == CHIP_LOCAL)
        control = (control & ~0x0cu) | (chip->router.control >> 6 & 3) << 2;
    return control;
}

static void send(struct chip *chip, uint32_t core, uint32_t key, uint64_t now) {
    struct comms *cc = &chip->cores[core].comms;
    uint32_t control = control_byte(chip, cc, key);
    if (control >> 6 == PACKET_P2P)
        key = cc->sar << 16 | (key & 0xffff);
    uint32_t arg[4] = {key, cc->has_txdata ? cc->txdata : 0, control | (cc->sar >> 24 & 7) << 8, 0};
    if (cc->tx_busy) {
        cc->tcr |= TCR_OVERRUN;
    } else {
        cc->tx_busy = true;
        cc->sent_at = now;
        chip_schedule(chip, now + CHIP_ACT, EV_CC_TX, core, arg);
    }
    cc->has_txdata = false;
    update_lines(chip, core, now);
}

/* ---- receive */

static uint32_t status_of(const struct comms *cc, const struct packet *packet) {
    return cc->rsr_sticky | RSR_RECEIVED | RSR_GOOD | (uint32_t)packet->link << 24 |
           (uint32_t)packet->control << 16 | 1u << packet_type(packet);
}

static uint32_t read_rsr(const struct chip *chip, uint32_t core, uint64_t now) {
    const struct comms *cc = &chip->cores[core].comms;
    if (lags(chip, cc->popped_at, now))
        return status_of(cc, &cc->last);
    return cc->rx_count ? status_of(cc, &cc->rx[0]) : cc->rsr_sticky;
}

static uint32_t pop(struct chip *chip, uint32_t core, uint64_t now) {
    struct comms *cc = &chip->cores[core].comms;
    if (!cc->rx_count)
        return cc->last.key;
    cc->last = cc->rx[0];
    cc->rx_count--;
    for (uint32_t i = 0; i < cc->rx_count; i++)
        cc->rx[i] = cc->rx[i + 1];
    cc->popped_at = now;
    chip_schedule(chip, now + CHIP_ACT, EV_CC_POPPED, core, (uint32_t[4]){0});
    update_lines(chip, core, now);
    return cc->last.key;
}

/* Of a P2P packet the receiver sees the source and the sequence bits. */
static void deliver(struct chip *chip, const struct chip_event *event) {
    struct comms *cc = &chip->cores[event->unit].comms;
    struct packet packet = {.key = event->arg[0], .payload = event->arg[1],
                            .control = (uint8_t)event->arg[2],
                            .link = (uint8_t)(event->arg[2] >> 8)};
    if (packet_type(&packet) == PACKET_P2P)
        packet.key = packet.key >> 16 | (packet.control >> 4 & 3u) << 16;
    cc->rx[cc->rx_count++] = packet;
}

void comms_event(struct chip *chip, const struct chip_event *event) {
    if (event->kind == EV_CC_TX_DONE)
        chip->cores[event->unit].comms.tx_busy = false;
    else
        deliver(chip, event);
    update_lines(chip, event->unit, event->time);
}

/* ---- registers */

enum chip_access comms_read(struct chip *chip, uint32_t core, uint32_t offset, uint64_t now,
                            uint32_t *value) {
    const struct comms *cc = &chip->cores[core].comms;
    const struct packet *head = cc->rx_count ? &cc->rx[0] : &cc->last;
    switch (offset) {
    case 0x00: *value = read_tcr(chip, core, now); break;
    case 0x04: *value = cc->txdata; break;
    case 0x08: *value = 0; break;
    case 0x0c: *value = read_rsr(chip, core, now); break;
    case 0x10: *value = head->payload; break;
    case 0x14: *value = pop(chip, core, now); break;
    case 0x18: *value = cc->sar; break;
    default: return ACCESS_UNSUPPORTED;
    }
    return ACCESS_OK;
}

enum chip_access comms_write(struct chip *chip, uint32_t core, uint32_t offset, uint64_t now,
                             uint32_t value) {
    struct comms *cc = &chip->cores[core].comms;
    switch (offset) {
    case 0x00:
        write_tcr(cc, value);
        update_lines(chip, core, now);
        break;
    case 0x04:
        cc->txdata = value;
        cc->has_txdata = true;
        break;
    case 0x08: send(chip, core, value, now); break;
    case 0x0c: cc->rsr_sticky &= value & 0x60000000; break;
    case 0x18: cc->sar = value & 0x0700ffff; break;
    default: return ACCESS_UNSUPPORTED;
    }
    return ACCESS_OK;
}
