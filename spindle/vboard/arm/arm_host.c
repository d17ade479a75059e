/* Flat functions over struct arm_core for ctypes (spindle/vboard/arm_host.py): tests, benches,
 * debugger.
 *
 * In: a core made by arm_host_new. Out: its state, field by field. The board itself uses arm.h.
 */
#include <stdlib.h>

#include "arm.h"

#define EXPORT __attribute__((visibility("default")))

/* bus is copied; null where there is no memory. */
EXPORT struct arm_core *arm_host_new(const struct arm_bus *bus, void *ctx) {
    struct arm_core *core = malloc(sizeof *core);
    struct arm_bus *own = malloc(sizeof *own);
    if (core && own) {
        *own = *bus;
        if (arm_init(core, own, ctx))
            return core;
    }
    free(own);
    free(core);
    return NULL;
}

EXPORT void arm_host_free(struct arm_core *core) {
    arm_free(core);
    free((void *)(uintptr_t)core->bus);
    free(core);
}

EXPORT uint8_t *arm_host_itcm(struct arm_core *core) {
    return core->itcm;
}

EXPORT uint8_t *arm_host_dtcm(struct arm_core *core) {
    return core->dtcm;
}

EXPORT uint64_t arm_host_cycles(const struct arm_core *core) {
    return core->cycles;
}

EXPORT void arm_host_set_cycles(struct arm_core *core, uint64_t cycles) {
    core->cycles = cycles;
}

EXPORT uint64_t arm_host_instructions(const struct arm_core *core) {
    return core->instructions;
}

EXPORT uint32_t arm_host_error(const struct arm_core *core, uint32_t *detail, uint32_t *pc) {
    *detail = core->error_detail;
    *pc = core->error_pc;
    return core->error;
}

EXPORT void arm_host_clear_error(struct arm_core *core) {
    core->error = ARM_OK;
}

EXPORT void arm_host_set_trace(struct arm_core *core, arm_trace *trace) {
    core->trace = trace;
}

EXPORT uint32_t arm_host_reg(const struct arm_core *core, uint32_t index) {
    return arm_get_reg(core, index);
}

EXPORT void arm_host_set_reg(struct arm_core *core, uint32_t index, uint32_t value) {
    arm_set_reg(core, index, value);
}

EXPORT uint32_t arm_host_cpsr(const struct arm_core *core) {
    return arm_get_cpsr(core);
}

EXPORT void arm_host_set_cpsr(struct arm_core *core, uint32_t value) {
    arm_set_cpsr(core, value);
}

EXPORT uint32_t arm_host_spsr(const struct arm_core *core) {
    return arm_get_spsr(core);
}

EXPORT void arm_host_set_spsr(struct arm_core *core, uint32_t value) {
    arm_set_spsr(core, value);
}

EXPORT uint32_t arm_host_cp15(const struct arm_core *core) {
    return core->cp15_control;
}

EXPORT void arm_host_set_cp15(struct arm_core *core, uint32_t value) {
    core->cp15_control = value;
}

EXPORT uint32_t arm_host_run(struct arm_core *core, uint64_t until) {
    return arm_run(core, until);
}

EXPORT void arm_host_reset(struct arm_core *core, bool high_vectors) {
    arm_reset(core, high_vectors);
}

EXPORT void arm_host_copy_state(struct arm_core *core, const struct arm_core *from) {
    arm_copy_state(core, from);
}

EXPORT void arm_host_set_irq(struct arm_core *core, bool level, uint64_t cycle) {
    arm_set_irq(core, level, cycle);
}

EXPORT void arm_host_set_fiq(struct arm_core *core, bool level, uint64_t cycle) {
    arm_set_fiq(core, level, cycle);
}

EXPORT void arm_host_stop_at(struct arm_core *core, uint64_t cycle) {
    arm_stop_at(core, cycle);
}

EXPORT void arm_host_stop(struct arm_core *core) {
    arm_stop(core);
}

EXPORT void arm_host_fail(struct arm_core *core, uint32_t detail) {
    arm_fail(core, ARM_ERROR_BUS, detail);
}

EXPORT void arm_host_invalidate(struct arm_core *core, uint32_t addr, uint32_t size_bytes) {
    arm_invalidate(core, addr, size_bytes);
}

EXPORT int arm_host_watch(struct arm_core *core, uint32_t base, uint32_t size_bytes) {
    return arm_watch(core, base, size_bytes);
}

EXPORT void arm_host_unwatch(struct arm_core *core, int handle) {
    arm_unwatch(core, handle);
}

EXPORT void arm_host_disassemble(uint32_t word, uint32_t pc, bool thumb, char *out, size_t n) {
    arm_disassemble(word, pc, thumb, out, n);
}

/* Run each core in turn for slice_cycles until all reached `until`; for benches. */
EXPORT void arm_host_rotate(struct arm_core **cores, uint32_t n, uint64_t slice_cycles,
                            uint64_t until) {
    for (uint64_t at = 0; at < until; at += slice_cycles)
        for (uint32_t i = 0; i < n; i++)
            arm_run(cores[i], at + slice_cycles);
}
