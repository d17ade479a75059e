/* System controller: who is there, resets, locks, flags, core-to-core interrupts, pins.
 *
 * In: register accesses, in time order. Out: EV_CORE_STOP / EV_CORE_START, CPU interrupt lines.
 * Follows: data sheet chapter 14. Clocks and PLLs are storage: the cores always run at 200 MHz.
 */
#include "chip.h"

#define CODE 0x5ecu
#define CHIP_ID 0x59111012u
#define MON_ARBITRATE 0x100u

enum sysctl_offset {
    CHIP_ID_REG = 0x00, CPU_DIS = 0x04, SET_IRQ = 0x08, CLR_IRQ = 0x0c, SET_OK = 0x10,
    CLR_OK = 0x14, SOFT_RST_L = 0x18, HARD_RST_L = 0x1c, SUBS_RST_L = 0x20, SOFT_RST_P = 0x24,
    RST_CODE = 0x30, MON_ID = 0x34, MISC_CTRL = 0x38, GPIO_RES = 0x3c, GPIO_PORT = 0x40,
    GPIO_DIR = 0x44, GPIO_SET = 0x48, GPIO_CLR = 0x4c, PLL1 = 0x50, PLL2 = 0x54, SETFLAG = 0x58,
    CLRFLAG = 0x5c, CLKMUX = 0x60, SLEEP = 0x64, ARBITER = 0x80, TAS = 0x100, TAC = 0x180,
    LINK_DIS = 0x200
};

void sysctl_reset(struct chip *chip) {
    chip->sysctl = (struct sysctl){.cpu_ok = chip->options.cores_ok,
                                   .mon_id = 0x1f | MON_ARBITRATE, .gpio_pull = 0xffffffff,
                                   .gpio_dir = 0xffffffff, .pll1 = 0x2010a, .pll2 = 0x2010a};
}

/* Which cores sit in WFI at `now`. */
static uint32_t sleeping(const struct chip *chip, uint64_t now) {
    uint32_t mask = 0;
    for (uint32_t core = 0; core < CHIP_CORES; core++) {
        const struct arm_core *arm = chip->wires.arm[core];
        if (chip->cores[core].exists && arm->asleep && arm->cycles <= now)
            mask |= 1u << core;
    }
    return mask;
}

/* The serial ROM answers zeros on pin 2; every other pin reads the latch where it is an output. */
static uint32_t pins(const struct sysctl *sc) {
    return sc->gpio_port & ~sc->gpio_dir;
}

static uint32_t arbitrate(struct sysctl *sc, uint32_t core) {
    if (!(sc->mon_id & MON_ARBITRATE) || core == (sc->mon_id & 0x1f))
        return 0;
    sc->mon_id = (sc->mon_id & ~(MON_ARBITRATE | 0x1fu)) | core;
    return 0x80000000;
}

static uint32_t test_and(struct sysctl *sc, uint32_t lock, bool set) {
    uint32_t old = sc->locks >> lock & 1;
    sc->locks = (sc->locks & ~(1u << lock)) | (uint32_t)set << lock;
    return old << 31;
}

static enum chip_access read_indexed(struct chip *chip, uint32_t offset, uint32_t *value) {
    struct sysctl *sc = &chip->sysctl;
    if (offset - ARBITER < 4 * CHIP_CORES)
        *value = arbitrate(sc, (offset - ARBITER) / 4);
    else if (offset - TAS < 0x80)
        *value = test_and(sc, (offset - TAS) / 4, true);
    else if (offset - TAC < 0x80)
        *value = test_and(sc, (offset - TAC) / 4, false);
    else
        return ACCESS_UNSUPPORTED;
    return ACCESS_OK;
}

enum chip_access sysctl_read(struct chip *chip, uint32_t core, uint32_t offset, uint64_t now,
                             uint32_t *value) {
    const struct sysctl *sc = &chip->sysctl;
    (void)core;
    switch (offset) {
    case CHIP_ID_REG: *value = CHIP_ID; break;
    case CPU_DIS: *value = sc->cpu_disable; break;
    case SET_IRQ: case CLR_IRQ: *value = sc->cpu_irq; break;
    case SET_OK: case CLR_OK: *value = sc->cpu_ok; break;
    case SOFT_RST_L: *value = sc->soft_reset; break;
    case HARD_RST_L: *value = sc->hard_reset; break;
    case SUBS_RST_L: *value = sc->subsystem_reset; break;
    case RST_CODE: *value = sc->reset_code; break;
    case MON_ID: *value = sc->mon_id; break;
    case MISC_CTRL: *value = sc->misc; break;
    case GPIO_RES: *value = sc->gpio_pull; break;
    case GPIO_PORT: *value = sc->gpio_port; break;
    case GPIO_DIR: *value = sc->gpio_dir; break;
    case GPIO_SET: case GPIO_CLR: *value = pins(sc); break;
    case PLL1: *value = sc->pll1; break;
    case PLL2: *value = sc->pll2; break;
    case SETFLAG: case CLRFLAG: *value = sc->flags; break;
    case CLKMUX: *value = sc->clkmux; break;
    case SLEEP: *value = sleeping(chip, now); break;
    case LINK_DIS: *value = sc->link_disable; break;
    default: return read_indexed(chip, offset, value);
    }
    return ACCESS_OK;
}

