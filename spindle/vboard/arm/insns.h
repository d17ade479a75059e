/* The instruction table: what decoder, interpreter, cycle counts and disassembler share.
 *
 * In: nothing. Out: arm_find / arm_thumb_find (word -> row), arm_timing_of (row, word -> cycles and
 * register roles), arm_build (row, word -> predecoded op).
 */
#ifndef SPINDLE_ARM_INSNS_H
#define SPINDLE_ARM_INSNS_H

#include "arm.h"

/* Where an instruction keeps its operands. */
enum arm_kind {
    K_DP_IMM, K_DP_SHIFT, K_DP_BYREG,
    K_MUL, K_MLA, K_MULL, K_MLAL, K_SMLA, K_SMUL, K_SMLAL,
    K_SAT, K_CLZ, K_MRS, K_MSR_IMM, K_MSR_REG, K_SWP,
    K_LDR_IMM, K_LDR_REG, K_STR_IMM, K_STR_REG,
    K_LDRH, K_STRH, K_LDRD, K_STRD, K_LDM, K_STM,
    K_B, K_BL, K_BLX, K_BX, K_BLX_REG, K_SWI, K_BKPT, K_MCR, K_MRC, K_NOP, K_UNDEF,
    K_THUMB_B, K_THUMB_BL_HIGH, K_THUMB_BL_LOW
};

/* What the disassembler prints; see disasm.c for the letters. */
struct arm_insn {
    uint32_t mask, value;
    const char *syntax;
    uint8_t kind;    /* enum arm_kind */
    uint8_t cycles;  /* documented base; arm_timing_of adds what depends on the word */
    uint8_t latency; /* cycles the result is late for the next instruction */
};

/* A Thumb row: either the equal ARM word (made by `convert`) or a branch row of its own. */
struct arm_thumb_insn {
    uint16_t mask, value;
    uint32_t (*convert)(uint32_t half);
    const struct arm_insn *own; /* used when convert is null */
};

/* One instruction found: its row, its word (Thumb: the equal ARM word, or the halfword of an own
 * row). */
struct arm_found {
    const struct arm_insn *insn;
    uint32_t word;
    uint32_t cond; /* 14 = always */
};

struct arm_found arm_find(uint32_t word);
struct arm_found arm_thumb_find(uint32_t half);

/* Register masks (bit i = ri) and cycles of one instruction that executes. */
struct arm_timing {
    uint32_t reads; /* needed in its first cycle */
    uint32_t late;  /* needed in its second cycle (second stored word) */
    uint32_t adds;  /* multiply accumulator: a multiply result is forwarded to it in time */
    uint32_t writes; /* results that come late */
    uint8_t cycles, latency;
    bool is_multiply; /* writes come from the multiplier */
};
void arm_timing_of(const struct arm_found *found, struct arm_timing *timing);

/* Interlock cycles between an executed instruction and the next one. */
uint32_t arm_stall(const struct arm_timing *first, const struct arm_timing *next);

/* Predecode the instruction at pc into *op. `next` holds the raw words of the two instructions
 * behind it
 * for the interlocks, or is null where fetches hide them. local: a branch inside ITCM may keep its
 * target
 * as a distance in the op array. */
void arm_build(struct arm_op *op, const struct arm_found *found, uint32_t pc, bool thumb,
               const struct arm_found *next, bool local);

#endif
