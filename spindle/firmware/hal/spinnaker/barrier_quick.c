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
        differs = lacks_places(barrier, flags);
        if (differs == 0) {
            return go_on(barrier, flags, now);
        }
    } else {
        differs = barrier->inbox.slot[SPINDLE_SLOT_RELEASE] ^ (barrier->expected | RELEASE_BITS);
        if (differs <= 3) {
            pass(barrier);
            return differs; /* the flags: GO is 0 */
        }
    }
    return is_quiet(barrier, differs, now) ? BARRIER_WAIT : barrier_poll_all(barrier, now);
}
