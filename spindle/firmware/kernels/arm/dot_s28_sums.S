/* Exact integer sums of DOT_S28: 2x2 outputs by SMLAL, two products for one; twin of
 * ../dot_s28_sums.c (same bits).
 *
 * In: r0 = int64 sums[2][columns], r1 = struct dot_pair (dot_s28.h). Out: sums, on top of what they
 * held, or of the corrections where the K-block begins. Two k of a pair of rows are the words
 * p0 e0 p1 e1, of a pair of columns q0 g0 q1 g1 (panel.h); with T = p0 + q1, U = p1 + q0 the four
 * outputs get
 *
 *     T U    (T + g1) (U + g0)    (T + g1 + e0) (U + g0 + e1)    (T + e0) (U + e1)
 *
 * in 28 cycles without interlock: 4 SMLAL, 8 additions, 8 loads. That takes r13 too: handlers run on
 * stacks of their own, so between the push and the pop it is a register like others, or points to the
 * locals, which therefore lie at a fixed place. Four chunks of 8 k are unrolled; a block of 2x2 enters
 * so that the last one ends it. The last step loads nothing: no word outside the panels is touched.
 *
 *     r0, r1  a, b: the chunk's first words    r2-r9  c00 c01 c10 c11
 *     r10, r11  T, U    r12, lr  g1, g0    sp  e0, then e1; between blocks the locals
 */
#include "strip_asm.h"

    .syntax unified
    .arm

#define A_LAST 0     /* a in the block's last chunk, which says that it ends */
#define A_FIRST 4
#define B_STEP 8     /* from b's last chunk of one block to the next block's first */
#define LOW 12       /* sums of the upper row, next block */
#define HIGH 16
#define LOW_END 20
#define ENTRY 24
#define COLUMN 28    /* correction of the next column; 0 where the K-block goes on */
#define ROW 32       /* corrections of both rows */
#define CALLER 48    /* the stack */
#define LOCALS 52
#define CHUNK_BYTES 64
#define UNROLLED 4   /* a power of two */
#define CORRECTION 8
#define ROW_BYTES 16

