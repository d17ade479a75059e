/* hal_host.c: hal.h for one core of the virtual board: bounds, DMA in two modes, a tape of what it did.
 *
 * DTCM map (bytes): runtime 4096 | record slots, tile arena | stacks. What lies around the arena
 * holds guard words. A bad address writes the board's fault; the lane then leaves at its next tile.
 * Time is found at the barrier, from the tapes of all cores (replay.c); an untimed launch has none.
 */
#include "native.h"

#include "kernel_cost.h"

#include <string.h>

#define RUNTIME_WORDS NATIVE_ALL_GUARDS
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

void hal_host_open(struct hal *hal, struct native *board)
{
    hal->board = board;
    for (uint32_t i = 0; i < DTCM_WORDS; i++) {
        hal->dtcm[i] = GUARD_WORD;
    }
    memset(hal->dtcm + RUNTIME_WORDS, DIRTY, ARENA_WORDS * 4);
}

void hal_host_start(struct hal *hal)
{
    hal->busy = 0;
    hal->last_ticket = 0;
    hal->waited = 0;
    hal->first_ticket = 1;
    hal->group = GROUP_RESIDENT;
    hal->tape.n = 0;
    hal->tape.lost = 0;
}

static uint32_t are_guards(const struct hal *hal, uint32_t first, uint32_t end)
{
    uint32_t wrong = 0;
    for (uint32_t i = first; i < end; i++) {
        wrong |= hal->dtcm[i] ^ GUARD_WORD;
    }
    return wrong == 0;
}

