/* From a found instruction to a predecoded op: handler, operands, cycles with interlocks.
 *
 * In: row and word (Thumb: the equal ARM word), pc, the instructions behind it. Out: *op.
 */
#include "exec.h"
#include "insns.h"

#define FIELD(word, at) ((word) >> (at) & 15)

static arm_handler *build_data(struct arm_op *op, uint32_t word, uint32_t kind, uint32_t pc,
                               bool thumb) {
    uint32_t opcode = FIELD(word, 21), type = word >> 5 & 3, amount = word >> 7 & 31;
    bool flags = word >> 20 & 1;
    enum arm_form form = F_REG;
    if (op->rd == 15 && (opcode < 8 || opcode > 11)) {
        op->imm = word;
        return arm_dp_pc;
    }
    if (kind == K_DP_IMM) {
        op->imm = arm_ror(word & 255, word >> 7 & 30);
        op->rm = (word & 0xf00) != 0;
        form = F_IMM;
        if (thumb && op->rn == 15) { /* Thumb adds to the word-aligned pc */
            op->rn = ARM_ZERO;
            op->imm += (pc + 4) & ~3u;
        }
    } else if (kind == K_DP_BYREG) {
        op->imm = FIELD(word, 8) | type << 8;
        form = F_BYREG;
    } else if (type || amount) {
        op->imm = amount == 0 && type != 3 ? 32 : amount;
        form = (enum arm_form)(F_LSL + type);
    }
    return arm_dp_handlers[opcode][flags][form];
}

/* Multiplies keep rs, x, y in imm; see exec_multiply.c. Short ones have rd and rn swapped in the
 * word. */
static arm_handler *build_multiply(struct arm_op *op, uint32_t word, uint32_t kind) {
    uint32_t x = word >> 5 & 1, y = word >> 6 & 1;
    bool flags = word >> 20 & 1;
    op->rd = (uint8_t)FIELD(word, 16);
    op->rn = (uint8_t)FIELD(word, 12);
    op->imm = FIELD(word, 8);
    switch (kind) {
    case K_MUL: return flags ? arm_muls : arm_mul;
    case K_MLA: return flags ? arm_mlas : arm_mla;
    case K_SMLA:
        op->imm |= y << 5;
        return word & 1u << 21 ? arm_smlaw : arm_smla_handlers[x][y];
    case K_SMUL:
        op->imm |= x << 4 | y << 5;
        return word & 1u << 22 ? arm_smulxy : arm_smulw;
    default: break;
    }
    op->rd = (uint8_t)FIELD(word, 12);
    op->rn = (uint8_t)FIELD(word, 16);
    if (kind == K_SMLAL) {
        op->imm |= x << 4 | y << 5;
        return arm_smlalxy;
    }
    bool accumulates = kind == K_MLAL, is_signed = word >> 22 & 1;
    if (flags) {
        op->imm |= (uint32_t)accumulates << 4 | (uint32_t)is_signed << 5;
        return arm_long_flags;
    }
    if (is_signed)
        return accumulates ? arm_smlal : arm_smull;
    return accumulates ? arm_umlal : arm_umull;
}

static enum arm_access access_of(uint32_t word, uint32_t kind) {
    static const enum arm_access halves[4] = {A_STRH, A_LDRH, A_LDRSB, A_LDRSH};
    if (kind == K_STRH)
        return A_STRH;
    if (kind == K_LDRH)
        return halves[word >> 5 & 3];
    bool byte = word >> 22 & 1, load = word >> 20 & 1;
    return load ? (byte ? A_LDRB : A_LDR) : (byte ? A_STRB : A_STR);
}