/* T, U of a k-step `at` bytes into the chunk, and what its other outputs add. */
.macro LOAD_STEP at
    ldr     r11, [r1, #\at]
    ldr     r10, [r0, #\at]
    TERMS   \at
.endm

/* r10, r11: p0, q0. */
.macro TERMS at
    ldr     lr, [r0, #\at + 8]
    ldr     r12, [r1, #\at + 8]
    add     r11, r11, lr
    add     r10, r10, r12
    ldr     r12, [r1, #\at + 12]
    ldr     lr, [r1, #\at + 4]
.endm

/* c00, c01 and the factors of c11: r10, r11, and of c10: r12 and, when g0 in lr has left it, r11. */
.macro PRODUCTS at
    smlal   r2, r3, r10, r11
    add     r10, r10, r12
    add     r11, r11, lr
    ldr     sp, [r0, #\at + 4]
    smlal   r4, r5, r10, r11
    add     r10, r10, sp
    ldr     sp, [r0, #\at + 12]
    sub     r12, r10, r12
    add     r11, r11, sp
.endm

.macro LAST_PRODUCTS
    smlal   r8, r9, r10, r11
    sub     r11, r11, lr
    smlal   r6, r7, r12, r11
.endm

.macro STEP at
    PRODUCTS \at
    LAST_PRODUCTS
    LOAD_STEP \at + 16
.endm

.macro NEXT_CHUNK
    ldr     r11, [r1, #CHUNK_BYTES]!
    ldr     r10, [r0, #CHUNK_BYTES]!
    TERMS   0
.endm

.macro THREE_STEPS
    STEP    0
    STEP    16
    STEP    32
.endm

FUNCTION dot_s28_sums
    push    {r4-r11, lr}
    ldr     r12, .Llocals
    str     sp, [r12, #CALLER]
    mov     sp, r12
    ldmia   r1, {r2-r9}         @ a, b, b_pitch, columns, chunks, rows, column_rows, fresh
    cmp     r9, #0
    addne   r9, r8, #CORRECTION
    str     r9, [sp, #COLUMN]
    ldr     r10, [r7, #CORRECTION]
    ldr     r11, [r7, #CORRECTION + 4]
    ldr     r12, [r7, #ROW_BYTES + CORRECTION]
    ldr     lr, [r7, #ROW_BYTES + CORRECTION + 4]
    add     r8, sp, #ROW
    stmia   r8, {r10-r12, lr}
    sub     r6, r6, #1
    and     lr, r6, #UNROLLED - 1
    ldr     r12, .Llast
    add     lr, lr, lr, lsl #2
    sub     r12, r12, lr, lsl #6
    mov     r6, r6, lsl #6
    add     r7, r2, r6          @ A_LAST
    mov     r8, r2              @ A_FIRST
    rsb     r9, r6, r4, lsl #2  @ B_STEP
    mov     r10, r0             @ LOW
    add     r11, r0, r5, lsl #3 @ HIGH
    stmia   sp, {r7-r11}
    str     r11, [sp, #LOW_END]
    str     r12, [sp, #ENTRY]
    mov     r0, r2
    mov     r1, r3
    b       .Lblock
.Lmore:
    NEXT_CHUNK
    .rept   UNROLLED - 1
    THREE_STEPS                 @ with what follows 5 * 64 bytes of code
    PRODUCTS 48
    LAST_PRODUCTS
    NEXT_CHUNK
    .endr
.Llast_chunk:
    THREE_STEPS
    PRODUCTS 48
    ldr     sp, .Llocals
    smlal   r8, r9, r10, r11
    ldr     r10, [sp, #A_LAST]
    sub     r11, r11, lr
    smlal   r6, r7, r12, r11
    cmp     r0, r10
    bne     .Lmore
    ldr     r10, [sp, #LOW]
    ldr     r11, [sp, #HIGH]
    ldr     r12, [sp, #B_STEP]
    stmia   r10!, {r2-r5}
    stmia   r11!, {r6-r9}
    ldr     lr, [sp, #LOW_END]
    str     r10, [sp, #LOW]
    str     r11, [sp, #HIGH]
    cmp     r10, lr
    ldr     r0, [sp, #A_FIRST]
    add     r1, r1, r12
    beq     .Ldone
.Lblock:
    ldr     r12, [sp, #COLUMN]
    ldr     r10, [sp, #ROW]
    ldr     r11, [sp, #ROW + 4]
    cmp     r12, #0
    beq     .Lgoes_on
    ldr     r6, [r12], #4
    ldr     r7, [r12], #ROW_BYTES - 4
    ldr     r9, [r12], #4
    ldr     lr, [r12], #ROW_BYTES - 4
    adds    r2, r6, r10
    adc     r3, r7, r11
    adds    r4, r9, r10
    adc     r5, lr, r11
    str     r12, [sp, #COLUMN]
    ldr     r10, [sp, #ROW + 8]
    ldr     r11, [sp, #ROW + 12]
    adds    r6, r6, r10
    adc     r7, r7, r11
    adds    r8, r9, r10
    adc     r9, lr, r11
.Lstart:
    LOAD_STEP 0
    ldr     pc, [sp, #ENTRY]
.Lgoes_on:
    ldr     r10, [sp, #LOW]
    ldr     r11, [sp, #HIGH]
    ldmia   r10, {r2-r5}
    ldmia   r11, {r6-r9}
    b       .Lstart
.Ldone:
    ldr     sp, [sp, #CALLER]
    pop     {r4-r11, pc}
.Llocals:
    .word   locals
.Llast:
    .word   .Llast_chunk

    .section .bss.dot_s28_sums, "aw", %nobits
    .balign 4
    .balign 4
locals:
    .space  LOCALS
