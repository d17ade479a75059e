/* What the handlers share: dispatch by tail call, leaving, slow memory access, flags.
 *
 * A handler runs one op and tail-calls the next one's handler. `left` are the cycles until
 * core->deadline (core->cycles is only written when somebody may look at it), `count` the
 * instructions.
 *
 *   fast handler -> ARM_NEXT                        TCM, registers
 *   fast handler -> slow twin -> ARM_NEXT           ITCM data, bus, watches, faults
 *   any          -> arm_leave / arm_jump_out        slice over, mode or state changed, code on the
 * bus
 */
#ifndef SPINDLE_ARM_EXEC_H
#define SPINDLE_ARM_EXEC_H

#include <string.h>

#include "arm.h"

#define ARM_ITCM_DATA_CYCLES 1 /* data port conflicts with fetch; modelled, kernels.md 1 */
#define ARM_EXCEPTION_CYCLES 3
#define ARM_ZERO 16 /* r[16]: always 0 */
#define ARM_SINK 17 /* r[17]: write-back nobody wants */

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

typedef void arm_handler(struct arm_core *core, const struct arm_op *op, int64_t left,
                         uint64_t count);

#define ARM_HANDLER(name)                                                                         \
    void name(struct arm_core *core, const struct arm_op *op, int64_t left, uint64_t count)

#define ARM_TAIL(handler) __attribute__((musttail)) return (handler)(core, op, left, count)

#define ARM_GO() ARM_TAIL((arm_handler *)((uintptr_t)arm_op_decode + (intptr_t)op->code))

#define ARM_GO_INNER() ARM_TAIL((arm_handler *)((uintptr_t)arm_op_decode + (intptr_t)op->inner))

/* Charge so many cycles and run the next op. */
#define ARM_NEXT_AFTER(charge)                                                                    \
    do {                                                                                          \
        left -= (charge);                                                                         \
        count++;                                                                                  \
        op++;                                                                                     \
        if (UNLIKELY(left <= 0))                                                                  \
            ARM_TAIL(arm_leave);                                                                  \
        ARM_GO();                                                                                 \
    } while (0)

#define ARM_NEXT() ARM_NEXT_AFTER(op->cycles)

/* The handler of every entry that is not decoded yet; the origin of op->code. */
ARM_HANDLER(arm_op_decode);
/* Leave the threaded loop in front of op. */
ARM_HANDLER(arm_leave);
/* Charge op, then leave with core->pc already set. */
ARM_HANDLER(arm_jump_out);
/* Charge op and go to core->pc in the same state (ARM or Thumb). */
ARM_HANDLER(arm_jump);
/* The data abort of op; nothing of op has been written back. */
ARM_HANDLER(arm_data_abort);

ALWAYS_INLINE int32_t arm_code_of(arm_handler *handler) {
    return (int32_t)((intptr_t)handler - (intptr_t)arm_op_decode);
}

ALWAYS_INLINE uint32_t arm_pc_of(const struct arm_core *core, const struct arm_op *op) {
    return core->code_pc + ((uint32_t)(op - core->code_ops) << core->code_shift);
}

/* r15 as the running instruction reads it. */
ALWAYS_INLINE uint32_t arm_r15_of(const struct arm_core *core, const struct arm_op *op) {
    return arm_pc_of(core, op) + (2u << core->code_shift);
}

/* The raw word of the op `ahead` entries behind op. */
uint32_t arm_code_word(const struct arm_core *core, const struct arm_op *op, uint32_t ahead);

ALWAYS_INLINE uint32_t arm_ror(uint32_t value, uint32_t by) {
    return value >> by | value << (-by & 31);
}

/* True for an address of DTCM aligned to 1 << shift. */
ALWAYS_INLINE bool arm_in_dtcm(uint32_t addr, uint32_t shift) {
    uint32_t offset = addr - ARM_DTCM_BASE;
    return (shift ? arm_ror(offset, shift) : offset) < ARM_DTCM_SIZE >> shift;
}

ALWAYS_INLINE bool arm_is_watched(const struct arm_core *core, uint32_t addr) {
    return addr - core->watch_base < core->watch_size;
}

ALWAYS_INLINE uint8_t *arm_dtcm_at(struct arm_core *core, uint32_t addr) {
    return core->dtcm + (addr - ARM_DTCM_BASE);
}

/* Make the time and place of op visible to callbacks. */
ALWAYS_INLINE void arm_publish(struct arm_core *core, const struct arm_op *op, int64_t left) {
    core->cycles = core->deadline - (uint64_t)left;
    core->pc = arm_pc_of(core, op);
}

ALWAYS_INLINE int64_t arm_left(const struct arm_core *core) {
    return (int64_t)(core->deadline - core->cycles);
}

