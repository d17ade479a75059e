/* ADAM_F32: one Adam step on a strip; every operation rounded as written.
 *
 *     m' = b1*m + c1*g      v' = b2*v + c2*(g*g), or b2*v + (c2*g)*g with ADAM_G_LAST
 *     p' = p - (alpha*m') / (sqrt(v') + eps)
 *
 * Three instructions: p', m', v' and flags; EXT p, m, v and (imm, low byte first) g, b1, c1, b2;
 * EXT c2, alpha, eps. The six constants are registers of which element 0 is read.
 */
#include "sf.h"
#include "strip.h"

struct adam {
    uint32_t b1, c1, b2, c2, alpha, eps;
};

struct moments {
    uint32_t m, v;
};

STRIP_INLINE uint32_t square(uint32_t g, uint32_t c2, uint32_t g_last)
{
    return g_last ? sf_mul(sf_mul(c2, g), g) : sf_mul(c2, sf_mul(g, g));
}

STRIP_INLINE struct moments decay(const struct adam *k, uint32_t m, uint32_t v, uint32_t g,
                                  uint32_t g_last)
{
    struct moments next;
    next.m = sf_add(sf_mul(k->b1, m), sf_mul(k->c1, g));
    next.v = sf_add(sf_mul(k->b2, v), square(g, k->c2, g_last));
    return next;
}

void prim_adam_f32(const struct strip *s, const struct instr *in)
{
    uint32_t g_last = in->imm & SPINDLE_ADAM_G_LAST;
    uint32_t *p_out = s->reg[in->reg[0]], *m_out = s->reg[in->reg[1]], *v_out = s->reg[in->reg[2]];
    const uint32_t *p = s->reg[in[1].reg[0]], *m = s->reg[in[1].reg[1]], *v = s->reg[in[1].reg[2]];
    const uint32_t *g = s->reg[in[1].imm & 0xff];
    uint32_t n = s->n;
    const struct adam k = {
        s->reg[(in[1].imm >> 8) & 0xff][0],  s->reg[(in[1].imm >> 16) & 0xff][0],
        s->reg[(in[1].imm >> 24) & 0xff][0], s->reg[in[2].reg[0]][0],
        s->reg[in[2].reg[1]][0],             s->reg[in[2].reg[2]][0],
    };
#pragma clang loop vectorize(assume_safety) interleave_count(1)
    for (uint32_t i = 0; i < n; i++) {
        struct moments next = decay(&k, m[i], v[i], g[i], g_last);
        uint32_t step = sf_div(sf_mul(k.alpha, next.m), sf_add(sf_sqrt(next.v), k.eps));
        p_out[i] = sf_sub(p[i], step);
        m_out[i] = next.m;
        v_out[i] = next.v;
    }
}
