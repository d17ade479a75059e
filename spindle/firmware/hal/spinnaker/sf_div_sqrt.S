/* sf_div, sf_sqrt: correctly rounded float32 on bit patterns by Newton steps in integers. Contract:
 * sf.h.
 *
 * In: r0 (and r1). Out: r0. Clobbers r1-r3, r12; sf_div keeps r4 on the stack. Both compute a 25-bit
 * floor (24 bits and the half) from an estimate that is exact or one too small, compare the remainder
 * once, and round half up: a quotient or root of 24-bit numbers never lies on a half.
 * Zero, denormal, Inf, NaN, negative roots and quotients outside the normal range: sf_edge.c.
 * Seeds: 2^8/d and 2^8/sqrt(m) at the middle of 128 intervals (tests/firmware/test_softfloat_arm.py
 * recomputes them and proves the estimates' distance for every significand).
 */
#include "sf_inline.h"

    .syntax unified
    .arm

    .section .text.sf_div_sqrt, "ax", %progbits
    .balign 4
    .globl  sf_div
    .type   sf_div, %function
sf_div:
    mov     r12, #0xff
    ands    r2, r12, r0, lsr #23
    andsne  r3, r12, r1, lsr #23
    teqne   r2, r12
    teqne   r3, r12
    beq     sf_div_edge
    sub     r2, r2, r3
    add     r2, r2, #125        @ exponent of the result's lower binade, less one
    cmp     r2, #252
    bhi     sf_div_edge
    str     r4, [sp, #-4]!
    eor     r12, r0, r1
    and     r12, r12, #0x80000000
    add     r12, r12, r2, lsl #23
    orr     r0, r0, #0x00800000
    bic     r0, r0, #0xff000000 @ n
    orr     r1, r1, #0x00800000
    bic     r1, r1, #0xff000000 @ d, 2^23 .. 2^24 - 1
    adr     r3, .Lsqrt_seed
    SF_DIV_BODY
    ldr     r4, [sp], #4
    add     r0, r12, r2, lsr #1
    bx      lr
    .size   sf_div, . - sf_div
    .globl  sf_sqrt
    .type   sf_sqrt, %function
sf_sqrt:
    sub     r1, r0, #0x00800000
    cmp     r1, #0x7f000000
    bhs     sf_sqrt_edge
    adr     r3, .Lsqrt_seed
    SF_SQRT_BODY
    bx      lr
    .size   sf_sqrt, . - sf_sqrt

    .globl  sf_seeds
sf_seeds:
.Lsqrt_seed:
    .byte   180, 179, 178, 176, 175, 174, 172, 171, 170, 169, 168, 167, 166, 164, 163, 162
    .byte   161, 160, 159, 158, 158, 157, 156, 155, 154, 153, 152, 151, 151, 150, 149, 148
    .byte   147, 147, 146, 145, 144, 144, 143, 142, 142, 141, 140, 140, 139, 138, 138, 137
    .byte   137, 136, 135, 135, 134, 134, 133, 132, 132, 131, 131, 130, 130, 129, 129, 128
    .byte   255, 253, 251, 249, 247, 246, 244, 242, 241, 239, 237, 236, 234, 233, 231, 230
    .byte   228, 227, 225, 224, 223, 221, 220, 219, 218, 216, 215, 214, 213, 212, 211, 210
    .byte   208, 207, 206, 205, 204, 203, 202, 201, 200, 199, 198, 198, 197, 196, 195, 194
    .byte   193, 192, 191, 191, 190, 189, 188, 187, 187, 186, 185, 184, 184, 183, 182, 181
.Ldiv_seed:
    .byte   255, 253, 251, 249, 247, 245, 244, 242, 240, 238, 237, 235, 233, 232, 230, 228
    .byte   227, 225, 224, 222, 221, 219, 218, 216, 215, 213, 212, 211, 209, 208, 207, 205
    .byte   204, 203, 202, 200, 199, 198, 197, 196, 194, 193, 192, 191, 190, 189, 188, 187
    .byte   186, 185, 184, 183, 182, 181, 180, 179, 178, 177, 176, 175, 174, 173, 172, 171
    .byte   170, 169, 168, 168, 167, 166, 165, 164, 163, 163, 162, 161, 160, 159, 159, 158
    .byte   157, 156, 156, 155, 154, 153, 153, 152, 151, 151, 150, 149, 149, 148, 147, 147
    .byte   146, 145, 145, 144, 143, 143, 142, 142, 141, 140, 140, 139, 139, 138, 137, 137
    .byte   136, 136, 135, 135, 134, 133, 133, 132, 132, 131, 131, 130, 130, 129, 129, 128
