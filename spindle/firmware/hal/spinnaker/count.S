/* count.S: leading zeros for Thumb code, which has no instruction for them (name by the run-time ABI). */
    .syntax unified
    .arm
    .section .text.count, "ax", %progbits
    .globl  __clzsi2
    .type   __clzsi2, %function
__clzsi2:
    clz     r0, r0
    bx      lr
