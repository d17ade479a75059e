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

/* 1: no stack and no buffer has grown over its end. */
__attribute__((noinline)) uint32_t hal_intact(void)
{
    uint32_t wrong = REG(DTCM_ARENA - 4) ^ GUARD_WORD;
    wrong |= REG(SYS_STACK_GUARD) ^ GUARD_WORD;
    for (uint32_t guard = SVC_STACK_GUARD; guard <= UND_STACK_TOP; guard += 0x100) {
        wrong |= REG(guard) ^ GUARD_WORD;
    }
    return wrong == 0;
}

/* What a core does while the others are still coming. */
static __attribute__((noinline)) void use_time(void)
{
    rt_lane_waits(&firmware.core);
    if (firmware.place == 0) {
        status()->step = firmware.lane[0].step;
    }
    if (!hal_intact()) {
        session_fail(FAULT_GUARD, 0);
    }
}

/* A place of a launch that cannot end in the usual way: the root ends it. */
static __attribute__((noinline)) uint32_t poll(uint32_t asked)
{
    uint32_t found = barrier_poll(&firmware.barrier, port_cycles());
    if (found == BARRIER_WAIT && firmware.barrier.asked != asked && is_hopeless()) {
        barrier_release(&firmware.barrier, BARRIER_STOP);
        return BARRIER_STOP;
    }
    return found;
}

/* Once the arrival is sent there is time; a leader that gathers must not keep its group waiting. */
static uint32_t has_time(const struct barrier *barrier)
{
    return barrier->phase != PHASE_GATHER || barrier->is_root;
}

static uint32_t await_barrier(void)
{
    struct barrier *barrier = &firmware.barrier;
    uint32_t armed = ~barrier->ask_at;
    uint32_t time_used = 0;
    uint32_t found = barrier_look(barrier, 0);
    for (;;) {
        if (found == BARRIER_UNUSUAL) {
            found = poll(barrier->asked);
        }
        if (found != BARRIER_WAIT) {
            break;
        }
        if (!time_used && has_time(barrier)) {
            time_used = 1;
            use_time();
        }
        keep_alarm(&armed, port_cycles());
        found = barrier_look(barrier, 1);
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
