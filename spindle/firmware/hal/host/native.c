/* native.c: one launch on the virtual board: command, lanes on cores, barriers, status.
 *
 * In: a command and its binding table in SDRAM. Out: the status record and struct native_result.
 * docs/spec/run.md is its page; a function call is the doorbell.
 */
#include "native.h"

#include "float_mode.h"

#include <stdlib.h>
#include <string.h>

static uint32_t crc32(const uint8_t *data, uint32_t bytes)
{
    uint32_t crc = 0xffffffffu;
    for (uint32_t i = 0; i < bytes; i++) {
        crc ^= data[i];
        for (uint32_t bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1u)));
        }
    }
    return ~crc;
}

static uint32_t smaller(uint32_t a, uint32_t b) { return a < b ? a : b; }

struct native *native_open(uint8_t *sdram, uint32_t bytes, uint32_t n_cores, uint32_t dma_mode,
                           const struct costs *costs)
{
    struct native *board = calloc(1, sizeof *board);
    if (board != 0) {
        board->sdram = sdram;
        board->sdram_bytes = bytes;
        board->n_cores = n_cores;
        board->n_active = smaller(n_cores, SPINDLE_LANES);
        board->dma_mode = dma_mode;
        board->costs = costs;
        for (uint32_t i = 0; i < board->n_active; i++) {
            hal_host_open(&board->hal[i], board);
        }
    }
    return board;
}

void native_close(struct native *board)
{
    for (uint32_t i = 0; board != 0 && i < board->n_active; i++) {
        free(board->hal[i].tape.events);
    }
    free(board);
}

static void fail(struct native *board, uint32_t code, const struct rt_lane *lane, uint32_t word)
{
    if (board->fault.code == FAULT_NONE) {
        board->fault.code = code;
        board->fault.lane = lane->number;
        board->fault.pc = lane->at;
        board->fault.step = lane->step;
        board->fault.word[0] = word;
    }
}

static void check_guards(struct native *board, struct hal *hal, const struct rt_lane *lane,
                         uint32_t margin)
{
    if (!hal_host_intact(hal, margin)) {
        fail(board, FAULT_GUARD, lane, 0);
        hal_host_open(hal, board);
    }
}

static void mark(struct native *board, struct hal *hal, enum tape_kind kind, uint32_t lane)
{
    if (board->timed) {
        tape_add(&hal->tape, kind, lane);
    }
}

/* Between barriers nothing may be under way, and nothing outside the arena touched. */
static enum rt_reason run_lane(struct native *board, uint32_t number)
{
    uint32_t core = number % board->n_active;
    struct rt_lane *lane = &board->lane[number];
    struct hal *hal = &board->hal[core];
    enum rt_reason reason;
    hal->lane = lane;
    mark(board, hal, TAPE_START, number);
    reason = rt_run_lane(&board->core[core], lane);
    rt_lane_waits(&board->core[core]);
    mark(board, hal, TAPE_ARRIVE, number);
    if (hal->waited != hal->last_ticket) {
        fail(board, FAULT_DMA, lane, hal->last_ticket - hal->waited);
    }
    check_guards(board, hal, lane, NATIVE_NEAR_GUARDS);
    return reason;
}

/* All lanes follow the same control flow: another reason than lane 0's is nonsense. */
static enum rt_reason run_lanes(struct native *board)
{
    enum rt_reason reason = RT_CONTINUE;
    for (uint32_t lane = 0; lane < SPINDLE_LANES; lane++) {
        enum rt_reason now = run_lane(board, lane);
        if (lane != 0 && now != reason && now != RT_STOPPED) {
            fail(board, FAULT_BARRIER, &board->lane[lane], now);
        }
        reason = now;
        if (board->fault.code != FAULT_NONE) {
            return RT_STOPPED;
        }
    }
    return reason;
}

/* Deliveries of all arrivals, and of one release (docs/spec/barrier.md): 16 cores or fewer have their
 * root in place 0, which sends itself nothing. */
static uint32_t deliveries(const struct native *board)
{
    return board->n_cores > SPINDLE_LANES ? SPINDLE_LANES : board->n_cores - 1;
}

