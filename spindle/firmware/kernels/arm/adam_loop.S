/* ADAM_F32, the loop over a strip. Contract: adam_loop.h; twin: ../adam.c (same bits).
 *
 * An element takes the straight way where no operation can meet or make a denormal, Inf or NaN, so
 * that none is tested for. That holds for these ranges, with the constants' of adam_loop.h:
 *
 *     |p|, |m| in [2^-63, 2^64)     |g| in [2^-47, 2^21]     v in [2^-87, 2^43]
 *
 * b1*m and b2*v then have exponent fields of at least 49 and 25, c1*g 65, c2*g*g 18; m' at least 49
 * but where its terms cancel, which is looked at there; alpha*m' 25..194; the denominator 72..150;
 * the quotient 1..245. v = m = 0 and g = 0 have ways of their own; the rest is adam_element's.
 *
 * "Unpacked" is a significand of 2^23..2^24 and, apart, sign and exponent where a packed word has
 * them; the word is their sum, the exponent being one less for the leading one. r10 = offset, r11 =
 * struct adam_loop, r5 = p, r6 = m, r7 = v, lr = g, r8 and r9 a constant; the rest is free.
 */
#include "sf_inline.h"
#include "strip_asm.h"

    .syntax unified
    .arm

#define M_OUT 16
#define B1 24
#define C1 32
#define B2 40
#define C2 48
#define ALPHA 56
#define EPS 64
#define P_OUT 72
#define G_LAST 76
#define SEEDS 80
#define K_EPS 104

/* r0, r3 = word, unpacked. */
.macro UNPACK word
    orr     r0, \word, #0x00800000
    bic     r0, r0, #0xff000000
    sub     r3, \word, r0
.endm

/* r2:r1, a product of 24 x 32 bits: the significand above what lies under the last place. C: that is
 * half a place or more, Z: just half. */
.macro NORMALISE exponent
    tst     r2, #0x00800000
    moveq   r2, r2, lsl #1
    orreq   r2, r2, r1, lsr #31
    moveq   r1, r1, lsl #1
    subeq   \exponent, \exponent, #0x00800000
    cmp     r1, #0x80000000
.endm

