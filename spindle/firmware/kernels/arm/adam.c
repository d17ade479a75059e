/* ADAM_F32 on a strip (adam.h), ARM: prepares the constants for adam_loop.S, and does by calls what
 * the loop does not take: elements and constants outside its exponents. Twin: ../adam.c.
 */
#include "adam_loop.h"

#define INF 0x7f800000u
#define FIELD(n) ((uint32_t)(n) << 23)
#define N_CONSTANTS 6

static uint32_t field(uint32_t bits) { return (bits & INF) >> 23; }

/* 1: p' = p whatever the root, as |alpha*m'| / eps is within a quarter of p's last place; so it is
 * where m, without gradients, has decayed to nearly nothing. 103: a denormal product or quotient may
 * be rounded up to 2^-149. */
static uint32_t stands(const struct adam *k, uint32_t p, struct moments next)
{
    uint32_t reach = field(next.m) + field(k->alpha), of_p = field(p), of_eps = k->eps >> 23;
    reach = reach < 103 ? 103 : reach;
    return reach < 255 && reach + 27 <= of_p + of_eps && of_p < 255 && of_eps < 128 &&
           next.v <= INF;
}

void adam_element(const struct adam_loop *a, uint32_t i)
{
    i /= 4;
    uint32_t p = a->p[i];
    struct moments old = {a->m[i], a->v[i]}, next = adam_moments(&a->k, old, a->g[i], a->g_last);
    a->p_out[i] = stands(&a->k, p, next) ? p : adam_parameter(&a->k, p, next);
    a->m_out[i] = next.m;
    a->v_out[i] = next.v;
}

/* Returns 0 where the loop cannot take the constants. The biases are those of adam_loop.S. */
static uint32_t prepare(struct adam_loop *a)
{
    static const uint8_t LOW[N_CONSTANTS] = {112, 112, 112, 112, 103, 1};
    static const uint8_t BIAS[N_CONSTANTS] = {126, 126, 126, 125, 0, 0};
    const uint32_t *k = &a->k.b1;
    uint32_t usual = 1;
    for (uint32_t i = 0; i < N_CONSTANTS; i++) {
        a->factor[i].significand = k[i] << 8 | 0x80000000u;
        a->factor[i].exponent = (k[i] & INF) - FIELD(BIAS[i]);
        usual &= k[i] - FIELD(LOW[i]) < FIELD(128 - LOW[i]);
    }
    a->factor[N_CONSTANTS - 1].significand >>= 8;
    return usual;
}

void prim_adam_f32(const struct strip *s, const struct instr *in)
{
    struct adam_loop a;
    uint32_t i = 4 * (s->n - 1);
    a.p_out = s->reg[in->reg[0]];
    a.m_out = s->reg[in->reg[1]];
    a.v_out = s->reg[in->reg[2]];
    a.p = s->reg[in[1].reg[0]];
    a.m = s->reg[in[1].reg[1]];
    a.v = s->reg[in[1].reg[2]];
    a.g = s->reg[in[1].imm & 0xff];
    a.g_last = in->imm & SPINDLE_ADAM_G_LAST;
    a.seeds = sf_seeds;
    a.k = adam_constants(s, in);
    if (prepare(&a)) {
        adam_loop(&a, i);
        return;
    }
    for (i += 4; i != 0;) {
        i -= 4;
        adam_element(&a, i);
    }
}
