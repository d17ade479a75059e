/* hal.c: hal.h on a SpiNNaker core: DMA, words of SDRAM, cycles, abort, profile, fault record.
 *
 * The DMA controller takes one transfer and one behind it; further ones wait in a ring. While a core
 * waits it moves the ring itself (hal_pump in irq.S); while it computes, the done interrupt does.
 */
#include "port.h"

#define FIRST_SLOT DTCM_ARENA
#define TILE_ARENA (DTCM_ARENA + 2 * SPINDLE_RECORD_SLOT_BYTES)

static volatile uint32_t *word_at(uint32_t address)
{
    return (volatile uint32_t *)(uintptr_t)(address | UNBUFFERED);
}

static volatile struct status *status_of(const struct hal *hal)
{
    return (volatile struct status *)(uintptr_t)hal->status;
}

static volatile struct core *self_of(const struct hal *hal)
{
    return (volatile struct core *)(uintptr_t)hal->self;
}

/* ---- time */

uint32_t hal_cycles(struct hal *hal)
{
    (void)hal;
    return port_cycles();
}

/* ---- launches */

void hal_launch(struct hal *hal, const struct command *command)
{
    hal->sequence = command->sequence;
    hal->profile = command->profile;
    hal->nonfinite = 0;
    hal->has_fault = 0;
}

static uint32_t is_guard(uint32_t address) { return REG(address) == GUARD_WORD; }

/* 1: no stack and no buffer has grown over its end. */
uint32_t hal_intact(void)
{
    uint32_t intact = is_guard(DTCM_ARENA - 4) && is_guard(SYS_STACK_GUARD);
    for (uint32_t guard = SYS_STACK_TOP; guard <= UND_STACK_TOP; guard += 0x100) {
        intact = intact && is_guard(guard);
    }
    return intact;
}

/* ---- DTCM */

uint32_t *hal_arena(struct hal *hal)
{
    (void)hal;
    return (uint32_t *)TILE_ARENA;
}

uint8_t *hal_record_slot(struct hal *hal, uint32_t slot)
{
    (void)hal;
    return (uint8_t *)FIRST_SLOT + slot * SPINDLE_RECORD_SLOT_BYTES;
}

/* ---- DMA */

static void fail(struct hal *hal, uint32_t code, uint32_t word0, uint32_t word1)
{
    const struct rt_lane *lane = &firmware.lane[firmware.running];
    struct fault fault;
    fault.code = code;
    fault.lane = firmware.running;
    fault.pc = lane->at;
    fault.step = lane->step;
    fault.word[0] = word0;
    fault.word[1] = word1;
    hal_fault(hal, &fault);
}

/* An error stops the controller: everything asked for counts as over, and the launch ends. */
void hal_give_up(struct hal *hal)
{
    uint32_t stat = REG(DMA_BASE + DMA_STAT);
    REG(DMA_BASE + DMA_CTRL) = DMA_CTRL_FLUSH;
    REG(DMA_BASE + DMA_CTRL) = DMA_CTRL_START;
    fail(hal, FAULT_DMA, hal->ring[hal->done % DMA_RING].sdram, stat);
    hal->committed = hal->queued;
    hal->done = hal->queued;
}

static uint32_t is_past(const struct hal *hal, uint32_t ticket)
{
    return (int32_t)(hal->done - ticket) >= 0;
}

/* Asleep with IRQ off: the done line, enabled in the VIC, ends it without a handler. */
void hal_dma_wait(struct hal *hal, uint32_t ticket)
{
    uint32_t cpsr;
    if (is_past(hal, ticket)) {
        return;
    }
    cpsr = port_disable_irq();
    for (hal_pump(hal); !is_past(hal, ticket); hal_pump(hal)) {
        REG(VIC_BASE + VIC_ENABLE) = 1u << VIC_DMA_DONE;
        port_wait_for_interrupt();
        port_restore(cpsr); /* the monitor's messages, if that is what woke us */
        port_disable_irq();
    }
    port_restore(cpsr);
}

