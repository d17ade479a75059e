/* irq.S: interrupt handlers, each in IRQ mode on the IRQ stack, and the few things C cannot say.
 * The multicast handler is in start.S, at its vector. Who may call: see port.h. */
#include "regs.h"

    .syntax unified
    .arm
    .section .text.irq, "ax", %progbits

/* Call a C handler with r0 = address of the instruction that was interrupted, then tell the VIC. */
    .macro  HANDLER name, function
    .globl  \name
    .type   \name, %function
\name:
    sub     lr, lr, #4
    stmfd   sp!, {r0-r3, r12, lr}
    mov     r0, lr
    bl      \function
    b       handled
    .endm

    HANDLER irq_mailbox, mailbox_interrupt
    HANDLER irq_dma, hal_dma_interrupt

/* The alarm only wakes its core: `news` makes it look. */
    .globl  irq_alarm
    .type   irq_alarm, %function
irq_alarm:
    sub     lr, lr, #4
    stmfd   sp!, {r0-r3, r12, lr}
    ldr     r0, =TIMER_BASE
    str     r0, [r0, #TIMER2_INTCLR]
    ldr     r1, =firmware
    str     r0, [r1, #0x110]
handled:
    ldr     r0, =VIC_BASE
    str     r0, [r0, #VIC_VADDR]
    ldmfd   sp!, {r0-r3, r12, pc}^

    .globl  irq_spurious
    .type   irq_spurious, %function
irq_spurious:
    subs    pc, lr, #4

    .globl  port_disable_irq
    .type   port_disable_irq, %function
port_disable_irq:
    mrs     r0, cpsr
    orr     r1, r0, #0x80
    msr     cpsr_c, r1
    bx      lr

    .globl  port_restore
    .type   port_restore, %function
port_restore:
    msr     cpsr_c, r0
    bx      lr

/* Interrupts are off between the look and the sleep, else the news could come between them; WFI ends
 * at an interrupt that is masked too, and it is then taken at once. */
    .globl  port_sleep_unless
    .type   port_sleep_unless, %function
port_sleep_unless:
    mrs     r1, cpsr
    orr     r2, r1, #0xc0
    msr     cpsr_c, r2
    ldr     r3, [r0]
    cmp     r3, #0
    mcreq   p15, 0, r3, c7, c0, 4
    msr     cpsr_c, r1
    bx      lr

    .globl  port_wait_for_interrupt
    .type   port_wait_for_interrupt, %function
port_wait_for_interrupt:
    mov     r0, #0
    mcr     p15, 0, r0, c7, c0, 4
    bx      lr

/* Thumb code asks for it. */
    .globl  __clzsi2
    .type   __clzsi2, %function
__clzsi2:
    clz     r0, r0
    bx      lr
    .ltorg
