/* tape.h: what a core of the virtual board did between two barriers, for replay.c to time.
 *
 * A core's lanes run without a clock; hal_host.c records here what takes time, in order. Times are
 * in ticks of 1/COST_FRACTION cycle. One event is a word: kind in the top byte, value below.
 */
#ifndef SPINDLE_TAPE_H
#define SPINDLE_TAPE_H

#include <stdint.h>

enum tape_kind {
    TAPE_WORK,     /* ticks of the core: set-up, words of SDRAM, steps */
    TAPE_COMPUTE,  /* ticks of the core in a tile */
    TAPE_TRANSFER, /* bytes, queued behind earlier transfers of the core */
    TAPE_WAIT,     /* for a ticket: transfers of the core are numbered 1, 2, ... */
    TAPE_STEP_END, /* of a step on a lane: step * SPINDLE_LANES + lane */
    TAPE_START,    /* a lane begins */
    TAPE_ARRIVE    /* a lane has reached the barrier */
};

#define TAPE_VALUE_BITS 56

struct tape {
    uint64_t *events;
    uint32_t n, room;
    uint32_t lost; /* 1: the host had no memory for an event */
};

void tape_add(struct tape *tape, enum tape_kind kind, uint64_t value);

static inline enum tape_kind tape_kind(uint64_t event)
{
    return (enum tape_kind)(event >> TAPE_VALUE_BITS);
}

static inline uint64_t tape_value(uint64_t event)
{
    return event & ((UINT64_C(1) << TAPE_VALUE_BITS) - 1);
}

#endif
