/* Generated from spindle/spec/ by `make generate`; do not edit. */

#ifndef SPINDLE_RECORDS_H
#define SPINDLE_RECORDS_H

#include <stddef.h>
#include <stdint.h>

#define SPINDLE_MAX_DIMS 4
#define SPINDLE_MAX_TERMS 4
#define SPINDLE_MAX_OPERANDS 16
#define SPINDLE_MAX_TEMPS 32
#define SPINDLE_STRIP 64
#define SPINDLE_LANES 16
#define SPINDLE_LOOP_REGS 16
#define SPINDLE_CHUNK 8
#define SPINDLE_PANEL_ROW_WORDS 4
#define SPINDLE_NO_DIM 255
#define SPINDLE_NO_PLACE 255
#define SPINDLE_MAX_GROUPS 8
#define SPINDLE_ADAM_G_LAST 1
#define SPINDLE_NONFINITE_FLAG 0x00010000u
#define SPINDLE_QUANTISE_GIVEN 2
#define SPINDLE_QUANTISE_WIDE 1
#define SPINDLE_SCAN_WORDS 1
#define SPINDLE_SDRAM_BASE 0x60000000u
#define SPINDLE_RECORD_SLOT_BYTES 1536
#define SPINDLE_TILE_ARENA_BYTES 52224
#define SPINDLE_HALF_ARENA_BYTES 15872
#define SPINDLE_ITCM_WINDOW_BASE 25696
#define SPINDLE_ITCM_WINDOW_BYTES 7072
#define SPINDLE_OVERLAY_PIECE_BYTES 512
#define SPINDLE_DTCM_BYTES 0x00010000u
#define SPINDLE_DTCM_RUNTIME_BYTES 4096
#define SPINDLE_DTCM_ARENA_BYTES 55296
#define SPINDLE_DTCM_SYS_STACK_BYTES 2432
#define SPINDLE_DMA_MAX_BYTES 0x00010000u
#define SPINDLE_ARENA_ALIGN 128
#define SPINDLE_ABI_HASH 0xfc2800fau
#define SPINDLE_EMPTY_EXPONENT (-32768)

/* STORE: written after the tile (after the last inner tile where inner does not index it). LAZY: loaded only by the rescue of non-finite dots. INTERNAL: lives in DTCM only. RESIDENT: already in DTCM where the core runs one lane only, else loaded. */
#define OPERAND_STORE 1
#define OPERAND_LAZY 2
#define OPERAND_INTERNAL 4
#define OPERAND_RESIDENT 8

/* EXCLUSIVE: uses the whole tile arena: nothing of the next task is prefetched. */
#define TASK_EXCLUSIVE 1

/* BARRIER: all lanes meet after this step. */
#define STEP_FLAG_BARRIER 1

/* kinds */
#define STEP_END 0
#define STEP_TASK 1
#define STEP_LOOP 2
#define STEP_LOOP_END 3
#define STEP_SET_REG 4
#define STEP_BRANCH 5

/* codes */
#define FAULT_NONE 0
#define FAULT_GUARD 1
#define FAULT_BAD_STEP 2
#define FAULT_BAD_KERNEL 3
#define FAULT_BAD_ADDRESS 4
#define FAULT_BAD_CRC 5
#define FAULT_ABORTED 6
#define FAULT_DMA 7
#define FAULT_CORE 8
#define FAULT_BARRIER 9
#define FAULT_OVERLAY 10

/* states of a core record */
#define CORE_NONE 0
#define CORE_IDLE 1
#define CORE_RUN 2
#define CORE_CRASHED 3
#define CORE_UNUSED 4

