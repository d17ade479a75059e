/* DMA controller: one engine per core, a queue of one behind the active transfer.
 *
 * In: register writes of its core, EV_DMA_* events. Out: bytes, done bits, interrupts 12, 13, 14.
 * Follows: data sheet chapter 7. Times: spec/costs.py.
 *
 *   commit -> START   +CHIP_ACT: the source is read, the race checks are made
 *          -> DATA    +dma_fixed_cycles: the bytes begin to move
 *          -> DONE    all engines that move bytes share the chip's total evenly, each at most
 *                     at the engine rate; the destination becomes visible, a queued transfer starts
 *
 * Because all engines in DATA run at one common rate, `progress` (1/65536 byte) says when
 * each is over, and one event for the nearest is enough.
 *
 * RACE. From START to DONE nobody may touch what is moving:
 *   TCM    being filled: no access by the core; being sent: no store by the core
 *   SDRAM  being written: no access by any core, no transfer that reads or writes it
 *   SDRAM  being read: no store, no transfer that writes it
 */
#include <string.h>

#include "chip.h"

#define STAT_CORE_SHIFT 24
#define DESC_TO_SYSTEM (1u << 19)
#define DESC_CRC (1u << 20)

enum dma_stat {
    STAT_BUSY = 1 << 0, STAT_PAUSED = 1 << 1, STAT_QUEUED = 1 << 2, STAT_WRITES_FULL = 1 << 3,
    STAT_WRITES = 1 << 4, STAT_DONE = 1 << 10, STAT_DONE2 = 1 << 11, STAT_TIMEOUT = 1 << 12,
    STAT_TCM_ERROR = 1 << 14, STAT_AXI_ERROR = 1 << 15, STAT_ABORT = 1 << 16,
    STAT_SOFT_RESET = 1 << 17, STAT_WRITE_ERROR = 1 << 20
};
#define STAT_ERRORS 0x1fe000u /* bits 20:13 */

static uint32_t size_of(const struct dma_transfer *transfer) {
    return transfer->desc & 0x1fffc;
}

static bool to_system(const struct dma_transfer *transfer) {
    return (transfer->desc & DESC_TO_SYSTEM) != 0;
}

/* ---- shared bandwidth */

static void bus_advance(struct chip *chip, uint64_t now) {
    struct dma_bus *bus = &chip->dma_bus;
    bus->progress += (now - bus->since) * bus->rate;
    bus->since = now;
}

static uint64_t nearest_target(const struct chip *chip) {
    uint64_t nearest = CHIP_NEVER;
    for (uint32_t i = 0; i < CHIP_CORES; i++)
        if (chip->cores[i].dma.phase == DMA_DATA && chip->cores[i].dma.target < nearest)
            nearest = chip->cores[i].dma.target;
    return nearest;
}

/* After the number of active engines changed: new rate, new event for the nearest end. */
static void bus_replan(struct chip *chip, uint64_t now) {
    struct dma_bus *bus = &chip->dma_bus;
    bus->generation++;
    if (!bus->active) {
        bus->progress = bus->rate = 0;
        return;
    }
    uint64_t share = chip->costs.dma_total_rate / bus->active;
    bus->rate = share < chip->costs.dma_engine_rate ? share : chip->costs.dma_engine_rate;
    uint64_t target = nearest_target(chip);
    uint64_t left = target > bus->progress ? target - bus->progress : 0;
    uint64_t then = now + (left + bus->rate - 1) / bus->rate;
    chip_schedule(chip, then, EV_DMA_DONE, 0, (uint32_t[4]){bus->generation});
}

/* ---- races */

static bool overlaps(uint32_t a, uint32_t a_size, uint32_t b, uint32_t b_size) {
    return a < b + b_size && b < a + a_size;
}

/* One number for a byte of shared memory, whatever alias names it. */
static uint32_t fold(uint32_t addr) {
    if (addr - 0x60000000 < 0x20000000)
        return 0x60000000 | (addr & (CHIP_SDRAM_SIZE - 1));
    return addr >= 0xe0000000 ? addr | 0x10000000 : addr;
}

