/* The end of DOT_S28's K-blocks: sums to float32, rounded once, added to C; twin of
 * ../dot_s28_finish.c (same bits).
 *
 * In: r0 = struct dot_row (dot_s28.h). A magnitude below 2^32 and results outside the normal range go to
 * sf_round (hal/spinnaker/sf_edge.c).
 *
 *     r4 c    r5 sums    r6 exponents    r7 n    r8 exponent + 189    r9 first_block
 */
#include "strip_asm.h"

    .syntax unified
    .arm

#define LEAD 189 /* 63 + 126: field, less one, of a leading one at bit 63 */

FUNCTION dot_s28_finish
    push    {r4-r10, lr}
    ldmia   r0, {r4-r9}
    add     r8, r8, #LEAD
1:  ldmia   r5!, {r2, r3}
    ldrsh   r1, [r6], #4
    mov     r12, r3, asr #31
    eor     r2, r2, r12
    eor     r3, r3, r12
    subs    r2, r2, r12
    sbcs    r3, r3, r12         @ r3:r2 = magnitude
    beq     4f
    clz     r0, r3
    add     r1, r1, r8
    rsb     lr, r0, #32
    mov     r3, r3, lsl r0
    orr     r3, r3, r2, lsr lr
    movs    r2, r2, lsl r0
    orrne   r3, r3, #1          @ 24 bits, 7 to round, 1 for what lies under them
    sub     r1, r1, r0
    cmp     r1, #253
    bhi     4f
    movs    lr, r3, lsr #9      @ C: lowest of the 24
    adcs    r3, r3, #0x7f
    and     r12, r12, #0x80000000
    add     r0, r12, r1, lsl #23
    add     r0, r0, r3, lsr #8
    addcs   r0, r0, #0x01000000
2:  cmp     r9, #0
    bne     3f
    ldr     r1, [r4]
    bl      sf_add
3:  str     r0, [r4], #4
    subs    r7, r7, #1
    bne     1b
    pop     {r4-r10, pc}
4:  ldrsh   r2, [r6, #-4]
    ldr     r0, [r5, #-8]
    ldr     r1, [r5, #-4]
    add     r2, r2, r8
    sub     r2, r2, #LEAD
    bl      sf_round
    b       2b