/* word = word times the constant at \at. */
.macro SCALE word, at
    ldrd    r8, r9, [r11, #\at]
    UNPACK  \word
    umull   r1, r2, r0, r8
    add     r3, r3, r9
    NORMALISE r3
    adc     \word, r2, r3
    biceq   \word, \word, #1
.endm

.macro ROUND significand
    adc     \significand, r2, #0
    biceq   \significand, \significand, #1
.endm

/* a += unpacked b, both positive; to \apart, with both as they were, where b's exponent field is
 * larger or the sum leaves a's binade. field and sum: scratch, as r1 and r12. */
.macro ADD_POSITIVE a, b, field, sum, apart, b_field:vararg
    mov     \field, \a, lsr #23
    subs    r1, \field, \b_field
    bmi     \apart
    rsb     r12, r1, #32
    add     \sum, \a, \b, lsr r1
    mov     r12, \b, lsl r12     @ out
    teq     \field, \sum, lsr #23
    bne     \apart
    cmp     r12, #0x80000000
    adc     \a, \sum, #0
    biceq   \a, \a, #1
.endm

/* p' = r0, r9 = p_out. */
.macro NEXT
    str     r0, [r9, r10]
    subs    r10, r10, #4
    bpl     .Lloop
    pop     {r4-r11, pc}
.endm

FUNCTION adam_loop
    push    {r4-r11, lr}
    mov     r11, r0
    mov     r10, r1
.Lloop:
    ldmia   r11, {r0-r3}
    ldr     r5, [r0, r10]
    ldr     r6, [r1, r10]
    ldr     r7, [r2, r10]
    ldr     lr, [r3, r10]
    eor     r0, r5, r5, lsl #1
    eor     r1, r6, r6, lsl #1
    and     r0, r0, r1
    movs    r0, r0, lsl #2      @ C: both fields 64..191
    movcs   r0, lr, lsl #1
    subcs   r0, r0, #80 << 24
    rsbscs  r1, r0, #68 << 24   @ 80..147, or 2^21
    subcs   r0, r7, #40 << 23
    rsbscs  r1, r0, #130 << 23  @ 40..169, or 2^43; positive
    bcc     .Lrare
.Lscale:
    SCALE   r6, B1
    SCALE   r7, B2
    movs    r0, lr, lsl #1
    beq     .Lmoved
.Lgradient:                     @ r6 = b1*m, r7 = b2*v
    UNPACK  lr
    ldrd    r8, r9, [r11, #C1]
    umull   r1, r2, r0, r8
    add     r12, r3, r9
    NORMALISE r12
    adc     r4, r2, r12
    biceq   r4, r4, #1          @ c1*g
    ldr     r1, [r11, #G_LAST]
    ldrd    r8, r9, [r11, #C2]
    cmp     r1, #0
    bne     .Lg_last
    mov     r12, r0, lsl #8
    umull   r1, r2, r0, r12     @ g*g
    add     r3, r3, r3
    sub     r3, r3, #125 << 23
    NORMALISE r3
    ROUND   r0
    umull   r1, r2, r0, r8
    add     r3, r3, r9
.Lsquare:
    NORMALISE r3
    ROUND   r2                  @ c2*g*g, exponent not less one
    ADD_POSITIVE r7, r2, r0, r8, .Lv_apart, r3, lsr #23
.Lv_done:
    mov     r0, r6, lsl #1
    cmp     r0, r4, lsl #1
    movlo   r0, r6
    movlo   r6, r4
    movlo   r4, r0              @ now |r6| >= |r4|
    mov     r0, r6, lsr #23
    sub     r1, r0, r4, lsr #23 @ shift amounts are low bytes: signs do not matter
    orr     r2, r4, #0x00800000
    bic     r2, r2, #0xff000000
    rsb     r3, r1, #32
    teq     r6, r4
    bmi     .Lm_difference
    add     r12, r6, r2, lsr r1
    mov     r2, r2, lsl r3      @ out
    teq     r0, r12, lsr #23
    bne     .Lm_carry
    cmp     r2, #0x80000000
    adc     r6, r12, #0
    biceq   r6, r6, #1
.Lmoved:                        @ r6 = m', r7 = v'
    ldrd    r0, r1, [r11, #M_OUT]
    ldrd    r8, r9, [r11, #ALPHA]
    str     r6, [r0, r10]
    str     r7, [r1, r10]
    UNPACK  r6
    umull   r1, r2, r0, r8
    add     r4, r3, r9
    NORMALISE r4
    ROUND   r6                  @ r6, r4 = alpha*m', unpacked
    ldr     r3, [r11, #SEEDS]
    mov     r0, r7
    SF_SQRT_BODY
    ldrd    r8, r9, [r11, #EPS]
    ADD_POSITIVE r0, r8, r3, r2, .Ldenominator_apart, r9, lsr #23
.Ldenominator:
    ldr     r3, [r11, #SEEDS]
    orr     r1, r0, #0x00800000
    bic     r1, r1, #0xff000000
    sub     r2, r0, r1
    sub     r12, r4, r2
    mov     r0, r6
    SF_DIV_BODY ldr r9, [r11, #P_OUT]
    mov     r0, r5, lsl #1
    mov     r2, r2, lsr #1      @ r2, r12 = quotient, unpacked, exponent not less one
    cmp     r0, r12, lsl #1
    blo     .Lp_apart
    mov     r0, r5, lsr #23
    sub     r1, r0, r12, lsr #23
    rsb     r3, r1, #32
    teq     r5, r12
    bpl     .Lp_difference
    add     r4, r5, r2, lsr r1
    mov     r3, r2, lsl r3
    teq     r0, r4, lsr #23
    bne     .Lp_apart
    cmp     r3, #0x80000000
    adc     r0, r4, #0
    biceq   r0, r0, #1
.Lstore:
    NEXT
.Lp_difference:
    mov     r3, r2, lsl r3
    rsbs    r3, r3, #0          @ out, borrowed from the place above
    sbc     r4, r5, r2, lsr r1
    teq     r0, r4, lsr #23
    bne     .Lp_apart
    cmp     r3, #0x80000000
    adc     r0, r4, #0
    biceq   r0, r0, #1
    NEXT

.Lg_last:                       @ (c2*g)*g
    umull   r1, r2, r0, r8
    add     r12, r3, r9
    NORMALISE r12
    ROUND   r8
    mov     r0, r0, lsl #8
    umull   r1, r2, r8, r0
    add     r3, r3, r12
    sub     r3, r3, #125 << 23
    b       .Lsquare

.Lv_apart:
    add     r1, r2, r3
    sub     r1, r1, #0x00800000
    mov     r0, r7
    bl      sf_add
    mov     r7, r0
    b       .Lv_done

.Lm_carry:                      @ the fraction moves down by one place
    movs    r1, r12, lsr #1     @ C: 1/2
    add     r0, r0, #1
    add     r6, r1, r0, lsl #22
    adc     r6, r6, #0
    cmpcs   r2, #0
    biceq   r6, r6, #1
    b       .Lmoved
.Lm_difference:
    mov     r3, r2, lsl r3
    rsbs    r3, r3, #0
    sbc     r12, r6, r2, lsr r1
    teq     r0, r12, lsr #23
    bne     .Lm_cancel
    cmp     r3, #0x80000000
    adc     r6, r12, #0
    biceq   r6, r6, #1
    b       .Lmoved
.Lm_cancel:                     @ the fraction field holds the whole significand now
    movs    r1, r12, lsl #9
    bpl     .Lm_deep
    adds    r3, r3, r3          @ up by one place
    adc     r12, r12, r1, lsr #9
    sub     r12, r12, #0x00800000
    cmp     r3, #0x80000000
    adc     r6, r12, #0
    biceq   r6, r6, #1
    b       .Lmoved
.Lm_deep:
    mov     r0, r6
    mov     r1, r4
    bl      sf_add
    mov     r6, r0
    mov     r0, r0, lsl #1
    cmp     r0, #49 << 24
    bhs     .Lmoved
.Lcalls:
    mov     r0, r11
    mov     r1, r10
    bl      adam_element
    subs    r10, r10, #4
    bpl     .Lloop
    pop     {r4-r11, pc}

.Ldenominator_apart:
    ldr     r1, [r11, #K_EPS]
    bl      sf_add
    b       .Ldenominator

.Lp_apart:
    add     r1, r2, r12
    sub     r1, r1, #0x00800000
    mov     r0, r5
    bl      sf_sub
    b       .Lstore

.Lrare:
    orr     r0, r6, r7
    movs    r0, r0, lsl #1
    beq     .Lno_moments
    movs    r0, lr, lsl #1
    bne     .Lcalls
    eor     r0, r5, r5, lsl #1  @ g = 0
    eor     r1, r6, r6, lsl #1
    and     r0, r0, r1
    movs    r0, r0, lsl #2
    subcs   r0, r7, #40 << 23
    rsbscs  r1, r0, #130 << 23
    bcs     .Lscale
    b       .Lcalls
.Lno_moments:                   @ m = v = 0
    eor     r0, r5, r5, lsl #1
    tst     r0, #0x40000000
    beq     .Lcalls
    mov     r7, #0
    movs    r0, lr, lsl #1
    beq     .Lnothing
    sub     r0, r0, #80 << 24
    cmp     r0, #68 << 24
    bls     .Lgradient
    b       .Lcalls
.Lnothing:                      @ g = 0 too: nothing moves
    and     r6, r6, lr
    ldrd    r0, r1, [r11, #M_OUT]
    str     r6, [r0, r10]
    str     r7, [r1, r10]
    ldr     r9, [r11, #P_OUT]
    mov     r0, r5
    NEXT
    .size   adam_loop, . - adam_loop
