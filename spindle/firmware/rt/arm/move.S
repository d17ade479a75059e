/* move.S: move_tile of ../move.c for ARM, which is its contract and its twin. It runs for each operand
 * of each tile.
 *
 * In: r0 core, r1 run, r2 index, r3 tile, on the stack data and direction. Out: transfers queued,
 * core->last_ticket, bytes counted; or a fault. The stack while it runs:
 *
 *     sp + 0   struct dma_rows: sdram, stride, words, n_rows: level 0
 *     sp + 16  count and stride of level 1      sp + 24  the same of level 2
 *     sp + 32  core, run, saved registers       sp + 76  data, direction
 */
#include "regs.h"

#define ARENA_WORDS 0x3300
#define BAD_ADDRESS 4
#define NO_DIM 255

    .syntax unified
    .arm
    .section .text.move_tile, "ax", %progbits
    .balign 4

/* r1 sdram, r2 stride, r5 words, r6 n_rows; r3 tile, r4 operand, r7 fast dim, r11 levels, r12 words
 * of the tile; of this dim r8 stride, r9 first, r10 rows. */
    .macro  DIM dim, granule
    ldr     r8, [r4, #8 + 4 * \dim]
    cmp     r8, #0
    beq     .Lnot_indexed\@
    ldr     r9, [r3, #4 * \dim]
    ldr     r10, [r3, #16 + 4 * \dim]
    ldrh    r0, [r4, #\granule]
    cmp     r0, #1
    blne    to_granules
    mla     r1, r9, r8, r1
    cmp     r7, #\dim
    cmpne   r10, #1
    blne    add_rows
.Lnot_indexed\@:
    .endm

    .globl  move_tile
    .type   move_tile, %function
move_tile:
    stmfd   sp!, {r0, r1, r4-r11, lr}
    sub     sp, sp, #32
    ldr     r4, [r1, #RUN_OPERANDS]
    add     r1, r1, r2, lsl #2
    add     r2, r2, r2, lsl #3      @ an operand has 36 bytes
    add     r4, r4, r2, lsl #2
    ldr     r1, [r1, #RUN_BASE]
    ldr     r0, [r4, #28]           @ fast dim, flags, unit_words, align_words
    ldr     r8, [r4, #8]
    ldr     r9, [r3]
    and     r7, r0, #0xff
    cmp     r7, #NO_DIM
    addne   r5, r3, r7, lsl #2
    ldrne   r5, [r5, #16]
    moveq   r5, #1
    mov     r6, r0, lsl #8
    mov     r6, r6, lsr #24
    mla     r1, r9, r8, r1
    mul     r12, r5, r6
    mov     r0, r0, lsr #24
    add     r12, r12, r0
    sub     r12, r12, #1
    rsb     r0, r0, #0
    and     r12, r12, r0
    mov     r5, r12
    mov     r2, #0
    mov     r6, #1
    mov     r11, #0
    DIM     3, 26
    DIM     2, 24
    DIM     1, 24
    ldr     r8, [sp, #32]           @ core
    ldr     r9, [sp, #36]           @ run
    ldr     r7, [sp, #76]           @ data
    ldr     r0, [r8, #CORE_ARENA]
    ldr     r3, [r9, #RUN_DMA_BYTES]
    sub     r0, r7, r0
    add     r10, r12, r0, lsr #2
    cmp     r10, #ARENA_WORDS
    bhi     .Lbeyond_arena
    add     r3, r3, r12, lsl #2
    str     r3, [r9, #RUN_DMA_BYTES]
    cmp     r11, #1
    bhi     .Lruns
    stmia   sp, {r1, r2, r5, r6}
    bl      queue
.Lmoved:
    str     r0, [r8, #CORE_LAST_TICKET]
.Lend:
    add     sp, sp, #40
    ldmfd   sp!, {r4-r11, pc}

/* Rows in two or three levels: run after run. */
.Lruns:
    cmp     r11, #3
    ldreq   r10, [sp, #24]
    movne   r10, #1
    mul     r9, r5, r6
1:  mov     r4, r1
    ldr     r11, [sp, #16]
2:  stmia   sp, {r1, r2, r5, r6}
    bl      queue
    ldmia   sp, {r1, r2}
    ldr     r3, [sp, #20]
    add     r7, r7, r9, lsl #2
    add     r1, r1, r3
    subs    r11, r11, #1
    bne     2b
    ldr     r3, [sp, #28]
    add     r1, r4, r3
    subs    r10, r10, #1
    bne     1b
    b       .Lmoved

.Lbeyond_arena:
    mov     r2, r0, lsr #2
    mov     r3, r12
    mov     r1, #BAD_ADDRESS
    mov     r0, r8
    bl      rt_fault
    b       .Lend

/* The run at sp: returns its ticket. */
    .type   queue, %function
queue:
    ldr     r3, [sp, #80]
    ldr     r0, [r8]                @ hal
    mov     r1, sp
    mov     r2, r7
    cmp     r3, #0
    beq     hal_dma_read
    b       hal_dma_write

/* Rows of a dim join the row where they are contiguous, or make a level. */
    .type   add_rows, %function
add_rows:
    mul     r0, r12, r10
    cmp     r11, #0
    mov     r12, r0
    bne     1f
    cmp     r8, r5, lsl #2
    moveq   r5, r12
    movne   r2, r8
    movne   r6, r10
    movne   r11, #1
    bx      lr
1:  add     r0, sp, r11, lsl #3
    str     r10, [r0, #8]
    str     r8, [r0, #12]
    add     r11, r11, #1
    bx      lr

/* Indices to granules of r0 indices: most granules are powers of two. */
    .type   to_granules, %function
to_granules:
    add     r10, r9, r10
    sub     r10, r10, #1            @ the last index
    stmfd   sp!, {r0, lr}
    sub     lr, r0, #1
    tst     lr, r0
    bne     .Ldivide
    clz     r0, r0
    rsb     r0, r0, #31
    mov     r9, r9, lsr r0
    mov     r0, r10, lsr r0
.Lgranules:
    sub     r10, r0, r9
    add     r10, r10, #1
    ldmfd   sp!, {r0, pc}
.Ldivide:
    stmfd   sp!, {r1-r3, r12}
    mov     r1, r0
    mov     r0, r9
    bl      __aeabi_uidiv
    mov     r9, r0
    mov     r0, r10
    ldr     r1, [sp, #16]
    bl      __aeabi_uidiv
    ldmfd   sp!, {r1-r3, r12}
    b       .Lgranules
