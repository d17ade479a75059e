/* The ARM rows of the instruction table (generated look, written by hand; exempt from file size
 * hints).
 *
 * In: an instruction word. Out: its row. The first row that matches wins, so special cases come
 * first.
 * Cycles: ARM9E-S DDI 0165B tables 8-2..8-27; where sources differ the higher count (scaled
 * offsets).
 */
#include "insns.h"

#define DP(opcode, name, syntax_imm, syntax_reg)                                                  \
    {0x0fe00000, 0x02000000 | (opcode) << 21, name syntax_imm, K_DP_IMM, 1, 0},                   \
    {0x0fe00010, 0x00000000 | (opcode) << 21, name syntax_reg, K_DP_SHIFT, 1, 0},                 \
    {0x0fe00090, 0x00000010 | (opcode) << 21, name syntax_reg, K_DP_BYREG, 2, 0}

static const struct arm_insn undefined = {0, 0, "undefined", K_UNDEF, 0, 0};

static const struct arm_insn always_space[] = {
    {0xfe000000, 0xfa000000, "blx %b", K_BLX, 3, 0},
    {0xfd70f000, 0xf550f000, "pld", K_NOP, 1, 0},
    {0x00000000, 0x00000000, "undefined", K_UNDEF, 0, 0},
};

static const struct arm_insn rows[] = {
    /* multiplies and swaps: bits 7..4 = 1001 */
    {0x0fe000f0, 0x00000090, "mul%s%c %N, %m, %S", K_MUL, 2, 1},
    {0x0fe000f0, 0x00200090, "mla%s%c %N, %m, %S, %d", K_MLA, 2, 1},
    {0x0fe000f0, 0x00800090, "umull%s%c %d, %N, %m, %S", K_MULL, 3, 1},
    {0x0fe000f0, 0x00a00090, "umlal%s%c %d, %N, %m, %S", K_MLAL, 3, 1},
    {0x0fe000f0, 0x00c00090, "smull%s%c %d, %N, %m, %S", K_MULL, 3, 1},
    {0x0fe000f0, 0x00e00090, "smlal%s%c %d, %N, %m, %S", K_MLAL, 3, 1},
    {0x0ff00ff0, 0x01000090, "swp%c %d, %m, [%n]", K_SWP, 2, 1},
    {0x0ff00ff0, 0x01400090, "swpb%c %d, %m, [%n]", K_SWP, 2, 2},
    /* halfwords, signed bytes, doublewords: bits 7..4 = 1xx1 */
    {0x0e1000f0, 0x000000b0, "strh%c %d, %H", K_STRH, 1, 0},
    {0x0e1000f0, 0x000000d0, "ldrd%c %d, %D, %H", K_LDRD, 2, 1},
    {0x0e1000f0, 0x000000f0, "strd%c %d, %D, %H", K_STRD, 2, 0},
    {0x0e1000f0, 0x001000b0, "ldrh%c %d, %H", K_LDRH, 1, 2},
    {0x0e1000f0, 0x001000d0, "ldrsb%c %d, %H", K_LDRH, 1, 2},
    {0x0e1000f0, 0x001000f0, "ldrsh%c %d, %H", K_LDRH, 1, 2},
    {0x0e000090, 0x00000090, "undefined", K_UNDEF, 0, 0},
    /* the hole of the compare instructions without S */
    {0x0fbf0fff, 0x010f0000, "mrs%c %d, %p", K_MRS, 2, 0},
    {0x0fb0fff0, 0x0120f000, "msr%c %p_%f, %m", K_MSR_REG, 3, 0},
    {0x0fb0f000, 0x0320f000, "msr%c %p_%f, %i", K_MSR_IMM, 3, 0},
    {0x0ffffff0, 0x012fff10, "bx%c %m", K_BX, 3, 0},
    {0x0ffffff0, 0x012fff30, "blx%c %m", K_BLX_REG, 3, 0},
    {0x0fff0ff0, 0x016f0f10, "clz%c %d, %m", K_CLZ, 1, 0},
    {0x0ff00ff0, 0x01000050, "qadd%c %d, %m, %n", K_SAT, 1, 1},
    {0x0ff00ff0, 0x01200050, "qsub%c %d, %m, %n", K_SAT, 1, 1},
    {0x0ff00ff0, 0x01400050, "qdadd%c %d, %m, %n", K_SAT, 1, 1},
    {0x0ff00ff0, 0x01600050, "qdsub%c %d, %m, %n", K_SAT, 1, 1},
    {0xfff000f0, 0xe1200070, "bkpt %k", K_BKPT, 3, 0},
    {0x0ff00090, 0x01000080, "smla%x%y%c %N, %m, %S, %d", K_SMLA, 1, 1},
    {0x0ff000b0, 0x01200080, "smlaw%y%c %N, %m, %S, %d", K_SMLA, 1, 1},
    {0x0ff0f0b0, 0x012000a0, "smulw%y%c %N, %m, %S", K_SMUL, 1, 1},
    {0x0ff00090, 0x01400080, "smlal%x%y%c %d, %N, %m, %S", K_SMLAL, 2, 1},
    {0x0ff0f090, 0x01600080, "smul%x%y%c %N, %m, %S", K_SMUL, 1, 1},
    {0x0f900000, 0x01000000, "undefined", K_UNDEF, 0, 0},
    {0x0fb00000, 0x03000000, "undefined", K_UNDEF, 0, 0},
    /* data processing */
    DP(0u, "and", "%s%c %d, %n, %i", "%s%c %d, %n, %o"),
    DP(1u, "eor", "%s%c %d, %n, %i", "%s%c %d, %n, %o"),
    DP(2u, "sub", "%s%c %d, %n, %i", "%s%c %d, %n, %o"),
    DP(3u, "rsb", "%s%c %d, %n, %i", "%s%c %d, %n, %o"),
    DP(4u, "add", "%s%c %d, %n, %i", "%s%c %d, %n, %o"),
    DP(5u, "adc", "%s%c %d, %n, %i", "%s%c %d, %n, %o"),
    DP(6u, "sbc", "%s%c %d, %n, %i", "%s%c %d, %n, %o"),
    DP(7u, "rsc", "%s%c %d, %n, %i", "%s%c %d, %n, %o"),
    DP(8u, "tst", "%c %n, %i", "%c %n, %o"),
    DP(9u, "teq", "%c %n, %i", "%c %n, %o"),
    DP(10u, "cmp", "%c %n, %i", "%c %n, %o"),
    DP(11u, "cmn", "%c %n, %i", "%c %n, %o"),
    DP(12u, "orr", "%s%c %d, %n, %i", "%s%c %d, %n, %o"),
    DP(13u, "mov", "%s%c %d, %i", "%s%c %d, %o"),
    DP(14u, "bic", "%s%c %d, %n, %i", "%s%c %d, %n, %o"),
    DP(15u, "mvn", "%s%c %d, %i", "%s%c %d, %o"),
    /* words and bytes */
    {0x0e500000, 0x04100000, "ldr%c %d, %A", K_LDR_IMM, 1, 1},
    {0x0e500000, 0x04500000, "ldrb%c %d, %A", K_LDR_IMM, 1, 2},
    {0x0e500000, 0x04000000, "str%c %d, %A", K_STR_IMM, 1, 0},
    {0x0e500000, 0x04400000, "strb%c %d, %A", K_STR_IMM, 1, 0},
    {0x0e000010, 0x06000010, "undefined", K_UNDEF, 0, 0},
    {0x0e500000, 0x06100000, "ldr%c %d, %R", K_LDR_REG, 1, 1},
    {0x0e500000, 0x06500000, "ldrb%c %d, %R", K_LDR_REG, 1, 2},
    {0x0e500000, 0x06000000, "str%c %d, %R", K_STR_REG, 1, 0},
    {0x0e500000, 0x06400000, "strb%c %d, %R", K_STR_REG, 1, 0},
    {0x0e100000, 0x08100000, "ldm%a%c %n%w, %l", K_LDM, 0, 1},
    {0x0e100000, 0x08000000, "stm%a%c %n%w, %l", K_STM, 0, 0},
    /* branches, coprocessor 15, SWI */
    {0x0f000000, 0x0a000000, "b%c %b", K_B, 3, 0},
    {0x0f000000, 0x0b000000, "bl%c %b", K_BL, 3, 0},
    {0x0f100f10, 0x0e000f10, "mcr%c p15, %q", K_MCR, 1, 0},
    {0x0f100f10, 0x0e100f10, "mrc%c p15, %q", K_MRC, 1, 1},
    {0x0f000000, 0x0f000000, "swi%c %g", K_SWI, 3, 0},
    {0x00000000, 0x00000000, "undefined", K_UNDEF, 0, 0},
};

