/* vcpu.c: what SpiNNMan reads of a core: its block in system RAM, its text in the arena, its end.
 *
 * The text block has SARK's form: next block, two times, bytes used, characters.
 */
#include "port.h"

#define RT_CODE 44 /* a word with the physical core, state, application */
#define CPU_STATE 46
#define APP_NAME 72
#define IOBUF 88
#define SW_VERSION 92
#define USER0 112
#define FIRMWARE_VERSION 0x00040000 /* of SC&MP that we were written for */
#define TEXT_HEADER 16

static volatile uint8_t *byte_at(uint32_t offset)
{
    return (volatile uint8_t *)(uintptr_t)(firmware.vcpu + offset);
}

void vcpu_state(uint32_t state) { *byte_at(CPU_STATE) = (uint8_t)state; }

static uint32_t text_block(void)
{
    return firmware.hal.arena + SPINDLE_IOBUF_OFFSET + firmware.virtual_core * SPINDLE_IOBUF_BYTES;
}

/* P and V numbers differ: the monitor's map says which V this core is. The loader's time and the
 * user words stay. Every millisecond the monitor divides by the number of cores that have a state: the
 * word with ours must never be 0, not even while all cores start at once. */
void vcpu_open(uint32_t app_id)
{
    static const char name[16] = "spindle";
    uint32_t load_time;
    firmware.physical_core = REG(DMA_BASE + DMA_STAT) >> 24;
    firmware.virtual_core = *(volatile uint8_t *)(SV_BASE + SV_P2V + firmware.physical_core);
    firmware.vcpu = VCPU_BASE + VCPU_BYTES * firmware.virtual_core;
    load_time = REG(firmware.vcpu + 68);
    REG(firmware.vcpu + RT_CODE) =
        firmware.physical_core << 8 | (uint32_t)CPU_INIT << 16 | app_id << 24;
    for (uint32_t offset = 0; offset < USER0; offset += 4) {
        if (offset != RT_CODE) {
            REG(firmware.vcpu + offset) = 0;
        }
    }
    REG(firmware.vcpu + 68) = load_time;
    for (uint32_t i = 0; i < sizeof name; i++) {
        *byte_at(APP_NAME + i) = (uint8_t)name[i];
    }
    REG(firmware.vcpu + SW_VERSION) = FIRMWARE_VERSION;
}

/* Add a line. A full block stays as it is. */
void vcpu_say(const char *text)
{
    uint32_t block = text_block() | UNBUFFERED;
    uint32_t used = REG(firmware.vcpu + IOBUF) ? REG(block + 12) : 0;
    if (REG(firmware.vcpu + IOBUF) == 0) {
        REG(block) = 0;
    }
    for (; *text && used < SPINDLE_IOBUF_BYTES - TEXT_HEADER - 1; text++) {
        *(volatile uint8_t *)(uintptr_t)(block + TEXT_HEADER + used++) = (uint8_t)*text;
    }
    *(volatile uint8_t *)(uintptr_t)(block + TEXT_HEADER + used++) = '\n';
    REG(block + 12) = used;
    REG(firmware.vcpu + IOBUF) = text_block();
}

static void write_fault(uint32_t code, uint32_t pc)
{
    struct fault fault;
    fault.code = FAULT_CORE;
    fault.lane = firmware.running;
    fault.pc = pc;
    fault.step = firmware.lane[firmware.running].step;
    fault.word[0] = code;
    fault.word[1] = firmware.virtual_core;
    firmware.hal.has_fault = 0; /* worse than what came before */
    hal_fault(&firmware.hal, &fault);
    ((volatile struct core *)(uintptr_t)firmware.hal.self)->state = CORE_CRASHED;
    ((volatile struct status *)(uintptr_t)firmware.hal.status)->crashed = firmware.virtual_core + 1;
}

/* Called by start.S on an exception. saved: r0-r7 and the exception's lr. Never returns; packets are
 * still taken, so that the chip's router is not held up. */
void crash_report(uint32_t code, uint32_t psr, const uint32_t *saved, uint32_t sp, uint32_t lr)
{
    REG(VIC_BASE + VIC_DISABLE) = ~(1u << VIC_CC_MC);
    for (uint32_t i = 0; i < 8; i++) {
        REG(firmware.vcpu + 4 * i) = saved[i];
    }
    REG(firmware.vcpu + 32) = psr;
    REG(firmware.vcpu + 36) = sp;
    REG(firmware.vcpu + 40) = lr;
    *byte_at(RT_CODE) = (uint8_t)code;
    if (firmware.hal.arena) {
        write_fault(code, saved[8]);
    }
    vcpu_state(CPU_RTE);
    for (;;) {
        port_wait_for_interrupt();
    }
}
