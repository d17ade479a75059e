/* The board's part of booting: the serial ROM of the Ethernet chip, the host's boot datagrams, and
 * whether the monitors are up. Each chip's own ROM is chip/rom.c.
 *
 * In: power on, boot datagrams. Out: a chip whose monitor starts.
 * Follows: spinnaker_bootROM; SpiNNMan's boot messages.
 */
#include <string.h>

#include "board.h"

#define WORDS_PER_BLOCK 256u
#define SV_OFFSET 0x7f00u

enum srom_flags { SROM_PRESENT = 0x8000, SROM_PHY_INIT = 8, SROM_ETHERNET = 1 };
enum udp_opcode { UDP_START = 1, UDP_BLOCK = 3, UDP_CONTROL = 5 };
enum sv_field { SV_P2P_UP = 0x06, SV_ETH_UP = 0x0b, SV_NETINIT = 0x2d, SV_IP = 0xf0 };

static const uint8_t MAC[6] = {0x02, 0x53, 0x70, 0x69, 0x4e, 0x01};

/* ---- power on */

/* {flags, MAC, IP, gateway, net mask, port}; chips without Ethernet have none. */
static void write_srom(const struct board *board, uint32_t chip, uint8_t block[32]) {
    uint32_t ip = board->options.ip, flags = SROM_PRESENT | SROM_PHY_INIT | SROM_ETHERNET;
    uint16_t port = BOARD_SCP_PORT;
    flags |= board->options.hardware << 4;
    memset(block, 0, 32);
    if (!board->places[chip].has_ethernet)
        return;
    memcpy(block, &(uint16_t){(uint16_t)flags}, 2);
    memcpy(block + 2, MAC, 6);
    for (uint32_t i = 0; i < 4; i++) {
        block[8 + i] = (uint8_t)(ip >> (24 - 8 * i));
        block[12 + i] = i == 3 ? 1 : (uint8_t)(ip >> (24 - 8 * i));
        block[16 + i] = i == 0 ? 255 : 0;
    }
    memcpy(block + 20, &port, 2);
}

void board_power_on(struct board *board, uint32_t chip) {
    uint8_t block[32];
    write_srom(board, chip, block);
    rom_power_on(&board->chips[chip], board->places[chip].monitor, block);
}

void board_boot(struct board *board, uint32_t chip, const uint8_t *image, uint32_t size_bytes) {
    rom_load(&board->chips[chip], image, size_bytes, board->now);
}

/* ---- filling */

static void begin(struct board_rom *rom, uint32_t blocks) {
    if (rom->is_filling)
        return;
    rom->is_filling = 1;
    rom->blocks = blocks;
    memset(rom->have, 0, sizeof rom->have);
}

static void put_word(struct board_rom *rom, uint32_t index, uint32_t word) {
    if (!rom->is_filling || index >= BOARD_IMAGE_SIZE / 4)
        return;
    memcpy(rom->image + 4 * index, &word, 4);
    rom->have[index / 32] |= 1u << index % 32;
}

static bool is_complete(const struct board_rom *rom) {
    for (uint32_t i = 0; i < rom->blocks * WORDS_PER_BLOCK; i++)
        if (!(rom->have[i / 32] >> i % 32 & 1))
            return false;
    return rom->blocks != 0;
}

static void finish(struct board *board, uint32_t chip, bool execute, uint64_t now) {
    struct board_rom *rom = &board->rom;
    if (rom->is_filling && execute && is_complete(rom))
        rom_load(&board->chips[chip], rom->image, BOARD_IMAGE_SIZE, now);
}

/* ---- UDP: all fields big-endian; a short last block counts as whole */

static uint32_t big_endian(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void put_block(struct board_rom *rom, uint32_t block, const uint8_t *data,
                      uint32_t size_bytes) {
    for (uint32_t i = 0; i < WORDS_PER_BLOCK; i++)
        put_word(rom, block * WORDS_PER_BLOCK + i,
                 4 * i + 4 <= size_bytes ? big_endian(data + 4 * i) : 0);
}

void board_boot_datagram(struct board *board, uint32_t chip, const uint8_t *data, uint32_t size_bytes,
                  uint64_t now) {
    struct board_rom *rom = &board->rom;
    if (size_bytes < 18 || data[0] != 0 || data[1] != 1)
        return;
    uint32_t first = big_endian(data + 6), third = big_endian(data + 14);
    switch (big_endian(data + 2)) {
    case UDP_START: begin(rom, ((third & 0xff) + 1) % (BOARD_IMAGE_SIZE / 1024 + 1)); break;
    case UDP_BLOCK: put_block(rom, first & 0xff, data + 18, size_bytes - 18); break;
    case UDP_CONTROL: finish(board, chip, first & 1, now); break;
    default: break;
    }
}

/* ---- the booted board */

bool board_is_ready(const struct board *board) {
    for (uint32_t i = 0; i < board->options.n_chips; i++) {
        const uint8_t *sv = board->chips[i].sysram + SV_OFFSET;
        bool has_ethernet = board->places[i].has_ethernet;
        if (board->chips[i].rom_boot.active || sv[SV_NETINIT] != 0xff || !sv[SV_P2P_UP] ||
            (has_ethernet && !sv[SV_ETH_UP]))
            return false;
    }
    return true;
}

static void ip_bytes(uint32_t ip, uint8_t bytes[4]) {
    for (uint32_t i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(ip >> (24 - 8 * i));
}

/* The monitor keeps the serial ROM block {.., MAC, IP, ..} in its DTCM and the IP in sv. */
static bool set_chip_ip(struct chip *chip, uint32_t monitor, uint32_t old, uint32_t ip) {
    uint8_t pattern[10], *found = NULL, *dtcm = chip->wires.arm[monitor]->dtcm;
    memcpy(pattern, MAC, 6);
    ip_bytes(old, pattern + 6);
    for (uint32_t at = 0; at + 10 <= ARM_DTCM_SIZE; at += 2)
        if (!memcmp(dtcm + at, pattern, 10)) {
            if (found)
                return false;
            found = dtcm + at;
        }
    if (!found || memcmp(chip->sysram + SV_OFFSET + SV_IP, pattern + 6, 4))
        return false;
    ip_bytes(ip, found + 6);
    ip_bytes(ip, chip->sysram + SV_OFFSET + SV_IP);
    return true;
}

bool board_set_ip(struct board *board, uint32_t ip) {
    for (uint32_t i = 0; i < board->options.n_chips; i++)
        if (board->places[i].has_ethernet &&
            !set_chip_ip(&board->chips[i], board->places[i].monitor, board->options.ip, ip))
            return false;
    board->options.ip = ip;
    return true;
}