uint32_t hal_host_intact(const struct hal *hal, uint32_t margin)
{
    uint32_t arena = RUNTIME_WORDS, end = RUNTIME_WORDS + ARENA_WORDS;
    return are_guards(hal, arena - margin, arena) && are_guards(hal, end, end + margin) &&
           (margin < RUNTIME_WORDS || are_guards(hal, end, DTCM_WORDS));
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

typedef uint32_t block __attribute__((vector_size(64), aligned(4)));

/* Rows are short: a call of memcpy would cost as much as they do. */
static void copy(uint8_t *to, const uint8_t *from, uint32_t bytes)
{
    for (; bytes >= sizeof(block); bytes -= (uint32_t)sizeof(block)) {
        *(block *)(void *)to = *(const block *)(const void *)from;
        to += sizeof(block);
        from += sizeof(block);
    }
    for (; bytes != 0; bytes -= 4) {
        *(uint32_t *)(void *)to = *(const uint32_t *)(const void *)from;
        to += 4;
        from += 4;
    }
}

static void move(const struct native_transfer *transfer)
{
    if (transfer->is_read) {
        copy(transfer->dtcm, transfer->sdram, transfer->bytes);
    } else {
        copy(transfer->sdram, transfer->dtcm, transfer->bytes);
    }
}

static void begin_data(struct hal *hal, const struct native_transfer *transfer)
{
    if (hal->board->dma_mode == NATIVE_DMA_AT_START) {
        move(transfer);
        return;
    }
    hal->ring[hal->last_ticket % NATIVE_DMA_RING] = *transfer;
    if (transfer->is_read) {
        memset(transfer->dtcm, DIRTY, transfer->bytes);
    }
}

static void end_data(struct hal *hal, uint32_t ticket)
{
    while (hal->waited != ticket) {
        struct native_transfer *transfer = &hal->ring[++hal->waited % NATIVE_DMA_RING];
        if (transfer->bytes) {
            move(transfer);
        }
        transfer->bytes = 0;
    }
}

static void record(struct hal *hal, enum tape_kind kind, uint64_t value)
{
    if (hal->board->timed) {
        tape_add(&hal->tape, kind, value);
    }
}

/* A transfer of so many bytes gets its ticket, behind the oldest one where too many are under way. */
static void take_ticket(struct hal *hal, uint32_t bytes)
{
    if (hal->last_ticket - hal->waited == NATIVE_DMA_RING) {
        hal_dma_wait(hal, hal->waited + 1);
    }
    hal->last_ticket++;
    record(hal, TAPE_WORK, hal->board->costs->dma_setup_cycles);
    record(hal, TAPE_TRANSFER, bytes);
    hal->board->result->dma_bytes += bytes;
}

static void queue(struct hal *hal, uint32_t sdram, uint8_t *dtcm, uint32_t words, uint32_t read)
{
    struct native_transfer transfer = {0, dtcm, words * 4, read};
    if (words > SPINDLE_DMA_MAX_BYTES / 4) {
        bad(hal, FAULT_DMA, sdram, transfer.bytes);
        return;
    }
    transfer.sdram = hal_host_sdram(hal->board, sdram, transfer.bytes);
    if (transfer.sdram == 0 && is_moved(hal, dtcm)) {
        bad(hal, FAULT_BAD_ADDRESS, sdram, transfer.bytes);
        return;
    }
    take_ticket(hal, transfer.bytes);
    if (is_moved(hal, dtcm)) {
        begin_data(hal, &transfer);
    }
}

static uint32_t queue_rows(struct hal *hal, const struct dma_rows *rows, uint8_t *dtcm,
                           uint32_t read)
{
    const struct costs *costs = hal->board->costs;
    uint32_t is_record = dtcm < (const uint8_t *)hal_arena(hal);
    record(hal, TAPE_WORK, is_record ? 0 : costs->operand_cycles);
    for (uint32_t row = 0; row < rows->n_rows; row++) {
        queue(hal, rows->sdram + row * rows->stride, dtcm + 4 * row * rows->words, rows->words,
              read);
    }
    record(hal, TAPE_WORK, is_record ? costs->fetch_cycles : 0);
    return hal->last_ticket;
}

uint32_t hal_dma_read(struct hal *hal, const struct dma_rows *rows, void *dtcm)
{
    return queue_rows(hal, rows, dtcm, 1);
}

uint32_t hal_dma_write(struct hal *hal, const struct dma_rows *rows, const void *dtcm)
{
    return queue_rows(hal, rows, (uint8_t *)(uintptr_t)dtcm, 0);
}

uint32_t hal_dma_wait(struct hal *hal, uint32_t ticket)
{
    if ((int32_t)(ticket - hal->waited) <= 0) {
        return 0;
    }
    record(hal, TAPE_WAIT, ticket);
    if (hal->board->dma_mode == NATIVE_DMA_AT_WAIT) {
        end_data(hal, ticket);
    }
    hal->waited = ticket;
    return 0;
}

/* The time of a load, piece by piece as hal/spinnaker/overlay.c does it: the code itself is always here. */
static void load_overlay(struct hal *hal, uint32_t group)
{
    static const uint32_t ROOM[N_GROUPS] = GROUP_BYTES;
    const struct costs *costs = hal->board->costs;
    uint32_t bytes;
    record(hal, TAPE_WORK, costs->overlay_cycles);
    for (uint32_t left = ROOM[group]; left != 0; left -= bytes) {
        bytes = left < SPINDLE_OVERLAY_PIECE_BYTES ? left : SPINDLE_OVERLAY_PIECE_BYTES;
        take_ticket(hal, bytes);
        hal_dma_wait(hal, hal->last_ticket);
        record(hal, TAPE_WORK, costs->overlay_piece_cycles + bytes / 4 * costs->overlay_word_cycles);
    }
}

/* What the window holds stays there from launch to launch: a launch's first group costs nothing. */
uint32_t hal_need_group(struct hal *hal, uint32_t group)
{
    if (group != GROUP_RESIDENT && group != hal->group) {
        if (hal->group != GROUP_RESIDENT) {
            load_overlay(hal, group);
        }
        hal->group = group;
    }
    return 1;
}

uint32_t hal_read_word(struct hal *hal, uint32_t sdram)
{
    uint32_t value = 0;
    const uint8_t *place = hal_host_sdram(hal->board, sdram, 4);
    record(hal, TAPE_WORK, hal->board->costs->sdram_word_cycles);
    if (place != 0) {
        memcpy(&value, place, 4);
    } else if (!hal->board->estimate) {
        bad(hal, FAULT_BAD_ADDRESS, sdram, 4);
    }
    return value;
}

uint32_t hal_cycles(struct hal *hal)
{
    (void)hal;
    return 0;
}

void hal_charge_tile(struct hal *hal, const struct kernel_args *args)
{
    const struct costs *costs = hal->board->costs;
    if (hal->board->timed) {
        tape_add(&hal->tape, TAPE_WORK, costs->tile_cycles);
        tape_add(&hal->tape, TAPE_COMPUTE, (uint64_t)kernel_cycles(args, costs) * COST_FRACTION);
    }
}

void hal_charge_step(struct hal *hal, uint32_t n_operands)
{
    const struct costs *costs = hal->board->costs;
    record(hal, TAPE_WORK, costs->step_cycles + (uint64_t)n_operands * costs->prepare_cycles);
}

uint32_t hal_estimate(struct hal *hal) { return hal->board->estimate; }

uint32_t hal_aborted(struct hal *hal)
{
    const struct native *board = hal->board;
    uint32_t at = board->status - SPINDLE_SDRAM_BASE + offsetof(struct status, abort);
    const volatile uint32_t *flag = (const volatile uint32_t *)(const void *)(board->sdram + at);
    return *flag != 0 || board->fault.code != FAULT_NONE;
}

/* Counts only; times come from the tape. An untimed launch counts non-finite outputs alone. */
void hal_profile(struct hal *hal, uint32_t lane, uint32_t step, const struct profile *spent)
{
    struct native *board = hal->board;
    struct profile *profile = native_profile(board, lane, step);
    board->result->nonfinite += spent->nonfinite;
    if (spent->runs) {
        record(hal, TAPE_STEP_END, (uint64_t)step * SPINDLE_LANES + lane);
    }
    if (profile != 0 && (board->timed || spent->nonfinite)) {
        profile->dma_bytes += spent->dma_bytes;
        profile->runs += spent->runs;
        profile->nonfinite += spent->nonfinite;
        profile->tiles += spent->tiles;
    }
}

void hal_fault(struct hal *hal, const struct fault *fault)
{
    if (hal->board->fault.code == FAULT_NONE) {
        hal->board->fault = *fault;
    }
}
