/* await.c: asleep at a barrier until it ends. On the way of every barrier: ARM code, few calls.
 * In: the barrier's inbox, the alarm. Out: how the barrier ended, the status record's `step`.
 */
#include "port.h"

static void set_alarm(uint32_t at, uint32_t now)
{
    port_alarm((int32_t)(at - now) > 0 ? at - now : 1u);
}

/* A core that stopped for good never arrives: the launch ends without it. */
static uint32_t is_hopeless(void) { return firmware.is_service && status()->crashed != 0; }

static void keep_alarm(uint32_t *armed, uint32_t now)
{
    struct barrier *barrier = &firmware.barrier;
    if (barrier_asks(barrier) && barrier->ask_at != *armed) {
        *armed = barrier->ask_at;
        set_alarm(*armed, now);
    }
}

/* What a core checks while the others are still coming. */
static void check_own(void)
{
    if (firmware.place == 0) {
        status()->step = firmware.lane[0].step;
    }
    if (!hal_intact()) {
        session_fail(FAULT_GUARD, 0);
    }
}

static uint32_t await_barrier(void)
{
    struct barrier *barrier = &firmware.barrier;
    uint32_t now = port_cycles(), asked, armed;
    uint32_t found = barrier_poll(barrier, now);
    if (found == BARRIER_WAIT) {
        check_own();
    }
    asked = barrier->asked;
    armed = ~barrier->ask_at;
    for (; found == BARRIER_WAIT; found = barrier_poll(barrier, now)) {
        if (barrier->asked != asked && is_hopeless()) {
            barrier_release(barrier, BARRIER_STOP);
            found = BARRIER_STOP;
            break;
        }
        asked = barrier->asked;
        keep_alarm(&armed, now);
        port_sleep_unless(&barrier->inbox.news);
        now = port_cycles();
    }
    port_alarm(0xffffffffu);
    return found;
}

/* What a lost release said: the status record knows. */
static uint32_t look(uint32_t found)
{
    if (found != BARRIER_MISSED) {
        return found;
    }
    if (status()->last_started != firmware.last) {
        return BARRIER_START;
    }
    return status()->last_done == firmware.last ? BARRIER_END : BARRIER_GO;
}

uint32_t session_await(void) { return look(await_barrier()); }