#define PRIM_EXT 0
#define PRIM_SPLAT 1
#define PRIM_BCAST 2
#define PRIM_COPY 3
#define PRIM_IOTA 4
#define PRIM_ADD_F32 5
#define PRIM_SUB_F32 6
#define PRIM_MUL_F32 7
#define PRIM_DIV_F32 8
#define PRIM_MAX_F32 9
#define PRIM_MIN_F32 10
#define PRIM_NEG_F32 11
#define PRIM_ABS_F32 12
#define PRIM_SIGN_F32 13
#define PRIM_FLOOR_F32 14
#define PRIM_CEIL_F32 15
#define PRIM_SQRT_F32 16
#define PRIM_RSQRT_F32 17
#define PRIM_EXP_F32 18
#define PRIM_EXPM1_F32 19
#define PRIM_LOG_F32 20
#define PRIM_LOG1P_F32 21
#define PRIM_TANH_F32 22
#define PRIM_LOGISTIC_F32 23
#define PRIM_POW_F32 24
#define PRIM_IS_FINITE_F32 25
#define PRIM_EQ_F32 26
#define PRIM_NE_F32 27
#define PRIM_LT_F32 28
#define PRIM_LE_F32 29
#define PRIM_ADD_I32 30
#define PRIM_SUB_I32 31
#define PRIM_MUL_I32 32
#define PRIM_DIV_S32 33
#define PRIM_DIV_U32 34
#define PRIM_REM_S32 35
#define PRIM_REM_U32 36
#define PRIM_AND_I32 37
#define PRIM_OR_I32 38
#define PRIM_XOR_I32 39
#define PRIM_NOT_I32 40
#define PRIM_SHL_I32 41
#define PRIM_SHR_U32 42
#define PRIM_SHR_S32 43
#define PRIM_MAX_S32 44
#define PRIM_MIN_S32 45
#define PRIM_MAX_U32 46
#define PRIM_MIN_U32 47
#define PRIM_ABS_S32 48
#define PRIM_NEG_I32 49
#define PRIM_SIGN_S32 50
#define PRIM_POPCNT_I32 51
#define PRIM_EQ_I32 52
#define PRIM_NE_I32 53
#define PRIM_LT_S32 54
#define PRIM_LE_S32 55
#define PRIM_LT_U32 56
#define PRIM_LE_U32 57
#define PRIM_NOT_BOOL 58
#define PRIM_SELECT 59
#define PRIM_F32_TO_S32 60
#define PRIM_F32_TO_U32 61
#define PRIM_S32_TO_F32 62
#define PRIM_U32_TO_F32 63
#define PRIM_F32_TO_BOOL 64
#define PRIM_I32_TO_BOOL 65
#define PRIM_ADAM_F32 66
#define PRIM_RED_ADD_F32 67
#define PRIM_RED_MUL_F32 68
#define PRIM_RED_MAX_F32 69
#define PRIM_RED_MIN_F32 70
#define PRIM_RED_ADD_I32 71
#define PRIM_RED_MUL_I32 72
#define PRIM_RED_MAX_S32 73
#define PRIM_RED_MIN_S32 74
#define PRIM_RED_MAX_U32 75
#define PRIM_RED_MIN_U32 76
#define PRIM_RED_AND_I32 77
#define PRIM_RED_OR_I32 78
#define N_PRIMITIVES 79

#define KERNEL_STRIP 0
#define KERNEL_COPY 1
#define KERNEL_TRANSPOSE 2
#define KERNEL_SCAN 3
#define KERNEL_SCAN_FREE 4
#define KERNEL_SCAN_K 5
#define KERNEL_BALANCE 6
#define KERNEL_QUANTISE 7
#define KERNEL_DOT_S28 8
#define KERNEL_DOT_F32 9
#define KERNEL_QUANTISE_13 10
#define KERNEL_QUANTISE_16 11
#define KERNEL_DOT_S13 12
#define KERNEL_DOT_S16 13
#define N_KERNELS 14

#define GROUP_RESIDENT 0
#define GROUP_S28 1
#define GROUP_S16 2
#define GROUP_F32 3
#define N_GROUPS 4

/* Group of each kernel; room of each group's code in bytes. */
#define KERNEL_GROUPS {0, 0, 0, 1, 1, 1, 1, 1, 1, 3, 2, 2, 2, 2}
#define GROUP_BYTES {0, 7040, 6720, 320}

/* Adds stride * loop register to an address. */
struct term {
    uint32_t reg; /* loop register */
    int32_t stride; /* bytes per unit of the register */
};
_Static_assert(sizeof(struct term) == 8, "term");
_Static_assert(offsetof(struct term, reg) == 0, "term.reg");
_Static_assert(offsetof(struct term, stride) == 4, "term.stride");

