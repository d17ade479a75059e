/* barrier_look.S: the shortest way through a barrier (barrier.h, barrier_look.c is the C twin).
 *
 * In: r0 = barrier, r1 = 1 to sleep. Out: r0 as barrier_look. Page: docs/spec/barrier.md. Packets leave first,
 * books are kept behind them. TCR shows a change one access late, so the second look counts.
 */
#include "regs.h"

#define WAIT 4
#define UNUSUAL 6
#define IDLE 0
#define GATHER 1
#define WAITING 2
#define RELEASE_BITS 0xc0

    .syntax unified
    .arm
    .section .text.barrier_look, "ax", %progbits
    .balign 4

    .macro  SEND key, cc, status
    mov     \cc, #CC_BASE
    ldr     \status, [\cc, #CC_TCR]
.Lfull\@:
    ldr     \status, [\cc, #CC_TCR]
    tst     \status, #CC_TCR_NOT_FULL
    beq     .Lfull\@
    str     \key, [\cc, #CC_TXKEY]
    .endm

    .macro  ADD_TO field, value, scratch
    ldr     \scratch, [r0, #\field]
    add     \scratch, \scratch, \value
    str     \scratch, [r0, #\field]
    .endm

/* Differing bits of a group's keys join r12. r3: awaited key without slot. */
    .macro  GROUP offset, step
    ldr     r2, [r0, #\offset + 8]
    ldr     r4, [r0, #\offset]
    cmp     r2, #0
    beq     .Lnone\@
    orr     r5, r3, r4
    add     r4, r0, r4
.Lnext\@:
    ldr     r6, [r4], #\step
    subs    r2, r2, #1
    eor     r6, r6, r5
    orr     r12, r12, r6
    add     r5, r5, #\step
    bne     .Lnext\@
.Lnone\@:
    .endm

    .globl  barrier_look
    .type   barrier_look, %function
barrier_look:
    stmfd   sp!, {r4-r6, lr}
.Llook:
    ldr     r2, [r0, #BARRIER_PHASE]
    ldr     r3, [r0, #BARRIER_EXPECTED]
    mov     r12, #0
    str     r12, [r0, #BARRIER_NEWS]
    cmp     r2, #GATHER
    bne     .Llook_release
    ldr     r2, [r0, #BARRIER_FLAGS]
    cmp     r2, #WAIT               @ a root without lanes goes by place 0
    ldreq   r2, [r0]
    andeq   r2, r2, #3
    orr     r3, r3, r2
    GROUP   BARRIER_GROUP0, 4
    ldr     r2, [r0, #BARRIER_IS_ROOT]
    cmp     r2, #0
    beq     .Lnot_root
    GROUP   BARRIER_GROUP1, 16
    cmp     r12, #0
    bne     .Lnot_yet
    ldr     r4, [r0, #BARRIER_RECEIVERS]
    cmp     r4, #0
    beq     .Lreleased
    orr     r2, r3, #RELEASE_BITS
    SEND    r2, r5, r6
    ADD_TO  BARRIER_SENT, r4, r5
.Lreleased:
    and     r12, r3, #3
    b       .Lpassed
.Lnot_root:
    cmp     r12, #0
    bne     .Lnot_yet
    ldr     r2, [r0, #BARRIER_OWN_BITS]
    orr     r2, r2, r3
    SEND    r2, r5, r6
    and     r2, r3, #3
    str     r2, [r0, #BARRIER_FLAGS]
    mov     r2, #WAITING
    str     r2, [r0, #BARRIER_PHASE]
    ADD_TO  BARRIER_SENT, #1, r5
    ldr     r4, =TIMER_BASE
    ldr     r5, [r4, #TIMER1_VALUE]
    rsb     r5, r5, #0
    str     r5, [r0, #BARRIER_SENT_AT]
    ldr     r4, [r0, #BARRIER_ASK_SLOT]
    mov     r2, #0
    str     r2, [r0, r4, lsl #2]    @ this was the answer
    mov     r1, #0                  @ the caller has something to do now
    bic     r3, r3, #3
.Llook_release:
    ldr     r12, [r0, #RELEASE_BITS]
    orr     r3, r3, #RELEASE_BITS
    eor     r12, r12, r3
    cmp     r12, #3                 @ the flags, if nothing else differs
    bhi     .Lnot_yet
.Lpassed:
    ADD_TO  BARRIER_GENERATION, #1, r2
    mov     r2, #IDLE
    str     r2, [r0, #BARRIER_PHASE]
    mov     r0, r12
    ldmfd   sp!, {r4-r6, pc}

.Lnot_yet:
    ldr     r2, [r0, #BARRIER_PHASE]
    cmp     r12, #3
    bls     .Lunusual                 @ all have come, with other flags
    cmp     r2, #GATHER
    bne     .Lis_asked
    ldr     r4, =TIMER_BASE         @ who has not arrived has nothing to answer, but may ask
    ldr     r5, [r4, #TIMER1_VALUE]
    ldr     r6, [r0, #BARRIER_ASK_AT]
    adds    r5, r5, r6              @ ask_at - now
    bmi     .Lunusual
    bne     .Lquiet
    b       .Lunusual
.Lis_asked:
    ldr     r2, [r0, #BARRIER_ASK_SLOT]
    ldr     r2, [r0, r2, lsl #2]
    cmp     r2, #0
    bne     .Lunusual
.Lquiet:
    cmp     r1, #0
    beq     .Lawake
    mrs     r4, cpsr                @ as port_sleep_unless
    orr     r5, r4, #0xc0
    msr     cpsr_c, r5
    ldr     r6, [r0, #BARRIER_NEWS]
    cmp     r6, #0
    mcreq   p15, 0, r6, c7, c0, 4
    msr     cpsr_c, r4
    b       .Llook
.Lawake:
    mov     r0, #WAIT
    ldmfd   sp!, {r4-r6, pc}
.Lunusual:
    mov     r0, #UNUSUAL
    ldmfd   sp!, {r4-r6, pc}
    .ltorg
