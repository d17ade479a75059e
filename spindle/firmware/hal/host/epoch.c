/* epoch.c: the time between two barriers: clocks of all cores, profiles, elapsed time of steps.
 *
 * In: the cores' tapes. Out: board->clock, busy time, profile records, result->elapsed. Nothing
 * happens in an untimed launch.
 */
#include "native.h"

struct profile *native_profile(struct native *board, uint32_t lane, uint32_t step)
{
    uint32_t index = (step * SPINDLE_LANES + lane) * (uint32_t)sizeof(struct profile);
    if (board->command.profile == 0 || step >= board->result->n_steps) {
        return 0;
    }
    return (void *)hal_host_sdram(board, board->command.profile + index, sizeof(struct profile));
}

static void on_step(void *context, const struct replay_step *step)
{
    struct native *board = context;
    struct profile *profile = native_profile(board, step->lane, step->step);
    if (profile != 0) {
        profile->cycles += step->cycles;
        profile->compute += step->compute;
        profile->dma_wait += step->dma_wait;
    }
    if (step->step < board->result->n_steps) {
        board->spent[step->step] += step->cycles;
        board->last_step = step->lane == 0 ? step->step : board->last_step;
    }
}

static void on_arrive(void *context, uint32_t lane, uint64_t cycles)
{
    struct native *board = context;
    board->lane[lane].arrived_at = (uint32_t)cycles;
}

static uint64_t replay(struct native *board)
{
    uint64_t latest = board->clock;
    struct replay_job job = {.costs = board->costs, .n_cores = board->n_active};
    job.start = board->clock;
    job.on_step = on_step;
    job.on_arrive = on_arrive;
    job.context = board;
    for (uint32_t i = 0; i < job.n_cores; i++) {
        job.tapes[i] = &board->hal[i].tape;
        job.first_ticket[i] = board->hal[i].first_ticket;
    }
    replay_run(&job);
    for (uint32_t i = 0; i < job.n_cores; i++) {
        board->hal[i].busy += job.clocks[i] - job.start;
        board->hal[i].tape.n = 0;
        board->hal[i].first_ticket = board->hal[i].last_ticket + 1;
        latest = job.clocks[i] > latest ? job.clocks[i] : latest;
    }
    return latest;
}

/* The step that took longest, which also gets what rounding leaves. */
static uint32_t longest(const struct native *board, uint64_t *total)
{
    uint32_t step = board->last_step;
    *total = 0;
    for (uint32_t i = 0; i < board->result->n_steps; i++) {
        *total += board->spent[i];
        step = board->spent[i] > board->spent[step] ? i : step;
    }
    return step;
}

/* An epoch's cycles, shared among its steps as their lanes' cycles are; an epoch in which no step
 * ended (END alone) belongs to the step before it. */
static void share(struct native *board, uint64_t cycles)
{
    uint64_t total, left = cycles;
    uint32_t most = longest(board, &total);
    for (uint32_t i = 0; i < board->result->n_steps; i++) {
        if (board->spent[i] != 0) {
            uint64_t part = (uint64_t)((unsigned __int128)cycles * board->spent[i] / total);
            board->result->elapsed[i] += part;
            left -= part;
            board->spent[i] = 0;
        }
    }
    if (most < board->result->n_steps) {
        board->result->elapsed[most] += left;
    }
}

void native_end_epoch(struct native *board)
{
    uint64_t before = board->clock;
    if (board->timed) {
        board->clock = replay(board);
        share(board, board->clock / COST_FRACTION - before / COST_FRACTION);
    }
}

void native_pass_barrier(struct native *board)
{
    native_end_epoch(board);
    if (!board->timed) {
        return;
    }
    board->clock += board->costs->barrier_cycles;
    for (uint32_t i = 0; i < SPINDLE_LANES; i++) {
        const struct rt_lane *lane = &board->lane[i];
        struct profile *profile = native_profile(board, i, lane->step);
        if (profile != 0) {
            profile->barrier += (uint32_t)(board->clock / COST_FRACTION) - lane->arrived_at;
        }
    }
}
