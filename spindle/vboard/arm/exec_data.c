/* Data processing: sixteen operations x {no flags, flags} x seven operand forms, and writes to r15.
 *
 * In: op->rn, op->rm, op->imm (F_IMM: value, with rm = 1 when its rotation sets C; shifts: amount;
 * F_BYREG: rs | type << 8). Out: r[op->rd], flags.
 */
#include "exec.h"

struct operand {
    uint32_t value, carry;
};

/* Shift by 1..32 (ROR: 1..31, 0 = RRX), the amounts an encoding can name. */
ALWAYS_INLINE struct operand shift_const(const struct arm_core *core, uint32_t value,
                                         enum arm_form form, uint32_t amount) {
    switch (form) {
    case F_LSL:
        return (struct operand){value << amount, value >> (32 - amount) & 1};
    case F_LSR:
        return (struct operand){(uint32_t)((uint64_t)value >> amount), value >> (amount - 1) & 1};
    case F_ASR:
        return (struct operand){(uint32_t)((int64_t)(int32_t)value >> amount),
                                (uint32_t)((int64_t)(int32_t)value >> (amount - 1)) & 1};
    default:
        if (amount == 0)
            return (struct operand){core->c << 31 | value >> 1, value & 1};
        value = arm_ror(value, amount);
        return (struct operand){value, value >> 31};
    }
}

/* Shift by the low byte of a register, 0..255. */
static struct operand shift_by_register(const struct arm_core *core, uint32_t value, uint32_t type,
                                        uint32_t amount) {
    if (amount == 0)
        return (struct operand){value, core->c};
    switch (type) {
    case 0:
        if (amount > 32)
            return (struct operand){0, 0};
        return (struct operand){(uint32_t)((uint64_t)value << amount),
                                (uint32_t)((uint64_t)value << amount >> 32) & 1};
    case 1:
        return amount > 32 ? (struct operand){0, 0} : shift_const(core, value, F_LSR, amount);
    case 2:
        return shift_const(core, value, F_ASR, amount > 32 ? 32 : amount);
    default:
        value = arm_ror(value, amount & 31);
        return (struct operand){value, value >> 31};
    }
}

uint32_t arm_shift_offset(const struct arm_core *core, uint32_t value, uint32_t type,
                          uint32_t amount) {
    if (type == 0)
        return value << amount;
    if (type != 3 && amount == 0)
        amount = 32;
    return shift_const(core, value, (enum arm_form)(F_LSL + type), amount).value;
}

ALWAYS_INLINE struct operand operand_of(const struct arm_core *core, const struct arm_op *op,
                                        enum arm_form form) {
    switch (form) {
    case F_IMM:
        return (struct operand){op->imm, op->rm ? op->imm >> 31 : core->c};
    case F_REG:
        return (struct operand){core->r[op->rm], core->c};
    case F_BYREG:
        return shift_by_register(core, core->r[op->rm], op->imm >> 8,
                                 core->r[op->imm & 15] & 255);
    default:
        return shift_const(core, core->r[op->rm], form, op->imm);
    }
}

ALWAYS_INLINE uint32_t add_with(struct arm_core *core, uint32_t a, uint32_t b, uint32_t carry,
                                bool flags) {
    uint64_t sum = (uint64_t)a + b + carry;
    uint32_t result = (uint32_t)sum;
    if (flags) {
        core->c = (uint32_t)(sum >> 32);
        core->v = (a ^ result) & (b ^ result);
        arm_set_nz(core, result);
    }
    return result;
}

ALWAYS_INLINE uint32_t subtract(struct arm_core *core, uint32_t a, uint32_t b, bool flags) {
    uint32_t result = a - b;
    if (flags) {
        core->c = a >= b;
        core->v = (a ^ b) & (a ^ result);
        arm_set_nz(core, result);
    }
    return result;
}

ALWAYS_INLINE uint32_t logical(struct arm_core *core, uint32_t result, uint32_t carry, bool flags) {
    if (flags) {
        core->c = carry;
        arm_set_nz(core, result);
    }
    return result;
}

ALWAYS_INLINE uint32_t operate(struct arm_core *core, uint32_t opcode, uint32_t a,
                               struct operand b, bool flags) {
    switch (opcode) {
    case 0: case 8: return logical(core, a & b.value, b.carry, flags);
    case 1: case 9: return logical(core, a ^ b.value, b.carry, flags);
    case 2: case 10: return subtract(core, a, b.value, flags);
    case 3: return subtract(core, b.value, a, flags);
    case 4: case 11: return add_with(core, a, b.value, 0, flags);
    case 5: return add_with(core, a, b.value, core->c, flags);
    case 6: return add_with(core, a, ~b.value, core->c, flags);
    case 7: return add_with(core, b.value, ~a, core->c, flags);
    case 12: return logical(core, a | b.value, b.carry, flags);
    case 13: return logical(core, b.value, b.carry, flags);
    case 14: return logical(core, a & ~b.value, b.carry, flags);
    default: return logical(core, ~b.value, b.carry, flags);
    }
}

