/* SPLAT, BCAST, COPY, SELECT: place words; bits are kept, NaN payloads too. Plain C, twin of
 * arm/strip_move.S (same bits).
 */
#include "strip.h"

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