/* A place in a segment: binding[slot] + offset + its terms. */
struct addr {
    int32_t offset; /* bytes */
    uint16_t slot; /* word of the binding table: 0 const, 1 scratch, then args, results */
    uint16_t n_terms; /* terms, in the record's term list */
};
_Static_assert(sizeof(struct addr) == 8, "addr");
_Static_assert(offsetof(struct addr, offset) == 0, "addr.offset");
_Static_assert(offsetof(struct addr, slot) == 4, "addr.slot");
_Static_assert(offsetof(struct addr, n_terms) == 6, "addr.n_terms");

/* One tensor of a task, seen as up to four dims; a tile of it lies dense in DTCM. */
struct operand {
    struct addr addr; /* element (0, 0, 0, 0) */
    int32_t stride[4]; /* SDRAM bytes per granule of each dim; 0: not indexed by it */
    uint16_t granule1; /* indices of dim 1, or 2, that share one place; 1 for most */
    uint16_t granule3; /* the same of dim 3 */
    uint8_t fast; /* dim contiguous in SDRAM and DTCM, or NO_DIM: one unit per row */
    uint8_t flags; /* OPERAND_* */
    uint8_t unit_words; /* words per index of the fast dim */
    uint8_t align_words; /* a row's words are rounded up to this */
    uint16_t dtcm; /* first buffer, words from the tile arena's start */
    uint16_t buffer; /* second buffer is this many words further; 0: one buffer */
};
_Static_assert(sizeof(struct operand) == 36, "operand");
_Static_assert(offsetof(struct operand, addr) == 0, "operand.addr");
_Static_assert(offsetof(struct operand, stride) == 8, "operand.stride");
_Static_assert(offsetof(struct operand, granule1) == 24, "operand.granule1");
_Static_assert(offsetof(struct operand, granule3) == 26, "operand.granule3");
_Static_assert(offsetof(struct operand, fast) == 28, "operand.fast");
_Static_assert(offsetof(struct operand, flags) == 29, "operand.flags");
_Static_assert(offsetof(struct operand, unit_words) == 30, "operand.unit_words");
_Static_assert(offsetof(struct operand, align_words) == 31, "operand.align_words");
_Static_assert(offsetof(struct operand, dtcm) == 32, "operand.dtcm");
_Static_assert(offsetof(struct operand, buffer) == 34, "operand.buffer");

/* One strip instruction: registers 0..15 are operands, 16..47 temporaries. */
struct instr {
    uint8_t prim; /* PRIM_* */
    uint8_t reg[3]; /* destination, then sources */
    uint32_t imm; /* constant bits, a further source, or as the primitive says */
};
_Static_assert(sizeof(struct instr) == 8, "instr");
_Static_assert(offsetof(struct instr, prim) == 0, "instr.prim");
_Static_assert(offsetof(struct instr, reg) == 1, "instr.reg");
_Static_assert(offsetof(struct instr, imm) == 4, "instr.imm");

/* A loop nest over tiles. Operands, their terms in order, and strip instructions follow it. */
struct task {
    uint8_t kernel; /* KERNEL_* */
    uint8_t n_operands;
    uint8_t n_terms; /* of all operands together */
    uint8_t n_temps; /* strip temporaries, 64 words each */
    uint16_t n_instrs; /* strip instructions */
    uint16_t n_prologue; /* of these, the first ones run once per tile */
    uint16_t flags; /* TASK_* */
    uint8_t inner; /* dim whose tiles one lane runs in order, keeping state; or NO_DIM */
    uint8_t lane_first; /* lane of tile 0 */
    uint32_t extent[4]; /* indices per dim */
    uint16_t tile[4]; /* indices per tile; tile[0] is 1 */
    uint32_t k_block; /* dots and quantising: indices per K-block */
    uint32_t arg; /* as the kernel says */
    uint16_t work; /* workspace, words from the tile arena's start */
    uint16_t temps; /* strip temporaries, words from the workspace's start */
};
_Static_assert(sizeof(struct task) == 48, "task");
_Static_assert(offsetof(struct task, kernel) == 0, "task.kernel");
_Static_assert(offsetof(struct task, n_operands) == 1, "task.n_operands");
_Static_assert(offsetof(struct task, n_terms) == 2, "task.n_terms");
_Static_assert(offsetof(struct task, n_temps) == 3, "task.n_temps");
_Static_assert(offsetof(struct task, n_instrs) == 4, "task.n_instrs");
_Static_assert(offsetof(struct task, n_prologue) == 6, "task.n_prologue");
_Static_assert(offsetof(struct task, flags) == 8, "task.flags");
_Static_assert(offsetof(struct task, inner) == 10, "task.inner");
_Static_assert(offsetof(struct task, lane_first) == 11, "task.lane_first");
_Static_assert(offsetof(struct task, extent) == 12, "task.extent");
_Static_assert(offsetof(struct task, tile) == 28, "task.tile");
_Static_assert(offsetof(struct task, k_block) == 36, "task.k_block");
_Static_assert(offsetof(struct task, arg) == 40, "task.arg");
_Static_assert(offsetof(struct task, work) == 44, "task.work");
_Static_assert(offsetof(struct task, temps) == 46, "task.temps");

