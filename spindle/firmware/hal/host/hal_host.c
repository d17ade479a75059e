/* hal_host.c: hal.h for one core of the virtual board: bounds, DMA in two modes, virtual time.
 *
 * DTCM map (bytes): runtime 4096 | record slots, tile arena | stacks. What lies around the arena
 * holds guard words. A bad address writes the board's fault; the lane then leaves at its next tile.
 */
#include "native.h"

#include "kernel_cost.h"

#include <string.h>

#define RUNTIME_WORDS (4096 / 4)
#define ARENA_WORDS (SPINDLE_DTCM_ARENA_BYTES / 4)
#define DTCM_WORDS (SPINDLE_DTCM_BYTES / 4)
#define SLOT_BYTES SPINDLE_RECORD_SLOT_BYTES
#define GUARD_WORD 0x5afe5afeu
#define DIRTY 0xa5

/* 0 outside of SDRAM or unaligned. */
uint8_t *hal_host_sdram(const struct native *board, uint32_t address, uint32_t bytes)
{
    uint32_t offset = address - SPINDLE_SDRAM_BASE;
    if ((address & 3u) || offset > board->sdram_bytes || bytes > board->sdram_bytes - offset) {
        return 0;
    }
    return board->sdram + offset;
}

void hal_host_start(struct hal *hal, struct native *board)
{
    memset(hal, 0, sizeof *hal);
    hal->board = board;
    for (uint32_t i = 0; i < DTCM_WORDS; i++) {
        hal->dtcm[i] = GUARD_WORD;
    }
    memset(hal->dtcm + RUNTIME_WORDS, DIRTY, ARENA_WORDS * 4);
}

uint32_t hal_host_intact(const struct hal *hal)
{
    for (uint32_t i = 0; i < DTCM_WORDS; i++) {
        int inside = i >= RUNTIME_WORDS && i < RUNTIME_WORDS + ARENA_WORDS;
        if (!inside && hal->dtcm[i] != GUARD_WORD) {
            return 0;
        }
    }
    return 1;
}

uint8_t *hal_record_slot(struct hal *hal, uint32_t slot)
{
    return (uint8_t *)(hal->dtcm + RUNTIME_WORDS) + slot * SLOT_BYTES;
}

uint32_t *hal_arena(struct hal *hal)
{
    return hal->dtcm + RUNTIME_WORDS + 2 * SLOT_BYTES / 4;
}

static void bad(struct hal *hal, uint32_t code, uint32_t word0, uint32_t word1)
{
    struct fault fault = {code, hal->lane->number, hal->lane->at, hal->lane->step, {word0, word1}};
    hal_fault(hal, &fault);
}

/* The estimate moves records only: tiles have no place in its SDRAM. */
static int is_moved(struct hal *hal, const uint8_t *dtcm)
{
    return !hal->board->estimate || dtcm < (const uint8_t *)hal_arena(hal);
}

static void move(struct hal *hal, const struct native_transfer *transfer)
{
    uint8_t *sdram = hal_host_sdram(hal->board, transfer->sdram, transfer->bytes);
    if (transfer->is_read) {
        memcpy(transfer->dtcm, sdram, transfer->bytes);
    } else {
        memcpy(sdram, transfer->dtcm, transfer->bytes);
    }
}

static void retire(struct hal *hal)
{
    const struct native_transfer *oldest = &hal->ring[hal->first];
    if (hal->board->dma_mode == NATIVE_DMA_AT_WAIT && is_moved(hal, oldest->dtcm)) {
        move(hal, oldest);
    }
    if (hal->clock < oldest->done_at) {
        hal->clock = oldest->done_at;
    }
    hal->first = (hal->first + 1) % NATIVE_DMA_RING;
    hal->n_pending--;
}

/* Engine time in 1/16 cycles: bytes / min(engine's rate, this core's share of SDRAM). */
static uint64_t engine_time(const struct native *board, uint32_t bytes)
{
    const struct costs *costs = board->costs;
    uint64_t scaled = (uint64_t)bytes * COST_FRACTION * COST_FRACTION;
    uint64_t alone = scaled / costs->dma_bytes_per_cycle;
    uint64_t shared = scaled * board->n_active / costs->sdram_bytes_per_cycle;
    return costs->dma_fixed_cycles + (alone > shared ? alone : shared);
}

static void schedule(struct hal *hal, struct native_transfer *transfer)
{
    uint64_t start;
    hal->clock += hal->board->costs->dma_setup_cycles;
    start = hal->clock > hal->engine_free ? hal->clock : hal->engine_free;
    transfer->done_at = start + engine_time(hal->board, transfer->bytes);
    hal->engine_free = transfer->done_at;
    hal->board->result->dma_bytes += transfer->bytes;
}

static void begin_data(struct hal *hal, const struct native_transfer *transfer)
{
    if (!is_moved(hal, transfer->dtcm)) {
        return;
    }
    if (hal->board->dma_mode == NATIVE_DMA_AT_START) {
        move(hal, transfer);
    } else if (transfer->is_read) {
        memset(transfer->dtcm, DIRTY, transfer->bytes);
    }
}