struct arm_found arm_find(uint32_t word) {
    bool always = word >> 28 == 15;
    const struct arm_insn *row = always ? always_space : rows;
    while ((word & row->mask) != row->value)
        row++;
    return (struct arm_found){row, word, always ? 14 : word >> 28};
}

/* Thumb. Fields: d = bits 2..0, m = bits 5..3, i5 = bits 10..6, low byte as immediate. */
#define ALWAYS 0xe0000000u
#define D(h) ((h) & 7)
#define M(h) ((h) >> 3 & 7)
#define I5(h) ((h) >> 6 & 31)
#define D8(h) ((h) >> 8 & 7)

static uint32_t shift_imm(uint32_t h) {
    return 0xe1b00000 | D(h) << 12 | I5(h) << 7 | (h >> 11 & 3) << 5 | M(h);
}

static uint32_t add_sub(uint32_t h) {
    uint32_t operation = h & 0x200 ? 0xe0500000 : 0xe0900000;
    return operation | (h & 0x400) << 15 | M(h) << 16 | D(h) << 12 | (h >> 6 & 7);
}

static uint32_t imm8(uint32_t h) {
    static const uint32_t base[4] = {0xe3b00000, 0xe3500000, 0xe2900000, 0xe2500000};
    uint32_t which = h >> 11 & 3;
    uint32_t rd = which == 1 ? 0 : D8(h) << 12, rn = which == 0 ? 0 : D8(h) << 16;
    return base[which] | rd | rn | (h & 0xff);
}

