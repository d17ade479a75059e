/* Memory of a chip: SDRAM (128 MB, filled with seeded garbage page by page as it is touched),
 * system RAM, ROM, and the boot area that shows one of the two.
 *
 *   0x60000000 / 0x70000000   SDRAM, mirrored every 128 MB (SC&MP sizes it by that)
 *   0xe5000000 / 0xf5000000   system RAM 32 KB
 *   0xe6000000 / 0xf6000000   ROM 32 KB
 *   0xff000000                boot area: ROM, or system RAM when MISC_CTRL bit 0 is set
 *
 * A bit per SDRAM word remembers whether somebody wrote it.
 */
#include <string.h>

#include "chip.h"

#define PAGE 4096u

uint64_t chip_mix(uint64_t value) {
    value += 0x9e3779b97f4a7c15u;
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
    value = (value ^ value >> 27) * 0x94d049bb133111ebu;
    return value ^ value >> 31;
}

void memory_garbage(void *data, uint32_t size_bytes, uint64_t seed) {
    uint8_t *bytes = data;
    for (uint32_t at = 0; at < size_bytes; at += 8) {
        uint64_t word = chip_mix(seed + at);
        memcpy(bytes + at, &word, size_bytes - at < 8 ? size_bytes - at : 8);
    }
}

static void touch(struct chip *chip, uint32_t offset) {
    uint8_t *touched = &chip->wires.sdram_touched[offset / PAGE];
    if (*touched)
        return;
    *touched = 1;
    uint64_t place = (uint64_t)chip->options.index << 48 | offset / PAGE;
    uint64_t seed = chip_mix(chip->options.seed ^ place);
    if (!chip->options.pristine)
        memory_garbage(chip->wires.sdram + offset / PAGE * PAGE, PAGE, seed);
}

/* First byte of addr and how many follow it in one piece; null: not memory. */
static uint8_t *locate(struct chip *chip, uint32_t addr, uint32_t *room) {
    if (addr - 0x60000000 < 0x20000000) {
        uint32_t offset = addr & (CHIP_SDRAM_SIZE - 1);
        touch(chip, offset);
        *room = PAGE - offset % PAGE;
        return chip->wires.sdram + offset;
    }
    uint32_t offset = addr & (CHIP_SYSRAM_SIZE - 1), block = addr >> 24 | 0x10;
    bool inside = (addr & 0xffffff) < CHIP_SYSRAM_SIZE && addr >= 0xe0000000;
    *room = CHIP_SYSRAM_SIZE - offset;
    if (inside && block == 0xf5)
        return chip->sysram + offset;
    if (inside && block == 0xf6)
        return chip->rom + offset;
    if (addr >= 0xff000000 && addr < 0xfffff000)
        return (chip->sysctl.misc & 1 ? chip->sysram : chip->rom) + offset;
    return NULL;
}

static bool is_sdram(uint32_t addr) {
    return addr - 0x60000000 < 0x20000000;
}

static void define(struct chip *chip, uint32_t addr, uint32_t size_bytes) {
    uint32_t first = (addr & (CHIP_SDRAM_SIZE - 1)) / 4;
    uint32_t last = ((addr & (CHIP_SDRAM_SIZE - 1)) + size_bytes - 1) / 4;
    uint32_t *bits = chip->wires.sdram_defined;
    for (uint32_t word = first; word <= last; word++)
        if (word % 32 == 0 && last - word >= 31) {
            bits[word / 32] = 0xffffffff;
            word += 31;
        } else {
            bits[word / 32] |= 1u << word % 32;
        }
}

bool memory_is_defined(const struct chip *chip, uint32_t addr, uint32_t size_bytes) {
    if (!is_sdram(addr) || !size_bytes)
        return true;
    uint32_t offset = addr & (CHIP_SDRAM_SIZE - 1);
    for (uint32_t word = offset / 4; word <= (offset + size_bytes - 1) / 4; word++)
        if (!(chip->wires.sdram_defined[word / 32] >> word % 32 & 1))
            return false;
    return true;
}

bool memory_read(struct chip *chip, uint32_t addr, void *data, uint32_t size_bytes) {
    uint8_t *to = data;
    while (size_bytes) {
        uint32_t room;
        const uint8_t *from = locate(chip, addr, &room);
        if (!from)
            return false;
        uint32_t part = room < size_bytes ? room : size_bytes;
        memcpy(to, from, part);
        to += part;
        addr += part;
        size_bytes -= part;
    }
    return true;
}

bool memory_write(struct chip *chip, uint32_t addr, const void *data, uint32_t size_bytes) {
    const uint8_t *from = data;
    while (size_bytes) {
        uint32_t room;
        uint8_t *to = locate(chip, addr, &room);
        if (!to)
            return false;
        uint32_t part = room < size_bytes ? room : size_bytes;
        memcpy(to, from, part);
        if (is_sdram(addr))
            define(chip, addr, part);
        from += part;
        addr += part;
        size_bytes -= part;
    }
    return true;
}
