/* Ethernet MII with a host-side backlog, paced in emulated time both ways.
 *
 * In: frames of the host (ethernet_receive), register accesses in time order. Out: frames to the
 * host (chip_host.ethernet_send), lines 19 and 20 of all cores.
 * Follows: data sheet chapter 15.
 *
 *   host -> backlog -> wire (eth_rx_cycles_per_byte) -> ring of 3 KB, 64 descriptors
 *   tx buffer -> wire (eth_tx_cycles_per_byte) -> + eth_latency_cycles -> host
 *
 * The wire waits while the ring is full: no frame is lost to pace, the backlog holds them.
 * Without the latency the host's next request would arrive before the monitor has freed its tag.
 * The ring is stored twice in a row, so that a frame past its end reads linearly.
 */
#include <string.h>

#include "chip.h"

#define ALL_CORES 0x3ffffu
#define MAX_FRAME 1536u
#define DESCRIPTORS 64u

enum eth_offset {
    TX_BUFFER = 0x0000, RX_BUFFER = 0x4000, DESCRIPTOR = 0x8000, CONTROL = 0xc000, STATUS = 0xc004,
    TX_LEN = 0xc008, TX_CMD = 0xc00c, RX_CMD = 0xc010, MAC_LOW = 0xc014, MAC_HIGH = 0xc018,
    PHY_CTRL = 0xc01c, INT_CLR = 0xc020, RX_BUF_RP = 0xc024, RX_BUF_WP = 0xc028,
    RX_DESC_RP = 0xc02c, RX_DESC_WP = 0xc030
};
enum control_bits { CONTROL_RX = 2, CONTROL_RESET_DROPS = 1 << 9, CONTROL_BYTES = 1 << 10 };

/* ---- backlog: length (2 bytes) and bytes of each frame, in a ring */

static void backlog_put(struct chip *chip, const uint8_t *data, uint32_t size) {
    struct ethernet *eth = &chip->ethernet;
    for (uint32_t i = 0; i < size; i++) {
        chip->wires.backlog[eth->backlog_write] = data[i];
        eth->backlog_write = (eth->backlog_write + 1) % ETH_BACKLOG_SIZE;
    }
    eth->backlog_used += size;
}

static uint8_t backlog_byte(const struct chip *chip, uint32_t at) {
    return chip->wires.backlog[(chip->ethernet.backlog_read + at) % ETH_BACKLOG_SIZE];
}

static uint32_t backlog_size(const struct chip *chip) {
    return backlog_byte(chip, 0) | (uint32_t)backlog_byte(chip, 1) << 8;
}

static void backlog_drop(struct ethernet *eth, uint32_t size) {
    eth->backlog_read = (eth->backlog_read + size + 2) % ETH_BACKLOG_SIZE;
    eth->backlog_used -= size + 2;
}

static void start_wire(struct chip *chip, uint64_t now) {
    struct ethernet *eth = &chip->ethernet;
    if (eth->wire_busy || !eth->backlog_used)
        return;
    eth->wire_busy = true;
    uint64_t cycles = (uint64_t)backlog_size(chip) * chip->costs.eth_rx_cycles_per_byte;
    chip_schedule(chip, now + cycles, EV_ETH_RX, 0, (uint32_t[4]){0});
}

bool ethernet_receive(struct chip *chip, const uint8_t *frame, uint32_t size_bytes, uint64_t now) {
    struct ethernet *eth = &chip->ethernet;
    uint8_t length[2] = {(uint8_t)size_bytes, (uint8_t)(size_bytes >> 8)};
    if (!eth->present || size_bytes == 0 || size_bytes > MAX_FRAME ||
        eth->backlog_used + size_bytes + 2 > ETH_BACKLOG_SIZE)
        return false;
    backlog_put(chip, length, 2);
    backlog_put(chip, frame, size_bytes);
    start_wire(chip, now);
    return true;
}

/* ---- receive ring */

