/* ADAM_F32: one Adam step; every operation rounded as written.
 *
 *     m' = b1*m + c1*g      v' = b2*v + c2*(g*g), or b2*v + (c2*g)*g with ADAM_G_LAST
 *     p' = p - (alpha*m') / (sqrt(v') + eps)
 *
 * Three instructions: p', m', v' and flags; EXT p, m, v and (imm, low byte first) g, b1, c1, b2;
 * EXT c2, alpha, eps. The six constants are registers of which element 0 is read.
 */
#ifndef SPINDLE_ADAM_H
#define SPINDLE_ADAM_H

#include "sf.h"
#include "strip.h"

struct adam {
    uint32_t b1, c1, b2, c2, alpha, eps;
};

struct moments {
    uint32_t m, v;
};

STRIP_INLINE struct adam adam_constants(const struct strip *s, const struct instr *in)
{
    struct adam k = {
        s->reg[(in[1].imm >> 8) & 0xff][0],  s->reg[(in[1].imm >> 16) & 0xff][0],
        s->reg[(in[1].imm >> 24) & 0xff][0], s->reg[in[2].reg[0]][0],
        s->reg[in[2].reg[1]][0],             s->reg[in[2].reg[2]][0],
    };
    return k;
}

STRIP_INLINE struct moments adam_moments(const struct adam *k, struct moments old, uint32_t g,
                                         uint32_t g_last)
{
    uint32_t square = g_last ? sf_mul(sf_mul(k->c2, g), g) : sf_mul(k->c2, sf_mul(g, g));
    struct moments next;
    next.m = sf_add(sf_mul(k->b1, old.m), sf_mul(k->c1, g));
    next.v = sf_add(sf_mul(k->b2, old.v), square);
    return next;
}

STRIP_INLINE uint32_t adam_parameter(const struct adam *k, uint32_t p, struct moments next)
{
    return sf_sub(p, sf_div(sf_mul(k->alpha, next.m), sf_add(sf_sqrt(next.v), k->eps)));
}

#endif
