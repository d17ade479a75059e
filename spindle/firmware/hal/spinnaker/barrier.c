/* barrier.c: arrivals up a 4x4 tree, one release down; questions for what is missing.
 * Page: docs/spec/barrier.md. In: keys in the inbox. Out: keys sent, the flags of a release.
 * The whole protocol; barrier_look.S is its shortest way.
 */
#include "barrier.h"

#include "spindle_records.h"

#define LEADER_MASK (SPINDLE_BRANCHING - 1u)

static uint32_t make_key(uint32_t slot, uint32_t generation, uint32_t flags)
{
    return SPINDLE_KEY_BASE | (generation & 0xffffu) << SPINDLE_KEY_GENERATION_SHIFT |
           slot << SPINDLE_KEY_SLOT_SHIFT | flags;
}

static uint32_t generation_of(uint32_t key) { return key >> SPINDLE_KEY_GENERATION_SHIFT & 0xffffu; }

/* Generations of `key` beyond the next one, as they wrap; an empty slot is behind everything. */
static int32_t beyond_next(const struct barrier *barrier, uint32_t key)
{
    if (key == 0) {
        return -1;
    }
    return (int16_t)((key >> SPINDLE_KEY_GENERATION_SHIFT) - (barrier->generation + 1));
}

static void set_group(struct barrier *barrier, uint32_t number, uint32_t first, uint32_t step,
                      uint32_t end)
{
    struct barrier_group *group = &barrier->group[number];
    group->first_bits = (SPINDLE_SLOT_ARRIVE + first) << SPINDLE_KEY_SLOT_SHIFT;
    group->step_bits = step << SPINDLE_KEY_SLOT_SHIFT;
    for (uint32_t i = first; i < end; i += step) {
        barrier->child[barrier->n_children++] = i;
        group->count++;
    }
}

static void find_groups(struct barrier *barrier, uint32_t n_places, uint32_t service_is_place)
{
    uint32_t own_end = barrier->place + SPINDLE_BRANCHING;
    if ((barrier->place & LEADER_MASK) == 0) {
        uint32_t end = own_end < n_places ? own_end : n_places;
        set_group(barrier, 0, barrier->place + 1, 1, end);
    }
    if (barrier->is_root) {
        uint32_t first = service_is_place ? SPINDLE_BRANCHING : 0;
        set_group(barrier, 1, first, SPINDLE_BRANCHING, n_places);
    }
}

void barrier_init(struct barrier *barrier, uint32_t place, uint32_t n_places, uint32_t is_root,
                  uint32_t service_is_place)
{
    barrier->place = place;
    barrier->is_root = is_root;
    barrier->own_bits = (SPINDLE_SLOT_ARRIVE + place) << SPINDLE_KEY_SLOT_SHIFT;
    barrier->ask_slot = SPINDLE_SLOT_ASK_ARRIVAL + (place & (SPINDLE_LANES - 1u));
    barrier->n_receivers = n_places - service_is_place;
    find_groups(barrier, n_places, service_is_place);
}

uint32_t barrier_asks(const struct barrier *barrier) { return barrier->phase == PHASE_GATHER; }

void barrier_release(struct barrier *barrier, uint32_t flags)
{
    barrier->generation++;
    barrier->phase = PHASE_IDLE;
    if (barrier->n_receivers) {
        barrier->sent += barrier->n_receivers;
        barrier_send(barrier, make_key(SPINDLE_SLOT_RELEASE, barrier->generation, flags));
    }
}

/* A question within 5 us of the arrival has crossed it on its way; who asked will ask again. */
static uint32_t has_crossed(const struct barrier *barrier, uint32_t now)
{
    return now - barrier->sent_at < SPINDLE_CROSSING_CYCLES;
}

/* The parent asks: 1 if the question shows that the release waited for is past. */
static uint32_t answer_parent(struct barrier *barrier, uint32_t now)
{
    uint32_t key = barrier->inbox.slot[barrier->ask_slot];
    barrier->inbox.slot[barrier->ask_slot] = 0;
    if (beyond_next(barrier, key) > 0) {
        barrier->generation = generation_of(key) - 1;
        return 1;
    }
    if (beyond_next(barrier, key) == 0 && barrier->phase == PHASE_WAIT &&
        !has_crossed(barrier, now)) {
        barrier->resent++;
        barrier_send_arrival(barrier);
    }
    return 0;
}