static uint32_t advance(uint32_t pointer, uint32_t size) {
    uint32_t wrap = pointer & 0x1000, offset = (pointer & 0xfff) + ((size + 3) & ~3u);
    return offset >= ETH_RX_SIZE ? (wrap ^ 0x1000) | (offset - ETH_RX_SIZE) : wrap | offset;
}

static void store(struct chip *chip, uint32_t size) {
    struct ethernet *eth = &chip->ethernet;
    for (uint32_t i = 0; i < size; i++) {
        uint32_t at = ((eth->rx_buf_write & 0xfff) + i) % ETH_RX_SIZE;
        eth->rx[at] = eth->rx[at + ETH_RX_SIZE] = backlog_byte(chip, 2 + i);
    }
    eth->descriptors[eth->rx_desc_write] = size;
    eth->rx_desc_write = (eth->rx_desc_write + 1) % DESCRIPTORS;
    eth->rx_buf_write = advance(eth->rx_buf_write, size);
    eth->rx_used += (size + 3) & ~3u;
    if (eth->unread++ == 0)
        chip_shared_line(chip, ALL_CORES, VIC_ETH_RX, true, chip->now, CHIP_CORES);
}

static bool has_room(const struct ethernet *eth, uint32_t size) {
    return eth->rx_used + ((size + 3) & ~3u) <= ETH_RX_SIZE && eth->unread < DESCRIPTORS - 1;
}

/* The frame at the front of the backlog is on this side of the wire; it waits there for room. */
static void take_frame(struct chip *chip, uint64_t now) {
    struct ethernet *eth = &chip->ethernet;
    uint32_t size = backlog_size(chip);
    bool wanted = (eth->control & CONTROL_RX) != 0;
    eth->wire_stalled = wanted && !has_room(eth, size);
    if (eth->wire_stalled)
        return;
    if (wanted)
        store(chip, size);
    else
        eth->dropped++;
    backlog_drop(eth, size);
    eth->wire_busy = false;
    start_wire(chip, now);
}

/* RX_CMD: the oldest frame is read. */
static void consume(struct chip *chip, uint32_t core, uint64_t now) {
    struct ethernet *eth = &chip->ethernet;
    if (!eth->unread)
        return;
    uint32_t size = eth->descriptors[eth->rx_desc_read];
    eth->rx_desc_read = (eth->rx_desc_read + 1) % DESCRIPTORS;
    eth->rx_buf_read = advance(eth->rx_buf_read, size);
    eth->rx_used -= (size + 3) & ~3u;
    if (--eth->unread == 0)
        chip_shared_line(chip, ALL_CORES, VIC_ETH_RX, false, now, core);
    if (eth->wire_stalled)
        chip_schedule(chip, now, EV_ETH_RX, 0, (uint32_t[4]){0});
    eth->wire_stalled = false;
}

/* ---- transmit */

static void set_tx_line(struct chip *chip, bool level, uint32_t core, uint64_t now) {
    if (chip->ethernet.tx_interrupt != level)
        chip_shared_line(chip, ALL_CORES, VIC_ETH_TX, level, now, core);
    chip->ethernet.tx_interrupt = level;
}

static void transmit(struct chip *chip, uint64_t now) {
    struct ethernet *eth = &chip->ethernet;
    const struct chip_host *host = chip->wires.host;
    if (eth->tx_active || eth->tx_length > ETH_TX_SIZE)
        return;
    uint64_t sent = now + (uint64_t)eth->tx_length * chip->costs.eth_tx_cycles_per_byte;
    eth->tx_active = true;
    chip_schedule(chip, sent, EV_ETH_TX, 0, (uint32_t[4]){0});
    host->ethernet_send(host->ctx, chip->options.index, sent + chip->costs.eth_latency_cycles,
                        eth->tx, eth->tx_length);
}