static uint32_t alu(uint32_t h) {
    uint32_t d = D(h), m = M(h), dp = ALWAYS | d << 16 | d << 12 | m;
    uint32_t shift = 0xe1b00010 | d << 12 | m << 8 | d;
    switch (h >> 6 & 15) {
    case 0: return dp | 0x00100000;
    case 1: return dp | 0x00300000;
    case 2: return shift;
    case 3: return shift | 1u << 5;
    case 4: return shift | 2u << 5;
    case 5: return dp | 0x00b00000;
    case 6: return dp | 0x00d00000;
    case 7: return shift | 3u << 5;
    case 8: return 0xe1100000 | d << 16 | m;
    case 9: return 0xe2700000 | m << 16 | d << 12;
    case 10: return 0xe1500000 | d << 16 | m;
    case 11: return 0xe1700000 | d << 16 | m;
    case 12: return dp | 0x01900000;
    case 13: return 0xe0100090 | d << 16 | d << 8 | m;
    case 14: return dp | 0x01d00000;
    default: return 0xe1f00000 | d << 12 | m;
    }
}

static uint32_t high(uint32_t h) {
    uint32_t d = (h & 7) | (h >> 4 & 8), m = h >> 3 & 15;
    switch (h >> 8 & 3) {
    case 0: return 0xe0800000 | d << 16 | d << 12 | m;
    case 1: return 0xe1500000 | d << 16 | m;
    default: return 0xe1a00000 | d << 12 | m;
    }
}

static uint32_t bx(uint32_t h) {
    return (h & 0x80 ? 0xe12fff30 : 0xe12fff10) | (h >> 3 & 15);
}

static uint32_t load_literal(uint32_t h) {
    return 0xe59f0000 | D8(h) << 12 | (h & 0xff) << 2;
}

static uint32_t load_store_reg(uint32_t h) {
    static const uint32_t base[8] = {0xe7800000, 0xe18000b0, 0xe7c00000, 0xe19000d0,
                                     0xe7900000, 0xe19000b0, 0xe7d00000, 0xe19000f0};
    return base[h >> 9 & 7] | M(h) << 16 | D(h) << 12 | (h >> 6 & 7);
}

