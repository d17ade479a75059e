/* Primitives that place words: SPLAT, BCAST, COPY, IOTA, SELECT. NaN payloads are kept. */
#include "strip.h"

/* Words of the instruction before; nothing to do by itself. */
void prim_ext(const struct strip *s, const struct instr *in)
{
    (void)s;
    (void)in;
}

static void splat(const struct strip *s, uint32_t reg, uint32_t value)
{
    uint32_t *d = s->reg[reg], n = s->n;
    for (uint32_t i = 0; i < n; i++) {
        d[i] = value;
    }
}

void prim_splat(const struct strip *s, const struct instr *in) { splat(s, in->reg[0], in->imm); }

void prim_bcast(const struct strip *s, const struct instr *in)
{
    splat(s, in->reg[0], s->reg[in->reg[1]][0]);
}

static inline uint32_t same(uint32_t a) { return a; }
void prim_copy(const struct strip *s, const struct instr *in) { map_1(s, in, same); }

/* value = (index / divisor) % modulus, counted on from the first element's. */
static void count_up(const struct strip *s, const struct instr *in, uint32_t value, uint32_t rest)
{
    uint32_t *d = s->reg[in->reg[0]], n = s->n, divisor = in->imm, modulus = in[1].imm;
    for (uint32_t i = 0; i < n; i++) {
        d[i] = value;
        if (++rest == divisor) {
            rest = 0;
            value = value + 1 == modulus ? 0 : value + 1;
        }
    }
}

void prim_iota(const struct strip *s, const struct instr *in)
{
    uint32_t dim = in->reg[1], index = s->args->tile.origin[dim & 3], quotient, value;
    index += dim == 1 ? s->row : dim == 2 ? s->column : 0;
    quotient = index / in->imm;
    value = quotient % in[1].imm;
    if (dim == 2) {
        count_up(s, in, value, index - quotient * in->imm);
    } else {
        splat(s, in->reg[0], value);
    }
}

void prim_select(const struct strip *s, const struct instr *in)
{
    uint32_t *d = s->reg[in->reg[0]], n = s->n;
    const uint32_t *pred = s->reg[in->reg[1]], *yes = s->reg[in->reg[2]];
    const uint32_t *no = s->reg[in->imm & 0xff];
#pragma clang loop vectorize(assume_safety) interleave_count(1)
    for (uint32_t i = 0; i < n; i++) {
        uint32_t a = yes[i], b = no[i];
        d[i] = pred[i] ? a : b;
    }
}
