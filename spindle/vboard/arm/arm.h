/* One ARM968E-S core (ARMv5TE: ARM, Thumb, DSP multiplies) as a predecoded, cycle counted
 * interpreter.
 *
 * In: code and data in the two TCMs and behind `struct arm_bus`, the interrupt lines, a cycle to
 * run to.
 * Out: registers, memory, bus calls at their exact cycle, core->cycles.
 * Follows: ARM DDI 0100E (ARMv5TE), cycle tables of ARM9E-S DDI 0165B chapter 8.
 *
 *   0x00000000  ITCM 32 KB   code; data accesses cost ARM_ITCM_DATA_CYCLES more
 *   0x00400000  DTCM 64 KB   data, one cycle
 *   elsewhere   struct arm_bus, wait cycles said by the bus
 *
 * Not modelled: TCM enable bits of CP15 c1 (both TCMs always answer), LDRT/STRT privilege (they
 * access as the current mode), instruction prefetch from the bus (one fetch per instruction).
 */
#ifndef SPINDLE_ARM_H
#define SPINDLE_ARM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ARM_ITCM_SIZE 0x8000u
#define ARM_DTCM_BASE 0x00400000u
#define ARM_DTCM_SIZE 0x10000u
#define ARM_BUS_FAULT 0xffffffffu /* returned by a bus call instead of wait cycles */
#define ARM_MAX_WATCHES 4

enum arm_mode {
    ARM_USR = 0x10, ARM_FIQ = 0x11, ARM_IRQ = 0x12, ARM_SVC = 0x13,
    ARM_ABT = 0x17, ARM_UND = 0x1b, ARM_SYS = 0x1f
};

enum arm_psr_bit { ARM_T = 0x20, ARM_F = 0x40, ARM_I = 0x80 };

enum arm_vector {
    ARM_V_RESET = 0x00, ARM_V_UNDEF = 0x04, ARM_V_SWI = 0x08, ARM_V_PREFETCH = 0x0c,
    ARM_V_DATA = 0x10, ARM_V_IRQ = 0x18, ARM_V_FIQ = 0x1c
};

enum arm_cp15_bit { ARM_CP15_ALIGN = 1u << 1, ARM_CP15_HIGH_VECTORS = 1u << 13 };

/* Why arm_run returned. */
enum arm_result {
    ARM_DONE,    /* core->cycles >= until */
    ARM_ASLEEP,  /* in WFI, no line up; core->cycles is the cycle it fell asleep */
    ARM_STOPPED, /* arm_stop() */
    ARM_FAILED   /* core->error says why; arm_run does nothing until it is cleared */
};

enum arm_error {
    ARM_OK,
    ARM_ERROR_MODE, /* a PSR with a mode number that does not exist; detail = the PSR */
    ARM_ERROR_CP15, /* a system register this core does not have; detail = the instruction */
    ARM_ERROR_MEMORY, /* the host has none left for decoded code */
    ARM_ERROR_BUS   /* raised by the board through arm_fail() */
};

struct arm_core;
struct arm_op;

/* Everything outside the TCMs. read/write/fetch return wait cycles beyond the first, or
 * ARM_BUS_FAULT.
 * size is 1, 2 or 4, addr is aligned to it. core->cycles is the cycle of this transfer and
 * core->pc the
 * instruction; the callback may call arm_set_irq, arm_set_fiq, arm_stop_at, arm_stop, arm_fail. */
struct arm_bus {
    uint32_t (*read)(void *ctx, struct arm_core *core, uint32_t addr, uint32_t size,
                     uint32_t *value);
    uint32_t (*write)(void *ctx, struct arm_core *core, uint32_t addr, uint32_t size,
                      uint32_t value);
    uint32_t (*fetch)(void *ctx, struct arm_core *core, uint32_t addr, uint32_t size,
                      uint32_t *value);
    /* An access to a watched TCM range (arm_watch); may be null. */
    void (*watch)(void *ctx, struct arm_core *core, uint32_t addr, uint32_t size, bool is_write);
    /* An undefined instruction, abort or BKPT is taken; core->pc is its address. May be null. */
    void (*exception)(void *ctx, struct arm_core *core, uint32_t vector);
};

/* Called before each instruction of the traced loop; core->pc, registers and cycles are valid. */
typedef void arm_trace(void *ctx, struct arm_core *core);

/* A predecoded instruction, 16 bytes. code is the handler as distance from arm_op_decode, so that
 * zeroed
 * memory means "not decoded yet". inner is the handler behind a condition or r15 wrapper. */
struct arm_op {
    int32_t code;
    int32_t inner;
    uint32_t imm;
    uint8_t rd, rn, rm, cycles; /* cycles include the interlock with the next instructions */
};

struct arm_range {
    uint32_t base, size;
};

/* A decoded instruction of bus memory, checked against its word at every fetch. */
struct arm_step {
    uint32_t key, word;
    struct arm_op op[2];
};
#define ARM_STEPS 256

