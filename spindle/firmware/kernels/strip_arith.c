/* ADD, SUB, MUL, MAX, MIN on float32 bit patterns, plain C. Twin of arm/strip_arith.S:
 * same bits.
 */
#include "order.h"
#include "strip.h"

void prim_add_f32(const struct strip *s, const struct instr *in) { map_2(s, in, sf_add); }
void prim_sub_f32(const struct strip *s, const struct instr *in) { map_2(s, in, sf_sub); }
void prim_mul_f32(const struct strip *s, const struct instr *in) { map_2(s, in, sf_mul); }
void prim_max_f32(const struct strip *s, const struct instr *in) { map_2(s, in, f32_max); }
void prim_min_f32(const struct strip *s, const struct instr *in) { map_2(s, in, f32_min); }
