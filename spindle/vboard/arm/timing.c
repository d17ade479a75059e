/* Cycles and register roles of an instruction, and the interlock between two of them.
 *
 * In: a found instruction. Out: struct arm_timing. Source: ARM9E-S DDI 0165B chapter 8 (reference
 * kernels.md
 * 1). Interlocks look at register numbers only: a consumer that fails its condition waits as well
 * (it is found out later in the pipe), a producer that fails makes nobody wait. Both modelled.
 */
#include "insns.h"

#define FIELD(word, at) ((word) >> (at) & 15)
#define BIT(n) (1u << (n))

static void time_data(const struct arm_found *found, struct arm_timing *t) {
    uint32_t word = found->word, opcode = FIELD(word, 21);
    if (opcode != 13 && opcode != 15)
        t->reads |= BIT(FIELD(word, 16));
    if (found->insn->kind != K_DP_IMM)
        t->reads |= BIT(FIELD(word, 0));
    if (found->insn->kind == K_DP_BYREG)
        t->reads |= BIT(FIELD(word, 8));
    if (FIELD(word, 12) == 15 && (opcode < 8 || opcode > 11))
        t->cycles += 2;
}

/* MUL, MLA, long multiplies: with S two cycles more and no interlock left. */
static void time_multiply(const struct arm_found *found, struct arm_timing *t) {
    uint32_t word = found->word, high = BIT(FIELD(word, 16)), low = BIT(FIELD(word, 12));
    t->reads = BIT(FIELD(word, 0)) | BIT(FIELD(word, 8));
    t->writes = high;
    t->is_multiply = true;
    switch (found->insn->kind) {
    case K_MLA: case K_SMLA: t->adds = low; break;
    case K_MLAL: case K_SMLAL: t->adds = low | high; break;
    default: break;
    }
    bool has_s = found->insn->kind <= K_MLAL;
    if (has_s && (word & BIT(20))) {
        t->cycles += 2;
        t->latency = 0;
    }
}

static void time_load_store(const struct arm_found *found, struct arm_timing *t) {
    uint32_t word = found->word, rd = FIELD(word, 12);
    bool by_register = word & BIT(26) ? word & BIT(25) : !(word & BIT(22));
    t->reads = BIT(FIELD(word, 16));
    if (by_register)
        t->reads |= BIT(FIELD(word, 0));
    if ((word & BIT(26)) && by_register && (word & 0xfe0))
        t->cycles++; /* scaled offset */
    switch (found->insn->kind) {
    case K_LDR_IMM: case K_LDR_REG: case K_LDRH: t->writes = BIT(rd); break;
    case K_LDRD: t->writes = BIT(rd + 1); t->cycles = 2; break;
    case K_STRD: t->reads |= BIT(rd); t->late = BIT(rd + 1); t->cycles = 2; break;
    default: t->reads |= BIT(rd); break;
    }
    if (t->writes == BIT(15)) {
        t->cycles += 4;
        t->writes = 0;
    }
}

static void time_multiple(const struct arm_found *found, struct arm_timing *t) {
    uint32_t list = found->word & 0xffff, n = (uint32_t)__builtin_popcount(list);
    t->cycles = (uint8_t)(n > 1 ? n : 2);
    t->reads = BIT(FIELD(found->word, 16));
    if (found->insn->kind == K_STM) {
        t->reads |= list & -list;
        list &= list - 1;
        t->late = list & -list;
        return;
    }
    if (list & BIT(15))
        t->cycles = (uint8_t)(n + 4);
    else if (n > 1)
        t->writes = BIT(31 - __builtin_clz(list));
}

void arm_timing_of(const struct arm_found *found, struct arm_timing *t) {
    uint32_t word = found->word, m = BIT(FIELD(word, 0)), n = BIT(FIELD(word, 16));
    uint32_t d = BIT(FIELD(word, 12));
    *t = (struct arm_timing){.cycles = found->insn->cycles, .latency = found->insn->latency};
    switch (found->insn->kind) {
    case K_DP_IMM: case K_DP_SHIFT: case K_DP_BYREG:
        time_data(found, t);
        break;
    case K_MUL: case K_MLA: case K_MULL: case K_MLAL: case K_SMLA: case K_SMUL: case K_SMLAL:
        time_multiply(found, t);
        break;
    case K_LDR_IMM: case K_LDR_REG: case K_STR_IMM: case K_STR_REG:
    case K_LDRH: case K_STRH: case K_LDRD: case K_STRD:
        time_load_store(found, t);
        break;
    case K_LDM: case K_STM:
        time_multiple(found, t);
        break;
    case K_SAT: case K_SWP:
        t->reads = m | n;
        t->writes = d;
        break;
    case K_CLZ: case K_BX: case K_BLX_REG:
        t->reads = m;
        break;
    case K_MSR_REG: case K_MSR_IMM:
        t->reads = found->insn->kind == K_MSR_REG ? m : 0;
        t->cycles = (word & 0xf0000) == 0x80000 ? 1 : 3;
        break;
    case K_MCR:
        t->reads = d;
        break;
    case K_MRC:
        t->writes = d;
        break;
    default:
        break;
    }
}

uint32_t arm_stall(const struct arm_timing *first, const struct arm_timing *next) {
    uint32_t stall = 0;
    if (first->writes & next->late && first->latency > 0)
        stall = first->latency - 1u;
    if (first->writes & next->adds && !first->is_multiply)
        stall = first->latency;
    if (first->writes & next->reads)
        stall = first->latency;
    return stall;
}
