/* serve.c: the service core: takes commands in order, checks, starts and reports launches.
 * Page: docs/spec/run.md. In: the doorbell's number, the command ring. Out: status, completions.
 * Runs from system RAM (firmware.ld), some 25 cycles an instruction: nothing here is in a launch.
 */
#include "port.h"

static uint32_t is_sound(uint32_t sequence)
{
    const struct command *command = &firmware.command;
    uint32_t n_words = sizeof *command / 4 - 1;
    return command->sequence == sequence &&
           command->crc == session_crc32((const uint32_t *)command, n_words);
}

static void copy_fault(volatile struct fault *to, const volatile struct fault *from)
{
    for (uint32_t i = 0; i < sizeof *to / 4; i++) {
        ((volatile uint32_t *)to)[i] = ((const volatile uint32_t *)from)[i];
    }
}

/* Of the faults of this launch the first by place; a lane that only left is the last choice. */
static void take_fault(const volatile struct core *core)
{
    uint32_t have = status()->fault.code;
    if (core->fault_sequence == firmware.last &&
        (have == FAULT_NONE || (have == FAULT_ABORTED && core->fault.code != FAULT_ABORTED))) {
        copy_fault(&status()->fault, &core->fault);
    }
}

struct sums {
    uint32_t sent, received, resent, nonfinite;
};

static void add(struct sums *sums, const volatile struct core *core)
{
    sums->sent += core->sent;
    sums->received += core->received;
    sums->resent += core->resent;
    sums->nonfinite += core->sequence == firmware.last ? core->nonfinite : 0;
}

static void collect(struct sums *sums, uint32_t stopped)
{
    for (uint32_t i = 0; i < firmware.n_places; i++) {
        const volatile struct core *core = core_record(firmware.place_core[i]);
        if (i != firmware.place) {
            add(sums, core);
        }
        if (stopped) {
            take_fault(core);
        }
    }
    add(sums, core_record(firmware.virtual_core));
    if (stopped && status()->fault.code == FAULT_NONE) {
        session_fail(FAULT_BARRIER, 0);
        copy_fault(&status()->fault, &core_record(firmware.virtual_core)->fault);
    }
}

static void report(uint32_t found)
{
    struct sums sums = {0, 0, 0, 0};
    uint32_t cycles = port_cycles() - firmware.started_at;
    launch_publish(CORE_IDLE);
    collect(&sums, found != BARRIER_END);
    status()->cycles = cycles;
    status()->packets_sent = sums.sent;
    status()->packets_received = sums.received;
    status()->packets_resent = sums.resent;
    status()->nonfinite = sums.nonfinite;
    status()->last_done = firmware.last;
    complete_push(firmware.last, status()->fault.code, cycles);
}

static void refuse(uint32_t sequence)
{
    firmware.last = sequence;
    firmware.hal.sequence = sequence;
    firmware.hal.has_fault = 0;
    session_fail(FAULT_BAD_CRC, firmware.command.crc);
    copy_fault(&status()->fault, &core_record(firmware.virtual_core)->fault);
    status()->last_done = sequence;
    complete_push(sequence, FAULT_BAD_CRC, 0);
}

static void take_command(uint32_t sequence)
{
    firmware.started_at = port_cycles();
    status()->fault.code = FAULT_NONE;
    launch_read_command(sequence);
    if (!is_sound(sequence)) {
        refuse(sequence);
        return;
    }
    launch_begin(sequence);
    status()->last_started = sequence;
    barrier_release(&firmware.barrier, BARRIER_START);
    report(session_run_launch());
}

void serve_commands(void)
{
    for (;;) {
        firmware.barrier.inbox.news = 0;
        if (firmware.doorbell != firmware.last) {
            take_command(firmware.last + 1);
        } else {
            port_sleep_unless(&firmware.barrier.inbox.news);
        }
    }
}
