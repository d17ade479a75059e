/* The core's outer loop: reset, slices, interrupts, decode on demand, stepping, watches.
 *
 * In: arm.h calls. Out: core state. The threaded loop (handlers) runs ITCM code; code on the bus
 * and
 * every traced instruction run one at a time through run_step.
 */
#include <stdlib.h>

#include "exec.h"
#include "insns.h"

#define MAX_SLICE (1ull << 62) /* cycles left must fit an int64_t */

/* ---- interrupts, stops, errors */

static void take_interrupt(struct arm_core *core) {
    if (core->fiq_line && !(core->control & ARM_F))
        arm_take(core, ARM_V_FIQ, core->pc + 4);
    else if (core->irq_line && !(core->control & ARM_I))
        arm_take(core, ARM_V_IRQ, core->pc + 4);
}

static void shorten(struct arm_core *core, uint64_t cycle) {
    if (cycle < core->deadline)
        core->deadline = cycle;
}

static void line_changed(struct arm_core *core, bool level, uint32_t mask, uint64_t cycle) {
    if (!level)
        return;
    if (core->asleep && cycle > core->cycles)
        core->cycles = cycle;
    core->asleep = false;
    if (!(core->control & mask))
        shorten(core, core->cycles);
}

void arm_set_irq(struct arm_core *core, bool level, uint64_t cycle) {
    core->irq_line = level;
    line_changed(core, level, ARM_I, cycle);
}

void arm_set_fiq(struct arm_core *core, bool level, uint64_t cycle) {
    core->fiq_line = level;
    line_changed(core, level, ARM_F, cycle);
}

void arm_stop_at(struct arm_core *core, uint64_t cycle) {
    if (cycle < core->until)
        core->until = cycle;
    shorten(core, cycle);
}

void arm_stop(struct arm_core *core) {
    core->stop_request = true;
    shorten(core, core->cycles);
}

void arm_fail(struct arm_core *core, enum arm_error error, uint32_t detail) {
    core->error = error;
    core->error_detail = detail;
    core->error_pc = core->pc;
    shorten(core, core->cycles);
}

/* ---- leaving the threaded loop */

static void settle(struct arm_core *core, int64_t left, uint64_t count) {
    core->cycles = core->deadline - (uint64_t)left;
    core->instructions += count;
}

ARM_HANDLER(arm_leave) {
    core->pc = arm_pc_of(core, op);
    settle(core, left, count);
}

ARM_HANDLER(arm_jump_out) {
    settle(core, left - op->cycles, count + 1);
}

ARM_HANDLER(arm_jump) {
    left -= op->cycles;
    count++;
    if (UNLIKELY(left <= 0 || core->pc >= core->itcm_limit)) {
        settle(core, left, count);
        return;
    }
    op = core->code_ops + (core->pc >> core->code_shift);
    ARM_GO();
}

/* ---- decoding */

static uint32_t itcm_word(const struct arm_core *core, uint32_t pc, uint32_t shift) {
    uint32_t word = 0;
    if (pc < ARM_ITCM_SIZE)
        memcpy(&word, core->itcm + pc, (size_t)1 << shift);
    return word;
}

uint32_t arm_code_word(const struct arm_core *core, const struct arm_op *op, uint32_t ahead) {
    if (!core->itcm_limit)
        return core->step_words[ahead];
    return itcm_word(core, arm_pc_of(core, op + ahead), core->code_shift);
}

static struct arm_found find(uint32_t word, bool thumb) {
    return thumb ? arm_thumb_find(word) : arm_find(word);
}

static void build_itcm(struct arm_core *core, struct arm_op *op, uint32_t pc, bool local) {
    bool thumb = core->control & ARM_T;
    uint32_t shift = thumb ? 1 : 2, size = 1u << shift;
    struct arm_found found = find(itcm_word(core, pc, shift), thumb), next[2];
    next[0] = find(itcm_word(core, pc + size, shift), thumb);
    next[1] = find(itcm_word(core, pc + 2 * size, shift), thumb);
    arm_build(op, &found, pc, thumb, next, local);
}

