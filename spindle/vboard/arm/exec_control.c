/* Branches, condition and r15 wrappers, PSR moves, exceptions raised by instructions, CP15.
 *
 * In: ops as arm_build made them. Out: core->pc, mode, state; everything that may change what
 * interrupts
 * see leaves the threaded loop (arm_jump_out) so that arm_run looks at the lines.
 */
#include "exec.h"

/* ---- conditions */

#define EQ (core->z == 0)
#define NE (core->z != 0)
#define CS (core->c != 0)
#define CC (core->c == 0)
#define MI ((int32_t)core->n < 0)
#define PL ((int32_t)core->n >= 0)
#define VS ((int32_t)core->v < 0)
#define VC ((int32_t)core->v >= 0)
#define HI (core->c != 0 && core->z != 0)
#define LS (core->c == 0 || core->z == 0)
#define GE ((int32_t)(core->n ^ core->v) >= 0)
#define LT ((int32_t)(core->n ^ core->v) < 0)
#define GT (core->z != 0 && (int32_t)(core->n ^ core->v) >= 0)
#define LE (core->z == 0 || (int32_t)(core->n ^ core->v) < 0)

bool arm_condition(const struct arm_core *core, uint32_t cond) {
    switch (cond) {
    case 0: return EQ;
    case 1: return NE;
    case 2: return CS;
    case 3: return CC;
    case 4: return MI;
    case 5: return PL;
    case 6: return VS;
    case 7: return VC;
    case 8: return HI;
    case 9: return LS;
    case 10: return GE;
    case 11: return LT;
    case 12: return GT;
    case 13: return LE;
    default: return true;
    }
}

/* An instruction that fails its condition takes one cycle. */
#define SKIP() ARM_NEXT_AFTER(1)

#define IF_HANDLER(name, test)                                                                    \
    static ARM_HANDLER(name) {                                                                    \
        if (test)                                                                                 \
            ARM_GO_INNER();                                                                       \
        SKIP();                                                                                   \
    }

IF_HANDLER(if_eq, EQ)
IF_HANDLER(if_ne, NE)
IF_HANDLER(if_cs, CS)
IF_HANDLER(if_cc, CC)
IF_HANDLER(if_mi, MI)
IF_HANDLER(if_pl, PL)
IF_HANDLER(if_vs, VS)
IF_HANDLER(if_vc, VC)
IF_HANDLER(if_hi, HI)
IF_HANDLER(if_ls, LS)
IF_HANDLER(if_ge, GE)
IF_HANDLER(if_lt, LT)
IF_HANDLER(if_gt, GT)
IF_HANDLER(if_le, LE)

arm_handler *const arm_if_handlers[14] = {if_eq, if_ne, if_cs, if_cc, if_mi, if_pl, if_vs,
                                          if_vc, if_hi, if_ls, if_ge, if_lt, if_gt, if_le};

/* The condition of the op `ahead` entries behind op, from its raw word. */
static uint32_t condition_at(const struct arm_core *core, const struct arm_op *op,
                             uint32_t ahead) {
    uint32_t word = arm_code_word(core, op, ahead);
    if (!(core->control & ARM_T))
        return word >> 28;
    return word >> 12 == 0xd ? word >> 8 & 15 : 14;
}

/* Any condition, and r15 as an operand. */
ARM_HANDLER(arm_op_general) {
    if (!arm_condition(core, condition_at(core, op, 0)))
        SKIP();
    core->r[15] = arm_r15_of(core, op);
    ARM_GO_INNER();
}

/* A byte or halfword load in front of a conditional instruction: the one behind that waits a cycle
 * more
 * only when the conditional one is skipped. */
ARM_HANDLER(arm_op_general_late) {
    if (!arm_condition(core, condition_at(core, op, 0)))
        SKIP();
    core->r[15] = arm_r15_of(core, op);
    left -= !arm_condition(core, condition_at(core, op, 1));
    ARM_GO_INNER();
}

/* ---- branches */

