/* LDM and STM in all forms.
 *
 * In: op->imm = instruction word; op->rn base; op->rm = number of registers. Words are transferred
 * upwards from
 * the lowest address, one per cycle. Out: registers or memory; the base is written back unless the
 * transfer faults. A loaded base wins over write-back; a stored base is the old one.
 */
#include "exec.h"

#define BIT_LOAD (1u << 20)
#define BIT_WRITE_BACK (1u << 21)
#define BIT_USER (1u << 22)
#define BIT_UP (1u << 23)
#define BIT_BEFORE (1u << 24)

struct block {
    uint32_t first, base; /* lowest address; base register afterwards */
};

ALWAYS_INLINE struct block block_of(const struct arm_core *core, const struct arm_op *op) {
    uint32_t base = core->r[op->rn], bytes = (uint32_t)op->rm * 4, word = op->imm;
    if (word & BIT_UP)
        return (struct block){base + (word & BIT_BEFORE ? 4 : 0), base + bytes};
    return (struct block){base - bytes + (word & BIT_BEFORE ? 0 : 4), base - bytes};
}

/* The whole block is aligned, in DTCM and away from the watch hull. */
ALWAYS_INLINE bool is_fast(const struct arm_core *core, uint32_t first, uint32_t bytes) {
    uint32_t offset = first - ARM_DTCM_BASE;
    bool clear = core->watch_size == 0 || first - core->watch_base >= core->watch_size;
    bool ahead = core->watch_base - first >= bytes || core->watch_size == 0;
    return !(first & 3) && offset < ARM_DTCM_SIZE && offset + bytes <= ARM_DTCM_SIZE && clear &&
           ahead;
}

ARM_HANDLER(arm_load_multiple) {
    struct block block = block_of(core, op);
    if (UNLIKELY(!is_fast(core, block.first, (uint32_t)op->rm * 4)))
        ARM_TAIL(arm_load_multiple_slow);
    const uint8_t *at = arm_dtcm_at(core, block.first);
    if (op->imm & BIT_WRITE_BACK)
        core->r[op->rn] = block.base;
    for (uint32_t list = op->imm & 0xffff; list; list &= list - 1, at += 4)
        memcpy(&core->r[__builtin_ctz(list)], at, 4);
    ARM_NEXT();
}

ARM_HANDLER(arm_store_multiple) {
    struct block block = block_of(core, op);
    if (UNLIKELY(!is_fast(core, block.first, (uint32_t)op->rm * 4)))
        ARM_TAIL(arm_store_multiple_slow);
    uint8_t *at = arm_dtcm_at(core, block.first);
    for (uint32_t list = op->imm & 0xffff; list; list &= list - 1, at += 4)
        memcpy(at, &core->r[__builtin_ctz(list)], 4);
    if (op->imm & BIT_WRITE_BACK)
        core->r[op->rn] = block.base;
    ARM_NEXT();
}

/* The register of list bit i; with ^ (and no r15 in the list) the user bank's. */
static uint32_t *block_register(struct arm_core *core, const struct arm_op *op, uint32_t i) {
    bool user = (op->imm & BIT_USER) && !((op->imm & BIT_LOAD) && (op->imm & 0x8000));
    return user ? arm_user_reg(core, i) : &core->r[i];
}

/* Any address, ^, r15. After a fault no register has changed. */
ARM_HANDLER(arm_load_multiple_slow) {
    struct block block = block_of(core, op);
    uint32_t addr = block.first, old_base = core->r[op->rn], values[16], n = 0;
    uint32_t list = op->imm & 0xffff;
    arm_publish(core, op, left);
    if ((addr & 3) && arm_checks_alignment(core))
        ARM_TAIL(arm_data_abort);
    for (uint32_t rest = list; rest; rest &= rest - 1, n++, core->cycles++)
        if (!arm_data_read(core, (addr & ~3u) + 4 * n, 4, &values[n]))
            ARM_TAIL(arm_data_abort);
    left = arm_left(core) + n;
    core->r[op->rn] = op->imm & BIT_WRITE_BACK ? block.base : old_base;
    n = 0;
    for (uint32_t rest = list & 0x7fff; rest; rest &= rest - 1)
        *block_register(core, op, (uint32_t)__builtin_ctz(rest)) = values[n++];
    if (!(list & 0x8000))
        ARM_NEXT();
    if (op->imm & BIT_USER)
        arm_restore_cpsr(core);
    else
        core->control = (core->control & ~ARM_T) | (values[n] & 1 ? ARM_T : 0);
    core->pc = values[n] & (core->control & ARM_T ? ~1u : ~3u);
    ARM_TAIL(arm_jump_out);
}

ARM_HANDLER(arm_store_multiple_slow) {
    struct block block = block_of(core, op);
    uint32_t addr = block.first, n = 0;
    arm_publish(core, op, left);
    core->r[15] = arm_r15_of(core, op) + 4;
    if ((addr & 3) && arm_checks_alignment(core))
        ARM_TAIL(arm_data_abort);
    for (uint32_t rest = op->imm & 0xffff; rest; rest &= rest - 1, n++, core->cycles++) {
        uint32_t value = *block_register(core, op, (uint32_t)__builtin_ctz(rest));
        if (!arm_data_write(core, (addr & ~3u) + 4 * n, 4, value))
            ARM_TAIL(arm_data_abort);
    }
    left = arm_left(core) + n;
    if (op->imm & BIT_WRITE_BACK)
        core->r[op->rn] = block.base;
    ARM_NEXT();
}
