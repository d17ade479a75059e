/* Modes: banked registers, CPSR and SPSR, exception entry.
 *
 * In: PSR values, vectors. Out: the registers of the mode that is current now.
 */
#include "exec.h"

/* Bank of a mode number; -1 where there is no such mode. */
static int bank_of(uint32_t mode) {
    switch (mode & 0x1f) {
    case ARM_USR: case ARM_SYS: return 0;
    case ARM_FIQ: return 1;
    case ARM_IRQ: return 2;
    case ARM_SVC: return 3;
    case ARM_ABT: return 4;
    case ARM_UND: return 5;
    default: return -1;
    }
}

static void switch_bank(struct arm_core *core, int from, int to) {
    if (from == to)
        return;
    core->bank_r13[from] = core->r[13];
    core->bank_r14[from] = core->r[14];
    core->r[13] = core->bank_r13[to];
    core->r[14] = core->bank_r14[to];
    if ((from == 1) == (to == 1))
        return;
    memcpy(core->bank_r8[from == 1], &core->r[8], sizeof core->bank_r8[0]);
    memcpy(&core->r[8], core->bank_r8[to == 1], sizeof core->bank_r8[0]);
}

uint32_t *arm_user_reg(struct arm_core *core, uint32_t index) {
    int bank = bank_of(core->control);
    if (index >= 8 && index < 13 && bank == 1)
        return &core->bank_r8[0][index - 8];
    if ((index == 13 || index == 14) && bank != 0)
        return index == 13 ? &core->bank_r13[0] : &core->bank_r14[0];
    return &core->r[index];
}

uint32_t *arm_spsr_slot(struct arm_core *core) {
    int bank = bank_of(core->control);
    return bank > 0 ? &core->spsr[bank] : &core->r[ARM_SINK];
}

uint32_t arm_get_cpsr(const struct arm_core *core) {
    return (core->n & 0x80000000) | (uint32_t)(core->z == 0) << 30 | core->c << 29 |
           (core->v >> 31) << 28 | core->q << 27 | core->control;
}

static void set_flags(struct arm_core *core, uint32_t value) {
    core->n = value;
    core->z = !(value & 1u << 30);
    core->c = value >> 29 & 1;
    core->v = value << 3;
    core->q = value >> 27 & 1;
}

void arm_set_control(struct arm_core *core, uint32_t control) {
    int from = bank_of(core->control), to = bank_of(control);
    if (to < 0) {
        arm_fail(core, ARM_ERROR_MODE, control);
        return;
    }
    switch_bank(core, from, to);
    core->control = control & 0xff;
}

void arm_set_cpsr(struct arm_core *core, uint32_t value) {
    set_flags(core, value);
    arm_set_control(core, value);
}

void arm_write_cpsr(struct arm_core *core, uint32_t value, uint32_t mask) {
    if (mask & 0xff000000)
        set_flags(core, value);
    if ((mask & 0xff) && arm_privileged(core))
        arm_set_control(core, (value & ~ARM_T) | (core->control & ARM_T));
}

void arm_restore_cpsr(struct arm_core *core) {
    if (bank_of(core->control) > 0)
        arm_set_cpsr(core, *arm_spsr_slot(core));
}

uint32_t arm_get_spsr(const struct arm_core *core) {
    int bank = bank_of(core->control);
    return bank > 0 ? core->spsr[bank] : arm_get_cpsr(core);
}

void arm_set_spsr(struct arm_core *core, uint32_t value) {
    *arm_spsr_slot(core) = value;
}

uint32_t arm_get_reg(const struct arm_core *core, uint32_t index) {
    return index == 15 ? core->pc : core->r[index];
}

void arm_set_reg(struct arm_core *core, uint32_t index, uint32_t value) {
    if (index == 15)
        core->pc = value;
    else
        core->r[index] = value;
}

void arm_take(struct arm_core *core, uint32_t vector, uint32_t link) {
    static const uint8_t modes[8] = {ARM_SVC, ARM_UND, ARM_SVC, ARM_ABT,
                                     ARM_ABT, ARM_SVC, ARM_IRQ, ARM_FIQ};
    uint32_t cpsr = arm_get_cpsr(core), mode = modes[vector >> 2 & 7];
    uint32_t masks = (core->control & ARM_F) | ARM_I | (mode == ARM_FIQ ? ARM_F : 0);
    arm_set_control(core, mode | masks);
    *arm_spsr_slot(core) = cpsr;
    core->r[14] = link;
    core->pc = vector | (core->cp15_control & ARM_CP15_HIGH_VECTORS ? 0xffff0000 : 0);
    core->cycles += ARM_EXCEPTION_CYCLES;
}
