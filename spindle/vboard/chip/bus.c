/* The address map of a core: private peripherals, shared memory and devices, waits, errors.
 *
 * In: arm_bus calls. Out: values, wait cycles, ARM_BUS_FAULT, typed faults.
 * Follows: data sheet chapters 1-3; costs from spec/costs.py.
 *
 *   0x10 0x20 comms  0x11 0x21 timers  0x1f 0x2f 0xfffff VIC  0x30 0x40 DMA      private, at once
 *   0x6 SDRAM 0xe devices   buffered: the core goes on, the store arrives sdram_word_cycles later
 *   0x7 SDRAM 0xf devices   unbuffered: the core waits
 *
 * The write buffer holds one store. A second one waits for it. A read forces it out at once (so it
 * sees the own store) and waits too; an unbuffered store overtakes it. DMA STAT[4:3] show it.
 */
#include <string.h>

#include "chip.h"

#define STAGING_OFFSET 0x07800000u /* sdram_sys of the vendor's monitor */
#define STAGING_SIZE 0x40000u

#define MAX_NUMBER 0xffffffu
#define NUMBER_SHIFT 8 /* of the store number in args[2] of EV_STORE; its low byte is the size */

const struct arm_bus chip_arm_bus = {chip_bus_read, chip_bus_write, chip_bus_fetch, chip_bus_watch,
                                     NULL};

static bool is_sdram(uint32_t addr) {
    return addr - 0x60000000 < 0x20000000;
}

static bool is_shared(uint32_t addr) {
    uint32_t block = addr >> 24;
    return is_sdram(addr) || (block >= 0xe0 && block <= 0xe6) || (block >= 0xf0 && block <= 0xf6) ||
           (block == 0xff && addr < 0xfffff000);
}

static bool is_memory(uint32_t addr) {
    uint32_t block = addr >> 24 | 0x10;
    return is_sdram(addr) || block == 0xf5 || block == 0xf6 || block == 0xff;
}

static bool is_buffered(uint32_t addr) {
    return addr >> 28 == 0x6 || addr >> 28 == 0xe;
}

static bool is_monitor(const struct chip *chip, uint32_t core) {
    return core == chip_monitor(chip);
}

/* A fault for what a register access came to; the value stands either way. */
static void report(struct chip *chip, uint32_t core, enum chip_access access, uint32_t pc,
                   uint32_t addr, uint64_t now) {
    if (access == ACCESS_UNSUPPORTED)
        chip_raise_fault(chip, core, FAULT_UNSUPPORTED, pc, addr, now);
    else if (access == ACCESS_UNTESTED)
        chip_raise_fault(chip, core, FAULT_UNTESTED, pc, addr, now);
}

/* ---- the system NoC: shared devices and memory at a time */

enum chip_access chip_system_read(struct chip *chip, uint32_t core, uint32_t addr, uint32_t size,
                                  uint64_t cycle, uint32_t *value) {
    uint32_t offset = addr & 0xffffff;
    *value = 0;
    if (!is_shared(addr))
        return ACCESS_BUS_ERROR;
    if (is_memory(addr))
        return memory_read(chip, addr, value, size) ? ACCESS_OK : ACCESS_BUS_ERROR;
    if (addr >> 24 != 0xe4 && addr >> 24 != 0xf4 && size != 4)
        return ACCESS_BUS_ERROR;
    switch (addr >> 24 | 0x10) {
    case 0xf0: return pl340_read(chip, offset, value);
    case 0xf1: return router_read(chip, core, offset, cycle, value);
    case 0xf2: return sysctl_read(chip, core, offset, cycle, value);
    case 0xf3: return watchdog_read(chip, offset, value);
    default: return ethernet_read(chip, core, offset, size, cycle, value);
    }
}

enum chip_access chip_system_write(struct chip *chip, uint32_t core, uint32_t addr, uint32_t size,
                                   uint64_t cycle, uint32_t value) {
    uint32_t offset = addr & 0xffffff, block = addr >> 24 | 0x10;
    if (!is_shared(addr) || block == 0xf6)
        return ACCESS_BUS_ERROR;
    if (is_memory(addr))
        return memory_write(chip, addr, &value, size) ? ACCESS_OK : ACCESS_BUS_ERROR;
    if (block != 0xf4 && size != 4)
        return ACCESS_BUS_ERROR;
    switch (block) {
    case 0xf0: return pl340_write(chip, offset, value);
    case 0xf1: return router_write(chip, core, offset, cycle, value);
    case 0xf2: return sysctl_write(chip, core, offset, cycle, value);
    case 0xf3: return watchdog_write(chip, offset, value);
    default: return ethernet_write(chip, core, offset, size, cycle, value);
    }
}