/* Which cores are kept from running. */
static uint32_t held_mask(const struct sysctl *sc) {
    return sc->cpu_disable | sc->soft_reset | sc->hard_reset;
}

/* Cores that stop or go after one of the three registers changed; they do it packet_cycles later.
 * A restart fetches from the boot area. */
static void apply_holds(struct chip *chip, uint32_t before, uint32_t reset, uint64_t now) {
    uint32_t after = held_mask(&chip->sysctl);
    uint64_t then = now + chip->costs.packet_cycles;
    for (uint32_t core = 0; core < CHIP_CORES; core++) {
        uint32_t bit = 1u << core, arg[4] = {0xffff0000, 0, 0, 0};
        if (!chip->cores[core].exists)
            continue;
        if (reset & bit)
            chip->cores[core].restart = true;
        if ((after | reset) & bit && !(before & bit & ~reset))
            chip_schedule(chip, then, EV_CORE_STOP, core, (uint32_t[4]){(reset & bit) != 0});
        if ((before | reset) & bit && !(after & bit)) {
            arg[1] = chip->cores[core].restart;
            chip->cores[core].restart = false;
            chip_schedule(chip, then, EV_CORE_START, core, arg);
        }
    }
}

static void write_hold(struct chip *chip, uint32_t *reg, uint32_t value, bool is_reset,
                       uint64_t now) {
    uint32_t before = held_mask(&chip->sysctl), raised = value & 0x3ffff & ~*reg;
    *reg = value & 0x3ffff;
    apply_holds(chip, before, is_reset ? raised : 0, now);
}

static void write_irq(struct chip *chip, uint32_t core, uint32_t mask, bool level, uint64_t now) {
    mask &= 0x3ffff;
    chip->sysctl.cpu_irq = level ? chip->sysctl.cpu_irq | mask : chip->sysctl.cpu_irq & ~mask;
    uint32_t own = core < CHIP_CORES && mask >> core & 1 ? core : CHIP_CORES;
    chip_shared_line(chip, mask, VIC_CPU_INT, level, now, own);
}

static void write_mon_id(struct sysctl *sc, uint32_t value) {
    sc->mon_id = (sc->mon_id & MON_ARBITRATE) | (value & 0x1001f) | (value & MON_ARBITRATE);
}

/* Registers whose writes need 0x5EC in the top bits; without it nothing happens. */
static enum chip_access write_coded(struct chip *chip, uint32_t core, uint32_t offset,
                                    uint64_t now, uint32_t value) {
    struct sysctl *sc = &chip->sysctl;
    bool coded = value >> 20 == CODE;
    switch (offset) {
    case CPU_DIS: if (coded) write_hold(chip, &sc->cpu_disable, value, false, now); break;
    case SOFT_RST_L: if (coded) write_hold(chip, &sc->soft_reset, value, true, now); break;
    case HARD_RST_L: if (coded) write_hold(chip, &sc->hard_reset, value, true, now); break;
    case SET_IRQ: if (coded) write_irq(chip, core, value, true, now); break;
    case CLR_IRQ: if (coded) write_irq(chip, core, value, false, now); break;
    case MON_ID: if (coded) write_mon_id(sc, value); break;
    case SOFT_RST_P:
        if (coded)
            apply_holds(chip, held_mask(sc), value & 0x3ffff, now);
        return ACCESS_UNTESTED;
    case LINK_DIS:
        if (coded)
            sc->link_disable = value & 0x13fff;
        return ACCESS_UNTESTED;
    default: return ACCESS_UNSUPPORTED;
    }
    return ACCESS_OK;
}

enum chip_access sysctl_write(struct chip *chip, uint32_t core, uint32_t offset, uint64_t now,
                              uint32_t value) {
    struct sysctl *sc = &chip->sysctl;
    switch (offset) {
    case SET_OK: sc->cpu_ok |= value; break;
    case CLR_OK: sc->cpu_ok &= ~value; break;
    case MISC_CTRL: sc->misc = value & 0x800f; break;
    case GPIO_RES: sc->gpio_pull = value; break;
    case GPIO_PORT: sc->gpio_port = value; break;
    case GPIO_DIR: sc->gpio_dir = value; break;
    case GPIO_SET: sc->gpio_port |= value; break;
    case GPIO_CLR: sc->gpio_port &= ~value; break;
    case PLL1: sc->pll1 = value; break;
    case PLL2: sc->pll2 = value; break;
    case SETFLAG: sc->flags |= value; break;
    case CLRFLAG: sc->flags &= ~value; break;
    case CLKMUX: sc->clkmux = value; break;
    default: return write_coded(chip, core, offset, now, value);
    }
    return ACCESS_OK;
}
