/* Inner loops of SCAN. Contracts: scan_loops.h; twin: ../scan_rows.c (same bits, through arm/scan_rows.c).
 *
 * Six largest words in r4-r9; the loop is entered in the middle where n is odd. Cycles per element:
 * docs/kernels.md.
 */
#include "strip_asm.h"

    .syntax unified
    .arm

/* Two words each, so that a load is not used by the next instruction. */
.macro TOPS_2 first, second, last
    ldr     r10, [r0], r2
    ldr     r11, [r0], \last
    cmp     \first, r10, lsl #1
    movlo   \first, r10, lsl #1
    cmp     \second, r11, lsl #1
    movlo   \second, r11, lsl #1
.endm

.macro TOPS_6
    TOPS_2  r4, r5, r2
    TOPS_2  r6, r7, r2
    TOPS_2  r8, r9, r3
.endm

.macro SIX_OF value
    mov     r4, #\value
    mov     r5, r4
    mov     r6, r4
    mov     r7, r4
    mov     r8, r4
    mov     r9, r4
.endm

FUNCTION scan_tops
    push    {r1, r4-r11, lr}
    ldmia   r0, {r0-r3}         @ x, n, step, jump
    SIX_OF  0
    tst     r1, #1
    addne   r1, r1, #1
    bne     2f
1:  TOPS_6
2:  TOPS_6
    subs    r1, r1, #2
    bne     1b
    ldr     r1, [sp]
    stmia   r1, {r4-r9}
    pop     {r1, r4-r11, pc}

/* A zero leaves Z set, so nothing of it counts. */
.macro RELATIVE x, top
    movs    \x, \x, lsl #1
    subne   \x, \x, lr, lsl #24
    cmpne   \x, \top
    movgt   \top, \x
.endm

.macro RELATIVES_2 first, second, last
    ldr     r10, [r0], r2
    ldr     r11, [r0], \last
    RELATIVE r10, \first
    RELATIVE r11, \second
.endm

.macro RELATIVES_6
    ldr     lr, [r12], #4
    RELATIVES_2 r4, r5, r2
    RELATIVES_2 r6, r7, r2
    RELATIVES_2 r8, r9, r3
.endm

/* r0: the lowest of all. */
.macro EXPONENT top
    mov     \top, \top, asr #24
    sub     \top, \top, #127
    cmp     \top, r0
    movlt   r0, \top
.endm

FUNCTION scan_relative_tops
    push    {r2, r4-r11, lr}
    mov     r12, r1
    ldmia   r0, {r0-r3}
    SIX_OF  0x80000000
    tst     r1, #1
    addne   r1, r1, #1
    bne     2f
1:  RELATIVES_6
2:  RELATIVES_6
    subs    r1, r1, #2
    bne     1b
    ldr     r1, [sp]
    mov     r0, #128
    EXPONENT r4
    EXPONENT r5
    EXPONENT r6
    EXPONENT r7
    EXPONENT r8
    EXPONENT r9
    stmia   r1, {r4-r9}
    pop     {r2, r4-r11, pc}
