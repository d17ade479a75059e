/* Multiplies, saturating arithmetic, CLZ.
 *
 * In: op->rd, rn, rm and, for multiplies, rs in the low four bits of op->imm. Multiplies write
 * r[op->rd] (long ones low word to rd, high word to rn); short accumulators come from rn.
 * op->imm bit 4 = x (top half of rm), bit 5 = y (top half of rs).
 */
#include "exec.h"

#define RM core->r[op->rm]
#define RS core->r[op->imm & 15]

ARM_HANDLER(arm_mul) {
    core->r[op->rd] = RM * RS;
    ARM_NEXT();
}

ARM_HANDLER(arm_muls) {
    arm_set_nz(core, core->r[op->rd] = RM * RS);
    ARM_NEXT();
}

ARM_HANDLER(arm_mla) {
    core->r[op->rd] = RM * RS + core->r[op->rn];
    ARM_NEXT();
}

ARM_HANDLER(arm_mlas) {
    arm_set_nz(core, core->r[op->rd] = RM * RS + core->r[op->rn]);
    ARM_NEXT();
}

ALWAYS_INLINE uint64_t pair(const struct arm_core *core, const struct arm_op *op) {
    return (uint64_t)core->r[op->rn] << 32 | core->r[op->rd];
}

ALWAYS_INLINE void set_pair(struct arm_core *core, const struct arm_op *op, uint64_t value) {
    core->r[op->rd] = (uint32_t)value;
    core->r[op->rn] = (uint32_t)(value >> 32);
}

ARM_HANDLER(arm_umull) {
    set_pair(core, op, (uint64_t)RM * RS);
    ARM_NEXT();
}

ARM_HANDLER(arm_umlal) {
    set_pair(core, op, (uint64_t)RM * RS + pair(core, op));
    ARM_NEXT();
}

ARM_HANDLER(arm_smull) {
    set_pair(core, op, (uint64_t)((int64_t)(int32_t)RM * (int32_t)RS));
    ARM_NEXT();
}

ARM_HANDLER(arm_smlal) {
    set_pair(core, op, (uint64_t)((int64_t)(int32_t)RM * (int32_t)RS) + pair(core, op));
    ARM_NEXT();
}

/* The four long multiplies with S; bits 4, 5 of imm: accumulate, signed. */
ARM_HANDLER(arm_long_flags) {
    uint64_t product = op->imm & 0x20 ? (uint64_t)((int64_t)(int32_t)RM * (int32_t)RS)
                                      : (uint64_t)RM * RS;
    if (op->imm & 0x10)
        product += pair(core, op);
    set_pair(core, op, product);
    core->n = (uint32_t)(product >> 32);
    core->z = product != 0;
    ARM_NEXT();
}

ALWAYS_INLINE int32_t half(uint32_t word, uint32_t top) {
    return top ? (int32_t)word >> 16 : (int16_t)word;
}

ALWAYS_INLINE void accumulate(struct arm_core *core, const struct arm_op *op, int32_t product) {
    int32_t sum;
    core->q |= __builtin_add_overflow(product, (int32_t)core->r[op->rn], &sum);
    core->r[op->rd] = (uint32_t)sum;
}

#define SMLA_HANDLER(name, x, y)                                                                  \
    static ARM_HANDLER(name) {                                                                    \
        accumulate(core, op, half(RM, x) * half(RS, y));                                          \
        ARM_NEXT();                                                                               \
    }

SMLA_HANDLER(smlabb, 0, 0)
SMLA_HANDLER(smlabt, 0, 1)
SMLA_HANDLER(smlatb, 1, 0)
SMLA_HANDLER(smlatt, 1, 1)

/* [x][y] */
arm_handler *const arm_smla_handlers[2][2] = {{smlabb, smlabt}, {smlatb, smlatt}};

ALWAYS_INLINE int32_t wide_product(const struct arm_core *core, const struct arm_op *op) {
    return (int32_t)((int64_t)(int32_t)RM * half(RS, op->imm & 0x20) >> 16);
}

ARM_HANDLER(arm_smlaw) {
    accumulate(core, op, wide_product(core, op));
    ARM_NEXT();
}

ARM_HANDLER(arm_smulw) {
    core->r[op->rd] = (uint32_t)wide_product(core, op);
    ARM_NEXT();
}

ARM_HANDLER(arm_smulxy) {
    core->r[op->rd] = (uint32_t)(half(RM, op->imm & 0x10) * half(RS, op->imm & 0x20));
    ARM_NEXT();
}

ARM_HANDLER(arm_smlalxy) {
    int64_t product = half(RM, op->imm & 0x10) * half(RS, op->imm & 0x20);
    set_pair(core, op, (uint64_t)product + pair(core, op));
    ARM_NEXT();
}

static int32_t saturated(struct arm_core *core, int64_t value) {
    int32_t low = value > INT32_MAX ? INT32_MAX : value < INT32_MIN ? INT32_MIN : (int32_t)value;
    core->q |= low != value;
    return low;
}

/* QADD, QSUB, QDADD, QDSUB = imm 0..3: rm +- [2x] rn. */
ARM_HANDLER(arm_saturate) {
    int64_t m = (int32_t)RM, n = (int32_t)core->r[op->rn];
    if (op->imm & 2)
        n = saturated(core, 2 * n);
    core->r[op->rd] = (uint32_t)saturated(core, op->imm & 1 ? m - n : m + n);
    ARM_NEXT();
}

ARM_HANDLER(arm_clz) {
    core->r[op->rd] = RM ? (uint32_t)__builtin_clz(RM) : 32;
    ARM_NEXT();
}
