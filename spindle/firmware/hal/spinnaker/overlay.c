/* overlay.c: a kernel group's code comes from SDRAM into the overlay window of ITCM (docs/spec/run.md,
 * Overlays). In: the session record. Out: code, or FAULT_OVERLAY. Interrupts stay on: no handler lies
 * in the window. Runs from system RAM (firmware.ld).
 */
#include "port.h"

uint32_t overlay_group;

uint32_t overlay_load(struct hal *hal, uint32_t group)
{
    const volatile struct session *session =
        (const volatile struct session *)(uintptr_t)(hal->arena | UNBUFFERED);
    const volatile struct overlay *overlay = &session->overlay[group - 1];
    uint32_t bytes = overlay->bytes;
    uint32_t sum = 0;
    overlay_group = GROUP_RESIDENT;
    if (bytes <= SPINDLE_ITCM_WINDOW_BYTES) {
        sum = overlay_copy(hal, overlay->address, bytes / 4);
    }
    if (sum != ~overlay->check) {
        hal_fail(hal, FAULT_OVERLAY, group, sum);
    }
    if (hal->has_fault) {
        return 0;
    }
    overlay_group = group;
    return 1;
}