/* ---- private peripherals */

/* The block as its unbuffered alias: 0x10 comms, 0x11 timers, 0x1f VIC, 0x30 DMA; 0: none. */
static uint32_t private_block(uint32_t addr) {
    switch (addr >> 24) {
    case 0x10: case 0x20: return 0x10;
    case 0x11: case 0x21: return 0x11;
    case 0x1f: case 0x2f: return 0x1f;
    case 0x30: case 0x40: return 0x30;
    default: return addr >= 0xfffff000 ? 0x1f : 0;
    }
}

static uint32_t private_offset(uint32_t addr) {
    return addr & (addr >= 0xfffff000 ? 0xfffu : 0xffffffu);
}

/* What a byte or halfword access meets, or a word outside the timers. */
static enum chip_access private_check(uint32_t addr, uint32_t size) {
    uint32_t block = private_block(addr);
    if (size != 4 && block == 0x30)
        return ACCESS_BUS_ERROR;
    if (size != 4 || (block == 0x11 && private_offset(addr) >= 0x40))
        return ACCESS_UNSUPPORTED;
    return ACCESS_OK;
}

static enum chip_access private_read(struct chip *chip, uint32_t core, uint32_t addr,
                                     uint32_t size, uint64_t now, uint32_t *value) {
    struct chip_core *state = &chip->cores[core];
    uint32_t offset = private_offset(addr);
    enum chip_access access = private_check(addr, size);
    *value = 0;
    if (access != ACCESS_OK)
        return access;
    switch (private_block(addr)) {
    case 0x10: return comms_read(chip, core, offset, now, value);
    case 0x11: return timer_read(&state->timers[offset >> 5], offset & 0x1f, now, value);
    case 0x1f:
        access = vic_read(&state->vic, offset, value);
        chip_update_irq(chip, core, now);
        return access;
    default: return dma_read(chip, core, offset, now, value);
    }
}

static enum chip_access private_write(struct chip *chip, uint32_t core, uint32_t addr,
                                      uint32_t size, uint64_t now, uint32_t value) {
    struct chip_core *state = &chip->cores[core];
    uint32_t offset = private_offset(addr);
    enum chip_access access = private_check(addr, size);
    if (access != ACCESS_OK)
        return access;
    switch (private_block(addr)) {
    case 0x10: return comms_write(chip, core, offset, now, value);
    case 0x11:
        access = timer_write(&state->timers[offset >> 5], offset & 0x1f, now, value);
        chip_update_timer(chip, core, offset >> 5, now);
        return access;
    case 0x1f:
        access = vic_write(&state->vic, offset, value);
        chip_update_irq(chip, core, now);
        return access;
    default: return dma_write(chip, core, offset, now, value);
    }
}

/* ---- checks before an access */

static bool needs_privilege(uint32_t addr) {
    uint32_t block = addr >> 24;
    return private_block(addr) == 0x30 || block == 0xe2 || block == 0xf2;
}

/* Word-only devices abort other sizes; some need a privileged mode. */
static bool is_allowed(const struct arm_core *arm, uint32_t addr, uint32_t size) {
    uint32_t block = addr >> 24 | 0x10;
    if (needs_privilege(addr) && !arm_privileged(arm))
        return false;
    if (is_shared(addr) && !is_memory(addr) && block != 0xf4)
        return size == 4;
    return true;
}

static void check_known(struct chip *chip, uint32_t core, uint32_t pc, uint32_t addr,
                        uint64_t now) {
    if (!is_monitor(chip, core) && !is_memory(addr) && !chip_register_known(addr))
        chip_raise_fault(chip, core, FAULT_UNSUPPORTED, pc, addr, now);
}

/* The vendor's loader copies an application from here in whole blocks of 32 bytes, so it reads past
 * the end of the file. */
