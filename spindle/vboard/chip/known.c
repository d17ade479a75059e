/* Registers that the vendor's monitor and applications were seen to touch (the register log of a
 * booted board): what an application may use without an `unsupported` fault.
 *
 * In: an address of a peripheral. Out: yes or no. Channels of one circuit count as one register:
 * both timers, all vector slots, all filters and counters.
 */
#include "chip.h"

static bool is_one_of(uint32_t offset, const uint16_t *list, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (list[i] == offset)
            return true;
    return false;
}

#define LISTED(offset, ...)                                                                        \
    is_one_of(offset, (const uint16_t[]){__VA_ARGS__},                                             \
              sizeof((const uint16_t[]){__VA_ARGS__}) / sizeof(uint16_t))

static bool known_vic(uint32_t offset) {
    return LISTED(offset, 0x0c, 0x10, 0x14, 0x18, 0x1c, 0x30, 0x34) || offset - 0x100 < 0x40 ||
           offset - 0x200 < 0x40;
}

static bool known_timer(uint32_t offset) {
    return offset < 0x40 && LISTED(offset & 0x1f, 0x00, 0x04, 0x08, 0x0c, 0x18);
}

static bool known_dma(uint32_t offset) {
    return LISTED(offset, 0x04, 0x08, 0x0c, 0x10, 0x14, 0x18, 0x28);
}

/* 0x18-0x24: read by the vendor's packet reinjector when a packet was dumped; 0x300: by its
 * monitor for the host's router diagnostics. */
static bool known_router(uint32_t offset) {
    return LISTED(offset, 0x00, 0x04, 0x14, 0x18, 0x1c, 0x20, 0x24, 0x28, 0x2c, 0x84) ||
           offset - 0x200 < 0x40 || offset - 0x300 < 0x40 || offset - 0x4000 < 0x1000 ||
           offset - 0x8000 < 0x1000 || offset - 0xc000 < 0x1000 || offset - 0x10000 < 0x8000;
}

static bool known_sysctl(uint32_t offset) {
    return LISTED(offset, 0x00, 0x04, 0x08, 0x0c, 0x10, 0x14, 0x18, 0x34, 0x38, 0x40, 0x44, 0x48,
                  0x4c, 0x50, 0x54, 0x58, 0x5c, 0x60, 0x64) ||
           offset - 0x100 < 0x100;
}

static bool known_pl340(uint32_t offset) {
    return offset < 0x4c || LISTED(offset, 0x200, 0x300, 0x304, 0x308);
}

static bool known_ethernet(uint32_t offset) {
    return offset < 0x600 || offset - 0x4000 < 2 * ETH_RX_SIZE || offset - 0x8000 < 0x100 ||
           (offset - 0xc000 < 0x30 && offset != 0xc028);
}

static bool known_shared(uint32_t block, uint32_t offset) {
    switch (block) {
    case 0xf0: return known_pl340(offset);
    case 0xf1: return known_router(offset);
    case 0xf2: return known_sysctl(offset);
    case 0xf3: return offset == 0x08 || offset == 0xc00;
    case 0xf4: return known_ethernet(offset);
    default: return true;
    }
}

bool chip_register_known(uint32_t addr) {
    uint32_t offset = addr & 0xffffff, block = addr >> 24;
    if (addr >= 0xfffff000)
        return known_vic(addr & 0xfff);
    switch (block) {
    case 0x10: case 0x20: return offset <= 0x18;
    case 0x11: case 0x21: return known_timer(offset);
    case 0x1f: case 0x2f: return known_vic(offset);
    case 0x30: case 0x40: return known_dma(offset);
    default: return block < 0xe0 || known_shared(block | 0x10, offset);
    }
}
