/* hal_inline.h: calls of hal.h that are inline on a SpiNNaker core; here they are functions of hal_host.c.
 * Included by hal.h only.
 */
#ifndef SPINDLE_HAL_INLINE_H
#define SPINDLE_HAL_INLINE_H

uint32_t *hal_arena(struct hal *hal);
uint8_t *hal_record_slot(struct hal *hal, uint32_t slot);
uint32_t hal_need_group(struct hal *hal, uint32_t group);
uint32_t hal_cycles(struct hal *hal);
void hal_charge_tile(struct hal *hal, const struct kernel_args *args);
void hal_charge_step(struct hal *hal, uint32_t n_operands);
uint32_t hal_estimate(struct hal *hal);

#endif