#define DP_HANDLER(name, opcode, flags, form)                                                     \
    static ARM_HANDLER(name) {                                                                    \
        uint32_t a = (opcode) == 13 || (opcode) == 15 ? 0 : core->r[op->rn];                      \
        uint32_t result = operate(core, opcode, a, operand_of(core, op, form), flags);            \
        if ((opcode) < 8 || (opcode) > 11)                                                        \
            core->r[op->rd] = result;                                                             \
        ARM_NEXT();                                                                               \
    }

#define DP_FORMS(name, opcode, flags)                                                             \
    DP_HANDLER(name##_imm, opcode, flags, F_IMM)                                                  \
    DP_HANDLER(name##_reg, opcode, flags, F_REG)                                                  \
    DP_HANDLER(name##_lsl, opcode, flags, F_LSL)                                                  \
    DP_HANDLER(name##_lsr, opcode, flags, F_LSR)                                                  \
    DP_HANDLER(name##_asr, opcode, flags, F_ASR)                                                  \
    DP_HANDLER(name##_ror, opcode, flags, F_ROR)                                                  \
    DP_HANDLER(name##_byreg, opcode, flags, F_BYREG)

#define DP_BOTH(name, opcode) DP_FORMS(name, opcode, false) DP_FORMS(name##s, opcode, true)

DP_BOTH(and, 0)
DP_BOTH(eor, 1)
DP_BOTH(sub, 2)
DP_BOTH(rsb, 3)
DP_BOTH(add, 4)
DP_BOTH(adc, 5)
DP_BOTH(sbc, 6)
DP_BOTH(rsc, 7)
DP_FORMS(tst, 8, true)
DP_FORMS(teq, 9, true)
DP_FORMS(cmp, 10, true)
DP_FORMS(cmn, 11, true)
DP_BOTH(orr, 12)
DP_BOTH(mov, 13)
DP_BOTH(bic, 14)
DP_BOTH(mvn, 15)

#define DP_ROW(n) {n##_imm, n##_reg, n##_lsl, n##_lsr, n##_asr, n##_ror, n##_byreg}
#define DP_ROWS(n) {DP_ROW(n), DP_ROW(n##s)}
#define DP_TEST(n) {DP_ROW(n), DP_ROW(n)}

arm_handler *const arm_dp_handlers[16][2][7] = {
    DP_ROWS(and), DP_ROWS(eor), DP_ROWS(sub), DP_ROWS(rsb), DP_ROWS(add), DP_ROWS(adc),
    DP_ROWS(sbc), DP_ROWS(rsc), DP_TEST(tst), DP_TEST(teq), DP_TEST(cmp), DP_TEST(cmn),
    DP_ROWS(orr), DP_ROWS(mov), DP_ROWS(bic), DP_ROWS(mvn),
};

/* Second operand straight from an instruction word. */
static struct operand operand_of_word(const struct arm_core *core, uint32_t word) {
    uint32_t rm = core->r[word & 15], type = word >> 5 & 3, amount = word >> 7 & 31;
    if (word & 1u << 25) {
        uint32_t by = word >> 7 & 30, value = arm_ror(word & 255, by);
        return (struct operand){value, by ? value >> 31 : core->c};
    }
    if (word & 0x10)
        return shift_by_register(core, rm, type, core->r[word >> 8 & 15] & 255);
    if (type == 0 && amount == 0)
        return (struct operand){rm, core->c};
    if (type != 3 && amount == 0)
        amount = 32;
    return shift_const(core, rm, (enum arm_form)(F_LSL + type), amount);
}

/* rd = r15; op->imm is the instruction word. With S it is an exception return. */
ARM_HANDLER(arm_dp_pc) {
    uint32_t word = op->imm;
    core->r[15] = arm_r15_of(core, op);
    uint32_t target = operate(core, word >> 21 & 15, core->r[word >> 16 & 15],
                              operand_of_word(core, word), false);
    if (word & 1u << 20) {
        arm_restore_cpsr(core);
        core->pc = target & (core->control & ARM_T ? ~1u : ~3u);
        ARM_TAIL(arm_jump_out);
    }
    core->pc = target & (core->control & ARM_T ? ~1u : ~3u);
    ARM_TAIL(arm_jump);
}
