/* overlay_words.S: the loop of overlay_copy.c.
 *
 * In: r0 to, in ITCM, r1 from, in DTCM, r2 words, a multiple of 8. Out: r0 their sum.
 */
    .syntax unified
    .arm
    .section .text.overlay_words, "ax", %progbits
    .balign 4

    .globl  overlay_words
    .type   overlay_words, %function
overlay_words:
    stmfd   sp!, {r4-r11, lr}
    mov     r3, #0
1:  ldmia   r1!, {r4-r11}
    stmia   r0!, {r4-r11}
    add     r3, r3, r4
    add     r3, r3, r5
    add     r3, r3, r6
    add     r3, r3, r7
    add     r3, r3, r8
    add     r3, r3, r9
    add     r3, r3, r10
    add     r3, r3, r11
    subs    r2, r2, #8
    bne     1b
    mov     r0, r3
    ldmfd   sp!, {r4-r11, pc}
