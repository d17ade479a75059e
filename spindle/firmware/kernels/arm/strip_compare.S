/* EQ, NE, LT, LE on float32 strips; twin of ../strip_compare.c (same bits).
 *
 * In and out: strip_asm.h; words 0 or 1. r8 = 0xff000000: twice a NaN's bits are above it. r12: what a
 * true comparison gives, r3: a false one. NE is EQ with both exchanged, LE is LT with both and the
 * sources exchanged (but a NaN gives 0 in both).
 */
#include "strip_asm.h"

    .syntax unified
    .arm

/* Equal: the same word and no NaN, or two zeros. */
.macro EQUAL_2
    ldr     r0, [r5], #4
    ldr     r1, [r6], #4
    mov     r2, r3
    teq     r0, r1
    beq     .Lequal_same\@
    orr     r0, r0, r1
    movs    r0, r0, lsl #1
    moveq   r2, r12
.Lequal_store\@:
    str     r2, [r4], #4
    .subsection 1
.Lequal_same\@:
    cmp     r8, r0, lsl #1
    movcs   r2, r12
    b       .Lequal_store\@
    .previous
.endm

/* Less: as signed integers, the other way round where both are negative; two zeros are not. */
.macro LESS_2
    ldr     r0, [r5], #4
    ldr     r1, [r6], #4
    mov     r2, r3
    cmp     r8, r0, lsl #1
    cmpcs   r8, r1, lsl #1
    bcc     .Lless_nan\@
    orr     lr, r0, r1
    movs    lr, lr, lsl #1
    beq     .Lless_store\@
    tst     r0, r1
    bmi     .Lless_negative\@
    cmp     r0, r1
    movlt   r2, r12
.Lless_store\@:
    str     r2, [r4], #4
    .subsection 1
.Lless_nan\@:
    mov     r2, #0
    b       .Lless_store\@
.Lless_negative\@:
    cmp     r0, r1
    movgt   r2, r12
    b       .Lless_store\@
    .previous
.endm

FUNCTION prim_ne_f32
    STRIP_HEAD 2
    mov     r12, #0
    mov     r3, #1
    b       .Lequal

FUNCTION prim_lt_f32
    STRIP_HEAD 2
    mov     r12, #1
    mov     r3, #0
    b       .Lless

FUNCTION prim_eq_f32
    STRIP_HEAD 2
    mov     r12, #1
    mov     r3, #0
.Lequal:
    mov     r8, #0xff000000
    STRIP_BY_TWO EQUAL_2

FUNCTION prim_le_f32
    STRIP_HEAD 2
    mov     r12, r5
    mov     r5, r6
    mov     r6, r12
    mov     r12, #0
    mov     r3, #1
.Lless:
    mov     r8, #0xff000000
    STRIP_BY_TWO LESS_2
