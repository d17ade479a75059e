/* barrier_look.c: the shortest way through a barrier: all come with the same flags, nothing is lost.
 * Page: docs/spec/barrier.md. Whatever else is in the inbox is barrier.c's, as is the time to ask.
 * Packets leave first, books are kept behind them. C twin of barrier_look.S, for the host: it never sleeps.
 */
#include "barrier.h"

#define RELEASE_BITS (SPINDLE_SLOT_RELEASE << SPINDLE_KEY_SLOT_SHIFT)

static const volatile uint32_t *slot_at(const struct barrier *barrier, uint32_t bits)
{
    return (const volatile uint32_t *)((const volatile char *)barrier->inbox.slot + bits);
}

/* Bits in which some place's key differs from that of the awaited generation and flags. */
static uint32_t lacks_group(const struct barrier *barrier, const struct barrier_group *group,
                            uint32_t expected)
{
    const volatile uint32_t *slot = slot_at(barrier, group->first_bits);
    uint32_t differs = 0, step_bits = group->step_bits;
    expected |= group->first_bits;
    for (uint32_t left = group->count; left != 0; left--) {
        differs |= *slot ^ expected;
        expected += step_bits;
        slot += step_bits / 4;
    }
    return differs;
}

static uint32_t lacks_places(const struct barrier *barrier, uint32_t flags)
{
    uint32_t expected = barrier->expected | flags;
    uint32_t differs = lacks_group(barrier, &barrier->group[0], expected);
    if (barrier->is_root) {
        differs |= lacks_group(barrier, &barrier->group[1], expected);
    }
    return differs;
}

/* The flags all should come with: one's own, or those of place 0. */
static uint32_t flags_of(const struct barrier *barrier)
{
    uint32_t flags = barrier->flags;
    return flags == BARRIER_WAIT ? barrier->inbox.slot[SPINDLE_SLOT_ARRIVE] & 3u : flags;
}

static void pass(struct barrier *barrier)
{
    barrier->generation++;
    barrier->phase = PHASE_IDLE;
}

/* All have come with the same flags. Returns as barrier_look. */
static uint32_t go_on(struct barrier *barrier, uint32_t flags)
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
    barrier->inbox.slot[barrier->ask_slot] = 0; /* this was the answer */
    barrier->phase = PHASE_WAIT;
    barrier->sent_at = barrier_now();
    return BARRIER_WAIT;
}

/* Nothing in the inbox says more than "not yet". Who has not arrived has nothing to answer, but may ask. */
static uint32_t is_quiet(const struct barrier *barrier, uint32_t differs)
{
    if (differs <= 3) {
        return 0;
    }
    if (barrier->phase == PHASE_GATHER) {
        return (int32_t)(barrier_now() - barrier->ask_at) < 0;
    }
    return barrier->inbox.slot[barrier->ask_slot] == 0;
}

uint32_t barrier_look(struct barrier *barrier, uint32_t sleeps)
{
    uint32_t differs;
    (void)sleeps;
    barrier->inbox.news = 0;
    if (barrier->phase == PHASE_GATHER) {
        uint32_t flags = flags_of(barrier);
        differs = lacks_places(barrier, flags);
        if (differs == 0) {
            return go_on(barrier, flags);
        }
    } else {
        differs = barrier->inbox.slot[SPINDLE_SLOT_RELEASE] ^ (barrier->expected | RELEASE_BITS);
        if (differs <= 3) {
            pass(barrier);
            return differs; /* the flags: GO is 0 */
        }
    }
    return is_quiet(barrier, differs) ? BARRIER_WAIT : BARRIER_UNUSUAL;
}
