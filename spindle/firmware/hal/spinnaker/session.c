/* session.c: a core's life: find the arena, wait for launches, run them, meet at barriers, report.
 * Page: docs/spec/run.md. In: session record, commands, doorbells. Out: status, completions.
 *
 *     service core   doorbell -> check the command -> release START -> root of the barriers -> report
 *     other places   idle -> START -> lanes of the launch -> idle
 * A service core that is place 0 too does both.
 */
#include "port.h"

struct firmware firmware;

static volatile struct status *status(void)
{
    return (volatile struct status *)(uintptr_t)firmware.hal.status;
}

static volatile struct core *core_record(uint32_t virtual_core)
{
    uint32_t at = firmware.hal.arena + SPINDLE_CORES_OFFSET + virtual_core * SPINDLE_CORE_STRIDE;
    return (volatile struct core *)(uintptr_t)(at | UNBUFFERED);
}

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

static uint32_t await_barrier(void)
{
    struct barrier *barrier = &firmware.barrier;
    uint32_t now = port_cycles(), armed = barrier->ask_at;
    uint32_t found = barrier_poll(barrier, now);
    if (found == BARRIER_WAIT && barrier_asks(barrier)) {
        set_alarm(barrier->ask_at, now);
        armed = barrier->ask_at;
    }
    for (; found == BARRIER_WAIT; found = barrier_poll(barrier, now)) {
        if (barrier->ask_at != armed) {
            if (is_hopeless()) {
                barrier_release(barrier, BARRIER_STOP);
                found = BARRIER_STOP;
                break;
            }
            armed = barrier->ask_at;
            set_alarm(armed, now);
        }
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

/* ---- one launch */

static void read_command(uint32_t sequence)
{
    uint32_t *to = (uint32_t *)&firmware.command;
    uint32_t at = firmware.hal.arena + SPINDLE_RING_OFFSET +
                  sequence % SPINDLE_RING_ENTRIES * (uint32_t)sizeof firmware.command;
    for (uint32_t i = 0; i < sizeof firmware.command / 4; i++) {
        to[i] = REG((at | UNBUFFERED) + 4 * i);
    }
}

static void begin(uint32_t sequence)
{
    firmware.last = sequence;
    hal_launch(&firmware.hal, &firmware.command);
    if (firmware.place == SPINDLE_NO_PLACE) {
        return;
    }
    rt_core_start(&firmware.core, &firmware.hal, &firmware.command);
    for (uint32_t i = firmware.place; i < SPINDLE_LANES; i += firmware.n_places) {
        rt_lane_start(&firmware.lane[i], i, &firmware.command);
    }
}

static void fail(uint32_t code, uint32_t word)
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
    if (!hal_intact()) {
        fail(FAULT_GUARD, 0);
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
            fail(FAULT_BARRIER, now);
            now = BARRIER_STOP;
        }
        flags = now;
    }
    return flags;
}

/* Counters as they will be when this place has arrived (docs/spec/barrier.md, Counters). */
static void publish(uint32_t state)
{
    const struct barrier *barrier = &firmware.barrier;
    volatile struct core *own = core_record(firmware.virtual_core);
    uint32_t is_root = barrier->is_root;
    own->sequence = firmware.last;
    own->sent = barrier->sent + (is_root ? 0u - barrier->n_receivers : 1);
    own->received = barrier_received(barrier) + (is_root ? 0 : barrier->n_children);
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
static uint32_t run_launch(void)
{
    uint32_t found = BARRIER_GO;
    while (found == BARRIER_GO) {
        uint32_t flags = firmware.place == SPINDLE_NO_PLACE ? BARRIER_WAIT : run_lanes();
        if (flags != BARRIER_GO && !firmware.is_service) {
            publish(CORE_IDLE);
        }
        barrier_arrive(&firmware.barrier, flags, port_cycles());
        if (firmware.place == 0) {
            status()->step = firmware.lane[0].step;
        }
        found = look(await_barrier());
        if (found == BARRIER_GO && firmware.place != SPINDLE_NO_PLACE) {
            lanes_released();
        }
    }
    return found;
}

/* ---- places without service */

static void follow(void)
{
    uint32_t found = BARRIER_END;
    for (;;) {
        while (found != BARRIER_START) {
            barrier_idle(&firmware.barrier);
            found = look(await_barrier());
        }
        read_command(status()->last_started);
        begin(status()->last_started);
        found = run_launch();
    }
}

/* ---- the service core */

static uint32_t crc32(const uint32_t *words, uint32_t n_words)
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

static uint32_t is_sound(uint32_t sequence)
{
    const struct command *command = &firmware.command;
    uint32_t n_words = sizeof *command / 4 - 1;
    return command->sequence == sequence &&
           command->crc == crc32((const uint32_t *)command, n_words);
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
        fail(FAULT_BARRIER, 0);
        copy_fault(&status()->fault, &core_record(firmware.virtual_core)->fault);
    }
}