/* Offset form and op->imm / op->rm of it. */
static enum arm_offset offset_of(struct arm_op *op, uint32_t word, uint32_t kind) {
    bool half = kind == K_LDRH || kind == K_STRH, up = word >> 23 & 1;
    bool by_register = half ? !(word >> 22 & 1) : word >> 25 & 1;
    uint32_t offset = half ? (word >> 4 & 0xf0) | (word & 15) : word & 0xfff;
    if (!by_register) {
        op->imm = up ? offset : -offset;
        return O_IMM;
    }
    uint32_t shift = half ? 0 : word >> 7 & 31, type = half ? 0 : word >> 5 & 3;
    if (up && !shift && !type)
        return O_REG;
    op->imm = shift | type << 5 | (up ? 0 : O_SUBTRACT);
    return O_SHIFTED;
}

static arm_handler *build_load_store(struct arm_op *op, uint32_t word, uint32_t kind, uint32_t pc,
                                     bool thumb) {
    bool load = word >> 20 & 1, pre = word >> 24 & 1, back = word >> 21 & 1;
    op->imm = word;
    if (op->rd == 15)
        return load ? arm_load_pc : arm_store_generic;
    enum arm_access access = access_of(word, kind);
    enum arm_offset form = offset_of(op, word, kind);
    if (op->rn == 15 && form == O_IMM && pre && !back) {
        op->rn = ARM_ZERO;
        op->imm += (pc + (thumb ? 4 : 8)) & ~3u;
        if (access == A_LDR && op->imm <= ARM_ITCM_SIZE - 4 && !(op->imm & 3)) {
            op->cycles += ARM_ITCM_DATA_CYCLES;
            return arm_load_literal;
        }
    }
    return arm_load_store_handlers[access][form][!pre ? M_POST : back ? M_PRE : M_OFFSET];
}

static arm_handler *build_multiple(struct arm_op *op, uint32_t word) {
    bool load = word >> 20 & 1;
    op->imm = word;
    op->rm = (uint8_t)__builtin_popcount(word & 0xffff);
    if ((word & 0x8000) || (word >> 22 & 1))
        return load ? arm_load_multiple_slow : arm_store_multiple_slow;
    return load ? arm_load_multiple : arm_store_multiple;
}

/* Branches whose target lies in ITCM, from ITCM, keep it as a distance. */
static arm_handler *build_branch(struct arm_op *op, uint32_t cond, uint32_t pc, uint32_t target,
                                 bool thumb, bool local) {
    if (!local || target >= ARM_ITCM_SIZE) {
        op->imm = target;
        return arm_branch_far;
    }
    op->imm = (uint32_t)((int32_t)(target - pc) >> (thumb ? 1 : 2));
    return arm_branch_handlers[cond];
}

static int32_t sign_extend(uint32_t value, uint32_t bits) {
    return (int32_t)(value << (32 - bits)) >> (32 - bits);
}

static arm_handler *build_control(struct arm_op *op, const struct arm_found *found, uint32_t pc,
                                  bool local) {
    uint32_t word = found->word;
    uint32_t target = pc + 8 + (uint32_t)sign_extend(word & 0xffffff, 24) * 4;
    op->imm = target;
    switch (found->insn->kind) {
    case K_B: return build_branch(op, found->cond, pc, target, false, local);
    case K_BL: return arm_branch_link;
    case K_BLX: op->imm += word >> 23 & 2; return arm_blx_imm;
    case K_BX: return arm_bx;
    case K_BLX_REG: return arm_blx_reg;
    case K_SWI: return arm_swi;
    case K_BKPT: return arm_bkpt;
    case K_NOP: return arm_nop;
    default: break;
    }
    op->imm = word;
    switch (found->insn->kind) {
    case K_MRS: op->rm = word >> 22 & 1; return arm_mrs;
    case K_MSR_IMM: case K_MSR_REG: return arm_msr;
    case K_MCR: case K_MRC: return arm_coprocessor;
    default: return arm_undefined;
    }
}

static arm_handler *build_thumb_branch(struct arm_op *op, const struct arm_found *found,
                                       uint32_t pc, bool local) {
    uint32_t half = found->word, low = half & 0x7ff;
    switch (found->insn->kind) {
    case K_THUMB_BL_HIGH:
        op->imm = pc + 4 + (uint32_t)sign_extend(low, 11) * 0x1000;
        return arm_thumb_bl_high;
    case K_THUMB_BL_LOW:
        op->imm = low * 2;
        op->rm = half >> 11 == 0x1d;
        return arm_thumb_bl_low;
    default: break;
    }
    int32_t distance = half >> 12 == 0xd ? (int8_t)half : sign_extend(low, 11);
    return build_branch(op, found->cond, pc, pc + 4 + (uint32_t)distance * 2, true, local);
}