/* Is a range in the hands of an engine? writers: only those that write it. */
static bool system_busy(const struct chip *chip, uint32_t addr, uint32_t size, bool writers) {
    for (uint32_t i = 0; i < CHIP_CORES; i++) {
        const struct dma *dma = &chip->cores[i].dma;
        if (dma->phase < DMA_FIXED || (writers && !to_system(&dma->active)))
            continue;
        if (overlaps(fold(addr), size, fold(dma->active.system_addr), size_of(&dma->active)))
            return true;
    }
    return false;
}

bool dma_system_race(const struct chip *chip, uint32_t addr, uint32_t size) {
    return system_busy(chip, addr, size, true);
}

bool dma_system_range_busy(const struct chip *chip, uint32_t addr, uint32_t size) {
    return system_busy(chip, addr, size, false);
}

bool dma_tcm_race(const struct chip *chip, uint32_t core, uint32_t addr, uint32_t size,
                  bool is_write) {
    const struct dma *dma = &chip->cores[core].dma;
    if (dma->phase < DMA_FIXED || (to_system(&dma->active) && !is_write))
        return false;
    return overlaps(addr, size, dma->active.tcm_addr, size_of(&dma->active));
}

/* ---- interrupts */

static void update_lines(struct chip *chip, uint32_t core, uint64_t now) {
    const struct dma *dma = &chip->cores[core].dma;
    uint32_t hot = dma->gctl & dma->stat;
    chip_line(chip, core, VIC_DMA_DONE, (hot & (STAT_DONE | STAT_DONE2)) != 0, now);
    chip_line(chip, core, VIC_DMA_ERROR, (hot & STAT_ERRORS) != 0, now);
    chip_line(chip, core, VIC_DMA_TIMEOUT, (hot & STAT_TIMEOUT) != 0, now);
}

static void count_done(struct dma *dma) {
    dma->stat |= dma->stat & STAT_DONE ? STAT_DONE2 : STAT_DONE;
}

static void acknowledge_done(struct dma *dma) {
    if (dma->stat & STAT_DONE2)
        dma->stat &= ~(uint32_t)STAT_DONE2;
    else
        dma->stat &= ~(uint32_t)STAT_DONE;
}

void dma_write_error(struct chip *chip, uint32_t core, uint64_t now) {
    if (core >= CHIP_CORES)
        return;
    chip->cores[core].dma.stat |= STAT_WRITE_ERROR;
    update_lines(chip, core, now);
}

/* ---- life of a transfer */

static void issue(struct chip *chip, uint32_t core, uint64_t now) {
    struct dma *dma = &chip->cores[core].dma;
    dma->phase = DMA_ISSUED;
    dma->generation++;
    chip_schedule(chip, now + CHIP_ACT, EV_DMA_START, core, (uint32_t[4]){dma->generation});
}

static void start_queued(struct chip *chip, uint32_t core, uint64_t now) {
    struct dma *dma = &chip->cores[core].dma;
    if (!dma->queued || dma->paused || dma->phase != DMA_IDLE)
        return;
    dma->active = dma->next;
    dma->queued = false;
    issue(chip, core, now);
}

static void fail(struct chip *chip, uint32_t core, uint32_t bit, uint64_t now) {
    struct dma *dma = &chip->cores[core].dma;
    dma->stat |= bit;
    dma->paused = true;
    dma->phase = DMA_IDLE;
    update_lines(chip, core, now);
}

static uint8_t *tcm(struct chip *chip, uint32_t core, uint32_t addr, uint32_t size) {
    struct arm_core *arm = chip->wires.arm[core];
    if (addr < ARM_ITCM_SIZE && size <= ARM_ITCM_SIZE - addr)
        return arm->itcm + addr;
    uint32_t offset = addr - ARM_DTCM_BASE;
    if (offset < ARM_DTCM_SIZE && size <= ARM_DTCM_SIZE - offset)
        return arm->dtcm + offset;
    return NULL;
}

/* Reads the source. false: an address that is no memory; the engine is then paused. */
static bool take_source(struct chip *chip, uint32_t core, uint64_t now) {
    struct dma *dma = &chip->cores[core].dma;
    const struct dma_transfer *t = &dma->active;
    const uint8_t *local = tcm(chip, core, t->tcm_addr, size_of(t));
    if (!local) {
        fail(chip, core, STAT_TCM_ERROR, now);
        return false;
    }
    if (to_system(t))
        memcpy(dma->data, local, size_of(t));
    /* for a write to the system this only asks whether the range is memory */
    static const uint32_t probe_bytes = 4;
    uint32_t probe;
    bool good = to_system(t) ? memory_read(chip, t->system_addr, &probe, probe_bytes)
                             : memory_read(chip, t->system_addr, dma->data, size_of(t));
    if (!good)
        fail(chip, core, STAT_AXI_ERROR, now);
    return good;
}