/* imm = distance in the op array. */
#define BRANCH_HANDLER(name, test)                                                                \
    static ARM_HANDLER(name) {                                                                    \
        if (!(test))                                                                              \
            SKIP();                                                                               \
        left -= op->cycles;                                                                       \
        count++;                                                                                  \
        op += (int32_t)op->imm;                                                                   \
        if (UNLIKELY(left <= 0))                                                                  \
            ARM_TAIL(arm_leave);                                                                  \
        ARM_GO();                                                                                 \
    }

BRANCH_HANDLER(b_eq, EQ)
BRANCH_HANDLER(b_ne, NE)
BRANCH_HANDLER(b_cs, CS)
BRANCH_HANDLER(b_cc, CC)
BRANCH_HANDLER(b_mi, MI)
BRANCH_HANDLER(b_pl, PL)
BRANCH_HANDLER(b_vs, VS)
BRANCH_HANDLER(b_vc, VC)
BRANCH_HANDLER(b_hi, HI)
BRANCH_HANDLER(b_ls, LS)
BRANCH_HANDLER(b_ge, GE)
BRANCH_HANDLER(b_lt, LT)
BRANCH_HANDLER(b_gt, GT)
BRANCH_HANDLER(b_le, LE)
BRANCH_HANDLER(b_al, true)

arm_handler *const arm_branch_handlers[15] = {b_eq, b_ne, b_cs, b_cc, b_mi, b_pl, b_vs, b_vc,
                                              b_hi, b_ls, b_ge, b_lt, b_gt, b_le, b_al};

/* imm = target address. */
ARM_HANDLER(arm_branch_far) {
    core->pc = op->imm;
    ARM_TAIL(arm_jump);
}

ARM_HANDLER(arm_branch_link) {
    core->r[14] = arm_pc_of(core, op) + 4;
    core->pc = op->imm;
    ARM_TAIL(arm_jump);
}

static void set_state(struct arm_core *core, uint32_t target) {
    core->control = (core->control & ~ARM_T) | (target & 1 ? ARM_T : 0);
    core->pc = target & (target & 1 ? ~1u : ~3u);
}

ARM_HANDLER(arm_blx_imm) {
    core->r[14] = arm_pc_of(core, op) + 4;
    set_state(core, op->imm | 1);
    ARM_TAIL(arm_jump_out);
}

ARM_HANDLER(arm_bx) {
    bool same = !(core->r[op->rm] & 1) == !(core->control & ARM_T);
    set_state(core, core->r[op->rm]);
    if (same)
        ARM_TAIL(arm_jump);
    ARM_TAIL(arm_jump_out);
}

ARM_HANDLER(arm_blx_reg) {
    uint32_t target = core->r[op->rm], thumb = core->control & ARM_T;
    core->r[14] = (arm_pc_of(core, op) + (1u << core->code_shift)) | (thumb ? 1 : 0);
    set_state(core, target);
    ARM_TAIL(arm_jump_out);
}

/* First half of BL/BLX: imm = r15 + high part of the distance. */
ARM_HANDLER(arm_thumb_bl_high) {
    core->r[14] = op->imm;
    ARM_NEXT();
}

/* Second half: imm = low part of the distance, rm = 1 for BLX. */
ARM_HANDLER(arm_thumb_bl_low) {
    uint32_t target = core->r[14] + op->imm;
    core->r[14] = (arm_pc_of(core, op) + 2) | 1;
    if (op->rm) {
        set_state(core, target & ~3u);
        ARM_TAIL(arm_jump_out);
    }
    core->pc = target & ~1u;
    ARM_TAIL(arm_jump);
}

ARM_HANDLER(arm_nop) {
    ARM_NEXT();
}

/* ---- PSR moves: rm = 1 for SPSR */

ARM_HANDLER(arm_mrs) {
    core->r[op->rd] = op->rm ? arm_get_spsr(core) : arm_get_cpsr(core);
    ARM_NEXT();
}

