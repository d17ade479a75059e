/* irq.S: interrupt handlers, each in IRQ mode on the IRQ stack, and the few things C cannot say.
 * The multicast handler is in start.S, at its vector. Who may call: see port.h. */
#include "regs.h"

    .syntax unified
    .arm
    .section .text.irq, "ax", %progbits
    .balign 4

/* Call a C handler with r0 = address of the instruction that was interrupted, then tell the VIC. */
    .macro  HANDLER name, function
    .globl  \name
    .type   \name, %function
\name:
    sub     lr, lr, #4
    stmfd   sp!, {r0-r3, r12, lr}
    mov     r0, lr
    bl      \function
    b       .Lhandled
    .endm

    HANDLER irq_mailbox, mailbox_interrupt

    .globl  irq_dma
    .type   irq_dma, %function
irq_dma:
    sub     lr, lr, #4
    stmfd   sp!, {r0-r12, lr}
    ldr     r0, =firmware + HAL_OFFSET
    bl      pump
    mov     r0, #VIC_BASE
    str     r0, [r0, #VIC_VADDR]
    ldmfd   sp!, {r0-r12, pc}^

/* hal_pump(hal): pump with IRQ off. */
    .globl  hal_pump
    .type   hal_pump, %function
hal_pump:
    mrs     r12, cpsr
    stmfd   sp!, {r4-r12, lr}
    orr     r1, r12, #0x80
    msr     cpsr_c, r1
    bl      pump
    ldmfd   sp!, {r4-r12, lr}
    msr     cpsr_c, r12
    bx      lr

/* port_dma_wait(hal, ticket): the DMA line, enabled in the controller, ends the sleep and is answered here,
 * with IRQ off; other interrupts, such as the monitor's messages, come in between. */
    .globl  port_dma_wait
    .type   port_dma_wait, %function
port_dma_wait:
    mrs     r12, cpsr
    stmfd   sp!, {r0, r1, r4-r12, lr}
    orr     r1, r12, #0x80
    msr     cpsr_c, r1
    mov     r1, #DMA_BASE
    mov     r2, #DMA_GCTL_EACH
    str     r2, [r1, #DMA_GCTL]
1:  ldr     r0, [sp]
    bl      pump
    ldmia   sp, {r0, r1}
    ldr     r5, [r0, #HAL_COMMITTED + 4]
    ldr     r12, [sp, #40]
    subs    r5, r5, r1              @ done - ticket
    bpl     2f
    orr     r2, r12, #0x80
    msr     cpsr_c, r12
    nop
    msr     cpsr_c, r2
    mov     r1, #VIC_BASE
    mov     r2, #1 << VIC_DMA_DONE
    str     r2, [r1, #VIC_ENABLE]
    mcr     p15, 0, r2, c7, c0, 4
    b       1b
2:  mov     r1, #DMA_BASE
    mov     r2, #DMA_GCTL_PAIRS
    str     r2, [r1, #DMA_GCTL]
    ldmfd   sp!, {r0, r1, r4-r12, lr}
    msr     cpsr_c, r12
    bx      lr

/* Count the transfers that are over, hand over what waits in the ring; the done interrupt is wanted
 * while something waits there. r0 = hal (port.h), all others but r13 are lost. */
    .type   pump, %function
pump:
    mov     r1, #DMA_BASE
    ldr     r6, [r1, #DMA_STAT]
    add     r12, r0, #HAL_HEAD
    ldmia   r12, {r2-r5}            @ head, queued, committed, done
    mov     r7, #DMA_CTRL_DONE
    tst     r6, #DMA_STAT_DONE2
    strne   r7, [r1, #DMA_CTRL]
    addne   r5, r5, #1
    tst     r6, #DMA_STAT_DONE
    strne   r7, [r1, #DMA_CTRL]
    addne   r5, r5, #1
    add     r11, r5, #2             @ the controller takes so many
    movs    r6, r6, lsl #11         @ errors: STAT[20:13]
    movs    r6, r6, lsr #24
    bne     .Lgive_up
    cmp     r4, r3
    cmpne   r4, r11
    beq     .Lpumped
.Lrequest:
    ldmia   r2, {r6-r10}            @ sdram, stride, desc, left, dtcm
    mov     r12, r8, lsl #15        @ bytes: DESC[16:0]
.Lrow:
    str     r6, [r1, #DMA_ADRS]
    str     r10, [r1, #DMA_ADRT]
    str     r8, [r1, #DMA_DESC]
    add     r4, r4, #1
    subs    r9, r9, #1
    beq     .Lnext
    add     r6, r6, r7
    add     r10, r10, r12, lsr #15
    cmp     r4, r11
    bne     .Lrow
    stmia   r2, {r6-r10}
    b       .Lpumped
.Lnext:
    add     r2, r2, #DMA_REQUEST_BYTES
    sub     r6, r2, r0
    cmp     r6, #DMA_REQUEST_BYTES * DMA_RING
    moveq   r2, r0                  @ the ring begins the struct
    cmp     r4, r3
    cmpne   r4, r11
    bne     .Lrequest
.Lpumped:
    add     r12, r0, #HAL_HEAD
    stmia   r12, {r2-r5}
    mov     r1, #VIC_BASE
    mov     r6, #1 << VIC_DMA_DONE
    cmp     r4, r3
    strne   r6, [r1, #VIC_ENABLE]
    streq   r6, [r1, #VIC_DISABLE]
    bx      lr
.Lgive_up:
    str     r5, [r12, #12]
    b       hal_give_up

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
.Lhandled:
    mov     r0, #VIC_BASE
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

/* barrier_send(barrier, key): TCR shows a change one access late, so the second look counts. */
    .globl  barrier_send
    .type   barrier_send, %function
barrier_send:
    mov     r3, #CC_BASE
    ldr     r2, [r3, #CC_TCR]
1:  ldr     r2, [r3, #CC_TCR]
    tst     r2, #CC_TCR_NOT_FULL
    beq     1b
    str     r1, [r3, #CC_TXKEY]
    bx      lr

    .globl  port_wait_for_interrupt
    .type   port_wait_for_interrupt, %function
port_wait_for_interrupt:
    mov     r0, #0
    mcr     p15, 0, r0, c7, c0, 4
    bx      lr
    .ltorg
