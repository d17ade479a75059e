/* The board for Python: board.h and looks inside, by plain arguments.
 *
 * In: spindle/vboard/board.py. Out: values, memory, states. Nothing here changes what a program sees,
 * except memory writes behind the cores' backs.
 */
#include <string.h>

#include "board.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT struct board *vboard_new(const struct board_options *options,
                                const struct board_place *places, const struct chip_costs *costs) {
    return board_new(options, places, costs);
}

EXPORT void vboard_free(struct board *board) {
    board_free(board);
}

EXPORT uint64_t vboard_run(struct board *board, uint64_t until) {
    return board_run(board, until);
}

EXPORT uint64_t vboard_now(const struct board *board) {
    return board->now;
}

EXPORT uint64_t vboard_hash(const struct board *board) {
    return board_hash(board);
}

EXPORT void vboard_boot(struct board *board, uint32_t chip, const uint8_t *image,
                        uint32_t size_bytes) {
    board_boot(board, chip, image, size_bytes);
}

EXPORT bool vboard_is_ready(const struct board *board) {
    return board_is_ready(board);
}

EXPORT bool vboard_set_ip(struct board *board, uint32_t ip) {
    return board_set_ip(board, ip);
}

EXPORT bool vboard_inject(struct board *board, uint64_t time, uint32_t ip, uint32_t port,
                          uint32_t own_port, const uint8_t *data, uint32_t size_bytes) {
    return board_inject(board, time, ip, port, own_port, data, size_bytes);
}

EXPORT bool vboard_take(struct board *board, struct board_datagram *datagram) {
    return board_take(board, datagram);
}

EXPORT uint8_t *vboard_snapshot(const struct board *board, uint64_t *size_bytes) {
    return board_snapshot(board, size_bytes);
}

EXPORT void vboard_snapshot_free(uint8_t *bytes) {
    board_snapshot_free(bytes);
}

EXPORT bool vboard_restore(struct board *board, const uint8_t *bytes, uint64_t size_bytes) {
    return board_restore(board, bytes, size_bytes);
}

/* ---- inside */

EXPORT bool vboard_memory_read(struct board *board, uint32_t chip, uint32_t addr, void *data,
                               uint32_t size_bytes) {
    return memory_read(&board->chips[chip], addr, data, size_bytes);
}

EXPORT bool vboard_memory_write(struct board *board, uint32_t chip, uint32_t addr, const void *data,
                                uint32_t size_bytes) {
    return memory_write(&board->chips[chip], addr, data, size_bytes);
}

EXPORT const uint8_t *vboard_tcm(const struct board *board, uint32_t chip, uint32_t core,
                                 uint32_t is_dtcm) {
    const struct arm_core *arm = board->chips[chip].wires.arm[core];
    return is_dtcm ? arm->dtcm : arm->itcm;
}

/* {pc, cpsr, sleeping | held << 1 | failed << 2 | exists << 3, r0..r14}. */
EXPORT void vboard_core(const struct board *board, uint32_t chip, uint32_t core,
                        uint32_t values[18]) {
    const struct arm_core *arm = board->chips[chip].wires.arm[core];
    const struct chip_core *state = &board->chips[chip].cores[core];
    values[0] = arm->pc;
    values[1] = arm_get_cpsr(arm);
    values[2] = arm->asleep | (uint32_t)state->held << 1 | (uint32_t)(arm->error != 0) << 2 |
                (uint32_t)state->exists << 3;
    for (uint32_t i = 0; i < 15; i++)
        values[3 + i] = arm_get_reg(arm, i);
}

EXPORT uint64_t vboard_instructions(const struct board *board, uint32_t chip, uint32_t core) {
    return board->chips[chip].wires.arm[core]->instructions;
}

EXPORT uint64_t vboard_cycles(const struct board *board, uint32_t chip, uint32_t core) {
    return board->chips[chip].wires.arm[core]->cycles;
}

/* The typed errors of a chip: one per instruction, and how many are listed. */
EXPORT uint32_t vboard_faults(const struct board *board, uint32_t chip, struct chip_fault *faults) {
    memcpy(faults, board->chips[chip].faults, sizeof board->chips[chip].faults);
    return board->chips[chip].fault_count;
}

/* {routed, dropped, lost on purpose}. */
EXPORT void vboard_router_counts(const struct board *board, uint32_t chip, uint64_t counts[3]) {
    const struct router *router = &board->chips[chip].router;
    counts[0] = router->routed;
    counts[1] = router->dropped;
    counts[2] = router->lost;
}

/* {datagrams in, out, refused, windows}. */
EXPORT void vboard_counts(const struct board *board, uint64_t counts[4]) {
    counts[0] = board->net.received;
    counts[1] = board->net.sent;
    counts[2] = board->net.refused;
    counts[3] = board->windows;
}

/* ---- switches that may change on a running board */

EXPORT void vboard_set_guard(struct board *board, uint32_t chip, uint32_t base,
                             uint32_t size_bytes) {
    board->chips[chip].options.guard_base = base;
    board->chips[chip].options.guard_size = size_bytes;
}
