/* sf_add, sf_sub, sf_mul: correctly rounded float32 on bit patterns, no stack. Contract: sf.h.
 *
 * In: r0, r1. Out: r0. Clobbers r1-r3, r12. Bodies: sf_inline.h, also inlined by strip loops.
 * Cycles from entry to return on ordinary operands: docs/kernels.md.
 */
#include "sf_inline.h"

    .syntax unified
    .arm

.macro SF_RETURN
    bx      lr
.endm

    .section .text.sf_add_mul, "ax", %progbits
    .balign 4
    .globl  sf_add
    .type   sf_add, %function
    .globl  sf_sub
    .type   sf_sub, %function
sf_sub:
    eor     r1, r1, #0x80000000
sf_add:
    SF_ADD_INLINE SF_RETURN, sf_add_edge
    .size   sf_add, . - sf_add

    .globl  sf_mul
    .type   sf_mul, %function
sf_mul:
    SF_MUL_INLINE SF_RETURN, sf_mul_edge
    .size   sf_mul, . - sf_mul