static uint32_t queue(struct hal *hal, uint32_t sdram, uint8_t *dtcm, uint32_t words, uint32_t read)
{
    uint32_t bytes = words * 4;
    struct native_transfer *transfer;
    if (words > SPINDLE_DMA_MAX_BYTES / 4) {
        bad(hal, FAULT_DMA, sdram, bytes);
        return hal->last_ticket;
    }
    if (is_moved(hal, dtcm) && hal_host_sdram(hal->board, sdram, bytes) == 0) {
        bad(hal, FAULT_BAD_ADDRESS, sdram, bytes);
        return hal->last_ticket;
    }
    if (hal->n_pending == NATIVE_DMA_RING) {
        retire(hal);
    }
    transfer = &hal->ring[(hal->first + hal->n_pending++) % NATIVE_DMA_RING];
    *transfer = (struct native_transfer){++hal->last_ticket, sdram, bytes, read, dtcm, 0};
    schedule(hal, transfer);
    begin_data(hal, transfer);
    return hal->last_ticket;
}

uint32_t hal_dma_read(struct hal *hal, uint32_t sdram, void *dtcm, uint32_t words)
{
    return queue(hal, sdram, dtcm, words, 1);
}

uint32_t hal_dma_write(struct hal *hal, uint32_t sdram, const void *dtcm, uint32_t words)
{
    return queue(hal, sdram, (uint8_t *)(uintptr_t)dtcm, words, 0);
}

void hal_dma_wait(struct hal *hal, uint32_t ticket)
{
    while (hal->n_pending && (int32_t)(hal->ring[hal->first].ticket - ticket) <= 0) {
        retire(hal);
    }
}

uint32_t hal_read_word(struct hal *hal, uint32_t sdram)
{
    uint32_t value = 0;
    const uint8_t *place = hal_host_sdram(hal->board, sdram, 4);
    hal->clock += hal->board->costs->sdram_word_cycles;
    if (place != 0) {
        memcpy(&value, place, 4);
    } else if (!hal->board->estimate) {
        bad(hal, FAULT_BAD_ADDRESS, sdram, 4);
    }
    return value;
}

void hal_write_word(struct hal *hal, uint32_t sdram, uint32_t value)
{
    uint8_t *place = hal_host_sdram(hal->board, sdram, 4);
    hal->clock += hal->board->costs->sdram_word_cycles;
    if (place != 0) {
        memcpy(place, &value, 4);
    } else {
        bad(hal, FAULT_BAD_ADDRESS, sdram, 4);
    }
}

uint32_t hal_cycles(struct hal *hal) { return (uint32_t)(hal->clock / COST_FRACTION); }

void hal_charge_tile(struct hal *hal, const struct kernel_args *args)
{
    const struct costs *costs = hal->board->costs;
    hal->clock += (uint64_t)kernel_cycles(args, costs) * COST_FRACTION;
    hal->clock += costs->tile_cycles + (uint64_t)costs->operand_cycles * args->task->n_operands;
}

void hal_charge_step(struct hal *hal) { hal->clock += hal->board->costs->step_cycles; }

uint32_t hal_estimate(struct hal *hal) { return hal->board->estimate; }

uint32_t hal_aborted(struct hal *hal)
{
    const struct native *board = hal->board;
    uint32_t at = board->status - SPINDLE_SDRAM_BASE + offsetof(struct status, abort);
    const volatile uint32_t *flag = (const volatile uint32_t *)(const void *)(board->sdram + at);
    return *flag != 0 || board->fault.code != FAULT_NONE;
}

static void add_elapsed(struct hal *hal, uint32_t step, uint32_t cycles)
{
    struct native_elapsed *elapsed = &hal->board->elapsed[step];
    uint64_t end = hal->clock / COST_FRACTION;
    uint64_t start = end - cycles;
    elapsed->start = elapsed->open && elapsed->start < start ? elapsed->start : start;
    elapsed->end = elapsed->open && elapsed->end > end ? elapsed->end : end;
    elapsed->open = 1;
}

/* Host tools only: the profile itself takes no virtual time. */
void hal_profile(struct hal *hal, uint32_t lane, uint32_t step, const struct profile *spent)
{
    struct native *board = hal->board;
    uint32_t index = (step * SPINDLE_LANES + lane) * (uint32_t)sizeof *spent;
    uint8_t *place = hal_host_sdram(board, board->command.profile + index, sizeof *spent);
    uint32_t now[sizeof *spent / 4], more[sizeof *spent / 4];
    board->result->nonfinite += spent->nonfinite;
    if (spent->runs && step < board->result->n_steps) {
        add_elapsed(hal, step, spent->cycles);
    }
    if (board->command.profile == 0 || place == 0 || step >= board->result->n_steps) {
        return;
    }
    memcpy(now, place, sizeof now);
    memcpy(more, spent, sizeof more);
    for (uint32_t i = 0; i < sizeof now / 4; i++) {
        now[i] += more[i];
    }
    memcpy(place, now, sizeof now);
}

void hal_fault(struct hal *hal, const struct fault *fault)
{
    if (hal->board->fault.code == FAULT_NONE) {
        hal->board->fault = *fault;
    }
}
