/* Inner loops of QUANTISE. Contracts: quantise_loops.h; twin: ../quantise_pair.h (same bits).
 *
 * Cycles per element: docs/kernels.md.
 */
#include "strip_asm.h"

#define PANEL_ROW_BYTES 16

    .syntax unified
    .arm

/* r7, r8: the largest of both rows. */
.macro TOPS_OF_K
    ldr     r9, [r1], #4
    ldr     r10, [r0], r3
    smulbb  r9, r9, r5          @ sign * d at bit 14
    ldr     r11, [r0], r4
    mov     r10, r10, lsl #1
    mov     r11, r11, lsl #1
    add     r10, r9, r10, lsr #10
    add     r11, r9, r11, lsr #10
    cmp     r7, r10
    movlt   r7, r10
    cmp     r8, r11
    movlt   r8, r11
.endm

FUNCTION quantise_range
    push    {r4, lr}
    ldr     r3, [r0]
    mov     r12, r3             @ r3: lowest, r12: highest
    tst     r1, #1
    addne   r0, r0, #4
    bics    r1, r1, #1
    beq     2f
1:  ldmia   r0!, {r4, lr}
    cmp     r4, r3
    movlt   r3, r4
    cmp     r4, r12
    movgt   r12, r4
    cmp     lr, r3
    movlt   r3, lr
    cmp     lr, r12
    movgt   r12, lr
    subs    r1, r1, #2
    bne     1b
2:  stmia   r2, {r3, r12}
    pop     {r4, pc}

/* The hidden one at bit 31, down by E + 132 - d - field, to nearest even. The field is the low byte
 * of the word turned by 23; a shift is taken from a register's low byte. \next: the row's partner is
 * loaded. */
.macro MANTISSA_OF base, next=none
    orr     r10, r5, r9, lsl #8
    sub     r11, \base, r8
    sub     r11, r11, r9, ror #23
    movs    r12, r10, lsr r11   @ C: the half; rare, as the four largest binades keep all bits
    bcs     .Lhalf\@
.Lrounded\@:
    cmp     r9, #0
    .ifnc \next, none
    ldr     r9, [r0], \next
    .endif
    rsbmi   r12, r12, #0
    str     r12, [r2], #4
    .subsection 1
.Lhalf\@:
    add     r12, r12, #1
    rsb     r11, r11, #33
    movs    r10, r10, lsl r11   @ Z: nothing under it
    biceq   r12, r12, #1
    b       .Lrounded\@
    .previous
.endm

.macro MANTISSAS_OF_K
    ldr     r8, [r1], #4
    ldr     r9, [r0], r3
    smulbt  r8, r8, r6          @ sign * d
    MANTISSA_OF r6, r4
    MANTISSA_OF r7
.endm

/* r1 = \at of \top's row: its exponent word; \top = E + 132. */
.macro SETTLE top, at
    mov     \top, \top, asr #14
    sub     r9, \top, #127
    mov     r9, r9, lsl #16
    mov     r9, r9, lsr #16
    str     r9, [r1, #\at]
    add     \top, \top, #5
.endm

FUNCTION quantise_pair
    push    {r4-r11, lr}
    push    {r0-r2}
    ldmia   r0, {r0-r5}         @ x, d, n_k, step_f, jump_k, sign
    mov     r5, r5, lsl #14
    mov     r7, #0x80000000
    mov     r8, #0x80000000
    tst     r2, #2
    addne   r2, r2, #2
    bne     2f
1:  TOPS_OF_K
    TOPS_OF_K
2:  TOPS_OF_K
    TOPS_OF_K
    subs    r2, r2, #4
    bne     1b
    pop     {r0-r2}
    ldr     r3, [r0, #24]       @ least, most
    ldr     r4, [r0, #28]
    cmp     r7, r3
    cmpge   r8, r3
    blt     3f
    cmp     r7, r4
    cmplt   r8, r4
    bge     3f
    SETTLE  r7, 0
    SETTLE  r8, PANEL_ROW_BYTES
    orr     r6, r7, r5, lsl #2
    mov     r7, r8
    b       quantise_all
3:  str     r7, [r1]
    str     r8, [r1, #PANEL_ROW_BYTES]
    mov     r0, #0
    pop     {r4-r11, pc}

FUNCTION quantise_mantissas
    push    {r4-r11, lr}
    ldmia   r1, {r6, r7}
quantise_all:
    ldmia   r0, {r0, r1, r8-r10}
    mov     lr, r8
    mov     r3, r9
    mov     r4, r10
    mov     r5, #0x80000000
1:  MANTISSAS_OF_K
    MANTISSAS_OF_K
    subs    lr, lr, #2
    bne     1b
    mov     r0, #1
    pop     {r4-r11, pc}