/* imm = instruction word: field mask in bits 19..16, operand in bits 11..0. */
ARM_HANDLER(arm_msr) {
    uint32_t word = op->imm, mask = 0, value = core->r[word & 15];
    if (word & 1u << 25)
        value = arm_ror(word & 255, word >> 7 & 30);
    for (uint32_t field = 0; field < 4; field++)
        mask |= word & 1u << (16 + field) ? 0xffu << field * 8 : 0;
    core->pc = arm_pc_of(core, op) + 4;
    if (word & 1u << 22) {
        uint32_t *slot = arm_spsr_slot(core);
        *slot = (*slot & ~mask) | (value & mask);
        ARM_NEXT();
    }
    arm_write_cpsr(core, value, mask);
    if (!(mask & 0xff))
        ARM_NEXT();
    ARM_TAIL(arm_jump_out);
}

/* ---- exceptions */

static void take(struct arm_core *core, const struct arm_op *op, int64_t left, uint32_t vector,
                 uint32_t link) {
    arm_publish(core, op, left);
    if (vector != ARM_V_SWI && core->bus->exception)
        core->bus->exception(core->ctx, core, vector);
    arm_take(core, vector, link);
    core->cycles -= ARM_EXCEPTION_CYCLES;
}

/* The op's own cycles (3) are the entry's. */
ARM_HANDLER(arm_swi) {
    take(core, op, left, ARM_V_SWI, arm_pc_of(core, op) + (1u << core->code_shift));
    left = arm_left(core);
    ARM_TAIL(arm_jump_out);
}

ARM_HANDLER(arm_bkpt) {
    take(core, op, left, ARM_V_PREFETCH, arm_pc_of(core, op) + 4);
    left = arm_left(core);
    ARM_TAIL(arm_jump_out);
}

ARM_HANDLER(arm_undefined) {
    take(core, op, left, ARM_V_UNDEF, arm_pc_of(core, op) + (1u << core->code_shift));
    left = arm_left(core) - ARM_EXCEPTION_CYCLES;
    ARM_TAIL(arm_jump_out);
}

ARM_HANDLER(arm_data_abort) {
    left = arm_left(core);
    take(core, op, left, ARM_V_DATA, arm_pc_of(core, op) + 8);
    left = arm_left(core) - ARM_EXCEPTION_CYCLES;
    ARM_TAIL(arm_jump_out);
}

/* ---- coprocessor 15; imm = instruction word */

#define CP15(n, op1, m, op2) ((n) << 16 | (op1) << 21 | (m) | (op2) << 5)
#define CP15_FIELDS 0x00ef00efu
#define MIDR 0x41059681u /* ARM968E-S r0p1 */

static bool read_cp15(struct arm_core *core, uint32_t which, uint32_t *value) {
    switch (which) {
    case CP15(0, 0, 0, 0): *value = MIDR; return true;
    case CP15(0, 0, 0, 1): *value = 0; return true;          /* no caches */
    case CP15(0, 0, 0, 2): *value = 0x00180140; return true; /* TCM sizes: 64 KB, 32 KB */
    case CP15(1, 0, 0, 0): *value = core->cp15_control; return true;
    default: return false;
    }
}

static bool write_cp15(struct arm_core *core, uint32_t which, uint32_t value) {
    switch (which) {
    case CP15(1, 0, 0, 0): core->cp15_control = value; return true;
    case CP15(7, 0, 0, 4): core->asleep = !core->irq_line && !core->fiq_line; return true;
    case CP15(7, 0, 10, 4): return true; /* drain write buffer: writes are already accepted */
    default: return false;
    }
}

ARM_HANDLER(arm_coprocessor) {
    uint32_t word = op->imm, value = 0, rd = word >> 12 & 15;
    if (!arm_privileged(core))
        ARM_TAIL(arm_undefined);
    arm_publish(core, op, left);
    if (word & 1u << 20) {
        if (!read_cp15(core, word & CP15_FIELDS, &value))
            arm_fail(core, ARM_ERROR_CP15, word);
        core->r[rd == 15 ? ARM_SINK : rd] = value;
        left = arm_left(core);
        ARM_NEXT();
    }
    if (!write_cp15(core, word & CP15_FIELDS, core->r[rd]))
        arm_fail(core, ARM_ERROR_CP15, word);
    core->pc += 4;
    left = arm_left(core);
    ARM_TAIL(arm_jump_out);
}
