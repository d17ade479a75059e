/* Float sums of reductions; twin of ../reduce_sum.c (same bits, same order).
 *
 * fold_add_f32: r0 = acc, r1 = x, r2 = step in words, r3 = n (may be 0) -> r0 = acc + x[0] + x[step] ...
 * merge_add_f32: r0 = acc, r1 = x, r2 = n, at least 1: acc[i] = acc[i] + x[i], by ADD's loop.
 */
#include "strip_asm.h"

    .syntax unified
    .arm

FUNCTION fold_add_f32
    cmp     r3, #0
    bxeq    lr
    push    {r4-r6, lr}
    mov     r4, r1
    mov     r5, r3
    mov     r6, r2, lsl #2
1:  ldr     r1, [r4], r6
    bl      sf_add
    subs    r5, r5, #1
    bne     1b
    pop     {r4-r6, pc}

FUNCTION merge_add_f32
    push    {r4-r8, lr}
    mov     r4, r0
    mov     r5, r0
    mov     r6, r1
    mov     r7, r2
    mov     r8, #0
    b       strip_add_loop