/* Header of one entry of the program stream; a task or a control record follows it. */
struct step {
    uint8_t kind; /* STEP_* */
    uint8_t flags; /* STEP_FLAG_* */
    uint16_t reg; /* loop register of LOOP, LOOP_END, SET_REG */
    uint16_t size; /* bytes of this entry, header included; multiple of 4 */
    uint16_t next_size; /* bytes of the entry that follows in the stream, for prefetch */
    uint32_t id; /* step number in the Plan, for profile and faults */
};
_Static_assert(sizeof(struct step) == 12, "step");
_Static_assert(offsetof(struct step, kind) == 0, "step.kind");
_Static_assert(offsetof(struct step, flags) == 1, "step.flags");
_Static_assert(offsetof(struct step, reg) == 2, "step.reg");
_Static_assert(offsetof(struct step, size) == 4, "step.size");
_Static_assert(offsetof(struct step, next_size) == 6, "step.next_size");
_Static_assert(offsetof(struct step, id) == 8, "step.id");

/* What LOOP, LOOP_END, SET_REG and BRANCH need; the address's terms follow. */
struct control {
    uint32_t target; /* stream offset: LOOP past its end, LOOP_END first of body, BRANCH */
    uint32_t target_size; /* bytes of the entry there */
    uint32_t count; /* LOOP: trips */
    int32_t lo; /* SET_REG: lower clamp */
    int32_t hi; /* SET_REG: upper clamp */
    struct addr addr; /* SET_REG, BRANCH (taken when 0): a word in SDRAM */
};
_Static_assert(sizeof(struct control) == 28, "control");
_Static_assert(offsetof(struct control, target) == 0, "control.target");
_Static_assert(offsetof(struct control, target_size) == 4, "control.target_size");
_Static_assert(offsetof(struct control, count) == 8, "control.count");
_Static_assert(offsetof(struct control, lo) == 12, "control.lo");
_Static_assert(offsetof(struct control, hi) == 16, "control.hi");
_Static_assert(offsetof(struct control, addr) == 20, "control.addr");

/* One launch: an entry of the command ring (docs/spec/run.md). */
struct command {
    uint32_t sequence; /* increases by one per launch */
    uint32_t image_id; /* which loaded Image */
    uint32_t program; /* SDRAM address of the program stream */
    uint32_t program_bytes;
    uint32_t entry; /* stream offset of the first step */
    uint32_t binding; /* SDRAM address of the binding table, one word per slot */
    uint32_t n_slots; /* words of the binding table */
    uint32_t profile; /* SDRAM address of profile records, one per step and lane; 0: none */
    uint32_t flags;
    uint32_t reserved[6];
    uint32_t crc; /* CRC-32 of the words before */
};
_Static_assert(sizeof(struct command) == 64, "command");
_Static_assert(offsetof(struct command, sequence) == 0, "command.sequence");
_Static_assert(offsetof(struct command, image_id) == 4, "command.image_id");
_Static_assert(offsetof(struct command, program) == 8, "command.program");
_Static_assert(offsetof(struct command, program_bytes) == 12, "command.program_bytes");
_Static_assert(offsetof(struct command, entry) == 16, "command.entry");
_Static_assert(offsetof(struct command, binding) == 20, "command.binding");
_Static_assert(offsetof(struct command, n_slots) == 24, "command.n_slots");
_Static_assert(offsetof(struct command, profile) == 28, "command.profile");
_Static_assert(offsetof(struct command, flags) == 32, "command.flags");
_Static_assert(offsetof(struct command, reserved) == 36, "command.reserved");
_Static_assert(offsetof(struct command, crc) == 60, "command.crc");

