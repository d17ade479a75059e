/* The end of DOT_S13 and DOT_S16: exact sums to float32, rounded once; twin of ../dot_s16_finish.c (same
 * bits).
 *
 * In: r0 = struct dot_s16_row (dot_s16.h). The magnitude of a sum moves up until its leading one is at
 * bit 31, and is rounded to 24 bits there. Sums with a high word, and results outside the normal range,
 * go to sf_round (hal/spinnaker/sf_round.c).
 *
 *     r4 c    r5 sums    r6 high    r7 columns    r8 n    r9 exponent + 157    r10 1
 */
#include "strip_asm.h"

    .syntax unified
    .arm

#define LEAD 157 /* 31 + 126: field, less one, of a leading one at bit 31 */
#define TO_NEXT_BLOCK 24

/* c = value of the next sum; Z: it is the last one. */
.macro ROUNDED
    ldr     r0, [r5], #4
    ldrsh   r1, [r7], #4
    ands    lr, r0, #0x80000000
    rsbne   r0, r0, #0
    clz     r2, r0
    add     r1, r1, r9
    sub     r1, r1, r2
    cmp     r1, #253
    bhi     .Ledge\@
    movs    r0, r0, lsl r2
    beq     .Lrounded\@
    and     r3, r10, r0, lsr #8
    add     r3, r3, #0x7f
    adds    r0, r0, r3
    add     lr, lr, r1, lsl #23
    addcs   lr, lr, #0x01000000
    add     r0, lr, r0, lsr #8
.Lrounded\@:
    subs    r8, r8, #1
    str     r0, [r4], #4
    .subsection 1
.Ledge\@:
    ldr     r0, [r5, #-4]
    mov     r1, r0, asr #31
    bl      round_sum
    b       .Lrounded\@
    .previous
.endm

.macro ROUNDED_HIGH
    ldr     r0, [r5], #4
    ldr     r1, [r6], #4
    add     r7, r7, #4
    add     r1, r1, r0, asr #31
    bl      round_sum
    subs    r8, r8, #1
    str     r0, [r4], #4
.endm

FUNCTION dot_s16_finish
    push    {r4-r10, lr}
    ldmia   r0, {r4-r9}
    mov     r10, #1
    cmp     r6, #0
    add     r9, r9, #LEAD
    bne     2f
1:  ROUNDED
    beq     3f
    ROUNDED
    beq     3f
    ROUNDED
    add     r5, r5, #TO_NEXT_BLOCK
    bne     1b
    pop     {r4-r10, pc}
2:  ROUNDED_HIGH
    beq     3f
    ROUNDED_HIGH
    beq     3f
    ROUNDED_HIGH
    add     r5, r5, #TO_NEXT_BLOCK
    add     r6, r6, #TO_NEXT_BLOCK
    bne     2b
3:  pop     {r4-r10, pc}

/* r0 = value of the sum in r1:r0, at the exponent of the column just read; 0 needs none. */
round_sum:
    orrs    r2, r0, r1
    bxeq    lr
    ldrsh   r2, [r7, #-4]
    sub     r3, r9, #LEAD
    add     r2, r2, r3
    b       sf_round
