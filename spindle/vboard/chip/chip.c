/* A chip as a whole: power on, lines, typed faults, the hand-out of events to parts.
 *
 * In: options, costs, events. Out: state of the parts. Follows: the rules in chip.h.
 */
#include <stdlib.h>
#include <string.h>

#include "chip.h"

#define PAGES (CHIP_SDRAM_SIZE / 4096)

/* ---- lines */

void chip_update_irq(struct chip *chip, uint32_t core, uint64_t cycle) {
    struct arm_core *arm = chip->wires.arm[core];
    bool irq = vic_irq(&chip->cores[core].vic), fiq = vic_fiq(&chip->cores[core].vic);
    if (irq == arm->irq_line && fiq == arm->fiq_line)
        return;
    if (irq != arm->irq_line)
        arm_set_irq(arm, irq, cycle);
    if (fiq != arm->fiq_line)
        arm_set_fiq(arm, fiq, cycle);
    chip_refresh(chip, core);
}

void chip_line(struct chip *chip, uint32_t core, enum vic_source source, bool level,
               uint64_t cycle) {
    struct vic *vic = &chip->cores[core].vic;
    if ((vic->lines >> source & 1) == level)
        return;
    vic_set_line(vic, source, level);
    chip_update_irq(chip, core, cycle);
}

void chip_shared_line(struct chip *chip, uint32_t cores, enum vic_source source, bool level,
                      uint64_t cycle, uint32_t own) {
    if (own < CHIP_CORES && cores >> own & 1)
        chip_line(chip, own, source, level, cycle);
    chip_schedule(chip, cycle + chip->costs.packet_cycles, EV_LINE, 0,
                  (uint32_t[4]){source, level, cores});
}

static void set_lines(struct chip *chip, const struct chip_event *event) {
    for (uint32_t left = event->arg[2]; left; left &= left - 1) {
        uint32_t core = (uint32_t)__builtin_ctz(left);
        if (chip->cores[core].exists)
            chip_line(chip, core, (enum vic_source)event->arg[0], event->arg[1], event->time);
    }
}

void chip_update_timer(struct chip *chip, uint32_t core, uint32_t index, uint64_t cycle) {
    struct timer *timer = &chip->cores[core].timers[index];
    enum vic_source source = index ? VIC_TIMER2 : VIC_TIMER1;
    chip_line(chip, core, source, timer_line(timer), cycle);
    uint64_t expiry = timer_expiry(timer);
    if (expiry == timer->scheduled)
        return;
    timer->scheduled = expiry;
    if (expiry != CHIP_NEVER)
        chip_schedule(chip, expiry, EV_TIMER, core, (uint32_t[4]){index});
}

static void timer_event(struct chip *chip, const struct chip_event *event) {
    struct timer *timer = &chip->cores[event->unit].timers[event->arg[0]];
    if (event->time != timer_expiry(timer))
        return;
    timer_expire(timer, event->time);
    chip_update_timer(chip, event->unit, event->arg[0], event->time);
}

/* ---- faults */

static void list_fault(struct chip *chip, const struct chip_fault *fault) {
    for (uint32_t i = 0; i < chip->fault_count; i++) {
        struct chip_fault *old = &chip->faults[i];
        if (old->code == fault->code && old->core == fault->core && old->pc == fault->pc) {
            old->count++;
            return;
        }
    }
    if (chip->fault_count < CHIP_FAULTS)
        chip->faults[chip->fault_count++] = *fault;
}

void chip_raise_fault(struct chip *chip, uint32_t core, enum chip_fault_code code, uint32_t pc,
                      uint32_t addr, uint64_t cycle) {
    struct chip_fault fault = {code, core, pc, addr, cycle, 1};
    list_fault(chip, &fault);
    if (core >= CHIP_CORES || core == chip_monitor(chip) || chip->options.allow_faults)
        return;
    arm_fail(chip->wires.arm[core], ARM_ERROR_BUS, code);
    chip_refresh(chip, core);
}

/* ---- cores stop and go */

