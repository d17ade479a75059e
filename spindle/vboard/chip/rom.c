/* The boot ROM at a high level: what it leaves behind, its receiver of the nearest-neighbour boot.
 *
 * In: nearest-neighbour packets for the monitor of a chip that has not started, or a whole image
 * (the host's boot datagrams are the board's business). Out: the image in both memories of the
 * monitor core, started at 0.
 * Follows: spinnaker_bootROM (cc_ff_*); the vendor's scamp-boot.c.
 *
 *   key  [31:28] check  [27:24] opcode  [23:16] block  [15:8] word  [3:0] phase 3
 *   1 start (payload [23:16] = blocks - 1)   2 block start   3 data word   4 block end   5 control
 *
 * Data counts however often it comes; the control packet starts a chip that has every word.
 */
#include <string.h>

#include "chip.h"

#define WORDS_PER_BLOCK 256u
#define IMAGE_AT_DTCM 0x8000u
#define SROM_AT 0x7fe0u
#define ROUTER_AT_BOOT 0x2f2f0007u
#define EXECUTE 0x100u
#define TIME_TO_COPY 20000u /* cycles from the last packet to the first instruction; modelled */

void rom_power_on(struct chip *chip, uint32_t monitor, const uint8_t srom[32]) {
    chip->sysctl.mon_id = monitor;
    chip->router.control = ROUTER_AT_BOOT | monitor << 8;
    memcpy(chip->sysram + SROM_AT, srom, 32);
    memset(&chip->rom_boot, 0, sizeof chip->rom_boot);
    chip->rom_boot.active = true;
}

static void run_image(struct chip *chip, uint64_t now) {
    uint32_t monitor = chip_monitor(chip);
    struct arm_core *arm = chip->wires.arm[monitor];
    memcpy(arm->itcm, chip->rom_boot.image, ARM_ITCM_SIZE);
    memcpy(arm->dtcm + IMAGE_AT_DTCM, chip->rom_boot.image, ROM_IMAGE_SIZE);
    arm_invalidate(arm, 0, ARM_ITCM_SIZE);
    chip->rom_boot.active = false;
    chip_start_core(chip, monitor, 0, now + TIME_TO_COPY);
}

void rom_load(struct chip *chip, const uint8_t *image, uint32_t size_bytes, uint64_t now) {
    memset(chip->rom_boot.image, 0, ROM_IMAGE_SIZE);
    memcpy(chip->rom_boot.image, image, size_bytes < ROM_IMAGE_SIZE ? size_bytes : ROM_IMAGE_SIZE);
    run_image(chip, now);
}

static void take_word(struct rom_boot *rom, uint32_t index, uint32_t word) {
    if (index >= ROM_IMAGE_SIZE / 4)
        return;
    memcpy(rom->image + 4 * index, &word, 4);
    rom->have[index / 32] |= 1u << index % 32;
}

static bool is_complete(const struct rom_boot *rom) {
    for (uint32_t i = 0; i < rom->blocks * WORDS_PER_BLOCK / 32; i++)
        if (rom->have[i] != 0xffffffff)
            return false;
    return rom->blocks != 0;
}

void rom_take_packet(struct chip *chip, const struct packet *packet, uint64_t now) {
    struct rom_boot *rom = &chip->rom_boot;
    uint32_t key = packet->key, block = key >> 16 & 0xff, word = key >> 8 & 0xff;
    if (packet_type(packet) != PACKET_NN)
        return;
    switch (key >> 24 & 15) {
    case 1: rom->blocks = (packet->payload >> 16 & 0xff) + 1; break;
    case 3: take_word(rom, block * WORDS_PER_BLOCK + word, packet->payload); break;
    case 5:
        if (key & EXECUTE && is_complete(rom))
            run_image(chip, now);
        break;
    default: break;
    }
}