static void report(uint32_t found)
{
    struct sums sums = {0, 0, 0, 0};
    uint32_t cycles = port_cycles() - firmware.started_at;
    publish(CORE_IDLE);
    collect(&sums, found != BARRIER_END);
    status()->cycles = cycles;
    status()->packets_sent = sums.sent;
    status()->packets_received = sums.received;
    status()->packets_resent = sums.resent;
    status()->nonfinite = sums.nonfinite;
    status()->last_done = firmware.last;
    mailbox_complete(firmware.last, status()->fault.code, cycles);
}

static void refuse(uint32_t sequence)
{
    firmware.last = sequence;
    firmware.hal.sequence = sequence;
    firmware.hal.has_fault = 0;
    fail(FAULT_BAD_CRC, firmware.command.crc);
    copy_fault(&status()->fault, &core_record(firmware.virtual_core)->fault);
    status()->last_done = sequence;
    mailbox_complete(sequence, FAULT_BAD_CRC, 0);
}

static void take_command(uint32_t sequence)
{
    firmware.started_at = port_cycles();
    status()->fault.code = FAULT_NONE;
    read_command(sequence);
    if (!is_sound(sequence)) {
        refuse(sequence);
        return;
    }
    begin(sequence);
    status()->last_started = sequence;
    barrier_release(&firmware.barrier, BARRIER_START);
    report(run_launch());
}

static void serve(void)
{
    for (;;) {
        barrier_answer(&firmware.barrier);
        if (firmware.doorbell != firmware.last) {
            take_command(firmware.last + 1);
        } else {
            port_sleep_unless(&firmware.barrier.inbox.news);
        }
    }
}

/* ---- open */

static void give_up(uint32_t code)
{
    static const uint32_t none[9];
    firmware.hal.arena = 0;
    crash_report(code, 0, none, 0, 0);
}

static void find_arena(uint32_t app_id)
{
    uint32_t table = REG(SV_BASE + SV_ALLOC_TAG) | UNBUFFERED;
    firmware.hal.arena = REG(table + 4 * (app_id << 8 | SPINDLE_ARENA_TAG));
    if (firmware.hal.arena == 0) {
        give_up(RTE_SWERR);
    }
}

static void find_place(const volatile struct session *record)
{
    firmware.n_places = record->n_places;
    firmware.service = record->service;
    firmware.is_service = record->service == firmware.virtual_core;
    firmware.place = SPINDLE_NO_PLACE;
    for (uint32_t i = 0; i < firmware.n_places; i++) {
        firmware.place_core[i] = record->place_core[i];
        if (firmware.place_core[i] == firmware.virtual_core) {
            firmware.place = i;
        }
    }
    firmware.running = firmware.place == SPINDLE_NO_PLACE ? 0 : firmware.place;
}

static void read_record(void)
{
    struct hal *hal = &firmware.hal;
    const volatile struct session *record =
        (const volatile struct session *)(uintptr_t)(hal->arena | UNBUFFERED);
    if (record->magic != SPINDLE_SESSION_MAGIC || record->arena != hal->arena) {
        give_up(RTE_SWERR);
    }
    if (record->abi_hash != SPINDLE_ABI_HASH) {
        give_up(RTE_VER);
    }
    hal->arena_bytes = record->arena_bytes;
    hal->status = (hal->arena + SPINDLE_STATUS_OFFSET) | UNBUFFERED;
    hal->self = (uint32_t)(uintptr_t)core_record(firmware.virtual_core);
    firmware.tag = record->tag;
    find_place(record);
    firmware.last = status()->last_done;
    firmware.doorbell = firmware.last;
}

static void open_core(void)
{
    volatile uint32_t *own = (volatile uint32_t *)core_record(firmware.virtual_core);
    for (uint32_t i = 0; i < sizeof(struct core) / 4; i++) {
        own[i] = 0;
    }
    core_record(firmware.virtual_core)->place = firmware.place;
    barrier_init(&firmware.barrier, firmware.place, firmware.n_places, firmware.is_service,
                 firmware.place_core[0] == firmware.service);
    hal_open(&firmware.hal);
    vcpu_say("spindle: ready");
    core_record(firmware.virtual_core)->state =
        firmware.is_service || firmware.place != SPINDLE_NO_PLACE ? CORE_IDLE : CORE_UNUSED;
    vcpu_state(CPU_RUN);
    port_restore(0x1f); /* SYS mode, both interrupts on */
}

static void rest(void)
{
    for (;;) {
        port_wait_for_interrupt();
    }
}

/* Entered by start.S with interrupts off. r0's low byte is the application's number. */
void session_main(uint32_t flags_and_app)
{
    vcpu_open(flags_and_app & 0xffu);
    find_arena(flags_and_app & 0xffu);
    read_record();
    open_core();
    if (firmware.is_service) {
        serve();
    } else if (firmware.place != SPINDLE_NO_PLACE) {
        follow();
    }
    rest();
}
