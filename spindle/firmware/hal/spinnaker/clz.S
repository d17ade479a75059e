/* __clzsi2: leading zeros, for code compiled to Thumb, which has no such instruction. r0 -> r0. */
    .syntax unified
    .arm
    .section .text.clz, "ax", %progbits
    .balign 4
    .globl  __clzsi2
    .type   __clzsi2, %function
__clzsi2:
    clz     r0, r0
    bx      lr
