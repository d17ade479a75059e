/* The SDRAM controller (PL340 with its DLL) and the watchdog (SP805): registers that keep what is
 * written. SDRAM works without them; the watchdog never bites.
 *
 * Follows: data sheet chapter 13; ARM DDI 0270.
 */
#include "chip.h"

#define DLL_STATUS 0x300u
#define DLL_LOCKED 0x40000u
#define WATCHDOG_KEY 0x1acce551u

enum chip_access pl340_read(struct chip *chip, uint32_t offset, uint32_t *value) {
    if (offset >= sizeof chip->pl340.regs)
        return ACCESS_UNSUPPORTED;
    *value = offset == DLL_STATUS ? DLL_LOCKED : chip->pl340.regs[offset / 4];
    return ACCESS_OK;
}

enum chip_access pl340_write(struct chip *chip, uint32_t offset, uint32_t value) {
    if (offset >= sizeof chip->pl340.regs)
        return ACCESS_UNSUPPORTED;
    chip->pl340.regs[offset / 4] = value;
    return ACCESS_OK;
}

enum chip_access watchdog_read(struct chip *chip, uint32_t offset, uint32_t *value) {
    switch (offset) {
    case 0x00: case 0x04: *value = chip->watchdog.load; break;
    case 0x08: *value = chip->watchdog.control; break;
    case 0x10: case 0x14: *value = 0; break;
    case 0xc00: *value = chip->watchdog.locked; break;
    default: return ACCESS_UNSUPPORTED;
    }
    return ACCESS_OK;
}

enum chip_access watchdog_write(struct chip *chip, uint32_t offset, uint32_t value) {
    struct watchdog *wd = &chip->watchdog;
    if (offset == 0xc00) {
        wd->locked = value != WATCHDOG_KEY;
        return ACCESS_OK;
    }
    if (wd->locked)
        return ACCESS_OK;
    switch (offset) {
    case 0x00: wd->load = value; break;
    case 0x08:
        wd->control = value & 3;
        return value & 3 ? ACCESS_UNTESTED : ACCESS_OK;
    case 0x0c: break;
    default: return ACCESS_UNSUPPORTED;
    }
    return ACCESS_OK;
}
