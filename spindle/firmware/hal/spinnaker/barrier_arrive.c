/* barrier_arrive.c: what a core does when it comes to a barrier. Page: docs/spec/barrier.md. */
#include "barrier.h"

#include "spindle_records.h"

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
