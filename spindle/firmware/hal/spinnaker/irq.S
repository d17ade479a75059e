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
    b       .Lhandled
    .endm

    HANDLER irq_mailbox, mailbox_interrupt

    .globl  irq_dma
    .type   irq_dma, %function
irq_dma:
    sub     lr, lr, #4
    stmfd   sp!, {r0-r3, r12, lr}
    ldr     r0, =firmware + HAL_OFFSET
    bl      hal_pump
    b       .Lhandled

/* hal_pump(hal): count the transfers that are over, hand over what waits in the ring; the done interrupt
 * is wanted while something waits there. IRQ is off. See struct hal in port.h. */
    .globl  hal_pump
    .type   hal_pump, %function
hal_pump:
    mov     r1, #DMA_BASE
    ldr     r2, [r1, #DMA_STAT]
    ldr     r3, [r0, #HAL_DONE]
    mov     r12, #DMA_CTRL_DONE
    tst     r2, #DMA_STAT_DONE2
    strne   r12, [r1, #DMA_CTRL]
    addne   r3, r3, #1
    tst     r2, #DMA_STAT_DONE
    strne   r12, [r1, #DMA_CTRL]
    addne   r3, r3, #1
    str     r3, [r0, #HAL_DONE]
    movs    r2, r2, lsl #11         @ errors: STAT[20:13]
    movs    r2, r2, lsr #24
    bne     hal_give_up
    ldr     r2, [r0, #HAL_COMMITTED]
    ldr     r12, [r0, #HAL_QUEUED]
    cmp     r2, r12
    beq     4f                      @ nothing waits
    stmfd   sp!, {r4-r9, lr}
    ldr     r4, [r0, #HAL_HEAD]
1:  sub     r5, r2, r3
    cmp     r5, #2
    bhs     3f                      @ the controller has two
    ldmia   r4, {r5-r9}             @ sdram, dtcm, desc, left, stride
    str     r5, [r1, #DMA_ADRS]
    str     r6, [r1, #DMA_ADRT]
    str     r7, [r1, #DMA_DESC]
    add     r2, r2, #1
    subs    r8, r8, #1
    beq     2f
    mov     r7, r7, lsl #15         @ bytes: DESC[16:0]
    add     r5, r5, r9
    add     r6, r6, r7, lsr #15
    str     r8, [r4, #12]
    stmia   r4, {r5, r6}
    b       1b
2:  add     r4, r4, #DMA_REQUEST_BYTES
    sub     r5, r4, r0
    cmp     r5, #DMA_REQUEST_BYTES * DMA_RING
    moveq   r4, r0                  @ the ring begins the struct
    cmp     r2, r12
    bne     1b
3:  str     r4, [r0, #HAL_HEAD]
    str     r2, [r0, #HAL_COMMITTED]
    ldr     r1, =VIC_BASE
    mov     r4, #1 << VIC_DMA_DONE
    cmp     r2, r12
    strne   r4, [r1, #VIC_ENABLE]
    streq   r4, [r1, #VIC_DISABLE]
    ldmfd   sp!, {r4-r9, pc}
4:  ldr     r1, =VIC_BASE
    mov     r2, #1 << VIC_DMA_DONE
    str     r2, [r1, #VIC_DISABLE]
    bx      lr

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
