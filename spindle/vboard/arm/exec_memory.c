/* Single loads and stores: fast handlers for DTCM, slow twins for ITCM, the bus, watches and
 * faults.
 *
 * In: op->rn base (16 = none), op->imm signed offset or (O_SHIFTED) shift description, op->rm
 * offset
 * register. Out: r[op->rd] or memory, the base written back after a transfer that did not fault
 * (base restored abort model).
 */
#include "exec.h"

/* ---- transfers of any address, after arm_publish */

static bool is_itcm(uint32_t addr) {
    return addr < ARM_ITCM_SIZE;
}

static uint8_t *tcm_at(struct arm_core *core, uint32_t addr) {
    if (is_itcm(addr))
        return core->itcm + addr;
    return arm_in_dtcm(addr, 0) ? arm_dtcm_at(core, addr) : NULL;
}

static void report_watch(struct arm_core *core, uint32_t addr, uint32_t size, bool is_write) {
    if (!arm_is_watched(core, addr) || !core->bus->watch)
        return;
    for (int i = 0; i < ARM_MAX_WATCHES; i++)
        if (addr - core->watches[i].base < core->watches[i].size) {
            core->bus->watch(core->ctx, core, addr, size, is_write);
            return;
        }
}

static uint32_t bus_cycles(struct arm_core *core, uint32_t wait) {
    if (wait != ARM_BUS_FAULT)
        core->cycles += wait;
    return wait;
}

bool arm_data_read(struct arm_core *core, uint32_t addr, uint32_t size, uint32_t *value) {
    uint8_t *at = tcm_at(core, addr);
    *value = 0;
    if (!at)
        return bus_cycles(core, core->bus->read(core->ctx, core, addr, size, value)) !=
               ARM_BUS_FAULT;
    report_watch(core, addr, size, false);
    memcpy(value, at, size);
    core->cycles += is_itcm(addr) ? ARM_ITCM_DATA_CYCLES : 0;
    return true;
}

bool arm_data_write(struct arm_core *core, uint32_t addr, uint32_t size, uint32_t value) {
    uint8_t *at = tcm_at(core, addr);
    if (!at)
        return bus_cycles(core, core->bus->write(core->ctx, core, addr, size, value)) !=
               ARM_BUS_FAULT;
    report_watch(core, addr, size, true);
    memcpy(at, &value, size);
    if (is_itcm(addr)) {
        arm_invalidate(core, addr, size);
        core->cycles += ARM_ITCM_DATA_CYCLES;
    }
    return true;
}

/* ---- slow twins: address in slow_addr, base to write back in slow_base -> r[slow_reg] */

/* False where the access is not aligned and the core checks that. */
ALWAYS_INLINE bool slow_begin(struct arm_core *core, const struct arm_op *op, int64_t left,
                              uint32_t size) {
    arm_publish(core, op, left);
    return !(core->slow_addr & (size - 1)) || !arm_checks_alignment(core);
}

ALWAYS_INLINE bool slow_read(struct arm_core *core, const struct arm_op *op, int64_t left,
                             uint32_t size, uint32_t *value) {
    if (!slow_begin(core, op, left, size))
        return false;
    if (!arm_data_read(core, core->slow_addr & -size, size, value))
        return false;
    core->r[core->slow_reg] = core->slow_base;
    return true;
}

#define SLOW_LOAD(name, size, result)                                                             \
    static ARM_HANDLER(name) {                                                                    \
        uint32_t value;                                                                           \
        if (!slow_read(core, op, left, size, &value))                                             \
            ARM_TAIL(arm_data_abort);                                                             \
        left = arm_left(core);                                                                    \
        core->r[op->rd] = (result);                                                               \
        ARM_NEXT();                                                                               \
    }

SLOW_LOAD(slow_ldr, 4, arm_ror(value, (core->slow_addr & 3) * 8))
SLOW_LOAD(slow_ldrb, 1, value)
SLOW_LOAD(slow_ldrh, 2, value)
SLOW_LOAD(slow_ldrsb, 1, (uint32_t)(int8_t)value)
SLOW_LOAD(slow_ldrsh, 2, (uint32_t)(int16_t)value)

ALWAYS_INLINE bool slow_write(struct arm_core *core, const struct arm_op *op, int64_t left,
                              uint32_t size, uint32_t value) {
    if (!slow_begin(core, op, left, size))
        return false;
    if (!arm_data_write(core, core->slow_addr & -size, size, value))
        return false;
    core->r[core->slow_reg] = core->slow_base;
    return true;
}

#define SLOW_STORE(name, size, mask)                                                              \
    static ARM_HANDLER(name) {                                                                    \
        if (!slow_write(core, op, left, size, core->r[op->rd] & (mask)))                          \
            ARM_TAIL(arm_data_abort);                                                             \
        left = arm_left(core);                                                                    \
        ARM_NEXT();                                                                               \
    }

SLOW_STORE(slow_str, 4, 0xffffffff)
SLOW_STORE(slow_strb, 1, 0xff)
SLOW_STORE(slow_strh, 2, 0xffff)

