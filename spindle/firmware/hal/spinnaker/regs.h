/* regs.h: registers and system-software blocks of a SpiNNaker chip that the firmware touches, and our
 * map of DTCM. For C and assembly. Names and bits: data sheet 2.02; SC&MP's blocks: spinnaker_tools.
 *
 *     DTCM 0x00400000  runtime (.bss; last word is a guard)      4 KB
 *          0x00401000  two record slots, tile arena             54 KB
 *          0x0040e800  guard word, SYS stack                  2432 bytes
 *          0x0040f180  constant tables (.tables)             1664 bytes
 *          0x0040f800  guard, SVC stack   0x0040f900  guard, ABT stack     256 bytes each
 *          0x0040fa00  guard, UND stack   0x0040fb00  guard, IRQ stack     256, 1280 bytes
 * FIQ has no stack. What lies in SDRAM and SysRAM is used through the unbuffered aliases, 0x7 and 0xf.
 */
#ifndef SPINDLE_REGS_H
#define SPINDLE_REGS_H

#define DTCM_BASE 0x00400000
#define DTCM_ARENA 0x00401000
#define SYS_STACK_GUARD 0x0040e800
#define SYS_STACK_TOP 0x0040f180
#define SVC_STACK_GUARD 0x0040f800
#define SVC_STACK_TOP 0x0040f900
#define ABT_STACK_TOP 0x0040fa00
#define UND_STACK_TOP 0x0040fb00
#define IRQ_STACK_TOP 0x00410000
#define GUARD_WORD 0x5afe5afe

/* Communications controller. */
#define CC_BASE 0x10000000
#define CC_TCR 0x00
#define CC_TXKEY 0x08
#define CC_RXKEY 0x14
#define CC_TCR_NOT_FULL 0x10000000

/* Timer 1 counts cycles, timer 2 is the alarm. */
#define TIMER_BASE 0x11000000
#define TIMER1_LOAD 0x00
#define TIMER1_VALUE 0x04
#define TIMER1_CONTROL 0x08
#define TIMER1_INTCLR 0x0c
#define TIMER2_LOAD 0x20
#define TIMER2_CONTROL 0x28
#define TIMER2_INTCLR 0x2c
#define TIMER_FREE_RUNNING 0xc2 /* enabled, periodic with the longest period, no interrupt, 32 bits */
#define TIMER_ONE_SHOT 0xe3     /* the mode of SC&MP's event timer: LOAD starts it anew */

/* Vectored interrupt controller. */
#define VIC_BASE 0x1f000000
#define VIC_SELECT 0x0c
#define VIC_ENABLE 0x10
#define VIC_DISABLE 0x14
#define VIC_SOFT_CLEAR 0x1c
#define VIC_VADDR 0x30
#define VIC_DEFADDR 0x34
#define VIC_ADDR0 0x100
#define VIC_CONTROL0 0x200
#define VIC_SLOT_ON 0x20
#define VIC_TIMER2 5
#define VIC_DMA_DONE 12
#define VIC_CPU_INT 18
#define VIC_CC_MC 24

/* DMA controller. */
#define DMA_BASE 0x30000000
#define DMA_ADRS 0x04
#define DMA_ADRT 0x08
#define DMA_DESC 0x0c
#define DMA_CTRL 0x10
#define DMA_STAT 0x14
#define DMA_GCTL 0x18
#define DMA_DESC_WIDE 0x01800000 /* 64 bits, bursts of 16 */
#define DMA_DESC_TO_SDRAM 0x00080000
#define DMA_STAT_FULL 0x00000004
#define DMA_STAT_WRITES 0x00000010
#define DMA_STAT_DONE 0x00000400
#define DMA_STAT_DONE2 0x00000800
#define DMA_STAT_ERRORS 0x001fe000
#define DMA_CTRL_DONE 0x08
#define DMA_CTRL_FLUSH 0x3f
#define DMA_CTRL_START 0x0d
#define DMA_GCTL_EACH 0x00000c00  /* interrupt when a transfer has ended */
#define DMA_GCTL_PAIRS 0x00000800 /* when two have */

/* System controller: writes need the code; locks are taken by a read of TAS, given back by one of TAC. */
#define SC_BASE 0xf2000000
#define SC_SET_IRQ 0x08
#define SC_CLR_IRQ 0x0c
#define SC_TAS 0x100
#define SC_TAC 0x180
#define SC_CODE 0x5ec00000
#define LOCK_MESSAGES 0
#define LOCK_MAILBOX 1

/* SC&MP's system block and the per-core blocks. */
#define SV_BASE 0xf5007f00
#define SV_P2P_ADDR 0x00
#define SV_ETH_ADDR 0x08
#define SV_SHM_FREE 0x68
#define SV_SHM_COUNT 0x6c
#define SV_P2V 0x94
#define SV_V2P 0xa8
#define SV_ALLOC_TAG 0xdc
#define SV_MBOX_FLAGS 0xec
#define VCPU_BASE 0xf5007000
#define VCPU_BYTES 128

/* States of a core and run-time errors, as SpiNNMan shows them. */
#define CPU_RTE 2
#define CPU_INIT 4
#define CPU_RUN 7
#define RTE_RESET 1
#define RTE_UNDEF 2
#define RTE_SVC 3
#define RTE_PABT 4
#define RTE_DABT 5
#define RTE_SWERR 13
#define RTE_VER 20

/* What assembly knows of structs of the firmware (port.h checks it). */
#define DMA_RING 16
#define DMA_REQUEST_BYTES 20
#define BARRIER_NEWS 0x110
#define BARRIER_IS_ROOT 0x118
#define BARRIER_GROUP0 0x11c
#define BARRIER_GROUP1 0x128
#define BARRIER_OWN_BITS 0x150
#define BARRIER_ASK_SLOT 0x154
#define BARRIER_RECEIVERS 0x158
#define BARRIER_GENERATION 0x15c
#define BARRIER_PHASE 0x160
#define BARRIER_EXPECTED 0x164
#define BARRIER_FLAGS 0x168
#define BARRIER_SENT_AT 0x16c
#define BARRIER_ASK_AT 0x170
#define BARRIER_SENT 0x178
#define HAL_OFFSET 388
#define CORE_LANE 8
#define CORE_ARENA 12
#define CORE_LAST_TICKET 36
#define CORE_STOPPED 44
#define CORE_N_LANES 48
#define CORE_BOUND 56
#define TASK_INNER 10
#define TASK_LANE_FIRST 11
#define TASK_EXTENT 12
#define TASK_TILE 28
#define RUN_TASK 4
#define RUN_OPERANDS 8
#define RUN_TERMS 12
#define RUN_BASE 20
#define RUN_STORED 84
#define RUN_LOADS 104
#define RUN_STORES 112
#define RUN_EACH 116
#define RUN_ONE_BUFFER 120
#define RUN_COUNT 124
#define RUN_N_OUTER 140
#define RUN_N_INNER 144
#define RUN_PLACE 148
#define RUN_LOADED 268
#define RUN_CURRENT 276
#define RUN_DMA_BYTES 296
#define PLACE_INNER 4
#define PLACE_ORIGIN 20
#define PLACE_EXTENT 36
#define PLACE_FIRST_INNER 52
#define HAL_HEAD (DMA_REQUEST_BYTES * DMA_RING)
#define HAL_QUEUED (HAL_HEAD + 4)
#define HAL_COMMITTED (HAL_HEAD + 8) /* and done behind it */
#define HAL_TAIL (HAL_HEAD + 16)
#define HAL_ARENA (HAL_HEAD + 20)

#define UNBUFFERED 0x10000000 /* of an SDRAM address */

#endif
