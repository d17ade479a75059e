/* dma_queue.S: hal_dma_read and hal_dma_write (hal.h), called for each operand of each tile.
 *
 * In: r0 hal, r1 struct dma_rows, r2 address in DTCM. Out: r0 the last ticket; the rows are a request in
 * the ring (struct dma_request, port.h), or refused with a fault.
 */
#include "regs.h"

#define MAX_WORDS 0x4000
#define BAD_ADDRESS 4
#define BAD_DMA 7

    .syntax unified
    .arm
    .section .text.dma_queue, "ax", %progbits
    .balign 4

    .globl  hal_dma_write
    .type   hal_dma_write, %function
hal_dma_write:
    mov     r3, #DMA_DESC_TO_SDRAM
    b       dma_queue

    .globl  hal_dma_read
    .type   hal_dma_read, %function
hal_dma_read:
    mov     r3, #0
dma_queue:
    stmfd   sp!, {r4-r9, lr}
    ldmia   r1, {r4-r7}             @ sdram, stride, words, n_rows
    add     r12, r0, #HAL_ARENA
    ldmia   r12, {r8, r9}           @ arena, arena_bytes
    sub     r12, r6, #1
    mov     r6, r6, lsl #2
    cmp     r12, #MAX_WORDS
    bhs     .Lbad_length
    orr     r12, r4, r5
    tst     r12, #3
    bne     .Lbad_address
    sub     r8, r4, r8
    sub     r9, r9, r6
    cmp     r8, r9
    bhi     .Lbad_address
    subs    r12, r7, #1
    bne     .Lrows
.Lsound:
    orr     r6, r6, r3
    orr     r6, r6, #DMA_DESC_WIDE
    add     r12, r0, #HAL_QUEUED
    ldmia   r12, {r8, r9, lr}       @ queued, committed, done
    sub     lr, r9, lr
    cmp     r8, r9
    cmpeq   r7, #1
    bne     .Lring
    cmp     lr, #2
    bhs     .Lring
    mov     r12, #DMA_BASE          @ nothing waits, so no interrupt of the DMA comes; it takes one more
    str     r4, [r12, #DMA_ADRS]
    str     r2, [r12, #DMA_ADRT]
    str     r6, [r12, #DMA_DESC]
    add     r8, r8, #1
    str     r8, [r0, #HAL_QUEUED]
    str     r8, [r0, #HAL_COMMITTED]
    mov     r0, r8
    ldmfd   sp!, {r4-r9, pc}

.Lring:
    ldr     r9, [r0, #HAL_TAIL]
    ldr     r12, [r0, #HAL_HEAD]
    cmp     r9, r12
    beq     .Lempty_or_full
.Lroom:
    mov     r8, r2
    stmia   r9, {r4-r8}             @ sdram, stride, desc, left, dtcm
    add     r9, r9, #DMA_REQUEST_BYTES
    sub     r12, r9, r0
    cmp     r12, #DMA_REQUEST_BYTES * DMA_RING
    moveq   r9, r0                  @ the ring begins the struct
    str     r9, [r0, #HAL_TAIL]
    ldr     r8, [r0, #HAL_QUEUED]
    add     r7, r7, r8
    str     r7, [r0, #HAL_QUEUED]   @ from here on the interrupt takes it, if rows waited before
    ldr     r9, [r0, #HAL_COMMITTED]
    cmp     r8, r9
    bleq    hal_pump                @ else nobody would
    mov     r0, r7
    ldmfd   sp!, {r4-r9, pc}

/* The last row too lies in the arena, and the way there does not go around the address space. */
.Lrows:
    smull   r1, lr, r5, r12
    cmp     lr, r1, asr #31
    bne     .Lbad_address
    add     r8, r8, r1
    cmp     r8, r9
    bls     .Lsound
.Lbad_address:
    mov     r1, #BAD_ADDRESS
    b       .Lbad
.Lbad_length:
    mov     r1, #BAD_DMA
.Lbad:
    mov     r2, r4
    mov     r3, r6
    mov     r4, r0
    bl      hal_fail
    ldr     r0, [r4, #HAL_QUEUED]
    ldmfd   sp!, {r4-r9, pc}

.Lempty_or_full:
    ldr     r12, [r0, #HAL_COMMITTED]
    ldr     lr, [r0, #HAL_QUEUED]
    cmp     r12, lr
    beq     .Lroom
    stmfd   sp!, {r0, r2}
    bl      dma_wait_for_room
    ldmfd   sp!, {r0, r2}
    b       .Lroom