static void barrier(struct native *board)
{
    native_pass_barrier(board);
    for (uint32_t lane = 0; lane < SPINDLE_LANES; lane++) {
        rt_lane_released(&board->core[lane % board->n_active], &board->lane[lane]);
    }
    board->result->barriers++;
    board->result->packets += 2 * deliveries(board);
}

static void start(struct native *board)
{
    for (uint32_t i = 0; i < board->n_active; i++) {
        hal_host_start(&board->hal[i]);
        rt_core_start(&board->core[i], &board->hal[i], &board->command);
        board->core[i].n_lanes = board->n_active == SPINDLE_LANES;
    }
    for (uint32_t lane = 0; lane < SPINDLE_LANES; lane++) {
        rt_lane_start(&board->lane[lane], lane, &board->command);
    }
}

static void set_step(struct native *board)
{
    struct status *status = (void *)hal_host_sdram(board, board->status, sizeof *status);
    status->step = board->lane[0].step;
}

static void run(struct native *board)
{
    enum rt_reason reason;
    start(board);
    board->result->packets = 3 * deliveries(board); /* the release that starts, arrivals and release at
                                                       the end */
    while ((reason = run_lanes(board)) == RT_BARRIER) {
        barrier(board);
        set_step(board);
    }
    native_end_epoch(board);
    for (uint32_t i = 0; i < board->n_active; i++) {
        check_guards(board, &board->hal[i], &board->lane[i], NATIVE_ALL_GUARDS);
    }
}

static void write_result(struct native *board, struct status *status)
{
    struct native_result *result = board->result;
    result->cycles = board->clock / COST_FRACTION;
    for (uint32_t i = 0; i < board->n_active; i++) {
        result->core_cycles[i] = board->hal[i].busy / COST_FRACTION;
        result->lost |= board->hal[i].tape.lost;
    }
    status->cycles = (uint32_t)result->cycles;
    status->packets_sent = result->packets;
    status->packets_received = result->packets;
    status->nonfinite = result->nonfinite;
    status->fault = board->fault;
    status->last_done = board->command.sequence;
}

static int read_command(struct native *board, uint32_t command)
{
    const uint8_t *place = hal_host_sdram(board, command, sizeof board->command);
    memset(&board->fault, 0, sizeof board->fault);
    if (place == 0) {
        return 0;
    }
    memcpy(&board->command, place, sizeof board->command);
    return board->command.crc == crc32(place, offsetof(struct command, crc));
}

static void clear_result(struct native_result *result)
{
    uint32_t n_steps = result->n_steps;
    uint64_t *elapsed = result->elapsed;
    memset(result, 0, sizeof *result);
    result->n_steps = n_steps;
    result->elapsed = elapsed;
}

static uint32_t refuse(struct native *board, struct status *status)
{
    board->fault.code = FAULT_BAD_CRC;
    board->fault.word[0] = board->command.crc;
    status->fault = board->fault;
    return FAULT_BAD_CRC;
}

static int begin(struct native *board, struct native_result *result, uint32_t timed)
{
    board->result = result;
    board->timed = timed;
    board->clock = 0;
    board->last_step = result->n_steps;
    board->spent = calloc(result->n_steps + 1, sizeof *board->spent);
    result->lost = board->spent == 0;
    return board->spent != 0;
}

uint32_t native_launch(struct native *board, uint32_t command, uint32_t status_at,
                       struct native_result *result, uint32_t timed)
{
    struct status *status = (void *)hal_host_sdram(board, status_at, sizeof *status);
    uint64_t saved;
    clear_result(result);
    if (!read_command(board, command)) {
        return refuse(board, status);
    }
    if (!begin(board, result, timed)) {
        return FAULT_NONE;
    }
    board->status = status_at;
    status->last_started = board->command.sequence;
    saved = float_mode_enter();
    run(board);
    float_mode_leave(saved);
    write_result(board, status);
    free(board->spent);
    return board->fault.code;
}

uint32_t native_estimate(struct native *board, uint32_t command, uint32_t status_at,
                         struct native_result *result, uint32_t while_trips)
{
    uint32_t code;
    board->estimate = while_trips ? while_trips : 1;
    code = native_launch(board, command, status_at, result, 1);
    board->estimate = 0;
    return code;
}
