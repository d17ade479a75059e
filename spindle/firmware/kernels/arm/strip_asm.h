/* What the assembly primitives of strip programs share: how they find their registers.
 *
 * In: r0 = struct strip, r1 = struct instr (kernels/strip.h, offsets checked in strip_offsets.c).
 * Out of a head: r4 = destination, r5, r6 = sources, r7 = n (1..64). r8 is saved for the loop's use.
 */
#define STRIP_N 196
#define INSTR_REG 1
#define INSTR_IMM 4

.macro STRIP_HEAD n_sources
    push    {r4-r8, lr}
    ldrb    r2, [r1, #INSTR_REG]
    ldrb    r3, [r1, #INSTR_REG + 1]
    ldrb    r12, [r1, #INSTR_REG + 2]
    ldr     r7, [r0, #STRIP_N]
    ldr     r4, [r0, r2, lsl #2]
    ldr     r5, [r0, r3, lsl #2]
    .ifc \n_sources, 2
    ldr     r6, [r0, r12, lsl #2]
    .endif
.endm

.macro FUNCTION name
    .section .text.\name, "ax", %progbits
    .balign 4
    .globl  \name
    .type   \name, %function
\name:
.endm

/* n elements by twos; an odd number begins with the second. */
.macro STRIP_BY_TWO body:vararg
    add     r7, r7, #1
    movs    r7, r7, lsr #1      @ C: even
    bcc     4f
3:  \body
4:  \body
    subs    r7, r7, #1
    bne     3b
    pop     {r4-r8, pc}
.endm