ARM_HANDLER(arm_op_decode) {
    uint32_t pc = arm_pc_of(core, op);
    if (UNLIKELY(!core->itcm_limit || pc >= ARM_ITCM_SIZE))
        ARM_TAIL(arm_leave);
    build_itcm(core, core->ops[core->code_shift == 1] + (op - core->code_ops), pc, true);
    ARM_GO();
}

void arm_invalidate(struct arm_core *core, uint32_t addr, uint32_t size_bytes) {
    if (addr >= ARM_ITCM_SIZE || size_bytes == 0)
        return;
    uint32_t end = size_bytes > ARM_ITCM_SIZE - addr ? ARM_ITCM_SIZE : addr + size_bytes;
    for (uint32_t thumb = 0; thumb < 2; thumb++) {
        uint32_t shift = thumb ? 1 : 2, first = addr >> shift, last = (end - 1) >> shift;
        if (!core->ops[thumb])
            continue;
        /* the two ops in front hold interlocks with these */
        for (uint32_t i = first < 2 ? 0 : first - 2; i <= last; i++)
            core->ops[thumb][i].code = 0;
    }
}

/* ---- watches */

static void update_hull(struct arm_core *core) {
    uint32_t low = 0xffffffff, high = 0;
    for (int i = 0; i < ARM_MAX_WATCHES; i++) {
        const struct arm_range *range = &core->watches[i];
        if (!range->size)
            continue;
        low = range->base < low ? range->base : low;
        high = range->base + range->size > high ? range->base + range->size : high;
    }
    core->watch_base = low;
    core->watch_size = high > low ? high - low : 0;
}

int arm_watch(struct arm_core *core, uint32_t base, uint32_t size_bytes) {
    for (int i = 0; i < ARM_MAX_WATCHES; i++)
        if (!core->watches[i].size) {
            core->watches[i] = (struct arm_range){base, size_bytes};
            update_hull(core);
            return i;
        }
    return -1;
}

void arm_unwatch(struct arm_core *core, int handle) {
    core->watches[handle].size = 0;
    update_hull(core);
}

/* ---- running */

/* ITCM ops of the current state; false: no memory. */
static bool select_ops(struct arm_core *core) {
    bool thumb = core->control & ARM_T;
    if (!core->ops[thumb])
        core->ops[thumb] = calloc((ARM_ITCM_SIZE >> (thumb ? 1 : 2)) + 1, sizeof(struct arm_op));
    core->code_ops = core->ops[thumb];
    core->code_pc = 0;
    core->code_shift = thumb ? 1 : 2;
    core->itcm_limit = ARM_ITCM_SIZE;
    return core->code_ops != NULL;
}

static void run_threaded(struct arm_core *core) {
    if (!select_ops(core)) {
        arm_fail(core, ARM_ERROR_MEMORY, 0);
        return;
    }
    const struct arm_op *op = core->code_ops + (core->pc >> core->code_shift);
    arm_handler *handler = (arm_handler *)((uintptr_t)arm_op_decode + (intptr_t)op->code);
    handler(core, op, arm_left(core), 0);
}

/* The op of an instruction on the bus; null after a fetch fault. */
static const struct arm_op *fetch_step(struct arm_core *core) {
    bool thumb = core->control & ARM_T;
    uint32_t word = 0, size = thumb ? 2 : 4;
    uint32_t wait = core->bus->fetch(core->ctx, core, core->pc, size, &word);
    if (wait == ARM_BUS_FAULT)
        return NULL;
    core->cycles += wait;
    core->step_words[0] = word;
    core->step_words[1] = core->step_words[2] = 0;
    uint32_t key = core->pc | thumb;
    struct arm_step *step = &core->steps[(core->pc >> 1) % ARM_STEPS];
    if (step->key != key || step->word != word || !step->op[0].code) {
        struct arm_found found = find(word, thumb);
        arm_build(&step->op[0], &found, core->pc, thumb, NULL, false);
        step->key = key;
        step->word = word;
    }
    return step->op;
}