static void start(struct chip *chip, uint32_t core, uint64_t now) {
    struct dma *dma = &chip->cores[core].dma;
    const struct dma_transfer *t = &dma->active;
    if (system_busy(chip, t->system_addr, size_of(t), !to_system(t)))
        chip_raise_fault(chip, core, FAULT_RACE, chip->wires.arm[core]->pc, t->system_addr, now);
    if (to_system(t) && chip_is_guarded(chip, core, t->system_addr, size_of(t)))
        chip_raise_fault(chip, core, FAULT_GUARD, chip->wires.arm[core]->pc, t->system_addr, now);
    if (!take_source(chip, core, now))
        return;
    dma->watch = size_of(t) ? arm_watch(chip->wires.arm[core], t->tcm_addr, size_of(t)) : -1;
    dma->phase = DMA_FIXED;
    chip_schedule(chip, now + chip->costs.dma_fixed_cycles, EV_DMA_DATA, core,
                  (uint32_t[4]){dma->generation});
}

static void begin_data(struct chip *chip, uint32_t core, uint64_t now) {
    struct dma *dma = &chip->cores[core].dma;
    bus_advance(chip, now);
    dma->phase = DMA_DATA;
    dma->target = chip->dma_bus.progress + ((uint64_t)size_of(&dma->active) << 16);
    chip->dma_bus.active++;
    bus_replan(chip, now);
}

static void release(struct chip *chip, uint32_t core) {
    struct dma *dma = &chip->cores[core].dma;
    if (dma->watch >= 0)
        arm_unwatch(chip->wires.arm[core], dma->watch);
    dma->watch = -1;
    dma->phase = DMA_IDLE;
}

static void deliver(struct chip *chip, uint32_t core) {
    struct dma *dma = &chip->cores[core].dma;
    const struct dma_transfer *t = &dma->active;
    if (to_system(t)) {
        if (!memory_write(chip, t->system_addr, dma->data, size_of(t)))
            dma->stat |= STAT_AXI_ERROR;
        return;
    }
    memcpy(tcm(chip, core, t->tcm_addr, size_of(t)), dma->data, size_of(t));
    arm_invalidate(chip->wires.arm[core], t->tcm_addr, size_of(t));
}

static void finish(struct chip *chip, uint32_t core, uint64_t now) {
    struct dma *dma = &chip->cores[core].dma;
    deliver(chip, core);
    release(chip, core);
    count_done(dma);
    update_lines(chip, core, now);
    start_queued(chip, core, now);
}

static void finish_all(struct chip *chip, uint64_t now) {
    bus_advance(chip, now);
    for (uint32_t core = 0; core < CHIP_CORES; core++) {
        struct dma *dma = &chip->cores[core].dma;
        if (dma->phase != DMA_DATA || dma->target > chip->dma_bus.progress)
            continue;
        chip->dma_bus.active--;
        finish(chip, core, now);
    }
    bus_replan(chip, now);
}

void dma_event(struct chip *chip, const struct chip_event *event) {
    if (event->kind == EV_DMA_DONE) {
        if (event->arg[0] == chip->dma_bus.generation)
            finish_all(chip, event->time);
        return;
    }
    struct dma *dma = &chip->cores[event->unit].dma;
    if (event->arg[0] != dma->generation)
        return;
    if (event->kind == EV_DMA_START && dma->phase == DMA_ISSUED)
        start(chip, event->unit, event->time);
    else if (event->kind == EV_DMA_DATA && dma->phase == DMA_FIXED)
        begin_data(chip, event->unit, event->time);
}

/* Ends the active transfer without delivering it. */
static void cancel(struct chip *chip, uint32_t core, uint64_t now) {
    struct dma *dma = &chip->cores[core].dma;
    bool moving = dma->phase == DMA_DATA;
    dma->generation++;
    release(chip, core);
    if (!moving)
        return;
    bus_advance(chip, now);
    chip->dma_bus.active--;
    bus_replan(chip, now);
}

