/* Panel words of a pair of rows, and a look at exponent words; twin of ../panel.c (same bits).
 *
 * In and out: panel.h. Cycles: 3.8 a mantissa.
 */
#include "strip_asm.h"

    .syntax unified
    .arm

/* r4-r7: both rows' sums of products. */
.macro DIFFERENCES_OF_2K
    ldmia   r0!, {r8-r11}
    smlal   r4, r5, r8, r10
    sub     r12, r9, r8
    str     r12, [r0, #-12]
    smlal   r6, r7, r9, r11
    sub     r12, r11, r10
    str     r12, [r0, #-4]
.endm

FUNCTION panel_differences
    push    {r4-r11, lr}
    mov     r4, #0
    mov     r5, r4
    mov     r6, r4
    mov     r7, r4
    mov     lr, r4
1:  DIFFERENCES_OF_2K
    DIFFERENCES_OF_2K
    DIFFERENCES_OF_2K
    DIFFERENCES_OF_2K
    subs    r1, r1, #1
    bne     1b
    rsbs    r8, r4, #0
    rsc     r9, r5, #0
    rsbs    r10, r6, #0
    rsc     r11, r7, #0
    str     lr, [r2, #4]
    str     r8, [r2, #8]
    str     r9, [r2, #12]
    str     lr, [r2, #20]
    str     r10, [r2, #24]
    str     r11, [r2, #28]
    pop     {r4-r11, pc}

FUNCTION panel_words
    mov     r2, #0
1:  ldr     r3, [r0], #16
    subs    r1, r1, #1
    orr     r2, r2, r3
    bne     1b
    mov     r0, r2
    bx      lr