static void stop_core(struct chip *chip, const struct chip_event *event) {
    uint32_t core = event->unit;
    chip->cores[core].held = true;
    if (event->arg[0]) {
        comms_reset(chip, core, event->time);
        dma_reset(chip, core, event->time);
    }
    chip_refresh(chip, core);
}

static void go(struct chip *chip, uint32_t core, uint64_t cycle) {
    struct arm_core *arm = chip->wires.arm[core];
    if (arm->cycles < cycle)
        arm->cycles = cycle;
    chip->cores[core].held = false;
    chip_refresh(chip, core);
}

static void restart(struct chip *chip, uint32_t core, bool high_vectors, uint64_t cycle) {
    struct arm_core *arm = chip->wires.arm[core];
    arm->error = ARM_OK;
    arm->asleep = false;
    arm_reset(arm, high_vectors);
    go(chip, core, cycle);
}

static void start_core(struct chip *chip, const struct chip_event *event) {
    if (event->arg[1])
        restart(chip, event->unit, true, event->time);
    else
        go(chip, event->unit, event->time);
}

void chip_start_core(struct chip *chip, uint32_t core, uint32_t pc, uint64_t cycle) {
    restart(chip, core, false, cycle);
    arm_set_reg(chip->wires.arm[core], 15, pc);
}

/* ---- events */

void chip_handle(struct chip *chip, const struct chip_event *event) {
    switch ((enum chip_event_kind)event->kind) {
    case EV_STORE: chip_bus_event(chip, event); break;
    case EV_LINE: set_lines(chip, event); break;
    case EV_CORE_STOP: stop_core(chip, event); break;
    case EV_CORE_START: start_core(chip, event); break;
    case EV_TIMER: timer_event(chip, event); break;
    case EV_DMA_START: case EV_DMA_DATA: case EV_DMA_DONE: dma_event(chip, event); break;
    case EV_CC_RX: case EV_CC_TX_DONE: comms_event(chip, event); break;
    case EV_CC_TX: case EV_CC_POPPED: case EV_LINK_RX: case EV_LINK_CREDIT: case EV_ROUTER_WAIT:
    case EV_ROUTER_TRY: router_event(chip, event); break;
    case EV_ETH_RX: case EV_ETH_TX: ethernet_event(chip, event); break;
    case EV_KINDS: break;
    }
}

/* ---- power on */

/* What an earlier application may have left: sources enabled, vectors set, timers running. */
static void leave_dirty(struct chip *chip, uint32_t core) {
    struct chip_core *state = &chip->cores[core];
    uint64_t seed = chip_mix(chip->options.seed + chip->options.index * 64 + core);
    memory_garbage(state->vic.addr, sizeof state->vic.addr, seed);
    for (uint32_t i = 0; i < 16; i++)
        state->vic.control[i] = chip_mix(seed + i) & 0x3f;
    state->vic.enable = (uint32_t)chip_mix(seed + 16);
    state->vic.select = (uint32_t)chip_mix(seed + 17);
    for (uint32_t i = 0; i < 2; i++) {
        struct timer *timer = &state->timers[i];
        timer->load = timer->count = 200000 + (chip_mix(seed + 18 + i) & 0xfffff);
        timer->control = 0xe2;
        chip_update_timer(chip, core, i, 0);
    }
}

static void fill_tcm(struct chip *chip, uint32_t core) {
    struct arm_core *arm = chip->wires.arm[core];
    uint64_t seed = chip_mix(chip->options.seed * 3 + chip->options.index * 64 + core);
    memory_garbage(arm->itcm, ARM_ITCM_SIZE, seed);
    memory_garbage(arm->dtcm, ARM_DTCM_SIZE, seed + 1);
}

static void init_core(struct chip *chip, uint32_t core) {
    struct chip_core *state = &chip->cores[core];
    state->exists = chip->options.cores_ok >> core & 1;
    state->held = true;
    state->dma.watch = -1;
    timer_reset(&state->timers[0]);
    timer_reset(&state->timers[1]);
    comms_reset(chip, core, 0);
    dma_reset(chip, core, 0);
    state->dma.stat = 0;
    if (!chip->options.pristine && state->exists) {
        fill_tcm(chip, core);
        leave_dirty(chip, core);
    }
}