/* ---- fast handlers */

struct place {
    uint32_t addr, base; /* of the transfer; of the base register afterwards */
};

ALWAYS_INLINE struct place place_of(const struct arm_core *core, const struct arm_op *op,
                                    enum arm_offset form, enum arm_addressing mode) {
    uint32_t base = core->r[op->rn], offset = op->imm;
    if (form == O_REG)
        offset = core->r[op->rm];
    if (form == O_SHIFTED) {
        offset = arm_shift_offset(core, core->r[op->rm], op->imm >> 5 & 3, op->imm & 31);
        if (op->imm & O_SUBTRACT)
            offset = -offset;
    }
    return (struct place){mode == M_POST ? base : base + offset, base + offset};
}

ALWAYS_INLINE void hand_over(struct arm_core *core, const struct arm_op *op, struct place place,
                             enum arm_addressing mode) {
    core->slow_addr = place.addr;
    core->slow_base = place.base;
    core->slow_reg = mode == M_OFFSET ? ARM_SINK : op->rn;
}

ALWAYS_INLINE uint32_t dtcm_load(struct arm_core *core, uint32_t addr, enum arm_access access) {
    const uint8_t *at = arm_dtcm_at(core, addr);
    uint32_t word;
    uint16_t half;
    switch (access) {
    case A_LDR: memcpy(&word, at, 4); return word;
    case A_LDRB: return *at;
    case A_LDRSB: return (uint32_t)(int8_t)*at;
    case A_LDRH: memcpy(&half, at, 2); return half;
    default: memcpy(&half, at, 2); return (uint32_t)(int16_t)half;
    }
}

#define LOAD(name, access, shift, form, mode, slow)                                               \
    static ARM_HANDLER(name) {                                                                    \
        struct place place = place_of(core, op, form, mode);                                      \
        if (UNLIKELY(!arm_in_dtcm(place.addr, shift) || arm_is_watched(core, place.addr))) {      \
            hand_over(core, op, place, mode);                                                     \
            ARM_TAIL(slow);                                                                       \
        }                                                                                         \
        if (mode != M_OFFSET)                                                                     \
            core->r[op->rn] = place.base;                                                         \
        core->r[op->rd] = dtcm_load(core, place.addr, access);                                    \
        ARM_NEXT();                                                                               \
    }

#define STORE(name, size, shift, form, mode, slow)                                                \
    static ARM_HANDLER(name) {                                                                    \
        struct place place = place_of(core, op, form, mode);                                      \
        if (UNLIKELY(!arm_in_dtcm(place.addr, shift) || arm_is_watched(core, place.addr))) {      \
            hand_over(core, op, place, mode);                                                     \
            ARM_TAIL(slow);                                                                       \
        }                                                                                         \
        memcpy(arm_dtcm_at(core, place.addr), &core->r[op->rd], size);                            \
        if (mode != M_OFFSET)                                                                     \
            core->r[op->rn] = place.base;                                                         \
        ARM_NEXT();                                                                               \
    }

