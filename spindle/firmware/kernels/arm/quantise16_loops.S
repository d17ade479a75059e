/* Inner loops of QUANTISE_13 and QUANTISE_16. Contracts: quantise16_loops.h; twin: ../quantise16_triple.c
 * (same bits, through arm/quantise16_triple.c).
 *
 *     r0 x    r1 panel    r2-r4 step_k, second, third    r5-r7 tops, or bases; in r7 above: turns
 *     r8 0x80000000 + bits    r9, r12, lr  the rows' words    r10, r11  scratch
 *
 * Cycles per element: docs/kernels.md.
 */
#include "strip_asm.h"

    .syntax unified
    .arm

.macro LOAD_K
    ldr     r12, [r0, r3]
    ldr     lr, [r0, r4]
    ldr     r9, [r0], r2
.endm

.macro RAISE top, x
    cmp     \top, \x, lsl #1
    movlo   \top, \x, lsl #1
.endm

.macro TOPS_OF_K
    LOAD_K
    RAISE   r6, r12
    RAISE   r7, lr
    RAISE   r5, r9
.endm

FUNCTION quantise16_tops
    push    {r1, r4-r9, lr}
    ldmia   r0, {r0, r1, r2-r4} @ x, n_k, step_k, second, third
    mov     r5, #0
    mov     r6, r5
    mov     r7, r5
1:  TOPS_OF_K
    TOPS_OF_K
    subs    r1, r1, #2
    bne     1b
    pop     {r1}
    stmia   r1, {r5-r7}
    pop     {r4-r9, pc}

/* r10 = mantissa of x: down to nearest even, the next power of two clamped. The field is the low byte of
 * the word turned by 23; a shift is taken from a register's low byte. A tie has no bit below its half,
 * thus none in the low byte. */
.macro MANTISSA x, base
    orr     r10, r8, \x, lsl #8
    sub     r11, \base, \x, ror #23
    movs    r10, r10, lsr r11   @ C: the half
    adc     r10, r10, #0
    tst     \x, #0xff
    beq     .Lcoarse\@
.Lrounded\@:
    sub     r10, r10, r10, lsr r8
    cmp     \x, #0
    rsbmi   r10, r10, #0
    .subsection 1
.Lcoarse\@:
    bcc     .Lrounded\@
    rsb     r11, r11, #41
    movs    r11, \x, lsl r11    @ Z: nothing under the half
    biceq   r10, r10, #1
    b       .Lrounded\@
    .previous
.endm

/* r1 is \ahead bytes into the panel's next pair of k. The low byte of r8, bits of a mantissa, is below
 * every half. */
.macro BEGIN ahead
    push    {r4-r11, lr}
    ldmia   r1, {r5-r7}
    add     r1, r2, #\ahead
    ldmia   r0, {r0, r8-r10, r12, lr} @ x, n_k, step_k, second, third, bits
    mov     r2, r9
    mov     r3, r10
    mov     r4, r12
    orr     r7, r7, r8, lsl #7  @ n_k / 2 turns at bit 8
    sub     r7, r7, #0x100
    orr     r8, lr, #0x80000000
.endm

.macro HALF x, base, at:vararg
    MANTISSA \x, \base
    strh    r10, \at
.endm

FUNCTION quantise16_narrow
    BEGIN   6
1:  LOAD_K
    HALF    r12, r6, [r1, #-4]
    HALF    lr, r7, [r1, #-2]
    HALF    r9, r5, [r1, #-6]
    LOAD_K
    HALF    r12, r6, [r1, #4]
    HALF    r9, r5, [r1, #2]
    HALF    lr, r7, [r1], #12
    subs    r7, r7, #0x100
    bpl     1b
    pop     {r4-r11, pc}

.macro WORD x, base, at:vararg
    MANTISSA \x, \base
    mov     r10, r10, lsl #9
    str     r10, \at
.endm

.macro WIDE_K
    LOAD_K
    WORD    r12, r6, [r1, #-4]
    WORD    r9, r5, [r1, #-8]
    WORD    lr, r7, [r1], #12
.endm

FUNCTION quantise16_wide
    BEGIN   8
1:  WIDE_K
    WIDE_K
    subs    r7, r7, #0x100
    bpl     1b
    pop     {r4-r11, pc}