struct arm_core {
    uint32_t r[18];      /* r[15] only valid inside r15-reading handlers; r[16] = 0; r[17] = sink */
    uint32_t n, z;       /* N = bit 31 of n; Z = (z == 0) */
    uint32_t c, v, q;    /* C = 0/1; V = bit 31 of v; Q = 0/1 */
    uint32_t control;    /* I, F, T and mode bits of the CPSR */
    uint32_t pc;         /* next instruction; valid outside handlers and in callbacks */
    uint64_t cycles;     /* valid outside handlers and in callbacks */
    uint64_t deadline;   /* the threaded loop leaves here; callbacks only ever shorten it */
    uint64_t until;      /* arm_run returns here */
    uint64_t instructions;

    const struct arm_op *code_ops; /* the op array that runs, and the pc of its first entry */
    uint32_t code_pc, code_shift;  /* instruction size = 1 << code_shift */
    uint32_t itcm_limit;           /* ITCM_SIZE, or 0 in the stepped loop */
    uint32_t watch_base, watch_size; /* hull of the watches; size 0 = none */
    uint32_t slow_addr, slow_base, slow_reg; /* handed from a fast handler to its slow twin */

    bool irq_line, fiq_line; /* change through arm_set_irq / arm_set_fiq */
    bool asleep, stop_request;
    uint32_t error, error_detail, error_pc;

    uint32_t bank_r8[2][5];                     /* r8-r12 of {all but FIQ, FIQ} while not current */
    uint32_t bank_r13[6], bank_r14[6], spsr[6]; /* usr/sys, fiq, irq, svc, abt, und */
    uint32_t cp15_control;

    const struct arm_bus *bus;
    void *ctx;
    arm_trace *trace;
    struct arm_range watches[ARM_MAX_WATCHES];
    struct arm_op *ops[2]; /* ITCM as ARM and as Thumb, plus one end entry each; allocated lazily */
    struct arm_step *steps;
    uint32_t step_words[3];

    _Alignas(16) uint8_t itcm[ARM_ITCM_SIZE];
    _Alignas(16) uint8_t dtcm[ARM_DTCM_SIZE];
};

/* Set up *core (all state, TCMs zeroed) and reset it. bus and ctx must outlive it. false: no
 * memory. */
bool arm_init(struct arm_core *core, const struct arm_bus *bus, void *ctx);
void arm_free(struct arm_core *core);

/* Reset as the hardware does: SVC, I = F = 1, pc 0 or 0xffff0000. TCMs, cycles and banks stay. */
void arm_reset(struct arm_core *core, bool high_vectors);

/* Make *core the twin of *from (registers, TCMs, time, watches); its bus, ctx and trace stay its
 * own. */
void arm_copy_state(struct arm_core *core, const struct arm_core *from);

/* Run until core->cycles >= until, WFI, a stop or an error. Interrupts are taken at exact
 * boundaries. */
enum arm_result arm_run(struct arm_core *core, uint64_t until);

/* Drive an interrupt line at a cycle. Allowed between runs and inside callbacks. A sleeping core
 * wakes
 * at that cycle (or its own, if later), masked or not. */
void arm_set_irq(struct arm_core *core, bool level, uint64_t cycle);
void arm_set_fiq(struct arm_core *core, bool level, uint64_t cycle);

/* Inside a callback: lower the `until` of the running arm_run to `cycle` (a past one: it returns
 * ARM_DONE
 * right after this instruction). */
void arm_stop_at(struct arm_core *core, uint64_t cycle);

/* Make arm_run return ARM_STOPPED after the current instruction. */
void arm_stop(struct arm_core *core);

/* Make arm_run return ARM_FAILED after the current instruction. */
void arm_fail(struct arm_core *core, enum arm_error error, uint32_t detail);

/* Tell the core that somebody else wrote TCM bytes (DMA, loader): drops decoded ITCM code. */
void arm_invalidate(struct arm_core *core, uint32_t addr, uint32_t size_bytes);

/* Report accesses to a TCM range through bus->watch; base and size are multiples of 4. Returns a
 * handle
 * for arm_unwatch, or -1 when ARM_MAX_WATCHES are in use. */
int arm_watch(struct arm_core *core, uint32_t base, uint32_t size_bytes);
void arm_unwatch(struct arm_core *core, int handle);

/* Registers of the current mode (15 = pc), CPSR and SPSR as the architecture shows them. */
uint32_t arm_get_reg(const struct arm_core *core, uint32_t index);
void arm_set_reg(struct arm_core *core, uint32_t index, uint32_t value);
uint32_t arm_get_cpsr(const struct arm_core *core);
void arm_set_cpsr(struct arm_core *core, uint32_t value);
uint32_t arm_get_spsr(const struct arm_core *core);
void arm_set_spsr(struct arm_core *core, uint32_t value);

static inline bool arm_privileged(const struct arm_core *core) {
    return (core->control & 0x1f) != ARM_USR;
}

/* Write the text of one instruction (Thumb: low 16 bits of word) to out, always terminated. */
void arm_disassemble(uint32_t word, uint32_t pc, bool thumb, char *out, size_t out_size);

#ifdef __cplusplus
}
#endif
#endif