static bool is_staging(uint32_t addr) {
    return is_sdram(addr) && (addr & (CHIP_SDRAM_SIZE - 1)) - STAGING_OFFSET < STAGING_SIZE;
}

static void check_memory_read(struct chip *chip, uint32_t core, uint32_t pc, uint32_t addr,
                              uint32_t size, uint64_t now) {
    if (dma_system_race(chip, addr, size))
        chip_raise_fault(chip, core, FAULT_RACE, pc, addr, now);
    if (!is_staging(addr) && !memory_is_defined(chip, addr, size))
        chip_raise_fault(chip, core, FAULT_UNDEFINED, pc, addr, now);
}

bool chip_is_guarded(const struct chip *chip, uint32_t core, uint32_t addr, uint32_t size) {
    if (!chip->options.guard_size || !is_sdram(addr) || is_monitor(chip, core))
        return false;
    uint32_t base = chip->options.guard_base & (CHIP_SDRAM_SIZE - 1);
    uint32_t offset = (addr & (CHIP_SDRAM_SIZE - 1)) - base;
    return offset >= chip->options.guard_size || size > chip->options.guard_size - offset;
}

/* ---- stores reach their place */

/* A late bus error shows in DMA STAT[20]. */
static void apply_store(struct chip *chip, uint32_t core, uint64_t now, const uint32_t arg[4]) {
    uint32_t addr = arg[0], size = arg[2] & 0xff;
    if (is_memory(addr) && dma_system_range_busy(chip, addr, size))
        chip_raise_fault(chip, core, FAULT_RACE, arg[3], addr, now);
    enum chip_access access = chip_system_write(chip, core, addr, size, now, arg[1]);
    report(chip, core, access, arg[3], addr, now);
    if (access == ACCESS_BUS_ERROR)
        dma_write_error(chip, core, now);
}

void chip_bus_event(struct chip *chip, const struct chip_event *event) {
    uint32_t number = event->arg[2] >> NUMBER_SHIFT;
    if (!number || number != chip->cores[event->unit].drained_number)
        apply_store(chip, event->unit, event->time, event->arg);
}

/* Forces the last buffered store of a core out, if it is still under way. */
static void drain(struct chip *chip, uint32_t core, uint64_t now) {
    struct chip_core *state = &chip->cores[core];
    if (state->write_done <= now || state->drained_number == state->store_number)
        return;
    state->drained_number = state->store_number;
    apply_store(chip, core, now, state->last_store);
}

/* ---- reads */

/* The cycle whose state a read sees: the start of its instruction. Accesses of one instruction
 * follow each other without a gap. */
static uint64_t sample_time(struct chip *chip, uint32_t core, const struct arm_core *arm) {
    struct chip_core *state = &chip->cores[core];
    bool same = arm->pc == state->sample_pc && arm->cycles - state->sample_end <= 1;
    if (!same)
        state->sample_time = arm->cycles;
    state->sample_pc = arm->pc;
    return state->sample_time;
}

static uint32_t read_wait(struct chip *chip, uint32_t core, const struct arm_core *arm) {
    struct chip_core *state = &chip->cores[core];
    uint64_t start = state->write_done > arm->cycles ? state->write_done : arm->cycles;
    uint32_t wait = (uint32_t)(start - arm->cycles) + chip->costs.sdram_word_cycles - 1;
    state->sample_end = arm->cycles + wait;
    return wait;
}

static uint32_t shared_read(struct chip *chip, struct arm_core *arm, uint32_t core, uint32_t addr,
                            uint32_t size, uint32_t *value) {
    uint64_t now = sample_time(chip, core, arm);
    chip_catch_up(chip, core, now);
    drain(chip, core, now);
    if (is_memory(addr))
        check_memory_read(chip, core, arm->pc, addr, size, now);
    enum chip_access access = chip_system_read(chip, core, addr, size, now, value);
    report(chip, core, access, arm->pc, addr, now);
    return access == ACCESS_BUS_ERROR ? ARM_BUS_FAULT : read_wait(chip, core, arm);
}

