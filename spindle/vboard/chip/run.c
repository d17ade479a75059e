/* Time order: which core runs next and how far, and what must happen before a read of shared state.
 *
 * In: the cores' local times, the chip's queue. Out: cores run, events handled, in the order of
 * chip.h's rules - the same whatever the quantum.
 */
#include "chip.h"

#define NOBODY CHIP_CORES
#define MANY 4

void chip_refresh(struct chip *chip, uint32_t core) {
    const struct chip_core *state = &chip->cores[core];
    const struct arm_core *arm = chip->wires.arm[core];
    uint32_t bit = 1u << core;
    if (state->exists && !state->held && !arm->asleep && !arm->error)
        chip->runnable |= bit;
    else
        chip->runnable &= ~bit;
    chip->times[core] = arm->cycles;
}

static uint64_t next_event(const struct chip *chip) {
    return chip->wires.host->next_time(chip->wires.host->ctx, chip->options.index);
}

/* The slowest core of a mask and, in *rest, the time of the second slowest. Ties: lower number. */
static uint32_t slowest(const struct chip *chip, uint32_t mask, uint64_t *rest) {
    uint32_t first = NOBODY;
    *rest = CHIP_NEVER;
    for (; mask; mask &= mask - 1) {
        uint32_t core = (uint32_t)__builtin_ctz(mask);
        if (first == NOBODY) {
            first = core;
        } else if (chip->times[core] < chip->times[first]) {
            *rest = chip->times[first];
            first = core;
        } else if (chip->times[core] < *rest) {
            *rest = chip->times[core];
        }
    }
    return first;
}

static uint64_t least(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static void run_core(struct chip *chip, uint32_t core, uint64_t until, uint64_t rest) {
    if (rest != CHIP_NEVER)
        until = least(until, rest + chip->costs.packet_cycles);
    if (chip->options.quantum)
        until = least(until, chip->times[core] + chip->options.quantum);
    chip->on_stack |= 1u << core;
    arm_run(chip->wires.arm[core], until);
    chip->on_stack &= ~(1u << core);
    chip_refresh(chip, core);
}

static void handle_next(struct chip *chip) {
    struct chip_event event;
    chip->wires.host->pop(chip->wires.host->ctx, chip->options.index, &event);
    chip->now = event.time;
    chip_handle(chip, &event);
}

/* Many awake cores: each in turn to the same end. Which one goes first does not matter (rule 1), so
 * the slowest is looked for once a round. */
static void run_round(struct chip *chip, uint64_t slowest_time, uint64_t until) {
    for (uint32_t left = chip->runnable; left; left &= left - 1) {
        uint32_t core = (uint32_t)__builtin_ctz(left);
        uint64_t limit = least(next_event(chip), until);
        if (chip->runnable >> core & 1 && chip->times[core] < limit)
            run_core(chip, core, limit, slowest_time);
    }
}

void chip_run(struct chip *chip, uint64_t until) {
    for (;;) {
        uint64_t rest, event = next_event(chip), limit = least(event, until);
        uint32_t core = slowest(chip, chip->runnable, &rest);
        bool is_behind = core != NOBODY && chip->times[core] < limit;
        if (is_behind && __builtin_popcount(chip->runnable) > MANY)
            run_round(chip, chip->times[core], limit);
        else if (is_behind)
            run_core(chip, core, limit, rest);
        else if (event < until)
            handle_next(chip);
        else
            return;
    }
}

/* Cores that still may do something before an access of `core` at `cycle`. */
static uint32_t behind(const struct chip *chip, uint32_t core, uint64_t cycle) {
    uint32_t mask = 0;
    for (uint32_t left = chip->runnable & ~chip->on_stack; left; left &= left - 1) {
        uint32_t other = (uint32_t)__builtin_ctz(left);
        if (other != core && chip->times[other] < cycle + (other < core))
            mask |= 1u << other;
    }
    return mask;
}

bool chip_is_settled(const struct chip *chip, uint32_t core, uint64_t cycle) {
    if (chip->on_stack & ~(1u << core))
        return false; /* somebody's read waits, perhaps for an earlier cycle */
    return next_event(chip) > cycle && !behind(chip, core, cycle);
}

void chip_catch_up(struct chip *chip, uint32_t core, uint64_t cycle) {
    for (;;) {
        uint64_t rest, event = next_event(chip);
        uint32_t mask = behind(chip, core, cycle), other;
        if (event > cycle && !mask)
            return;
        other = slowest(chip, chip->runnable & ~chip->on_stack & ~(1u << core), &rest);
        if (event <= cycle && (other == NOBODY || chip->times[other] >= event))
            handle_next(chip);
        else
            run_core(chip, other, least(event, cycle + (other < core)), rest);
    }
}

uint64_t chip_next_time(const struct chip *chip) {
    uint64_t rest;
    uint32_t core = slowest(chip, chip->runnable, &rest);
    return least(next_event(chip), core == NOBODY ? CHIP_NEVER : chip->times[core]);
}

void chip_schedule(struct chip *chip, uint64_t time, enum chip_event_kind kind, uint32_t unit,
                   const uint32_t arg[4]) {
    struct chip_event event = {time, chip->options.index, (uint16_t)kind, (uint16_t)unit,
                               {arg[0], arg[1], arg[2], arg[3]}};
    chip->wires.host->schedule(chip->wires.host->ctx, &event);
    for (uint32_t left = chip->on_stack; left; left &= left - 1)
        arm_stop_at(chip->wires.arm[__builtin_ctz(left)], time);
}
