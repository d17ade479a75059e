/* ADAM_F32 on a strip (adam.h): the twin of arm/adam.c and its loop. */
#include "adam.h"

void prim_adam_f32(const struct strip *s, const struct instr *in)
{
    uint32_t g_last = in->imm & SPINDLE_ADAM_G_LAST;
    uint32_t *p_out = s->reg[in->reg[0]], *m_out = s->reg[in->reg[1]], *v_out = s->reg[in->reg[2]];
    const uint32_t *p = s->reg[in[1].reg[0]], *m = s->reg[in[1].reg[1]], *v = s->reg[in[1].reg[2]];
    const uint32_t *g = s->reg[in[1].imm & 0xff];
    uint32_t n = s->n;
    const struct adam k = adam_constants(s, in);
#pragma clang loop vectorize(assume_safety) interleave_count(1)
    for (uint32_t i = 0; i < n; i++) {
        struct moments old = {m[i], v[i]}, next = adam_moments(&k, old, g[i], g_last);
        p_out[i] = adam_parameter(&k, p[i], next);
        m_out[i] = next.m;
        v_out[i] = next.v;
    }
}