void ethernet_event(struct chip *chip, const struct chip_event *event) {
    if (event->kind == EV_ETH_RX) {
        if (chip->ethernet.backlog_used)
            take_frame(chip, event->time);
        return;
    }
    chip->ethernet.tx_active = false;
    set_tx_line(chip, true, CHIP_CORES, event->time);
}

/* ---- registers */

static uint32_t load(const uint8_t *bytes, uint32_t size) {
    uint32_t value = 0;
    memcpy(&value, bytes, size);
    return value;
}

static uint32_t status(const struct ethernet *eth) {
    return eth->dropped << 16 | eth->unread << 1 | eth->tx_active;
}

static enum chip_access read_register(const struct ethernet *eth, uint32_t offset,
                                      uint32_t *value) {
    switch (offset) {
    case CONTROL: *value = eth->control; break;
    case STATUS: *value = status(eth); break;
    case TX_LEN: *value = eth->tx_length; break;
    case TX_CMD: case RX_CMD: case INT_CLR: *value = 0; break;
    case MAC_LOW: *value = eth->mac_low; break;
    case MAC_HIGH: *value = eth->mac_high; break;
    case PHY_CTRL: *value = eth->phy_control | 2; break; /* data in: all ones, the link is up */
    case RX_BUF_RP: *value = eth->rx_buf_read; break;
    case RX_BUF_WP: *value = eth->rx_buf_write; break;
    case RX_DESC_RP: *value = eth->rx_desc_read; break;
    case RX_DESC_WP: *value = eth->rx_desc_write; break;
    default: return ACCESS_UNSUPPORTED;
    }
    return ACCESS_OK;
}

enum chip_access ethernet_read(struct chip *chip, uint32_t core, uint32_t offset, uint32_t size,
                               uint64_t now, uint32_t *value) {
    const struct ethernet *eth = &chip->ethernet;
    (void)core, (void)now;
    *value = 0;
    if (!eth->present)
        return ACCESS_OK;
    if (offset - RX_BUFFER < 2 * ETH_RX_SIZE)
        *value = load(eth->rx + offset - RX_BUFFER, size);
    else if (offset - DESCRIPTOR < 4 * DESCRIPTORS)
        *value = eth->descriptors[(offset - DESCRIPTOR) / 4] >> 8 * (offset & 3);
    else
        return read_register(eth, offset, value);
    return eth->control & CONTROL_BYTES ? ACCESS_OK : ACCESS_UNTESTED;
}

static void clear_interrupts(struct chip *chip, uint32_t core, uint32_t value, uint64_t now) {
    if (value & 1)
        set_tx_line(chip, false, core, now);
}

static enum chip_access write_register(struct chip *chip, uint32_t core, uint32_t offset,
                                       uint64_t now, uint32_t value) {
    struct ethernet *eth = &chip->ethernet;
    switch (offset) {
    case CONTROL:
        eth->control = value & 0x5ff;
        if (value & CONTROL_RESET_DROPS)
            eth->dropped = 0;
        break;
    case TX_LEN: eth->tx_length = value & 0x7ff; break;
    case TX_CMD: transmit(chip, now); break;
    case RX_CMD: consume(chip, core, now); break;
    case MAC_LOW: eth->mac_low = value; break;
    case MAC_HIGH: eth->mac_high = value; break;
    case PHY_CTRL: eth->phy_control = value & 0x3d; break;
    case INT_CLR: clear_interrupts(chip, core, value, now); break;
    default: return ACCESS_UNSUPPORTED;
    }
    return ACCESS_OK;
}

enum chip_access ethernet_write(struct chip *chip, uint32_t core, uint32_t offset, uint32_t size,
                                uint64_t now, uint32_t value) {
    struct ethernet *eth = &chip->ethernet;
    if (!eth->present)
        return ACCESS_OK;
    if (offset <= ETH_TX_SIZE - size) {
        memcpy(eth->tx + offset, &value, size);
        return ACCESS_OK;
    }
    return write_register(chip, core, offset, now, value);
}
