/* tiles.S: ../tiles.c for ARM, which is its contract and its twin.
 *
 * Everywhere: r4 task, r6 its inner dim, r9 run, r10 the place that is filled.
 */
#include "regs.h"

#define NEXT_OF_LANE 16 /* SPINDLE_LANES */

    .syntax unified
    .arm
    .section .text.tiles, "ax", %progbits
    .balign 4

/* tiles_start(run, lane): r5 first tile, r7 n_outer, r8 n_inner. */
    .globl  tiles_start
    .type   tiles_start, %function
tiles_start:
    stmfd   sp!, {r4-r11, lr}
    mov     r9, r0
    ldr     r4, [r0, #RUN_TASK]
    ldr     r5, [r1]
    ldrb    r6, [r4, #TASK_LANE_FIRST]
    mov     r7, #1
    mov     r8, #1
    sub     r5, r5, r6
    ldrb    r6, [r4, #TASK_INNER]
    and     r5, r5, #NEXT_OF_LANE - 1
    mov     r11, #0
.Lcount:
    add     r2, r4, r11, lsl #2
    add     r3, r4, r11, lsl #1
    ldr     r0, [r2, #TASK_EXTENT]
    ldrh    r1, [r3, #TASK_TILE]
    add     r10, r9, r11, lsl #2
    cmp     r0, r1
    bhi     .Lmany
    cmp     r0, #1
    movhi   r0, #1
.Lcounted:
    str     r0, [r10, #RUN_COUNT]
    cmp     r11, r6
    moveq   r8, r0
    mulne   r2, r7, r0
    movne   r7, r2
    add     r11, r11, #1
    cmp     r11, #4
    bne     .Lcount
    str     r7, [r9, #RUN_N_OUTER]
    str     r8, [r9, #RUN_N_INNER]
    add     r10, r9, #RUN_PLACE
    mov     r0, #0
    str     r0, [r9, #RUN_CURRENT]
    mov     r1, #0
    mov     r2, #0
    mov     r3, #0
    str     r5, [r10]
    stmib   r10, {r0-r3}            @ inner, n_tiles, n_outers, odd
    cmp     r5, r7
    cmplo   r0, r8
    blo     .Lfill
    ldmfd   sp!, {r4-r11, pc}
.Lmany:
    add     r0, r0, r1
    sub     r0, r0, #1
    bl      __aeabi_uidiv
    b       .Lcounted

/* tiles_next(run, place, next): r5 outer, r7 inner, r8 n_tiles, r11 n_outers, r12 odd. */
    .globl  tiles_next
    .type   tiles_next, %function
tiles_next:
    stmfd   sp!, {r4-r11, lr}
    mov     r9, r0
    mov     r10, r2
    ldr     r4, [r0, #RUN_TASK]
    ldr     r3, [r0, #RUN_N_INNER]
    ldmia   r1!, {r5, r7, r8, r11, r12}
    ldrb    r6, [r4, #TASK_INNER]
    ldr     r2, [r0, #RUN_EACH]
    add     r8, r8, #1
    add     r7, r7, #1
    cmp     r7, r3
    movhs   r7, #0
    addhs   r5, r5, #NEXT_OF_LANE
    addhs   r11, r11, #1
    ands    r12, r8, #1
    movne   r12, r2
    tst     r11, #1
    mvnne   r2, r2
    orrne   r12, r12, r2
    stmia   r10, {r5, r7, r8, r11, r12}
    cmp     r7, #0
    bne     .Lgoes_on
    ldr     r0, [r9, #RUN_N_OUTER]
    cmp     r5, r0
    blo     .Lfill
    ldmfd   sp!, {r4-r11, pc}

/* Only the inner dim changes. */
.Lgoes_on:
    add     r12, r10, #PLACE_ORIGIN
    ldmia   r1!, {r0, r2, r3, r5, r8}
    stmia   r12!, {r0, r2, r3, r5, r8}
    ldmia   r1, {r0, r2, r3}
    stmia   r12, {r0, r2, r3}
    mov     r0, r7
    mov     r11, r6
    bl      fill_dim
    b       .Lmark

/* All dims of the place, from its number along the outer ones: r5. */
.Lfill:
    mov     r11, #3
.Ldim:
    cmp     r11, r6
    ldreq   r0, [r10, #PLACE_INNER]
    beq     .Lnumber
    add     r2, r9, r11, lsl #2
    ldr     r1, [r2, #RUN_COUNT]
    mov     r0, r5
    cmp     r5, r1
    movlo   r5, #0
    blo     .Lnumber
    cmp     r1, #1
    moveq   r0, #0
    beq     .Lnumber
    bl      __aeabi_uidivmod
    mov     r5, r0
    mov     r0, r1
.Lnumber:
    bl      fill_dim
    subs    r11, r11, #1
    bpl     .Ldim
.Lmark:
    ldr     r0, [r10, #PLACE_INNER]
    ldr     r1, [r9, #RUN_N_INNER]
    sub     r1, r1, #1
    sub     r1, r1, r0
    clz     r0, r0
    clz     r1, r1
    mov     r0, r0, lsr #5          @ 1 where it was 0
    mov     r1, r1, lsr #5
    str     r0, [r10, #PLACE_FIRST_INNER]
    str     r1, [r10, #PLACE_FIRST_INNER + 4]
    ldmfd   sp!, {r4-r11, pc}

/* Origin and extent of tile r0 of dim r11. */
    .type   fill_dim, %function
fill_dim:
    add     r2, r4, r11, lsl #1
    ldrh    r1, [r2, #TASK_TILE]
    add     r2, r4, r11, lsl #2
    ldr     r2, [r2, #TASK_EXTENT]
    mul     r3, r0, r1
    add     r0, r10, r11, lsl #2
    sub     r2, r2, r3
    cmp     r2, r1
    movhi   r2, r1
    str     r3, [r0, #PLACE_ORIGIN]
    str     r2, [r0, #PLACE_EXTENT]
    bx      lr