static arm_handler *build_inner(struct arm_op *op, const struct arm_found *found, uint32_t pc,
                                bool thumb, bool local) {
    uint32_t word = found->word, kind = found->insn->kind;
    if (kind <= K_DP_BYREG)
        return build_data(op, word, kind, pc, thumb);
    if (kind <= K_SMLAL)
        return build_multiply(op, word, kind);
    switch (kind) {
    case K_SAT: op->imm = word >> 21 & 3; return arm_saturate;
    case K_CLZ: return arm_clz;
    case K_SWP: op->imm = word & 1u << 22 ? 1 : 4; return arm_swap;
    case K_LDR_IMM: case K_LDR_REG: case K_STR_IMM: case K_STR_REG: case K_LDRH: case K_STRH:
        return build_load_store(op, word, kind, pc, thumb);
    case K_LDRD: op->imm = word; return op->rd & 1 ? arm_undefined : arm_load_double;
    case K_STRD: op->imm = word; return op->rd & 1 ? arm_undefined : arm_store_double;
    case K_LDM: case K_STM: return build_multiple(op, word);
    case K_THUMB_B: case K_THUMB_BL_HIGH: case K_THUMB_BL_LOW:
        return build_thumb_branch(op, found, pc, local);
    default: return build_control(op, found, pc, local);
    }
}

/* Interlocks charged to this instruction: with the next one, and (byte loads) with the one after
 * it. Sets
 * *if_skipped when the second depends on whether the next one is skipped. */
static uint32_t stalls_of(const struct arm_timing *own, const struct arm_found *next,
                          bool *if_skipped) {
    struct arm_timing first, second;
    arm_timing_of(&next[0], &first);
    arm_timing_of(&next[1], &second);
    uint32_t stall = arm_stall(own, &first);
    if (own->latency < 2 || stall || !arm_stall(own, &second))
        return stall;
    bool waits_if_run = first.cycles + arm_stall(&first, &second) <= 1;
    *if_skipped = !waits_if_run && next[0].cond != 14;
    return waits_if_run ? 1 : 0;
}

/* True where the op reads r[15] itself, so that a wrapper must set it first. */
static bool reads_r15(const struct arm_op *op, const struct arm_timing *timing, uint32_t kind) {
    uint32_t read = timing->reads | timing->late | timing->adds;
    bool known = kind == K_LDRD || kind == K_STRD || (kind == K_STM && op->rn != 15);
    return (read & 0x8000) && op->rn != ARM_ZERO && !known;
}

void arm_build(struct arm_op *op, const struct arm_found *found, uint32_t pc, bool thumb,
               const struct arm_found *next, bool local) {
    uint32_t word = found->word, cond = found->cond;
    struct arm_timing timing;
    bool if_skipped = false;
    arm_timing_of(found, &timing);
    op->rd = (uint8_t)FIELD(word, 12);
    op->rn = (uint8_t)FIELD(word, 16);
    op->rm = (uint8_t)FIELD(word, 0);
    op->cycles = timing.cycles;
    if (next && timing.latency)
        op->cycles += (uint8_t)stalls_of(&timing, next, &if_skipped);
    arm_handler *inner = build_inner(op, found, pc, thumb, local);
    arm_handler *outer = inner;
    bool tests_itself = cond < 15 && inner == arm_branch_handlers[cond];
    if (if_skipped)
        outer = arm_op_general_late;
    else if (reads_r15(op, &timing, found->insn->kind))
        outer = arm_op_general;
    else if (cond != 14 && !tests_itself)
        outer = arm_if_handlers[cond];
    op->inner = arm_code_of(inner);
    op->code = arm_code_of(outer);
}
