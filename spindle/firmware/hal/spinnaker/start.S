/* start.S: vectors, the multicast handler, entry with dirty state, exceptions that end a core.
 *
 * In: r0 = flags << 8 | app id from SC&MP's loader, SVC mode, interrupts off, anything in the interrupt
 * controller, timers and memories. Out: open_session in SYS mode.
 */
#include "regs.h"

    .syntax unified
    .arm
    .section .vectors, "ax", %progbits
    .balign 4
    .globl  _start
_start:
    ldr     pc, reset_target
    ldr     pc, =crash_undef
    ldr     pc, =crash_svc
    ldr     pc, =crash_pabt
    ldr     pc, =crash_dabt
    nop
    ldr     pc, [pc, #-0xff0]       @ the interrupt controller's vector register

/* FIQ at 0x1c: a multicast packet. r8 = CC_BASE, r9 = the inbox (struct barrier_inbox), both banked;
 * no stack. The key goes to its slot (bits 7:2), its class (bits 7:6) is counted, `news` is set. */
fiq_packet:
    ldr     r10, [r8, #CC_RXKEY]
    and     r11, r10, #0xfc
    str     r10, [r9, r11]
    and     r11, r10, #0xc0
    add     r11, r9, r11, lsr #4
    ldr     r12, [r11, #0x100]
    str     r8, [r9, #0x110]
    add     r12, r12, #1
    str     r12, [r11, #0x100]
    subs    pc, lr, #4

    .globl  reset_target
reset_target:
    .word   reset
    .ltorg

/* Runs once, from the overlay window, as open_session does (firmware.ld). */
    .section .text.reset, "ax", %progbits
    .balign 4
reset:
    mov     r4, r0
    ldr     r0, =0x1f7e             @ both TCMs, write buffer, alignment faults, low vectors
    mcr     p15, 0, r0, c1, c0, 0
    ldr     r1, =VIC_BASE
    mvn     r0, #0
    str     r0, [r1, #VIC_DISABLE]
    str     r0, [r1, #VIC_SOFT_CLEAR]
    mov     r0, #0
    mov     r2, #16
1:  str     r0, [r1, #VIC_VADDR]    @ ends what an earlier program left in service
    subs    r2, r2, #1
    bpl     1b
    ldr     r1, =TIMER_BASE
    str     r0, [r1, #TIMER1_CONTROL]
    str     r0, [r1, #TIMER2_CONTROL]
    str     r0, [r1, #TIMER1_INTCLR]
    str     r0, [r1, #TIMER2_INTCLR]
    ldr     r1, =DTCM_BASE
    ldr     r2, =DTCM_ARENA
2:  str     r0, [r1], #4
    cmp     r1, r2
    blo     2b
    ldr     r0, =GUARD_WORD         @ below every stack, and above the runtime's variables
    str     r0, [r1, #-4]
    ldr     r1, =SYS_STACK_GUARD
    str     r0, [r1]
    ldr     r1, =SVC_STACK_GUARD
    str     r0, [r1]
    str     r0, [r1, #0x100]
    str     r0, [r1, #0x200]
    str     r0, [r1, #0x300]
    ldr     r0, =crash_reset        @ from now on a jump through 0 is an error
    ldr     r1, =reset_target
    str     r0, [r1]
    msr     cpsr_c, #0xd1           @ FIQ
    ldr     r8, =CC_BASE
    ldr     r9, =firmware
    msr     cpsr_c, #0xd2           @ IRQ
    ldr     sp, =IRQ_STACK_TOP
    msr     cpsr_c, #0xd7           @ ABT
    ldr     sp, =ABT_STACK_TOP
    msr     cpsr_c, #0xdb           @ UND
    ldr     sp, =UND_STACK_TOP
    msr     cpsr_c, #0xd3           @ SVC
    ldr     sp, =SVC_STACK_TOP
    msr     cpsr_c, #0xdf           @ SYS
    ldr     sp, =SYS_STACK_TOP
    mov     r0, r4
    bl      open_session
    ldr     pc, =crash_reset        @ it does not return
    .ltorg

    .section .text.crash, "ax", %progbits
    .balign 4
/* An exception: r0-r7 and lr of its mode to the mode's stack, then crash_report on a fresh SYS stack
 * with (run-time error, CPSR at the time, saved registers, SYS sp); SYS lr goes on the stack. */
    .macro  CRASH name, code
    .globl  \name
\name:
    stmfd   sp!, {r0-r7, lr}
    mov     r0, #\code
    b       crash
    .endm

    CRASH   crash_undef, RTE_UNDEF
    CRASH   crash_svc, RTE_SVC
    CRASH   crash_pabt, RTE_PABT
    CRASH   crash_dabt, RTE_DABT
    .globl  crash_reset
crash_reset:
    msr     cpsr_c, #0xd3
    ldr     sp, =SVC_STACK_TOP
    stmfd   sp!, {r0-r7, lr}
    mov     r0, #RTE_RESET
crash:
    mrs     r1, spsr
    mov     r2, sp
    msr     cpsr_c, #0x9f           @ SYS, IRQ off, packets still received
    mov     r3, sp
    ldr     sp, =SYS_STACK_TOP
    str     lr, [sp, #-8]!          @ the fifth argument
    bl      crash_report
    .ltorg
