/* Offsets that assembly knows by number (kernels/arm/strip_asm.h, dot_s28_*.S, dot_s16_*.S), checked. */
#include "dot_s16.h"
#include "dot_s28.h"
#include "strip.h"

_Static_assert(offsetof(struct strip, reg) == 0, "strip_asm.h");
_Static_assert(sizeof(void *) != 4 || offsetof(struct strip, n) == 196, "STRIP_N");
_Static_assert(offsetof(struct instr, reg) == 1, "INSTR_REG");
_Static_assert(offsetof(struct instr, imm) == 4, "INSTR_IMM");
_Static_assert(sizeof(void *) != 4 || offsetof(struct dot_pair, b_pitch) == 8, "dot_s28_sums.S");
_Static_assert(sizeof(void *) != 4 || offsetof(struct dot_pair, fresh) == 28, "dot_s28_sums.S");
_Static_assert(sizeof(void *) != 4 || offsetof(struct dot_row, first_block) == 20, "dot_s28_finish.S");
_Static_assert(sizeof(void *) != 4 || offsetof(struct dot_triple, start_step) == 24, "dot_s16_sums.S");
_Static_assert(sizeof(void *) != 4 || offsetof(struct dot_s16_row, exponent) == 20, "dot_s16_finish.S");
