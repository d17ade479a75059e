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

/* ---- one launch */

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
            launch_publish(CORE_IDLE);
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