/* What a core says before it stops. */
struct fault {
    uint32_t code; /* FAULT_*; 0 is none */
    uint32_t lane;
    uint32_t pc; /* ARM: program counter; native: stream offset */
    uint32_t step; /* step id */
    uint32_t word[2]; /* as the code says */
};
_Static_assert(sizeof(struct fault) == 24, "fault");
_Static_assert(offsetof(struct fault, code) == 0, "fault.code");
_Static_assert(offsetof(struct fault, lane) == 4, "fault.lane");
_Static_assert(offsetof(struct fault, pc) == 8, "fault.pc");
_Static_assert(offsetof(struct fault, step) == 12, "fault.step");
_Static_assert(offsetof(struct fault, word) == 16, "fault.word");

/* Per chip, 128 bytes in the arena: what the host looks at after silence. */
struct status {
    uint32_t last_started; /* sequence */
    uint32_t last_done; /* sequence */
    uint32_t step; /* step id of lane 0, updated at barriers */
    uint32_t abort; /* host writes 1; lanes leave at the next tile */
    uint32_t cycles; /* of the last launch, doorbell taken to last lane done */
    uint32_t packets_sent;
    uint32_t packets_received;
    uint32_t packets_resent;
    uint32_t nonfinite; /* dot outputs decided by the non-finite rule */
    struct fault fault; /* first fault */
    uint32_t stop; /* sequence of the launch that a lane's fault has stopped */
    uint32_t crashed; /* virtual core that stopped for good, + 1; 0: none */
    uint32_t reserved[15];
};
_Static_assert(sizeof(struct status) == 128, "status");
_Static_assert(offsetof(struct status, last_started) == 0, "status.last_started");
_Static_assert(offsetof(struct status, last_done) == 4, "status.last_done");
_Static_assert(offsetof(struct status, step) == 8, "status.step");
_Static_assert(offsetof(struct status, abort) == 12, "status.abort");
_Static_assert(offsetof(struct status, cycles) == 16, "status.cycles");
_Static_assert(offsetof(struct status, packets_sent) == 20, "status.packets_sent");
_Static_assert(offsetof(struct status, packets_received) == 24, "status.packets_received");
_Static_assert(offsetof(struct status, packets_resent) == 28, "status.packets_resent");
_Static_assert(offsetof(struct status, nonfinite) == 32, "status.nonfinite");
_Static_assert(offsetof(struct status, fault) == 36, "status.fault");
_Static_assert(offsetof(struct status, stop) == 60, "status.stop");
_Static_assert(offsetof(struct status, crashed) == 64, "status.crashed");
_Static_assert(offsetof(struct status, reserved) == 68, "status.reserved");

/* Where a kernel group's code lies in SDRAM, to be copied into the overlay window. */
struct overlay {
    uint32_t address; /* 0: no code */
    uint32_t bytes; /* multiple of 32 */
    uint32_t check; /* complement of the sum of its words */
};
_Static_assert(sizeof(struct overlay) == 12, "overlay");
_Static_assert(offsetof(struct overlay, address) == 0, "overlay.address");
_Static_assert(offsetof(struct overlay, bytes) == 4, "overlay.bytes");
_Static_assert(offsetof(struct overlay, check) == 8, "overlay.check");

