/* task.S: task_prepare of ../task.c for ARM, which is its contract and its twin.
 *
 * In: r0 core, r1 run, r2 step. Out: r0 = 1, or 0 after a fault. Offsets within step, task and
 * operand are those of spindle_records.h; a task follows its step of 12 bytes, operands 60 bytes on.
 */
#include "regs.h"

#define STEP_BYTES 12
#define RECORD_BYTES 60 /* step and task */
#define OPERAND_BYTES 36
#define ARENA_WORDS 0x3300
#define KERNELS 14
#define KEPT_SLOTS 32
#define BAD_STEP 2
#define BAD_KERNEL 3
#define STORE 0x100 /* flags, as they lie in the operand's word at 28 */
#define LAZY_OR_INTERNAL 0x600
#define INTERNAL 0x400
#define RESIDENT 0x800

    .syntax unified
    .arm
    .section .text.task_prepare, "ax", %progbits
    .balign 4

    .macro  ADD_BIT set, cond=
    ldr\cond r1, [r5, #\set]
    orr\cond r1, r1, r6
    str\cond r1, [r5, #\set]
    .endm

/* A dim or NO_DIM, 255. */
    .macro  IS_DIM value, scratch, else
    add     \scratch, \value, #1
    and     \scratch, \scratch, #0xff
    cmp     \scratch, #4
    bhi     \else
    .endm

    .globl  task_prepare
    .type   task_prepare, %function
task_prepare:
    stmfd   sp!, {r4-r11, lr}
    mov     r4, r0
    mov     r5, r1
    mov     r6, r2
    ldrh    r0, [r6, #4]            @ size
    ldr     r1, [r6, #12]           @ kernel, n_operands, n_terms, n_temps
    ldrh    r2, [r6, #16]           @ n_instrs
    cmp     r0, #RECORD_BYTES
    blo     .Lbad_step
    mov     r3, r1, lsr #24
    cmp     r3, #32
    bhi     .Lbad_step
    mov     r3, r1, lsr #8
    and     r3, r3, #0xff
    cmp     r3, #16
    bhi     .Lbad_step
    add     r8, r3, r3, lsl #3
    mov     r9, r1, lsr #16
    and     r9, r9, #0xff
    mov     r8, r8, lsl #2          @ bytes of operands
    add     r2, r2, r9
    add     r2, r8, r2, lsl #3
    add     r2, r2, #RECORD_BYTES
    cmp     r2, r0
    bne     .Lbad_step
    ldrb    r2, [r6, #STEP_BYTES + TASK_INNER]
    ldrb    r3, [r6, #STEP_BYTES + TASK_LANE_FIRST]
    ldr     r10, [r6, #STEP_BYTES + TASK_TILE]
    ldr     r11, [r6, #STEP_BYTES + TASK_TILE + 4]
    IS_DIM  r2, r2, .Lbad_step
    cmp     r3, #15
    bhi     .Lbad_step
    movs    r2, r10, lsl #16
    movsne  r2, r10, lsr #16
    movsne  r2, r11, lsl #16
    movsne  r2, r11, lsr #16
    beq     .Lbad_step
    and     r1, r1, #0xff
    cmp     r1, #KERNELS
    bhs     .Lbad_kernel
    add     r0, r6, #RECORD_BYTES
    add     r1, r0, r8
    add     r10, r1, r9, lsl #3
    mov     r9, r1
    mov     r8, r0
    add     r7, r6, #STEP_BYTES
    stmia   r5, {r6-r10}            @ step, task, operands, terms, program
    mov     r0, #0
    mov     r1, #0
    mov     r2, #0
    mov     r3, #0
    mov     r12, #0
    str     r0, [r5, #RUN_LOADED]
    add     r11, r5, #RUN_STORED
    stmia   r11!, {r0-r3, r12}
    stmia   r11, {r0-r3, r12}       @ the sets lie behind
    mov     r0, r5
    ldr     r1, [r4, #CORE_LANE]
    bl      tiles_start
    ldr     r0, [r5, #RUN_PLACE]
    ldr     r1, [r5, #RUN_N_OUTER]
    ldr     r2, [r5, #RUN_N_INNER]
    cmp     r0, r1
    bhs     .Lprepared
    cmp     r2, #0
    beq     .Lprepared
    add     r11, r5, #RUN_BASE
    mov     r6, #1
    cmp     r8, r9
    beq     .Lend

/* r6 bit, r8 operand, r9 its terms, r10 end of terms, r11 where its base goes. */
.Loperand:
    ldr     r0, [r8, #28]           @ fast, flags, unit_words, align_words
    ldr     r1, [r8, #24]           @ granule1, granule3
    ldr     r2, [r8, #32]           @ dtcm, buffer
    ldrh    r3, [r8, #6]            @ n_terms
    IS_DIM  r0, r12, .Lbad_operand
    movs    r12, r1, lsl #16
    movsne  r12, r1, lsr #16
    beq     .Lbad_operand
    movs    r12, r0, lsr #24
    beq     .Lbad_operand
    sub     r1, r12, #1
    tst     r1, r12                 @ a power of two
    bne     .Lbad_operand
    tst     r0, #0xff0000
    beq     .Lbad_operand
    mov     r1, r2, lsl #16
    movs    r2, r2, lsr #16
    add     r1, r2, r1, lsr #16
    cmp     r1, #ARENA_WORDS
    bhi     .Lbad_operand
    sub     r1, r10, r9
    cmp     r3, r1, lsr #3
    bhi     .Lbad_operand
    ldrb    r1, [r7, #TASK_INNER]
    cmp     r1, #0xff
    beq     .Leach
    add     r12, r8, r1, lsl #2
    ldr     r12, [r12, #8]
    cmp     r12, #0
    bne     .Leach
    and     r12, r0, #0xff
    cmp     r12, r1
    bne     .Lnot_each
.Leach:
    ADD_BIT RUN_EACH
.Lnot_each:
    cmp     r2, #0
    bne     .Ltwo_buffers
    ADD_BIT RUN_ONE_BUFFER
.Ltwo_buffers:
    tst     r0, #STORE
    bne     .Lstore
    tst     r0, #LAZY_OR_INTERNAL
    bne     .Lsorted
    tst     r0, #RESIDENT
    beq     .Lload
    ldr     r1, [r4, #CORE_N_LANES]
    cmp     r1, #1
    beq     .Lsorted
.Lload:
    cmp     r2, #0
    ADD_BIT RUN_LOADS, eq
    ADD_BIT RUN_LOADS + 4, ne
    b       .Lsorted
.Lstore:
    ADD_BIT RUN_STORES
.Lsorted:
    tst     r0, #INTERNAL
    bne     .Lnext
    ldrh    r1, [r8, #4]            @ slot
    ldr     r0, [r8]                @ offset
    cmp     r1, #KEPT_SLOTS
    bhs     .Lask
    add     r12, r4, r1, lsl #2
    ldr     r12, [r12, #CORE_BOUND]
    cmp     r3, #0
    bne     .Lask
    cmp     r12, #0
    beq     .Lask
    add     r0, r0, r12
    sub     r0, r0, #1              @ bound holds the word + 1
.Laddress:
    str     r0, [r11]
.Lnext:
    ldr     r1, [r5, #RUN_TERMS]
    add     r9, r9, r3, lsl #3
    add     r8, r8, #OPERAND_BYTES
    add     r11, r11, #4
    mov     r6, r6, lsl #1
    cmp     r8, r1
    bne     .Loperand
.Lend:
    ldrh    r0, [r7, #44]           @ work
    ldrh    r1, [r7, #46]           @ temps
    cmp     r9, r10
    bne     .Lbad_operand
    add     r0, r0, r1
    cmp     r0, #ARENA_WORDS
    bhi     .Lbad_operand
.Lprepared:
    ldr     r0, [r4, #CORE_STOPPED]
    rsbs    r0, r0, #1
    movlo   r0, #0
    ldmfd   sp!, {r4-r11, pc}

/* address_of knows all cases. */
.Lask:
    mov     r0, r4
    mov     r1, r8
    mov     r2, r9
    bl      address_of
    ldrh    r3, [r8, #6]
    b       .Laddress

.Lbad_operand:
    ldr     r6, [r5]
    ldrb    r3, [r7, #1]
    b       .Lbad
.Lbad_step:
    ldrh    r3, [r6, #4]
.Lbad:
    ldrb    r2, [r6]
    mov     r1, #BAD_STEP
    b       .Lfault
.Lbad_kernel:
    ldrh    r3, [r6, #4]
    mov     r2, r1
    mov     r1, #BAD_KERNEL
.Lfault:
    mov     r0, r4
    bl      rt_fault
    mov     r0, #0
    ldmfd   sp!, {r4-r11, pc}