static uint32_t in_arena(const struct hal *hal, uint32_t sdram, uint32_t bytes)
{
    return sdram - hal->arena <= hal->arena_bytes - bytes && (sdram & 3u) == 0;
}

static uint32_t queue(struct hal *hal, uint32_t sdram, uint32_t dtcm, uint32_t words, uint32_t to)
{
    uint32_t bytes = words * 4, cpsr;
    struct dma_request *request = &hal->ring[hal->queued % DMA_RING];
    uint32_t too_long = words > SPINDLE_DMA_MAX_BYTES / 4;
    if (too_long || !in_arena(hal, sdram, bytes)) {
        fail(hal, too_long ? FAULT_DMA : FAULT_BAD_ADDRESS, sdram, bytes);
        return hal->queued;
    }
    hal_dma_wait(hal, hal->queued - (DMA_RING - 1));
    request->sdram = sdram;
    request->dtcm = dtcm;
    request->desc = DMA_DESC_WIDE | to | bytes;
    cpsr = port_disable_irq();
    hal->queued++;
    hal_pump(hal);
    port_restore(cpsr);
    return hal->queued;
}

uint32_t hal_dma_read(struct hal *hal, uint32_t sdram, void *dtcm, uint32_t words)
{
    return queue(hal, sdram, (uint32_t)(uintptr_t)dtcm, words, 0);
}

uint32_t hal_dma_write(struct hal *hal, uint32_t sdram, const void *dtcm, uint32_t words)
{
    return queue(hal, sdram, (uint32_t)(uintptr_t)dtcm, words, DMA_DESC_TO_SDRAM);
}

/* ---- words */

uint32_t hal_read_word(struct hal *hal, uint32_t sdram)
{
    if (!in_arena(hal, sdram, 4)) {
        fail(hal, FAULT_BAD_ADDRESS, sdram, 4);
        return 0;
    }
    return *word_at(sdram);
}

void hal_write_word(struct hal *hal, uint32_t sdram, uint32_t value)
{
    if (!in_arena(hal, sdram, 4)) {
        fail(hal, FAULT_BAD_ADDRESS, sdram, 4);
        return;
    }
    *word_at(sdram) = value;
}

/* ---- the rest of hal.h: time is real, nothing is charged or estimated */

void hal_charge_tile(struct hal *hal, const struct kernel_args *args)
{
    (void)hal;
    (void)args;
}

void hal_charge_step(struct hal *hal) { (void)hal; }

uint32_t hal_estimate(struct hal *hal)
{
    (void)hal;
    return 0;
}

uint32_t hal_aborted(struct hal *hal)
{
    const volatile struct status *status = status_of(hal);
    return hal->has_fault || status->abort != 0 || status->stop == hal->sequence;
}

void hal_profile(struct hal *hal, uint32_t lane, uint32_t step, const struct profile *spent)
{
    const uint32_t *more = (const uint32_t *)spent;
    uint32_t at = hal->profile + (step * SPINDLE_LANES + lane) * (uint32_t)sizeof *spent;
    hal->nonfinite += spent->nonfinite;
    if (hal->profile == 0 || !in_arena(hal, at, sizeof *spent)) {
        return;
    }
    for (uint32_t i = 0; i < sizeof *spent / 4; i++) {
        if (more[i]) {
            *word_at(at + 4 * i) += more[i];
        }
    }
}

void hal_fault(struct hal *hal, const struct fault *fault)
{
    volatile uint32_t *to = (volatile uint32_t *)&self_of(hal)->fault;
    const uint32_t *from = (const uint32_t *)fault;
    if (hal->has_fault) {
        return;
    }
    hal->has_fault = 1;
    for (uint32_t i = 0; i < sizeof *fault / 4; i++) {
        to[i] = from[i];
    }
    self_of(hal)->fault_sequence = hal->sequence;
    status_of(hal)->stop = hal->sequence;
}
