/* hal_inline.h: the calls of hal.h that are an instruction or two on a SpiNNaker core, or none: time is
 * real, nothing is charged or estimated. Included by hal.h only; hal/host has its own.
 */
#ifndef SPINDLE_HAL_INLINE_H
#define SPINDLE_HAL_INLINE_H

#include "regs.h"

static inline uint32_t *hal_arena(struct hal *hal)
{
    (void)hal;
    return (uint32_t *)(DTCM_ARENA + 2 * SPINDLE_RECORD_SLOT_BYTES);
}

static inline uint8_t *hal_record_slot(struct hal *hal, uint32_t slot)
{
    (void)hal;
    return (uint8_t *)DTCM_ARENA + slot * SPINDLE_RECORD_SLOT_BYTES;
}

/* overlay.c: whose code the overlay window holds, 0: nobody's; loading a group's, 0 after a fault. */
extern uint32_t overlay_group;
uint32_t overlay_load(struct hal *hal, uint32_t group);

static inline uint32_t hal_need_group(struct hal *hal, uint32_t group)
{
    return group == GROUP_RESIDENT || group == overlay_group || overlay_load(hal, group);
}

static inline uint32_t hal_cycles(struct hal *hal)
{
    (void)hal;
    return 0u - *(volatile uint32_t *)(TIMER_BASE + TIMER1_VALUE);
}

static inline void hal_charge_tile(struct hal *hal, const struct kernel_args *args)
{
    (void)hal;
    (void)args;
}

static inline void hal_charge_step(struct hal *hal, uint32_t n_operands)
{
    (void)hal;
    (void)n_operands;
}

static inline uint32_t hal_estimate(struct hal *hal)
{
    (void)hal;
    return 0;
}

#endif