#define NINE(kind, name, what, shift, slow)                                                       \
    kind(name##_imm, what, shift, O_IMM, M_OFFSET, slow)                                          \
    kind(name##_imm_pre, what, shift, O_IMM, M_PRE, slow)                                         \
    kind(name##_imm_post, what, shift, O_IMM, M_POST, slow)                                       \
    kind(name##_reg, what, shift, O_REG, M_OFFSET, slow)                                          \
    kind(name##_reg_pre, what, shift, O_REG, M_PRE, slow)                                         \
    kind(name##_reg_post, what, shift, O_REG, M_POST, slow)                                       \
    kind(name##_shift, what, shift, O_SHIFTED, M_OFFSET, slow)                                    \
    kind(name##_shift_pre, what, shift, O_SHIFTED, M_PRE, slow)                                   \
    kind(name##_shift_post, what, shift, O_SHIFTED, M_POST, slow)

NINE(LOAD, ldr, A_LDR, 2, slow_ldr)
NINE(LOAD, ldrb, A_LDRB, 0, slow_ldrb)
NINE(LOAD, ldrh, A_LDRH, 1, slow_ldrh)
NINE(LOAD, ldrsb, A_LDRSB, 0, slow_ldrsb)
NINE(LOAD, ldrsh, A_LDRSH, 1, slow_ldrsh)
NINE(STORE, str, 4, 2, slow_str)
NINE(STORE, strb, 1, 0, slow_strb)
NINE(STORE, strh, 2, 1, slow_strh)

#define ROWS(n)                                                                                   \
    {{n##_imm, n##_imm_pre, n##_imm_post},                                                        \
     {n##_reg, n##_reg_pre, n##_reg_post},                                                        \
     {n##_shift, n##_shift_pre, n##_shift_post}}

/* [enum arm_access][enum arm_offset][enum arm_addressing] */
arm_handler *const arm_load_store_handlers[8][3][3] = {
    ROWS(ldr), ROWS(ldrb), ROWS(str), ROWS(strb), ROWS(ldrh), ROWS(ldrsb), ROWS(ldrsh), ROWS(strh),
};

/* ---- the rest */

/* A word of ITCM at the fixed address imm (its cycles include the ITCM data access). */
ARM_HANDLER(arm_load_literal) {
    if (UNLIKELY(arm_is_watched(core, op->imm))) {
        arm_publish(core, op, left);
        report_watch(core, op->imm, 4, false);
        left = arm_left(core);
    }
    memcpy(&core->r[op->rd], core->itcm + op->imm, 4);
    ARM_NEXT();
}

/* Address and write-back register of a word access (bits as in LDR/STR), from its instruction
 * word. */
static void place_from_word(struct arm_core *core, const struct arm_op *op) {
    uint32_t word = op->imm, rn = word >> 16 & 15, offset = word & 0xfff;
    bool pre = word >> 24 & 1, half = !(word >> 26 & 1);
    uint32_t base = rn == 15 ? arm_r15_of(core, op) & ~3u : core->r[rn];
    if (half)
        offset = word >> 22 & 1 ? (word >> 4 & 0xf0) | (word & 15) : core->r[word & 15];
    else if (word >> 25 & 1)
        offset = arm_shift_offset(core, core->r[word & 15], word >> 5 & 3, word >> 7 & 31);
    uint32_t moved = word >> 23 & 1 ? base + offset : base - offset;
    core->slow_addr = pre ? moved : base;
    core->slow_base = moved;
    core->slow_reg = !pre || (word >> 21 & 1) ? rn : ARM_SINK;
}

/* LDR pc; bit 0 selects Thumb. */
ARM_HANDLER(arm_load_pc) {
    uint32_t value;
    place_from_word(core, op);
    if (!slow_read(core, op, left, 4, &value))
        ARM_TAIL(arm_data_abort);
    left = arm_left(core);
    value = arm_ror(value, (core->slow_addr & 3) * 8);
    core->control = (core->control & ~ARM_T) | (value & 1 ? ARM_T : 0);
    core->pc = value & (value & 1 ? ~1u : ~3u);
    ARM_TAIL(arm_jump_out);
}

/* Stores of r15: 12 bytes ahead (ARM9E-S stores address + 12). */
ARM_HANDLER(arm_store_generic) {
    uint32_t size = op->imm >> 26 & 1 ? (op->imm >> 22 & 1 ? 1 : 4) : 2;
    uint32_t value = op->rd == 15 ? arm_r15_of(core, op) + 4 : core->r[op->rd];
    place_from_word(core, op);
    if (!slow_write(core, op, left, size, size == 4 ? value : value & ((1u << size * 8) - 1)))
        ARM_TAIL(arm_data_abort);
    left = arm_left(core);
    ARM_NEXT();
}

/* Doublewords must be 8-byte aligned; checked only while CP15 checks alignment. */
static bool double_fits(const struct arm_core *core) {
    return !((core->slow_addr & 7) && arm_checks_alignment(core));
}

ARM_HANDLER(arm_load_double) {
    uint32_t low, high;
    place_from_word(core, op);
    arm_publish(core, op, left);
    uint32_t addr = core->slow_addr & ~3u;
    if (!double_fits(core) || !arm_data_read(core, addr, 4, &low))
        ARM_TAIL(arm_data_abort);
    core->cycles++;
    if (!arm_data_read(core, addr + 4, 4, &high))
        ARM_TAIL(arm_data_abort);
    left = arm_left(core) + 1;
    core->r[core->slow_reg] = core->slow_base;
    core->r[op->rd] = low;
    core->r[op->rd + 1] = high;
    ARM_NEXT();
}

ARM_HANDLER(arm_store_double) {
    place_from_word(core, op);
    arm_publish(core, op, left);
    uint32_t addr = core->slow_addr & ~3u;
    if (!double_fits(core) || !arm_data_write(core, addr, 4, core->r[op->rd]))
        ARM_TAIL(arm_data_abort);
    core->cycles++;
    if (!arm_data_write(core, addr + 4, 4, core->r[op->rd + 1]))
        ARM_TAIL(arm_data_abort);
    left = arm_left(core) + 1;
    core->r[core->slow_reg] = core->slow_base;
    ARM_NEXT();
}

/* SWP, SWPB (imm = 4 or 1 bytes): [rn] and rd <- [rn], [rn] <- rm. */
ARM_HANDLER(arm_swap) {
    uint32_t addr = core->r[op->rn], size = op->imm, value;
    uint32_t stored = size == 4 ? core->r[op->rm] : core->r[op->rm] & 0xff;
    arm_publish(core, op, left);
    if ((addr & (size - 1)) && arm_checks_alignment(core))
        ARM_TAIL(arm_data_abort);
    if (!arm_data_read(core, addr & -size, size, &value))
        ARM_TAIL(arm_data_abort);
    core->cycles++;
    if (!arm_data_write(core, addr & -size, size, stored))
        ARM_TAIL(arm_data_abort);
    left = arm_left(core) + 1;
    core->r[op->rd] = size == 4 ? arm_ror(value, (addr & 3) * 8) : value;
    ARM_NEXT();
}