static bool init_arm(struct chip *chip, uint32_t core) {
    struct arm_core *arm = aligned_alloc(64, sizeof *arm);
    chip->wires.arm[core] = arm;
    chip->wires.ports[core] = (struct chip_port){chip, core};
    return arm && arm_init(arm, &chip_arm_bus, &chip->wires.ports[core]);
}

static bool allocate(struct chip *chip) {
    struct chip_wires *wires = &chip->wires;
    wires->sdram = calloc(CHIP_SDRAM_SIZE, 1);
    wires->sdram_touched = calloc(PAGES, 1);
    wires->sdram_defined = calloc(CHIP_SDRAM_SIZE / 4 / 32, 4);
    wires->backlog = chip->options.has_ethernet ? calloc(ETH_BACKLOG_SIZE, 1) : NULL;
    bool good = wires->sdram && wires->sdram_touched && wires->sdram_defined;
    for (uint32_t core = 0; core < CHIP_CORES; core++)
        good = init_arm(chip, core) && good;
    return good && (wires->backlog || !chip->options.has_ethernet);
}

bool chip_init(struct chip *chip, const struct chip_options *options,
               const struct chip_costs *costs, const struct chip_host *host) {
    memset(chip, 0, sizeof *chip);
    chip->options = *options;
    chip->costs = *costs;
    chip->wires.host = host;
    if (!allocate(chip)) {
        chip_free(chip);
        return false;
    }
    sysctl_reset(chip);
    router_reset(chip);
    chip->ethernet.present = options->has_ethernet;
    chip->ethernet.control = 0x78;
    if (!options->pristine)
        memory_garbage(chip->sysram, CHIP_SYSRAM_SIZE, chip_mix(options->seed + options->index));
    for (uint32_t core = 0; core < CHIP_CORES; core++)
        init_core(chip, core);
    return true;
}

void chip_free(struct chip *chip) {
    struct chip_wires *wires = &chip->wires;
    for (uint32_t core = 0; core < CHIP_CORES; core++) {
        if (wires->arm[core])
            arm_free(wires->arm[core]);
        free(wires->arm[core]);
    }
    free(wires->sdram);
    free(wires->sdram_touched);
    free(wires->sdram_defined);
    free(wires->backlog);
    memset(wires, 0, sizeof *wires);
}

/* ---- trace hash */

static uint64_t hash_words(uint64_t hash, const void *data, size_t size_bytes) {
    const uint8_t *bytes = data;
    for (size_t at = 0; at + 8 <= size_bytes; at += 8) {
        uint64_t word;
        memcpy(&word, bytes + at, 8);
        hash = chip_mix(hash ^ word);
    }
    return hash;
}

static uint64_t hash_core(uint64_t hash, const struct chip *chip, uint32_t core) {
    const struct arm_core *arm = chip->wires.arm[core];
    hash = hash_words(hash, arm->r, 16 * sizeof arm->r[0]);
    hash = chip_mix(hash ^ arm_get_cpsr(arm) ^ (uint64_t)arm->pc << 32);
    hash = chip_mix(hash ^ arm->cycles);
    hash = chip_mix(hash ^ arm->instructions);
    hash = hash_words(hash, arm->dtcm, ARM_DTCM_SIZE);
    return hash_words(hash, arm->itcm, ARM_ITCM_SIZE);
}

uint64_t chip_hash(const struct chip *chip) {
    uint64_t hash = chip_mix(chip->options.index);
    for (uint32_t core = 0; core < CHIP_CORES; core++)
        if (chip->cores[core].exists)
            hash = hash_core(hash, chip, core);
    hash = hash_words(hash, chip->sysram, CHIP_SYSRAM_SIZE);
    for (uint32_t page = 0; page < PAGES; page++)
        if (chip->wires.sdram_touched[page])
            hash = hash_words(hash ^ page, chip->wires.sdram + page * 4096, 4096);
    hash = hash_words(hash, chip->router.counters, sizeof chip->router.counters);
    return chip_mix(hash ^ chip->router.routed ^ chip->router.dropped << 32);
}
