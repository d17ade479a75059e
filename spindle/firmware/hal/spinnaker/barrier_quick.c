/* barrier_quick.c: the shortest way through a barrier: all come with the same flags, nothing is lost.
 * Page: docs/spec/barrier.md. Whatever else is in the inbox goes to barrier.c, as does the time to ask.
 * Packets leave first, books are kept behind them.
 */
#include "barrier.h"

#include "spindle_records.h"

#define RELEASE_BITS (SPINDLE_SLOT_RELEASE << SPINDLE_KEY_SLOT_SHIFT)

static void rest(struct barrier *barrier, uint32_t now)
{
    barrier->ask_after = SPINDLE_ASK_CYCLES;
    barrier->ask_at = now + SPINDLE_ASK_CYCLES;
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

/* A question that came while this core computed is forgotten: the arrival answers it. */
void barrier_arrive(struct barrier *barrier, uint32_t flags, uint32_t now)
{
    barrier->inbox.slot[barrier->ask_slot] = 0;
    barrier->phase = PHASE_GATHER;
    barrier->flags = flags;
    expect_next(barrier);
    rest(barrier, now);
}

void barrier_send_arrival(struct barrier *barrier)
{
    barrier_send(barrier, barrier->expected | barrier->own_bits | barrier->flags);
    barrier->sent++;
}

static uint32_t key_of(const struct barrier *barrier, uint32_t slot_bits)
{
    return barrier->inbox.slot[slot_bits >> SPINDLE_KEY_SLOT_SHIFT];
}

/* The flags all should come with: one's own, or the first child's. */
static uint32_t flags_of(const struct barrier *barrier)
{
    return barrier->flags == BARRIER_WAIT ? key_of(barrier, barrier->child[0]) & 3u : barrier->flags;
}

/* Bits in which some child's key differs from that of the awaited generation and flags. */
static uint32_t lacks_children(const struct barrier *barrier, uint32_t flags)
{
    uint32_t differs = 0, expected = barrier->expected | flags;
    for (uint32_t i = 0; i < barrier->n_children; i++) {
        uint32_t bits = barrier->child[i];
        differs |= key_of(barrier, bits) ^ (expected | bits);
    }
    return differs;
}

static void pass(struct barrier *barrier)
{
    barrier->generation++;
    barrier->phase = PHASE_IDLE;
}

/* All have come with the same flags. Returns as barrier_poll. */
static uint32_t go_on(struct barrier *barrier, uint32_t flags, uint32_t now)
{
    if (barrier->is_root) {
        if (barrier->n_receivers) {
            barrier_send(barrier, barrier->expected | RELEASE_BITS | flags);
            barrier->sent += barrier->n_receivers;
        }
        pass(barrier);
        return flags;
    }
    barrier->flags = flags;
    barrier_send_arrival(barrier);
    barrier->phase = PHASE_WAIT;
    barrier->sent_at = now;
    return BARRIER_WAIT;
}

/* Nothing in the inbox says more than "not yet", and it is not time to ask. */
static uint32_t is_quiet(const struct barrier *barrier, uint32_t differs, uint32_t now)
{
    return differs > 3 && barrier->inbox.slot[barrier->ask_slot] == 0 &&
           (barrier->phase != PHASE_GATHER || (int32_t)(now - barrier->ask_at) < 0);
}

uint32_t barrier_poll(struct barrier *barrier, uint32_t now)
{
    uint32_t differs;
    barrier->inbox.news = 0;
    if (barrier->phase == PHASE_GATHER) {
        uint32_t flags = flags_of(barrier);
        differs = lacks_children(barrier, flags);
        if (differs == 0) {
            return go_on(barrier, flags, now);
        }
    } else {
        differs = key_of(barrier, RELEASE_BITS) ^ (barrier->expected | RELEASE_BITS);
        if (differs <= 3) {
            pass(barrier);
            return differs; /* the flags: GO is 0 */
        }
    }
    return is_quiet(barrier, differs, now) ? BARRIER_WAIT : barrier_poll_all(barrier, now);
}
