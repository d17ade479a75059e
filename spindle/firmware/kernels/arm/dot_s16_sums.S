/* Integer sums of DOT_S13 and DOT_S16: 3x3 outputs by SMLAxy and SMLAWy; twin of ../dot_s16_sums.c (same
 * sums; this one also tells of a sum that left int32 and came back).
 *
 * In: r0 = struct dot_triple (dot_s16.h). Out: the sums; r0 = bit Q of the CPSR, which every accumulation
 * that overflows sets. Two k of 3x3 outputs are 18 multiplications; beside them 6 loads, or 9 where a
 * mantissa of A takes a word: 24 and 27 cycles, without interlock. That takes r13 too: handlers run on
 * stacks of their own, so between the push and the pop it is a register like others, or points to the
 * locals, which therefore lie at a fixed place. Chunks of 8 k are unrolled, as many as the window has room
 * for; a block of 3x3 enters so that the last one ends it, and loads nothing behind it.
 *
 *     r0, r1  next words of a, b    r2-r10  c00 c01 c02 c10 c11 c12 c20 c21 c22
 *     narrow A: r11, r12  rows 0 1, row 2    lr, sp  columns 0 1, column 2
 *     wide A:   lr, sp    a row              r11, r12  columns 0 1, column 2
 */
#include "strip_asm.h"

    .syntax unified
    .arm

#define A_FIRST 0    /* the locals */
#define A_END 4
#define SUMS_END 8
#define SUMS 12      /* of the next block */
#define START 16     /* likewise */
#define START_STEP 20
#define ENTRY 24
#define CALLER 28    /* the stack */
#define LOCALS 32
#define UNROLLED_NARROW 4 /* chunks; powers of two */
#define UNROLLED_WIDE 2
#define CHUNK_STEPS 4
#define Q_FLAG 0x08000000

