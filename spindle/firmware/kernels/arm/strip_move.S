/* SPLAT, BCAST, COPY, SELECT on strips; twin of ../strip_move.c (same bits).
 *
 * In and out: strip_asm.h. SPLAT's word and SELECT's third source are in imm.
 */
#include "strip_asm.h"

    .syntax unified
    .arm

/* r3 to n words at r4: odd ones, then by eight. */
.macro FILL
    mov     r2, r3
    ands    r12, r7, #7
    beq     2f
1:  subs    r12, r12, #1
    str     r3, [r4], #4
    bne     1b
2:  movs    r7, r7, lsr #3
    popeq   {r4-r8, pc}
    mov     r0, r3
    mov     r1, r3
3:  stmia   r4!, {r0-r3}
    subs    r7, r7, #1
    stmia   r4!, {r0-r3}
    bne     3b
    pop     {r4-r8, pc}
.endm

FUNCTION prim_splat
    push    {r4-r8, lr}
    ldrb    r2, [r1, #INSTR_REG]
    ldr     r7, [r0, #STRIP_N]
    ldr     r3, [r1, #INSTR_IMM]
    ldr     r4, [r0, r2, lsl #2]
    FILL

FUNCTION prim_bcast
    STRIP_HEAD 1
    ldr     r3, [r5]
    FILL

FUNCTION prim_copy
    STRIP_HEAD 1
    ands    r12, r7, #7
    beq     2f
1:  ldr     r0, [r5], #4
    subs    r12, r12, #1
    str     r0, [r4], #4
    bne     1b
2:  movs    r7, r7, lsr #3
    popeq   {r4-r8, pc}
3:  ldmia   r5!, {r0-r3, r6, r8, r12, lr}
    subs    r7, r7, #1
    stmia   r4!, {r0-r3, r6, r8, r12, lr}
    bne     3b
    pop     {r4-r8, pc}

.macro SELECT_1
    ldr     r2, [r5], #4
    ldr     r0, [r6], #4
    ldr     r1, [r8], #4
    cmp     r2, #0
    moveq   r0, r1
    str     r0, [r4], #4
.endm

FUNCTION prim_select
    STRIP_HEAD 2
    ldrb    r8, [r1, #INSTR_IMM]
    ldr     r8, [r0, r8, lsl #2]
    STRIP_BY_TWO SELECT_1
