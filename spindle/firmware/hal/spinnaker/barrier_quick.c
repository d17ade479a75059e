/* barrier_quick.c: the shortest way through a barrier: all come with the same flags, nothing is lost.
 * Page: docs/spec/barrier.md. Whatever else is in the inbox goes to barrier.c, as does the time to ask.
 */
#include "barrier.h"

#include "spindle_records.h"

static void rest(struct barrier *barrier, uint32_t now)
{
    barrier->ask_after = SPINDLE_ASK_CYCLES;
    barrier->ask_at = now + SPINDLE_ASK_CYCLES;
}

/* Where questions for this core come. */
static uint32_t question_slot(const struct barrier *barrier)
{
    return barrier->is_root ? SPINDLE_SLOT_ASK_RELEASE : SPINDLE_SLOT_ASK_ARRIVAL + barrier->place;
}

static void expect_next(struct barrier *barrier)
{
    uint32_t generation = (barrier->generation + 1) & 0xffffu;
    barrier->expected = SPINDLE_KEY_BASE | generation << SPINDLE_KEY_GENERATION_SHIFT;
}

void barrier_idle(struct barrier *barrier)
{
    barrier->phase = PHASE_IDLE;
    expect_next(barrier);
}

/* Questions that came while this core computed are forgotten: the arrival answers those for it; of those
 * for a release some have crossed it, and who still lacks it will ask again or be asked. */
void barrier_arrive(struct barrier *barrier, uint32_t flags, uint32_t now)
{
    barrier->inbox.slot[question_slot(barrier)] = 0;
    barrier->phase = PHASE_GATHER;
    barrier->flags = flags;
    expect_next(barrier);
    rest(barrier, now);
}

/* The first time, and again when asked; `now` is when it was first sent. */
void barrier_send_arrival(struct barrier *barrier, uint32_t now)
{
    uint32_t slot = SPINDLE_SLOT_ARRIVE + barrier->place;
    if (barrier->phase == PHASE_GATHER) {
        barrier->phase = PHASE_WAIT;
        barrier->sent_at = now;
        rest(barrier, now);
    }
    barrier->sent++;
    barrier_send(barrier, barrier->expected | slot << SPINDLE_KEY_SLOT_SHIFT | barrier->flags);
}

static uint32_t arrival_of(const struct barrier *barrier, uint32_t child)
{
    return barrier->inbox.slot[SPINDLE_SLOT_ARRIVE + barrier->child[child]];
}

/* The flags all should come with: one's own, or the first child's. */
static uint32_t flags_of(const struct barrier *barrier)
{
    return barrier->flags == BARRIER_WAIT ? arrival_of(barrier, 0) & 3u : barrier->flags;
}

/* Bits in which some child's key differs from that of the awaited generation and flags. */
static uint32_t lacks_children(const struct barrier *barrier, uint32_t flags)
{
    uint32_t differs = 0, expected = barrier->expected | flags;
    for (uint32_t i = 0; i < barrier->n_children; i++) {
        uint32_t slot = barrier->child[i];
        differs |= barrier->inbox.slot[slot] ^ (expected | slot << SPINDLE_KEY_SLOT_SHIFT);
    }
    return differs;
}

static uint32_t lacks_release(const struct barrier *barrier)
{
    return barrier->inbox.slot[SPINDLE_SLOT_RELEASE] ^
           (barrier->expected | SPINDLE_SLOT_RELEASE << SPINDLE_KEY_SLOT_SHIFT);
}

static void pass(struct barrier *barrier)
{
    barrier->generation++;
    barrier->phase = PHASE_IDLE;
}

/* All have come with the same flags. Returns as barrier_poll. */
static uint32_t go_on(struct barrier *barrier, uint32_t flags, uint32_t now)
{
    barrier->flags = flags;
    if (!barrier->is_root) {
        barrier_send_arrival(barrier, now);
        return BARRIER_WAIT;
    }
    pass(barrier);
    barrier->released = flags;
    barrier->sent_at = now;
    if (barrier->n_receivers) {
        uint32_t key = barrier->expected | SPINDLE_SLOT_RELEASE << SPINDLE_KEY_SLOT_SHIFT;
        barrier->sent += barrier->n_receivers;
        barrier_send(barrier, key | flags);
        barrier->inbox.slot[SPINDLE_SLOT_ASK_RELEASE] = 0; /* this was the answer */
    }
    return flags;
}

/* 1: a question that may need an answer. A root is asked early by all who wait for slow lanes. */
static uint32_t is_asked(const struct barrier *barrier)
{
    uint32_t key = barrier->inbox.slot[question_slot(barrier)];
    if (key == 0 || !barrier->is_root) {
        return key;
    }
    return (key ^ barrier->expected) >> SPINDLE_KEY_GENERATION_SHIFT;
}

/* Nothing in the inbox says more than "not yet", and it is not time to ask. */
static uint32_t is_quiet(const struct barrier *barrier, uint32_t differs, uint32_t now)
{
    return differs > 3 && !is_asked(barrier) &&
           (barrier->phase == PHASE_IDLE || (int32_t)(now - barrier->ask_at) < 0);
}

static uint32_t poll_gather(struct barrier *barrier, uint32_t *differs, uint32_t now)
{
    uint32_t flags = flags_of(barrier);
    *differs = lacks_children(barrier, flags);
    return *differs == 0 ? go_on(barrier, flags, now) : BARRIER_MISSED;
}

/* BARRIER_MISSED in here: go on looking. */
uint32_t barrier_poll(struct barrier *barrier, uint32_t now)
{
    uint32_t differs, found = BARRIER_MISSED;
    barrier->inbox.news = 0;
    if (barrier->phase == PHASE_GATHER) {
        found = poll_gather(barrier, &differs, now);
    } else {
        differs = lacks_release(barrier);
        if (differs <= 3) {
            pass(barrier);
            return differs; /* the flags: GO is 0 */
        }
    }
    if (found != BARRIER_MISSED) {
        return found;
    }
    return is_quiet(barrier, differs, now) ? BARRIER_WAIT : barrier_poll_all(barrier, now);
}