/* \bytes of code for a chunk, 3 << \shift bytes of a for one. */
.macro BEGIN name, bytes, unrolled, shift
    push    {r4-r11, lr}
    msr     cpsr_f, #0
    ldr     r12, .Llocals_\name
    str     sp, [r12, #CALLER]
    mov     sp, r12
    ldmia   r0, {r2-r8}         @ a, b, chunks, columns, sums, start, start_step
    mov     r1, r3
    sub     r9, r4, #1
    and     r9, r9, #\unrolled - 1
    mov     r10, #\bytes
    mul     r11, r9, r10
    ldr     r9, .Llast_\name
    add     r4, r4, r4, lsl #1
    add     r5, r5, r5, lsl #3
    sub     r9, r9, r11         @ ENTRY
    add     r4, r2, r4, lsl #\shift
    add     r5, r6, r5, lsl #2  @ SUMS_END
    mov     r8, r8, lsl #2
    stmia   sp, {r2, r4-r9}
.endm

/* What a block begins with. */
.macro START_BLOCK
    ldr     lr, [sp, #START]
    ldr     r12, [sp, #START_STEP]
    ldr     r0, [sp, #A_FIRST]
    ldmia   lr, {r2-r10}
    add     lr, lr, r12
    str     lr, [sp, #START]
.endm

/* sp = locals; on to the next block, or return. */
.macro END_BLOCK name
    ldr     lr, [sp, #SUMS]
    ldr     r12, [sp, #SUMS_END]
    stmia   lr!, {r2-r10}
    str     lr, [sp, #SUMS]
    cmp     lr, r12
    bne     .Lblock_\name
    mrs     r0, cpsr
    ldr     sp, [sp, #CALLER]
    and     r0, r0, #Q_FLAG
    pop     {r4-r11, pc}
.Llocals_\name:
    .word   locals
.Llast_\name:
    .word   .Llast_chunk_\name
.endm

.macro LOAD_NARROW
    ldr     r11, [r0], #4
    ldr     lr, [r1], #4
    ldr     r12, [r0], #4
.endm

/* Two k but their last products, which are those of r12. */
.macro PAIR_NARROW
    ldr     sp, [r1], #4
    smlabb  r2, r11, lr, r2
    smlabt  r3, r11, lr, r3
    smlatb  r5, r11, lr, r5
    smlatt  r6, r11, lr, r6
    smlabb  r4, r11, sp, r4
    smlatb  r7, r11, sp, r7
    ldr     r11, [r0], #4
    smlabb  r8, r12, lr, r8
    smlabt  r9, r12, lr, r9
    ldr     lr, [r1], #4
    smlabb  r10, r12, sp, r10
    smlabb  r2, r11, lr, r2
    smlabt  r3, r11, lr, r3
    smlatb  r5, r11, lr, r5
    smlatt  r6, r11, lr, r6
    smlabt  r4, r11, sp, r4
    smlatt  r7, r11, sp, r7
.endm

.macro STEP_NARROW
    PAIR_NARROW
    ldr     r11, [r0], #4
    smlatb  r8, r12, lr, r8
    smlatt  r9, r12, lr, r9
    ldr     lr, [r1], #4
    smlatt  r10, r12, sp, r10
    ldr     r12, [r0], #4
.endm

FUNCTION dot_s13_sums
    BEGIN   s13, CHUNK_STEPS * 96, UNROLLED_NARROW, 4
.Lblock_s13:
    START_BLOCK
    LOAD_NARROW
    ldr     pc, [sp, #ENTRY]
.Lmore_s13:
    LOAD_NARROW
    .rept   UNROLLED_NARROW - 1
    .rept   CHUNK_STEPS
    STEP_NARROW
    .endr
    .endr
.Llast_chunk_s13:
    .rept   CHUNK_STEPS - 1
    STEP_NARROW
    .endr
    PAIR_NARROW
    ldr     r11, .Llocals_s13
    smlatb  r8, r12, lr, r8
    smlatt  r9, r12, lr, r9
    ldr     lr, [r11, #A_END]
    smlatt  r10, r12, sp, r10
    cmp     r0, lr
    bne     .Lmore_s13
    mov     sp, r11
    END_BLOCK s13

.macro LOAD_WIDE
    ldr     lr, [r0], #4
    ldr     r11, [r1], #4
    ldr     r12, [r1], #4
.endm

/* Two k but their last products, which are those of row 2 in sp. */
.macro PAIR_WIDE
    smlawb  r2, lr, r11, r2
    ldr     sp, [r0], #4
    smlawt  r3, lr, r11, r3
    smlawb  r4, lr, r12, r4
    smlawb  r5, sp, r11, r5
    ldr     lr, [r0], #4
    smlawt  r6, sp, r11, r6
    smlawb  r7, sp, r12, r7
    smlawb  r8, lr, r11, r8
    ldr     sp, [r0], #4
    smlawt  r9, lr, r11, r9
    ldr     r11, [r1], #4
    smlawb  r10, lr, r12, r10
    smlawb  r2, sp, r11, r2
    ldr     lr, [r0], #4
    smlawt  r3, sp, r11, r3
    smlawt  r4, sp, r12, r4
    smlawb  r5, lr, r11, r5
    ldr     sp, [r0], #4
    smlawt  r6, lr, r11, r6
    smlawt  r7, lr, r12, r7
.endm

.macro STEP_WIDE
    PAIR_WIDE
    smlawb  r8, sp, r11, r8
    ldr     lr, [r0], #4
    smlawt  r9, sp, r11, r9
    ldr     r11, [r1], #4
    smlawt  r10, sp, r12, r10
    ldr     r12, [r1], #4
.endm

FUNCTION dot_s16_sums
    BEGIN   s16, CHUNK_STEPS * 108, UNROLLED_WIDE, 5
.Lblock_s16:
    START_BLOCK
    LOAD_WIDE
    ldr     pc, [sp, #ENTRY]
.Lmore_s16:
    LOAD_WIDE
    .rept   UNROLLED_WIDE - 1
    .rept   CHUNK_STEPS
    STEP_WIDE
    .endr
    .endr
.Llast_chunk_s16:
    .rept   CHUNK_STEPS - 1
    STEP_WIDE
    .endr
    PAIR_WIDE
    ldr     lr, .Llocals_s16
    smlawb  r8, sp, r11, r8
    smlawt  r9, sp, r11, r9
    ldr     r11, [lr, #A_END]
    smlawt  r10, sp, r12, r10
    cmp     r0, r11
    bne     .Lmore_s16
    mov     sp, lr
    END_BLOCK s16

    .section .bss.dot_s16_sums, "aw", %nobits
    .balign 4
locals:
    .space  LOCALS