/* One aligned data transfer anywhere, after arm_publish; adds its wait cycles to core->cycles.
 * false: bus fault. */
bool arm_data_read(struct arm_core *core, uint32_t addr, uint32_t size, uint32_t *value);
bool arm_data_write(struct arm_core *core, uint32_t addr, uint32_t size, uint32_t value);

ALWAYS_INLINE bool arm_checks_alignment(const struct arm_core *core) {
    return core->cp15_control & ARM_CP15_ALIGN;
}

ALWAYS_INLINE void arm_set_nz(struct arm_core *core, uint32_t result) {
    core->n = result;
    core->z = result;
}

/* True when condition cond (0..14) holds. */
bool arm_condition(const struct arm_core *core, uint32_t cond);

/* value shifted by an immediate as encoded in bits 11..5 of an instruction (amount << 2 | type). */
uint32_t arm_shift_offset(const struct arm_core *core, uint32_t value, uint32_t type,
                          uint32_t amount);

/* Write the PSR fields as MSR does; may switch banks. */
void arm_write_cpsr(struct arm_core *core, uint32_t value, uint32_t mask);
/* Mode, state and masks; a mode that does not exist is a typed error. */
void arm_set_control(struct arm_core *core, uint32_t control);
/* CPSR = SPSR of the current mode. */
void arm_restore_cpsr(struct arm_core *core);
uint32_t *arm_spsr_slot(struct arm_core *core);
/* User-mode register i while in any mode. */
uint32_t *arm_user_reg(struct arm_core *core, uint32_t index);

/* Enter an exception: banks, SPSR, r14 = link, pc = vector, 3 cycles. */
void arm_take(struct arm_core *core, uint32_t vector, uint32_t link);

/* Handler tables, indexed as their files say. */
extern arm_handler *const arm_dp_handlers[16][2][7];
extern arm_handler *const arm_load_store_handlers[8][3][3];
extern arm_handler *const arm_smla_handlers[2][2];
extern arm_handler *const arm_if_handlers[14];
extern arm_handler *const arm_branch_handlers[15];

/* Operand forms of data processing. */
enum arm_form { F_IMM, F_REG, F_LSL, F_LSR, F_ASR, F_ROR, F_BYREG };
/* Rows of arm_load_store_handlers: access, then offset form, then addressing. */
enum arm_access { A_LDR, A_LDRB, A_STR, A_STRB, A_LDRH, A_LDRSB, A_LDRSH, A_STRH };
enum arm_offset { O_IMM, O_REG, O_SHIFTED };
enum arm_addressing { M_OFFSET, M_PRE, M_POST };
#define O_SUBTRACT 0x80u /* in imm of O_SHIFTED: amount | type << 5 | subtract */

ARM_HANDLER(arm_dp_pc);
ARM_HANDLER(arm_load_pc);
ARM_HANDLER(arm_load_literal);
ARM_HANDLER(arm_load_double);
ARM_HANDLER(arm_store_double);
ARM_HANDLER(arm_store_generic);
ARM_HANDLER(arm_swap);
ARM_HANDLER(arm_load_multiple);
ARM_HANDLER(arm_load_multiple_slow);
ARM_HANDLER(arm_store_multiple);
ARM_HANDLER(arm_store_multiple_slow);
ARM_HANDLER(arm_mul);
ARM_HANDLER(arm_muls);
ARM_HANDLER(arm_mla);
ARM_HANDLER(arm_mlas);
ARM_HANDLER(arm_umull);
ARM_HANDLER(arm_umlal);
ARM_HANDLER(arm_smull);
ARM_HANDLER(arm_smlal);
ARM_HANDLER(arm_long_flags);
ARM_HANDLER(arm_smlaw);
ARM_HANDLER(arm_smulw);
ARM_HANDLER(arm_smulxy);
ARM_HANDLER(arm_smlalxy);
ARM_HANDLER(arm_saturate);
ARM_HANDLER(arm_clz);
ARM_HANDLER(arm_mrs);
ARM_HANDLER(arm_msr);
ARM_HANDLER(arm_branch_link);
ARM_HANDLER(arm_branch_far);
ARM_HANDLER(arm_blx_imm);
ARM_HANDLER(arm_bx);
ARM_HANDLER(arm_blx_reg);
ARM_HANDLER(arm_swi);
ARM_HANDLER(arm_bkpt);
ARM_HANDLER(arm_undefined);
ARM_HANDLER(arm_coprocessor);
ARM_HANDLER(arm_nop);
ARM_HANDLER(arm_thumb_bl_high);
ARM_HANDLER(arm_thumb_bl_low);
ARM_HANDLER(arm_op_general);
ARM_HANDLER(arm_op_general_late);

#endif
