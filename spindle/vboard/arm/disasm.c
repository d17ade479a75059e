/* Text of one instruction, from the syntax column of the instruction table.
 *
 * In: a word. Out: text. Letters behind %: c condition, s S flag, d D n m S N registers (bits 12,
 * 16, 0, 8, 16),
 * i rotated immediate, o shifted register, A R H addresses, a w l block transfer, b t branch
 * targets,
 * x y halves, p f PSR, q CP15 fields, k g comment numbers.
 */
#include <stdio.h>
#include <string.h>

#include "insns.h"

struct text {
    char *at;
    size_t room;
};

static const char *const conditions[16] = {"eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc",
                                           "hi", "ls", "ge", "lt", "gt", "le", "",   ""};
static const char *const registers[16] = {"r0", "r1", "r2",  "r3",  "r4",  "r5", "r6", "r7",
                                          "r8", "r9", "r10", "r11", "r12", "sp", "lr", "pc"};
static const char *const shifts[4] = {"lsl", "lsr", "asr", "ror"};

static void add(struct text *out, const char *piece) {
    size_t n = strlen(piece);
    n = n < out->room ? n : out->room - 1;
    memcpy(out->at, piece, n);
    out->at += n;
    out->room -= n;
    *out->at = 0;
}

static void add_number(struct text *out, const char *format, uint32_t value) {
    char piece[24];
    snprintf(piece, sizeof piece, format, value);
    add(out, piece);
}

static void add_shifted(struct text *out, uint32_t word) {
    uint32_t type = word >> 5 & 3, amount = word >> 7 & 31;
    add(out, registers[word & 15]);
    if (word & 0x10 && !(word >> 26 & 1)) {
        add(out, ", ");
        add(out, shifts[type]);
        add(out, " ");
        add(out, registers[word >> 8 & 15]);
        return;
    }
    if (type == 3 && amount == 0) {
        add(out, ", rrx");
        return;
    }
    if (type == 0 && amount == 0)
        return;
    add(out, ", ");
    add(out, shifts[type]);
    add_number(out, " #%u", amount ? amount : 32);
}

static void add_offset(struct text *out, uint32_t word, char letter) {
    const char *sign = word >> 23 & 1 ? "" : "-";
    uint32_t offset = letter == 'A' ? word & 0xfff : (word >> 4 & 0xf0) | (word & 15);
    bool by_register = letter == 'R' || (letter == 'H' && !(word >> 22 & 1));
    if (!by_register && offset == 0)
        return;
    add(out, by_register ? ", " : ", #");
    add(out, sign);
    if (letter == 'R')
        add_shifted(out, word);
    else if (by_register)
        add(out, registers[word & 15]);
    else
        add_number(out, "%u", offset);
}

static void add_address(struct text *out, uint32_t word, char letter) {
    bool pre = word >> 24 & 1;
    add(out, "[");
    add(out, registers[word >> 16 & 15]);
    if (!pre)
        add(out, "]");
    add_offset(out, word, letter);
    if (pre)
        add(out, word >> 21 & 1 ? "]!" : "]");
}

static void add_list(struct text *out, uint32_t word) {
    const char *before = "{";
    for (uint32_t i = 0; i < 16; i++)
        if (word >> i & 1) {
            add(out, before);
            add(out, registers[i]);
            before = ", ";
        }
    add(out, word >> 22 & 1 ? "}^" : "}");
}

static void add_fields(struct text *out, uint32_t word) {
    static const char *const names[4] = {"c", "x", "s", "f"};
    for (uint32_t i = 0; i < 4; i++)
        add(out, word >> (16 + i) & 1 ? names[i] : "");
}

static void add_cp15(struct text *out, uint32_t word) {
    add_number(out, "%u, ", word >> 21 & 7);
    add(out, registers[word >> 12 & 15]);
    add_number(out, ", c%u", word >> 16 & 15);
    add_number(out, ", c%u", word & 15);
    add_number(out, ", %u", word >> 5 & 7);
}

static uint32_t branch_target(uint32_t word, uint32_t pc) {
    uint32_t h = word >> 28 == 15 ? word >> 23 & 2 : 0;
    return pc + 8 + (uint32_t)((int32_t)(word << 8) >> 6) + h;
}

static uint32_t thumb_target(uint32_t half, uint32_t pc) {
    if (half >> 12 == 0xd)
        return pc + 4 + (uint32_t)(int8_t)half * 2;
    uint32_t distance = (uint32_t)((int32_t)(half << 21) >> 20);
    return half >> 11 == 0x1c ? pc + 4 + distance : (half & 0x7ff) << 1;
}

static void add_letter(struct text *out, char letter, const struct arm_found *found, uint32_t pc) {
    static const char *const blocks[4] = {"da", "ia", "db", "ib"};
    uint32_t word = found->word, by = word >> 7 & 30, imm = word & 255;
    switch (letter) {
    case 'c': add(out, conditions[found->cond]); break;
    case 's': add(out, word >> 20 & 1 ? "s" : ""); break;
    case 'd': add(out, registers[word >> 12 & 15]); break;
    case 'D': add(out, registers[((word >> 12) + 1) & 15]); break;
    case 'n': case 'N': add(out, registers[word >> 16 & 15]); break;
    case 'm': add(out, registers[word & 15]); break;
    case 'S': add(out, registers[word >> 8 & 15]); break;
    case 'i': add_number(out, "#0x%x", by ? imm >> by | imm << (32 - by) : imm); break;
    case 'o': add_shifted(out, word); break;
    case 'A': case 'R': case 'H': add_address(out, word, letter); break;
    case 'a': add(out, blocks[word >> 23 & 3]); break;
    case 'w': add(out, word >> 21 & 1 ? "!" : ""); break;
    case 'l': add_list(out, word); break;
    case 'b': add_number(out, "0x%x", branch_target(word, pc)); break;
    case 't': add_number(out, "0x%x", thumb_target(word, pc)); break;
    case 'x': add(out, word >> 5 & 1 ? "t" : "b"); break;
    case 'y': add(out, word >> 6 & 1 ? "t" : "b"); break;
    case 'p': add(out, word >> 22 & 1 ? "spsr" : "cpsr"); break;
    case 'f': add_fields(out, word); break;
    case 'q': add_cp15(out, word); break;
    case 'k': add_number(out, "0x%x", (word >> 4 & 0xfff0) | (word & 15)); break;
    default: add_number(out, "0x%x", word & 0xffffff); break;
    }
}

void arm_disassemble(uint32_t word, uint32_t pc, bool thumb, char *out, size_t out_size) {
    struct arm_found found = thumb ? arm_thumb_find(word & 0xffff) : arm_find(word);
    struct text text = {out, out_size};
    *out = 0;
    for (const char *s = found.insn->syntax; *s; s++) {
        char piece[2] = {*s, 0};
        if (*s == '%')
            add_letter(&text, *++s, &found, pc);
        else
            add(&text, piece);
    }
}