static uint32_t is_due(struct barrier *barrier, uint32_t now)
{
    if ((int32_t)(now - barrier->ask_at) < 0) {
        return 0;
    }
    if (barrier->ask_after < SPINDLE_ASK_CYCLES << SPINDLE_ASK_DOUBLINGS) {
        barrier->ask_after *= 2;
    }
    barrier->ask_at = now + barrier->ask_after;
    return 1;
}

/* Slots change under our eyes: a key is read once, and judged as read. */
static uint32_t arrival_of(const struct barrier *barrier, uint32_t place)
{
    return barrier->inbox.slot[SPINDLE_SLOT_ARRIVE + place];
}

static uint32_t is_present(const struct barrier *barrier, uint32_t key)
{
    return beyond_next(barrier, key) >= 0;
}

uint32_t barrier_received(const struct barrier *barrier)
{
    return barrier->inbox.received[CLASS_ARRIVE] + barrier->inbox.received[CLASS_RELEASE];
}

/* A packet may come while the places are counted: again then. */
uint32_t barrier_will_receive(const struct barrier *barrier)
{
    uint32_t before, absent;
    do {
        before = barrier_received(barrier);
        absent = 0;
        for (uint32_t i = 0; i < barrier->n_children; i++) {
            absent += !is_present(barrier, arrival_of(barrier, barrier->child[i]));
        }
    } while (before != barrier_received(barrier));
    return before + absent;
}

static void ask_children(struct barrier *barrier)
{
    for (uint32_t i = 0; i < barrier->n_children; i++) {
        if (!is_present(barrier, arrival_of(barrier, barrier->child[i]))) {
            barrier->asked++;
            barrier_send(barrier,
                         make_key(SPINDLE_SLOT_ASK_ARRIVAL + barrier->child[i], barrier->generation + 1, 0));
        }
    }
}

/* 1 when all have come; their flags then join those of this place. */
static uint32_t gather(struct barrier *barrier)
{
    uint32_t flags = barrier->flags;
    for (uint32_t i = 0; i < barrier->n_children; i++) {
        uint32_t key = arrival_of(barrier, barrier->child[i]), theirs = key & 3u;
        if (!is_present(barrier, key)) {
            return 0;
        }
        flags = flags == BARRIER_WAIT || flags == theirs ? theirs : BARRIER_STOP;
    }
    barrier->flags = flags;
    return 1;
}

static uint32_t poll_gather(struct barrier *barrier, uint32_t now)
{
    if (!gather(barrier)) {
        if (is_due(barrier, now)) {
            ask_children(barrier);
        }
        return BARRIER_WAIT;
    }
    if (barrier->is_root) {
        barrier_release(barrier, barrier->flags);
        return barrier->flags;
    }
    barrier->phase = PHASE_WAIT;
    barrier->sent_at = now;
    barrier_send_arrival(barrier);
    return BARRIER_WAIT;
}

/* A release of the awaited generation or of a later one. */
static uint32_t poll_release(struct barrier *barrier)
{
    uint32_t key = barrier->inbox.slot[SPINDLE_SLOT_RELEASE];
    int32_t distance = beyond_next(barrier, key);
    if (distance < 0) {
        return BARRIER_WAIT;
    }
    barrier->generation = generation_of(key);
    if (distance == 0 || (key & 3u) == BARRIER_START) {
        return key & 3u;
    }
    return BARRIER_MISSED;
}

uint32_t barrier_poll(struct barrier *barrier, uint32_t now)
{
    if (!barrier->is_root) {
        uint32_t found = poll_release(barrier);
        if (found != BARRIER_WAIT) {
            return found;
        }
        if (answer_parent(barrier, now)) {
            return BARRIER_MISSED;
        }
    }
    return barrier->phase == PHASE_GATHER ? poll_gather(barrier, now) : BARRIER_WAIT;
}
