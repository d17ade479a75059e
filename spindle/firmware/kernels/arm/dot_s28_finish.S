/* The end of DOT_S28's K-blocks: sums to float32, rounded once, added to C; twin of
 * ../dot_s28_finish.c (same bits).
 *
 * In: r0 = struct dot_row (dot_s28.h). A sum S is normalised with its sign: T = the 32 bits under
 * the sign bits of S, so that S = (T - (S < 0) * 2^32) * 2^(32 - zeros) and what lies below. T is
 * rounded to 24 bits, which a negative S then takes from 2^24. |S| below 2^32, a T that may be
 * half-way, and results outside the normal range go to sf_round (hal/spinnaker/sf_edge.c).
 *
 *     r4 c    r5 sums    r6 columns    r7 n    r8 exponent + 189    r9 first_block, then 0x81000001
 */
#include "strip_asm.h"

    .syntax unified
    .arm

#define LEAD 189 /* 63 + 126: field, less one, of a leading one at bit 63 */

/* r0 = value of the next sum; \edge: where it is not an ordinary one. r9 = 0x81000001: what a
 * negative one adds to its inverted bits: 1, 2^24, the sign. */
.macro ROUNDED edge
    ldmia   r5!, {r2, r3}
    ldrsh   r1, [r6], #16
    mov     r12, r3, asr #31
    eors    r0, r3, r12
    beq     \edge
    clz     r0, r0
    rsb     lr, r0, #32
    mov     r3, r3, lsl r0
    orr     r3, r3, r2, lsr lr
    sub     r1, r1, r0
    add     r1, r1, r8
    cmp     r1, #253
    bhi     \edge
    adds    r3, r3, #0x80       @ C: the 24 bits are 2^24
    tst     r3, #0xff
    beq     \edge
    eor     r3, r12, r3, lsr #8
    and     r12, r12, r9
    addcs   r3, r3, #0x01000000
    add     r0, r3, r1, lsl #23
    add     r0, r0, r12
.endm

/* r0 = value of the last sum read, on to \next. */
.macro EDGE next
    ldr     r0, [r5, #-8]
    ldr     r1, [r5, #-4]
    ldrsh   r2, [r6, #-16]
    orrs    r3, r0, r1
    beq     \next
    add     r2, r2, r8
    sub     r2, r2, #LEAD
    bl      sf_round
    b       \next
.endm

FUNCTION dot_s28_finish
    push    {r4-r10, lr}
    ldmia   r0, {r4-r9}
    cmp     r9, #0
    mov     r9, #0x81000000
    orr     r9, r9, #1
    add     r8, r8, #LEAD
    beq     3f
1:  ROUNDED 5f
2:  subs    r7, r7, #1
    str     r0, [r4], #4
    bne     1b
    pop     {r4-r10, pc}
3:  ROUNDED 6f
4:  ldr     r1, [r4]
    bl      sf_add
    subs    r7, r7, #1
    str     r0, [r4], #4
    bne     3b
    pop     {r4-r10, pc}
5:  EDGE    2b
6:  EDGE    4b
