/* ADD, SUB, MUL, MAX, MIN on float32 strips; twin of ../strip_arith.c (same bits, NaN 0x7fc00000).
 *
 * In and out: strip_asm.h. Soft float is inlined (hal/spinnaker/sf_inline.h): no call per element but
 * for edges. Each end of its body stores and loops by itself. Cycles per element: docs/kernels.md.
 */
#include "sf_inline.h"
#include "strip_asm.h"

    .syntax unified
    .arm

/* Store r0, next element at label 1. */
.macro STORE_NEXT
    subs    r7, r7, #1
    str     r0, [r4], #4
    bne     1b
    pop     {r4-r8, pc}
.endm

/* r8: 0 for sums, the sign bit for differences. strip_add_loop is also entered by reduce_sum.S, with the
 * registers of STRIP_HEAD.
 */
FUNCTION prim_sub_f32
    STRIP_HEAD 2
    mov     r8, #0x80000000
    b       strip_add_loop

FUNCTION prim_add_f32
    STRIP_HEAD 2
    mov     r8, #0
    .globl  strip_add_loop
strip_add_loop:
1:  ldr     r1, [r6], #4
    ldr     r0, [r5], #4
    eor     r1, r1, r8
    SF_ADD_INLINE STORE_NEXT, 2f
2:  bl      sf_add_edge
    STORE_NEXT

FUNCTION prim_mul_f32
    STRIP_HEAD 2
    mov     r8, #0xff
1:  ldr     r0, [r5], #4
    ldr     r1, [r6], #4
    SF_MUL_INLINE STORE_NEXT, 2f, r8
2:  bl      sf_mul_edge
    STORE_NEXT

/* Words compare as signed integers, the other way round where both are negative. r8 = 0xff000000:
 * twice a NaN's bits are above it. */
.macro ORDERED_2 keep_first, keep_second
    ldr     r0, [r5], #4
    ldr     r1, [r6], #4
    cmp     r8, r0, lsl #1
    cmpcs   r8, r1, lsl #1
    bcc     .Lorder_nan\@
    tst     r0, r1
    bmi     .Lorder_negative\@
    cmp     r0, r1
    mov\keep_second r0, r1
.Lorder_store\@:
    str     r0, [r4], #4
    .subsection 1
.Lorder_nan\@:
    mov     r0, #0x7f000000
    orr     r0, r0, #0x00c00000
    b       .Lorder_store\@
.Lorder_negative\@:
    cmp     r0, r1
    mov\keep_first r0, r1
    b       .Lorder_store\@
    .previous
.endm

FUNCTION prim_max_f32
    STRIP_HEAD 2
    mov     r8, #0xff000000
    STRIP_BY_TWO ORDERED_2 gt, lt

FUNCTION prim_min_f32
    STRIP_HEAD 2
    mov     r8, #0xff000000
    STRIP_BY_TWO ORDERED_2 lt, gt
