/* Exact integer sums of DOT_S28: 2x2 outputs by SMLAL; twin of ../dot_s28_sums.c (same bits).
 *
 * In: r0 = int64 sums[2][columns], r1 = struct dot_pair (dot_s28.h). Out: sums, on top of what they
 * held unless fresh. One k-step is 4 SMLAL and 4 loads, 16 cycles without interlock; 8 k-steps of a chunk lie in a
 * row, a chunk's end loads the pitch into the register its last load overwrites. Four chunks are
 * unrolled; a block of 2x2 enters so that the last one ends it. The last k-step loads nothing: no word outside the
 * panels is touched.
 *
 *     r0, r1  a, b    r2-r9  c00 c01 c10 c11    r10, r11  a0, a1    r12, lr  b0, b1
 */
#include "strip_asm.h"

    .syntax unified
    .arm

#define A_LAST 0     /* address of a after all loads of a block, which says that it ends */
#define A_JUMP 4     /* bytes from a chunk's last word to the next chunk */
#define B_JUMP 8
#define A_FIRST 12
#define B_BACK 16    /* from b's end of one block to the next block's start */
#define LOW 20       /* sums of the upper row, next block */
#define HIGH 24
#define LOW_END 28
#define ENTRY 32
#define FRESH 36
#define LOCALS 40

.macro K_STEP
    smlal   r2, r3, r10, r12
    smlal   r4, r5, r10, lr
    ldr     r10, [r0], #4
    smlal   r6, r7, r11, r12
    ldr     r12, [r1], #4
    smlal   r8, r9, r11, lr
    ldr     lr, [r1], #4
    ldr     r11, [r0], #4
.endm

/* Loads the chunk's last words. */
.macro K_STEP_JUMP
    smlal   r2, r3, r10, r12
    smlal   r4, r5, r10, lr
    ldr     r10, [r0], #4
    smlal   r6, r7, r11, r12
    ldr     r12, [r1], #4
    smlal   r8, r9, r11, lr
    ldr     r11, [sp, #A_JUMP]
    ldr     lr, [sp, #B_JUMP]
    ldr     r11, [r0], r11
    ldr     lr, [r1], lr
.endm

.macro SEVEN_STEPS
    K_STEP
    K_STEP
    K_STEP
    K_STEP
    K_STEP
    K_STEP
    K_STEP_JUMP
.endm

.macro START_BLOCK
    ldr     r10, [r0], #4
    ldr     r11, [r0], #4
    ldr     r12, [r1], #4
    ldr     lr, [r1], #4
    ldr     pc, [sp, #ENTRY]
.endm

FUNCTION dot_s28_sums
    push    {r4-r11, lr}
    sub     sp, sp, #LOCALS + 4
    ldmia   r1, {r2-r7, r12}    @ a, b, a_pitch, b_pitch, columns, chunks, fresh
    str     r12, [sp, #FRESH]
    str     r0, [sp, #LOW]
    add     r8, r0, r6, lsl #3
    str     r8, [sp, #HIGH]
    str     r8, [sp, #LOW_END]
    str     r2, [sp, #A_FIRST]
    mul     r9, r7, r4
    mov     r4, r4, lsl #2
    add     r9, r2, r9, lsl #2
    str     r9, [sp, #A_LAST]
    sub     r4, r4, #60
    str     r4, [sp, #A_JUMP]
    mul     r9, r7, r5
    mov     r5, r5, lsl #2
    mov     r9, r9, lsl #2
    rsb     r9, r9, #64
    str     r9, [sp, #B_BACK]
    sub     r5, r5, #60
    str     r5, [sp, #B_JUMP]
    rsb     r7, r7, #0
    and     r7, r7, #3          @ chunks of the unrolled four to skip
    adr     r8, .Lchunk_0
    ldr     r9, .Lchunk_bytes
    mla     r8, r7, r9, r8
    str     r8, [sp, #ENTRY]
    mov     r10, r0
    ldr     r11, [sp, #HIGH]
    mov     r0, r2
    mov     r1, r3
    b       .Lblock
.Lmore:                         @ the last k-step of four chunks, where another chunk follows
    ldr     r10, [r0], #4
    ldr     r12, [r1], #4
    smlal   r8, r9, r11, lr
    ldr     lr, [r1], #4
    ldr     r11, [r0], #4
.Lchunk_0:
    SEVEN_STEPS
    K_STEP
.Lchunk_1:
    SEVEN_STEPS
    K_STEP
    SEVEN_STEPS
    K_STEP
    SEVEN_STEPS
    smlal   r2, r3, r10, r12
    smlal   r4, r5, r10, lr
    ldr     r10, [sp, #A_LAST]
    smlal   r6, r7, r11, r12
    cmp     r0, r10
    bne     .Lmore
    smlal   r8, r9, r11, lr
    ldr     r10, [sp, #LOW]
    ldr     r11, [sp, #HIGH]
    ldr     r12, [sp, #B_BACK]
    stmia   r10!, {r2-r5}
    stmia   r11!, {r6-r9}
    ldr     lr, [sp, #LOW_END]
    str     r10, [sp, #LOW]
    str     r11, [sp, #HIGH]
    cmp     r10, lr
    ldr     r0, [sp, #A_FIRST]
    add     r1, r1, r12
    beq     .Ldone
.Lblock:                        @ r10, r11: its sums
    ldr     r12, [sp, #FRESH]
    mov     r2, #0
    cmp     r12, #0
    beq     .Lloaded
    .irp    sum, r3, r4, r5, r6, r7, r8, r9
    mov     \sum, r2
    .endr
    START_BLOCK
.Lloaded:
    ldmia   r10, {r2-r5}
    ldmia   r11, {r6-r9}
    START_BLOCK
.Ldone:
    add     sp, sp, #LOCALS + 4
    pop     {r4-r11, pc}
.Lchunk_bytes:
    .word   .Lchunk_1 - .Lchunk_0