static uint32_t load_store_imm(uint32_t h) {
    uint32_t byte = h >> 12 & 1, load = h >> 11 & 1;
    uint32_t offset = byte ? I5(h) : I5(h) << 2;
    return 0xe5800000 | byte << 22 | load << 20 | M(h) << 16 | D(h) << 12 | offset;
}

static uint32_t load_store_half(uint32_t h) {
    uint32_t offset = I5(h) << 1, load = h >> 11 & 1;
    return 0xe1c000b0 | load << 20 | M(h) << 16 | D(h) << 12 | (offset & 0x30) << 4 |
           (offset & 15);
}

static uint32_t load_store_sp(uint32_t h) {
    return 0xe58d0000 | (h >> 11 & 1) << 20 | D8(h) << 12 | (h & 0xff) << 2;
}

static uint32_t address_of(uint32_t h) {
    return (h & 0x800 ? 0xe28d0f00 : 0xe28f0f00) | D8(h) << 12 | (h & 0xff);
}

static uint32_t adjust_sp(uint32_t h) {
    return (h & 0x80 ? 0xe24ddf00 : 0xe28ddf00) | (h & 0x7f);
}

static uint32_t push_pop(uint32_t h) {
    if (h & 0x800)
        return 0xe8bd0000 | (h & 0xff) | (h & 0x100) << 7;
    return 0xe92d0000 | (h & 0xff) | (h & 0x100) << 6;
}

static uint32_t multiple(uint32_t h) {
    uint32_t list = h & 0xff;
    if (h & 0x800) /* a loaded base wins over the written back one */
        return 0xe8900000 | (list >> D8(h) & 1 ? 0 : 0x200000) | D8(h) << 16 | list;
    return 0xe8a00000 | D8(h) << 16 | list;
}

static uint32_t swi(uint32_t h) {
    return 0xef000000 | (h & 0xff);
}

static uint32_t bkpt(uint32_t h) {
    return 0xe1200070 | (h & 0xf0) << 4 | (h & 15);
}

static const struct arm_insn thumb_b = {0, 0, "b%c %t", K_THUMB_B, 3, 0};
static const struct arm_insn thumb_bl_high = {0, 0, "bl.high %t", K_THUMB_BL_HIGH, 1, 0};
static const struct arm_insn thumb_bl_low = {0, 0, "bl.low %t", K_THUMB_BL_LOW, 3, 0};

static const struct arm_thumb_insn thumb_rows[] = {
    {0xf800, 0x1800, add_sub, 0},
    {0xe000, 0x0000, shift_imm, 0},
    {0xe000, 0x2000, imm8, 0},
    {0xfc00, 0x4000, alu, 0},
    {0xff00, 0x4700, bx, 0},
    {0xfc00, 0x4400, high, 0},
    {0xf800, 0x4800, load_literal, 0},
    {0xf000, 0x5000, load_store_reg, 0},
    {0xe000, 0x6000, load_store_imm, 0},
    {0xf000, 0x8000, load_store_half, 0},
    {0xf000, 0x9000, load_store_sp, 0},
    {0xf000, 0xa000, address_of, 0},
    {0xff00, 0xb000, adjust_sp, 0},
    {0xf600, 0xb400, push_pop, 0},
    {0xff00, 0xbe00, bkpt, 0},
    {0xf000, 0xb000, 0, &undefined},
    {0xf000, 0xc000, multiple, 0},
    {0xff00, 0xde00, 0, &undefined},
    {0xff00, 0xdf00, swi, 0},
    {0xf000, 0xd000, 0, &thumb_b},
    {0xf800, 0xe000, 0, &thumb_b},
    {0xf801, 0xe801, 0, &undefined},
    {0xf800, 0xe800, 0, &thumb_bl_low},
    {0xf800, 0xf000, 0, &thumb_bl_high},
    {0xf800, 0xf800, 0, &thumb_bl_low},
};

struct arm_found arm_thumb_find(uint32_t half) {
    const struct arm_thumb_insn *row = thumb_rows;
    while ((half & row->mask) != row->value)
        row++;
    if (row->convert)
        return arm_find(row->convert(half));
    uint32_t cond = half >> 12 == 0xd && row->own == &thumb_b ? half >> 8 & 15 : 14;
    return (struct arm_found){row->own, half, cond};
}
