/* open.c: a core's first instructions in C: who it is, where the arena lies, what its part is.
 * Page: docs/spec/run.md. In: SC&MP's tables, the session record. Out: a core ready for launches.
 * Runs once, from the overlay window, where kernels come afterwards (firmware.ld).
 */
#include "port.h"

static void set_vector(uint32_t slot, uint32_t source, void (*handler)(void))
{
    REG(VIC_BASE + VIC_ADDR0 + 4 * slot) = (uint32_t)(uintptr_t)handler;
    REG(VIC_BASE + VIC_CONTROL0 + 4 * slot) = VIC_SLOT_ON | source;
}

static void open_interrupts(void)
{
    for (uint32_t slot = 3; slot < 16; slot++) {
        REG(VIC_BASE + VIC_CONTROL0 + 4 * slot) = 0;
    }
    set_vector(0, VIC_CPU_INT, irq_mailbox);
    set_vector(1, VIC_DMA_DONE, irq_dma);
    set_vector(2, VIC_TIMER2, irq_alarm);
    REG(VIC_BASE + VIC_DEFADDR) = (uint32_t)(uintptr_t)irq_spurious;
    REG(VIC_BASE + VIC_SELECT) = 1u << VIC_CC_MC;
    REG(VIC_BASE + VIC_ENABLE) = 1u << VIC_CC_MC | 1u << VIC_CPU_INT | 1u << VIC_TIMER2;
}

/* Interrupts are off in the CPSR until launch_ready turns them on. */
static void open_hal(struct hal *hal)
{
    REG(TIMER_BASE + TIMER1_LOAD) = 0xffffffffu;
    REG(TIMER_BASE + TIMER1_CONTROL) = TIMER_FREE_RUNNING;
    port_alarm(0xffffffffu);
    REG(TIMER_BASE + TIMER2_CONTROL) = TIMER_ONE_SHOT;
    REG(CC_BASE + CC_TCR) = 0; /* multicast, no payload */
    REG(DMA_BASE + DMA_CTRL) = DMA_CTRL_FLUSH;
    REG(DMA_BASE + DMA_CTRL) = DMA_CTRL_START;
    REG(DMA_BASE + DMA_GCTL) = DMA_GCTL_PAIRS;
    open_interrupts();
    hal->arena_end = hal->arena + hal->arena_bytes;
}

static void give_up(uint32_t code)
{
    static const uint32_t none[9];
    firmware.hal.arena = 0;
    crash_report(code, 0, none, 0, 0);
}

static void find_arena(uint32_t app_id)
{
    uint32_t table = REG(SV_BASE + SV_ALLOC_TAG) | UNBUFFERED;
    uint32_t block = REG(table + 4 * (app_id << 8 | SPINDLE_ARENA_TAG));
    if (block == 0) {
        give_up(RTE_SWERR);
    }
    firmware.hal.arena = (block + SPINDLE_ARENA_ALIGN - 1) & ~(SPINDLE_ARENA_ALIGN - 1u);
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
    open_hal(&firmware.hal);
    vcpu_say("spindle: ready");
}

/* Entered by start.S with interrupts off. r0's low byte is the application's number. */
void open_session(uint32_t flags_and_app)
{
    vcpu_open(flags_and_app & 0xffu);
    find_arena(flags_and_app & 0xffu);
    read_record();
    open_core();
    launch_ready();
}
