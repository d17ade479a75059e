/* A binary heap of events in the order of chip_event_before; one per chip.
 *
 * Equal times are ordered by content, so the order of pushes never shows.
 */
#include <stdlib.h>
#include <string.h>

#include "chip.h"

bool chip_event_before(const struct chip_event *a, const struct chip_event *b) {
    if (a->time != b->time)
        return a->time < b->time;
    if (a->kind != b->kind)
        return a->kind < b->kind;
    if (a->unit != b->unit)
        return a->unit < b->unit;
    for (uint32_t i = 0; i < 4; i++)
        if (a->arg[i] != b->arg[i])
            return a->arg[i] < b->arg[i];
    return false;
}

static bool grow(struct chip_queue *queue) {
    uint32_t capacity = queue->capacity ? 2 * queue->capacity : 64;
    struct chip_event *events = realloc(queue->events, capacity * sizeof *events);
    if (!events)
        return false;
    queue->events = events;
    queue->capacity = capacity;
    return true;
}

bool chip_queue_push(struct chip_queue *queue, const struct chip_event *event) {
    if (queue->count == queue->capacity && !grow(queue))
        return false;
    struct chip_event *events = queue->events;
    uint32_t at = queue->count++;
    while (at && chip_event_before(event, &events[(at - 1) / 2])) {
        events[at] = events[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    events[at] = *event;
    return true;
}

uint64_t chip_queue_next(const struct chip_queue *queue) {
    return queue->count ? queue->events[0].time : CHIP_NEVER;
}

void chip_queue_pop(struct chip_queue *queue, struct chip_event *event) {
    struct chip_event *events = queue->events, last = events[--queue->count];
    *event = events[0];
    uint32_t at = 0;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= queue->count)
            break;
        if (child + 1 < queue->count && chip_event_before(&events[child + 1], &events[child]))
            child++;
        if (!chip_event_before(&events[child], &last))
            break;
        events[at] = events[child];
        at = child;
    }
    events[at] = last;
}

void chip_queue_free(struct chip_queue *queue) {
    free(queue->events);
    *queue = (struct chip_queue){0};
}