uint32_t chip_bus_read(void *ctx, struct arm_core *arm, uint32_t addr, uint32_t size,
                       uint32_t *value) {
    struct chip_port *port = ctx;
    struct chip *chip = port->chip;
    if (!is_allowed(arm, addr, size))
        return ARM_BUS_FAULT;
    check_known(chip, port->core, arm->pc, addr, arm->cycles);
    if (is_shared(addr))
        return shared_read(chip, arm, port->core, addr, size, value);
    if (!private_block(addr))
        return ARM_BUS_FAULT;
    enum chip_access access = private_read(chip, port->core, addr, size, arm->cycles, value);
    report(chip, port->core, access, arm->pc, addr, arm->cycles);
    return access == ACCESS_BUS_ERROR ? ARM_BUS_FAULT : chip->costs.local_word_cycles - 1;
}

uint32_t chip_bus_fetch(void *ctx, struct arm_core *arm, uint32_t addr, uint32_t size,
                        uint32_t *value) {
    struct chip_port *port = ctx;
    if (!is_memory(addr))
        return ARM_BUS_FAULT;
    uint64_t now = sample_time(port->chip, port->core, arm);
    chip_catch_up(port->chip, port->core, now);
    drain(port->chip, port->core, now);
    *value = 0;
    if (!memory_read(port->chip, addr, value, size))
        return ARM_BUS_FAULT;
    return read_wait(port->chip, port->core, arm);
}

/* ---- writes */

static uint32_t store_unbuffered(struct chip *chip, struct arm_core *arm, uint32_t core,
                                 const uint32_t arg[4]) {
    uint64_t then = arm->cycles + CHIP_ACT;
    if ((arg[0] >> 24 | 0x10) == 0xf6)
        return ARM_BUS_FAULT;
    if (chip_is_settled(chip, core, then))
        apply_store(chip, core, then, arg);
    else
        chip_schedule(chip, then, EV_STORE, core, arg);
    return chip->costs.sdram_word_cycles - 1;
}

static uint32_t store_buffered(struct chip *chip, struct arm_core *arm, uint32_t core,
                               const uint32_t arg[4]) {
    struct chip_core *state = &chip->cores[core];
    uint64_t start = state->write_done > arm->cycles ? state->write_done : arm->cycles;
    uint32_t number = (state->store_number % MAX_NUMBER) + 1;
    uint32_t numbered[4] = {arg[0], arg[1], arg[2] | number << NUMBER_SHIFT, arg[3]};
    state->write_done = start + chip->costs.sdram_word_cycles;
    state->store_number = number;
    memcpy(state->last_store, numbered, sizeof numbered);
    chip_schedule(chip, state->write_done, EV_STORE, core, numbered);
    return (uint32_t)(start - arm->cycles);
}

static uint32_t shared_write(struct chip *chip, struct arm_core *arm, uint32_t core, uint32_t addr,
                             uint32_t size, uint32_t value) {
    uint32_t arg[4] = {addr, value, size, arm->pc};
    if (chip_is_guarded(chip, core, addr, size))
        chip_raise_fault(chip, core, FAULT_GUARD, arm->pc, addr, arm->cycles);
    return is_buffered(addr) ? store_buffered(chip, arm, core, arg)
                             : store_unbuffered(chip, arm, core, arg);
}

uint32_t chip_bus_write(void *ctx, struct arm_core *arm, uint32_t addr, uint32_t size,
                        uint32_t value) {
    struct chip_port *port = ctx;
    struct chip *chip = port->chip;
    if (!is_allowed(arm, addr, size))
        return ARM_BUS_FAULT;
    check_known(chip, port->core, arm->pc, addr, arm->cycles);
    if (is_shared(addr))
        return shared_write(chip, arm, port->core, addr, size, value);
    if (!private_block(addr))
        return ARM_BUS_FAULT;
    enum chip_access access = private_write(chip, port->core, addr, size, arm->cycles, value);
    report(chip, port->core, access, arm->pc, addr, arm->cycles);
    if (access == ACCESS_BUS_ERROR)
        return ARM_BUS_FAULT;
    return (addr >> 28 & 1) || addr >= 0xfffff000 ? chip->costs.local_word_cycles - 1 : 0;
}

void chip_bus_watch(void *ctx, struct arm_core *arm, uint32_t addr, uint32_t size, bool is_write) {
    struct chip_port *port = ctx;
    if (dma_tcm_race(port->chip, port->core, addr, size, is_write))
        chip_raise_fault(port->chip, port->core, FAULT_RACE, arm->pc, addr, arm->cycles);
}
