/* IOTA, which counts up along a dim, and EXT, which only carries words. */
#include "strip.h"

/* Words of the instruction before; nothing to do by itself. */
void prim_ext(const struct strip *s, const struct instr *in)
{
    (void)s;
    (void)in;
}

static void repeat(const struct strip *s, const struct instr *in, uint32_t value)
{
    uint32_t *d = s->reg[in->reg[0]], n = s->n;
    for (uint32_t i = 0; i < n; i++) {
        d[i] = value;
    }
}

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
        repeat(s, in, value);
    }
}