void dma_reset(struct chip *chip, uint32_t core, uint64_t now) {
    struct dma *dma = &chip->cores[core].dma;
    if (dma->phase != DMA_IDLE)
        cancel(chip, core, now);
    dma->queued = dma->paused = false;
    dma->gctl = dma->sctl = dma->tmtv = dma->system_addr = dma->tcm_addr = 0;
    dma->stat = STAT_SOFT_RESET;
    update_lines(chip, core, now);
}

/* ---- registers */

static uint32_t read_stat(const struct chip *chip, uint32_t core, uint64_t now) {
    const struct dma *dma = &chip->cores[core].dma;
    uint32_t value = dma->stat | core << STAT_CORE_SHIFT;
    if (chip->cores[core].write_done > now)
        value |= STAT_WRITES | STAT_WRITES_FULL;
    return value | (dma->phase != DMA_IDLE ? STAT_BUSY : 0) | (dma->paused ? STAT_PAUSED : 0) |
           (dma->queued ? STAT_QUEUED : 0);
}

enum chip_access dma_read(struct chip *chip, uint32_t core, uint32_t offset, uint64_t now,
                          uint32_t *value) {
    const struct dma *dma = &chip->cores[core].dma;
    switch (offset) {
    case 0x04: *value = dma->system_addr; break;
    case 0x08: *value = dma->tcm_addr; break;
    case 0x0c: *value = dma->queued ? dma->next.desc : dma->active.desc; break;
    case 0x10: *value = 0; break;
    case 0x14: *value = read_stat(chip, core, now); break;
    case 0x18: *value = dma->gctl; break;
    case 0x24: *value = dma->tmtv; break;
    case 0x28: *value = dma->sctl; break;
    case 0x104: *value = dma->active.system_addr; break;
    case 0x108: *value = dma->active.tcm_addr; break;
    case 0x10c: *value = dma->active.desc; break;
    default: return ACCESS_UNSUPPORTED;
    }
    return ACCESS_OK;
}

static enum chip_access commit(struct chip *chip, uint32_t core, uint32_t desc, uint64_t now) {
    struct dma *dma = &chip->cores[core].dma;
    dma->next = (struct dma_transfer){dma->system_addr & ~3u, dma->tcm_addr & ~3u, desc};
    dma->queued = true;
    start_queued(chip, core, now);
    return desc & DESC_CRC ? ACCESS_UNTESTED : ACCESS_OK;
}

static void control(struct chip *chip, uint32_t core, uint32_t bits, uint64_t now) {
    struct dma *dma = &chip->cores[core].dma;
    if (bits & 1)
        dma->queued = false;
    if (bits & 2 && dma->phase != DMA_IDLE) {
        cancel(chip, core, now);
        dma->stat |= STAT_ABORT;
        dma->paused = true;
    }
    if (bits & 4) {
        dma->stat &= ~(STAT_ERRORS & ~(uint32_t)STAT_WRITE_ERROR);
        dma->paused = false;
    }
    if (bits & 8)
        acknowledge_done(dma);
    if (bits & 0x10)
        dma->stat &= ~(uint32_t)STAT_TIMEOUT;
    if (bits & 0x20)
        dma->stat &= ~(uint32_t)STAT_WRITE_ERROR;
    start_queued(chip, core, now);
    update_lines(chip, core, now);
}

enum chip_access dma_write(struct chip *chip, uint32_t core, uint32_t offset, uint64_t now,
                           uint32_t value) {
    struct dma *dma = &chip->cores[core].dma;
    if (offset >= 0x04 && offset <= 0x0c && dma->queued)
        return ACCESS_BUS_ERROR;
    switch (offset) {
    case 0x04: dma->system_addr = value; break;
    case 0x08: dma->tcm_addr = value; break;
    case 0x0c: return commit(chip, core, value, now);
    case 0x10: control(chip, core, value, now); break;
    case 0x18:
        dma->gctl = value & 0x1ffc01;
        update_lines(chip, core, now);
        break;
    case 0x24: dma->tmtv = value & 0x3e0; break;
    case 0x28: dma->sctl = value & 3; break;
    default: return ACCESS_UNSUPPORTED;
    }
    return ACCESS_OK;
}