/* What differs per chip, at the arena's start; the firmware reads it once (docs/spec/run.md). */
struct session {
    uint32_t magic; /* SESSION_MAGIC */
    uint32_t abi_hash; /* of the host */
    uint32_t arena; /* SDRAM address of this record */
    uint32_t arena_bytes;
    uint32_t rank; /* number of the chip in the machine */
    uint32_t n_chips;
    uint16_t mesh[2]; /* x and y of the chip */
    uint16_t root[2]; /* x and y of the chip that pushes completions */
    uint32_t n_places; /* cores that run lanes: place p runs lanes p, p + n_places, ... */
    uint32_t service; /* virtual core that takes doorbells; root of the barrier */
    uint32_t tag; /* fixed IP tag of completions */
    uint8_t place_core[16]; /* virtual core of each place */
    uint32_t neighbour_key[6]; /* for links 0..5; 0: none */
    struct overlay overlay[8]; /* of group g + 1; group 0 is resident */
    uint32_t reserved[19];
};
_Static_assert(sizeof(struct session) == 256, "session");
_Static_assert(offsetof(struct session, magic) == 0, "session.magic");
_Static_assert(offsetof(struct session, abi_hash) == 4, "session.abi_hash");
_Static_assert(offsetof(struct session, arena) == 8, "session.arena");
_Static_assert(offsetof(struct session, arena_bytes) == 12, "session.arena_bytes");
_Static_assert(offsetof(struct session, rank) == 16, "session.rank");
_Static_assert(offsetof(struct session, n_chips) == 20, "session.n_chips");
_Static_assert(offsetof(struct session, mesh) == 24, "session.mesh");
_Static_assert(offsetof(struct session, root) == 28, "session.root");
_Static_assert(offsetof(struct session, n_places) == 32, "session.n_places");
_Static_assert(offsetof(struct session, service) == 36, "session.service");
_Static_assert(offsetof(struct session, tag) == 40, "session.tag");
_Static_assert(offsetof(struct session, place_core) == 44, "session.place_core");
_Static_assert(offsetof(struct session, neighbour_key) == 60, "session.neighbour_key");
_Static_assert(offsetof(struct session, overlay) == 84, "session.overlay");
_Static_assert(offsetof(struct session, reserved) == 180, "session.reserved");

/* What one core says of itself; in the arena, by virtual core. */
struct core {
    uint32_t state; /* CORE_* */
    uint32_t place; /* NO_PLACE: none */
    uint32_t sequence; /* of the launch it runs or ran last */
    uint32_t sent; /* deliveries of barrier packets it caused, since open, without asks */
    uint32_t received; /* barrier packets, since open, without asks */
    uint32_t resent; /* of those sent: because somebody asked */
    uint32_t asked; /* packets that asked for a missing one */
    uint32_t nonfinite; /* of the launch: outputs decided by the non-finite rule */
    uint32_t fault_sequence; /* launch of the fault below */
    struct fault fault; /* first of that launch */
    uint32_t reserved[17];
};
_Static_assert(sizeof(struct core) == 128, "core");
_Static_assert(offsetof(struct core, state) == 0, "core.state");
_Static_assert(offsetof(struct core, place) == 4, "core.place");
_Static_assert(offsetof(struct core, sequence) == 8, "core.sequence");
_Static_assert(offsetof(struct core, sent) == 12, "core.sent");
_Static_assert(offsetof(struct core, received) == 16, "core.received");
_Static_assert(offsetof(struct core, resent) == 20, "core.resent");
_Static_assert(offsetof(struct core, asked) == 24, "core.asked");
_Static_assert(offsetof(struct core, nonfinite) == 28, "core.nonfinite");
_Static_assert(offsetof(struct core, fault_sequence) == 32, "core.fault_sequence");
_Static_assert(offsetof(struct core, fault) == 36, "core.fault");
_Static_assert(offsetof(struct core, reserved) == 60, "core.reserved");

/* What one lane spent in one step, added up over a launch. */
struct profile {
    uint32_t cycles; /* from the step's start to its end on this lane, barrier excluded */
    uint32_t compute; /* of these, in kernels */
    uint32_t dma_wait; /* of these, waiting for transfers */
    uint32_t dma_bytes; /* read and written */
    uint32_t barrier; /* waiting for other lanes and for the barrier itself */
    uint32_t runs; /* times the step ran */
    uint32_t nonfinite; /* dot outputs decided by the non-finite rule */
    uint32_t tiles;
};
_Static_assert(sizeof(struct profile) == 32, "profile");
_Static_assert(offsetof(struct profile, cycles) == 0, "profile.cycles");
_Static_assert(offsetof(struct profile, compute) == 4, "profile.compute");
_Static_assert(offsetof(struct profile, dma_wait) == 8, "profile.dma_wait");
_Static_assert(offsetof(struct profile, dma_bytes) == 12, "profile.dma_bytes");
_Static_assert(offsetof(struct profile, barrier) == 16, "profile.barrier");
_Static_assert(offsetof(struct profile, runs) == 20, "profile.runs");
_Static_assert(offsetof(struct profile, nonfinite) == 24, "profile.nonfinite");
_Static_assert(offsetof(struct profile, tiles) == 28, "profile.tiles");

#endif
