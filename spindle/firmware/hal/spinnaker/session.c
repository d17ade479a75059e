/* session.c: a core's life between launches and in them: wait, run lanes, meet at barriers.
 * Page: docs/spec/run.md. In: commands, releases. Out: arrivals, counters, faults.
 *
 *     service core   doorbell -> check the command -> release START -> root of the barriers -> report
 *     other places   idle -> START -> lanes of the launch -> idle
 * A service core that is place 0 too does both. What runs once per launch or once at all is in
 * serve.c and open.c, out of ITCM.
 */
#include "port.h"

struct firmware firmware;

/* ---- packets and waiting */

/* TCR shows a change one access late: the second look counts. */
void barrier_send(struct barrier *barrier, uint32_t key)
{
    (void)barrier;
    (void)REG(CC_BASE + CC_TCR);
    while ((REG(CC_BASE + CC_TCR) & CC_TCR_NOT_FULL) == 0) {
    }
    REG(CC_BASE + CC_TXKEY) = key;
}

static void set_alarm(uint32_t at, uint32_t now)
{
    port_alarm((int32_t)(at - now) > 0 ? at - now : 1);
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
    uint32_t now = port_cycles(), asked = barrier->asked, armed = ~barrier->ask_at;
    uint32_t found = barrier_poll(barrier, now);
    if (found == BARRIER_WAIT) {
        check_own();
    }
    for (; found == BARRIER_WAIT; found = barrier_poll(barrier, now)) {
        if (barrier->asked != asked && is_hopeless()) {
            barrier_release(barrier, BARRIER_STOP, now);
            found = BARRIER_STOP;
            break;
        }
        asked = barrier->asked;
        keep_alarm(&armed, now);
        port_sleep_unless(&barrier->inbox.news);
        now = port_cycles();
    }
    port_alarm(0);
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

/* ---- one launch */

void session_fail(uint32_t code, uint32_t word)
{
    struct fault fault;
    fault.code = code;
    fault.lane = firmware.running;
    fault.pc = firmware.lane[firmware.running].at;
    fault.step = firmware.lane[firmware.running].step;
    fault.word[0] = word;
    fault.word[1] = firmware.virtual_core;
    hal_fault(&firmware.hal, &fault);
}

static uint32_t run_lane(uint32_t lane)
{
    enum rt_reason reason;
    firmware.running = lane;
    reason = rt_run_lane(&firmware.core, &firmware.lane[lane]);
    if (reason != RT_BARRIER && !hal_intact()) {
        session_fail(FAULT_GUARD, 0);
    }
    if (firmware.hal.has_fault || reason == RT_STOPPED) {
        return BARRIER_STOP;
    }
    return reason == RT_END ? BARRIER_END : BARRIER_GO;
}

/* All lanes follow the same control flow: different ends are nonsense. */
static uint32_t run_lanes(void)
{
    uint32_t flags = run_lane(firmware.place);
    for (uint32_t i = firmware.place + firmware.n_places;
         i < SPINDLE_LANES && flags != BARRIER_STOP; i += firmware.n_places) {
        uint32_t now = run_lane(i);
        if (now != flags && now != BARRIER_STOP) {
            session_fail(FAULT_BARRIER, now);
            now = BARRIER_STOP;
        }
        flags = now;
    }
    return flags;
}

/* Counters as they will be when this place has arrived (docs/spec/barrier.md, Counters). */
void session_publish(uint32_t state)
{
    const struct barrier *barrier = &firmware.barrier;
    volatile struct core *own = core_record(firmware.virtual_core);
    uint32_t is_root = barrier->is_root;
    own->sequence = firmware.last;
    own->sent = barrier->sent + (is_root ? 0u - barrier->n_receivers : 1);
    own->received = is_root ? barrier_received(barrier) : barrier_will_receive(barrier);
    own->resent = barrier->resent;
    own->asked = barrier->asked;
    own->nonfinite = firmware.hal.nonfinite;
    own->state = state;
}

static void lanes_released(void)
{
    for (uint32_t i = firmware.place; i < SPINDLE_LANES; i += firmware.n_places) {
        rt_lane_released(&firmware.core, &firmware.lane[i]);
    }
}

/* Lanes and barriers until the launch is over. Returns how: STOP, END, or START of the next one. */
uint32_t session_run_launch(void)
{
    uint32_t found = BARRIER_GO;
    while (found == BARRIER_GO) {
        uint32_t flags = firmware.place == SPINDLE_NO_PLACE ? BARRIER_WAIT : run_lanes();
        if (flags != BARRIER_GO && !firmware.is_service) {
            session_publish(CORE_IDLE);
        }
        barrier_arrive(&firmware.barrier, flags, port_cycles());
        found = session_await();
        if (found == BARRIER_GO && firmware.place != SPINDLE_NO_PLACE) {
            lanes_released();
        }
    }
    return found;
}

/* As zlib has it, of whole words. */
uint32_t session_crc32(const uint32_t *words, uint32_t n_words)
{
    uint32_t crc = 0xffffffffu;
    for (uint32_t i = 0; i < n_words; i++) {
        crc ^= words[i];
        for (uint32_t bit = 0; bit < 32; bit++) {
            crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1u)));
        }
    }
    return ~crc;
}
