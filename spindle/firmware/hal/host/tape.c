/* tape.c: record one event of a core; see tape.h. */
#include "tape.h"

#include <stdlib.h>

#define FIRST_ROOM 1024u

static int make_room(struct tape *tape)
{
    uint32_t room = tape->room ? 2 * tape->room : FIRST_ROOM;
    uint64_t *events;
    if (tape->n < tape->room) {
        return 1;
    }
    events = realloc(tape->events, room * sizeof *events);
    if (events == 0) {
        tape->lost = 1;
        return 0;
    }
    tape->events = events;
    tape->room = room;
    return 1;
}

/* Neighbouring work is one event. */
void tape_add(struct tape *tape, enum tape_kind kind, uint64_t value)
{
    if (kind == TAPE_WORK && tape->n && tape_kind(tape->events[tape->n - 1]) == TAPE_WORK) {
        tape->events[tape->n - 1] += value;
    } else if (make_room(tape)) {
        tape->events[tape->n++] = (uint64_t)kind << TAPE_VALUE_BITS | value;
    }
}