/* The op of a traced ITCM instruction, built anew: branches must not stay in the op array. */
static const struct arm_op *itcm_step(struct arm_core *core) {
    uint32_t shift = core->control & ARM_T ? 1 : 2;
    struct arm_step *step = &core->steps[ARM_STEPS];
    for (uint32_t i = 0; i < 3; i++)
        core->step_words[i] = itcm_word(core, core->pc + (i << shift), shift);
    build_itcm(core, &step->op[0], core->pc, false);
    return step->op;
}

static void run_step(struct arm_core *core) {
    const struct arm_op *op;
    core->code_shift = core->control & ARM_T ? 1 : 2;
    core->itcm_limit = 0;
    if (core->trace)
        core->trace(core->ctx, core);
    op = core->pc < ARM_ITCM_SIZE ? itcm_step(core) : fetch_step(core);
    if (!op) {
        if (core->bus->exception)
            core->bus->exception(core->ctx, core, ARM_V_PREFETCH);
        arm_take(core, ARM_V_PREFETCH, core->pc + 4);
        return;
    }
    core->code_ops = op;
    core->code_pc = core->pc;
    arm_handler *handler = (arm_handler *)((uintptr_t)arm_op_decode + (intptr_t)op->code);
    handler(core, op, arm_left(core), 0);
}

enum arm_result arm_run(struct arm_core *core, uint64_t until) {
    core->until = until;
    while (!core->error && !core->stop_request) {
        if (core->asleep)
            return ARM_ASLEEP;
        if (core->cycles >= core->until)
            return ARM_DONE;
        take_interrupt(core);
        core->deadline = core->until;
        shorten(core, core->cycles + MAX_SLICE);
        if (core->cycles >= core->until)
            return ARM_DONE;
        if (core->trace || core->pc >= ARM_ITCM_SIZE)
            run_step(core);
        else
            run_threaded(core);
    }
    if (core->error)
        return ARM_FAILED;
    core->stop_request = false;
    return ARM_STOPPED;
}

/* ---- life */

bool arm_init(struct arm_core *core, const struct arm_bus *bus, void *ctx) {
    memset(core, 0, sizeof *core);
    core->bus = bus;
    core->ctx = ctx;
    core->steps = calloc(ARM_STEPS + 1, sizeof(struct arm_step));
    core->control = ARM_SVC | ARM_I | ARM_F;
    update_hull(core);
    arm_reset(core, true);
    return core->steps != NULL;
}

void arm_copy_state(struct arm_core *core, const struct arm_core *from) {
    struct arm_op *ops[2] = {core->ops[0], core->ops[1]};
    struct arm_step *steps = core->steps;
    const struct arm_bus *bus = core->bus;
    arm_trace *trace = core->trace;
    void *ctx = core->ctx;
    memcpy(core, from, sizeof *core);
    core->ops[0] = ops[0];
    core->ops[1] = ops[1];
    core->steps = steps;
    core->bus = bus;
    core->trace = trace;
    core->ctx = ctx;
    arm_invalidate(core, 0, ARM_ITCM_SIZE);
}

void arm_free(struct arm_core *core) {
    free(core->ops[0]);
    free(core->ops[1]);
    free(core->steps);
}

void arm_reset(struct arm_core *core, bool high_vectors) {
    arm_set_control(core, ARM_SVC | ARM_I | ARM_F);
    core->cp15_control = high_vectors ? ARM_CP15_HIGH_VECTORS : 0;
    core->pc = high_vectors ? 0xffff0000 : 0;
    core->asleep = core->stop_request = false;
    core->error = ARM_OK;
}
