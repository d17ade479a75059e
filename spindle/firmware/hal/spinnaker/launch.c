/* launch.c: a core is ready; how a launch begins on it, and a place's life without service.
 * Page: docs/spec/run.md. In: a command of the ring. Out: lanes ready to run.
 * Runs from system RAM (firmware.ld).
 */
#include "port.h"

void launch_read_command(uint32_t sequence)
{
    uint32_t *to = (uint32_t *)&firmware.command;
    uint32_t at = firmware.hal.arena + SPINDLE_RING_OFFSET +
                  sequence % SPINDLE_RING_ENTRIES * (uint32_t)sizeof firmware.command;
    for (uint32_t i = 0; i < sizeof firmware.command / 4; i++) {
        to[i] = REG((at | UNBUFFERED) + 4 * i);
    }
}

void launch_begin(uint32_t sequence)
{
    firmware.last = sequence;
    hal_launch(&firmware.hal, &firmware.command);
    if (firmware.place == SPINDLE_NO_PLACE) {
        return;
    }
    rt_core_start(&firmware.core, &firmware.hal, &firmware.command);
    firmware.core.n_lanes = firmware.n_places == SPINDLE_LANES;
    for (uint32_t i = firmware.place; i < SPINDLE_LANES; i += firmware.n_places) {
        rt_lane_start(&firmware.lane[i], i, &firmware.command);
    }
}

/* Counters as they will be when this place has arrived (docs/spec/barrier.md, Counters). */
void launch_publish(uint32_t state)
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

static void follow(void)
{
    uint32_t found = BARRIER_END;
    for (;;) {
        while (found != BARRIER_START) {
            barrier_idle(&firmware.barrier);
            found = session_await();
        }
        launch_read_command(status()->last_started);
        launch_begin(status()->last_started);
        found = session_run_launch();
    }
}

static void rest(void)
{
    for (;;) {
        port_wait_for_interrupt();
    }
}

/* The end of a core's open, and all that follows: it does not return. Most programs have bfp28 dots; a
 * fault met here comes again with the first task that needs the code. */
void launch_ready(void)
{
    uint32_t has_place = firmware.place != SPINDLE_NO_PLACE;
    if (has_place) {
        overlay_load(&firmware.hal, GROUP_S28);
    }
    core_record(firmware.virtual_core)->state =
        firmware.is_service || has_place ? CORE_IDLE : CORE_UNUSED;
    vcpu_state(CPU_RUN);
    port_restore(0x1f); /* SYS mode, both interrupts on */
    if (firmware.is_service) {
        serve_commands();
    } else if (has_place) {
        follow();
    }
    rest();
}
