/* The smallest board: up to four chips with queues, links and a list of the frames they sent. Tests
 * of the parts drive it through spindle/vboard/chip_host.py; the real board has a host and a clock.
 *
 * In: options, costs, neighbours, code, single accesses. Out: values, times, frames.
 */
#include <stdlib.h>
#include <string.h>

#include "chip.h"

#define EXPORT __attribute__((visibility("default")))
#define MAX_CHIPS 4
#define MAX_FRAMES 256

struct rig_frame {
    uint64_t time;
    uint32_t chip, size_bytes;
    uint8_t data[1536];
};

struct rig {
    uint32_t n_chips, n_frames;
    struct chip_host host;
    struct chip chips[MAX_CHIPS];
    struct chip_queue queues[MAX_CHIPS];
    int32_t neighbours[MAX_CHIPS][CHIP_LINKS]; /* -1: none */
    struct rig_frame frames[MAX_FRAMES];
};

/* ---- what a board gives its chips */

static void schedule(void *ctx, const struct chip_event *event) {
    struct rig *rig = ctx;
    if (!chip_queue_push(&rig->queues[event->chip], event))
        abort();
}

static uint64_t next_time(void *ctx, uint32_t chip) {
    return chip_queue_next(&((struct rig *)ctx)->queues[chip]);
}

static void pop(void *ctx, uint32_t chip, struct chip_event *event) {
    chip_queue_pop(&((struct rig *)ctx)->queues[chip], event);
}

static void to_neighbour(struct rig *rig, uint32_t chip, uint32_t link, struct chip_event event) {
    int32_t other = rig->neighbours[chip][link];
    if (other < 0)
        return;
    event.chip = (uint32_t)other;
    event.unit = (uint16_t)((link + 3) % CHIP_LINKS);
    schedule(rig, &event);
}

static void link_send(void *ctx, uint32_t chip, uint32_t link, uint64_t time,
                      const struct packet *packet) {
    struct chip_event event = {time, 0, EV_LINK_RX, 0,
                               {packet->key, packet->payload, packet->control, 0}};
    to_neighbour(ctx, chip, link, event);
}

static void link_credit(void *ctx, uint32_t chip, uint32_t link, uint64_t time) {
    to_neighbour(ctx, chip, link, (struct chip_event){time, 0, EV_LINK_CREDIT, 0, {0}});
}

static void ethernet_send(void *ctx, uint32_t chip, uint64_t time, const uint8_t *frame,
                          uint32_t size_bytes) {
    struct rig *rig = ctx;
    if (rig->n_frames == MAX_FRAMES)
        return;
    struct rig_frame *kept = &rig->frames[rig->n_frames++];
    kept->time = time;
    kept->chip = chip;
    kept->size_bytes = size_bytes;
    memcpy(kept->data, frame, size_bytes);
}

/* ---- life */

EXPORT void rig_free(struct rig *rig) {
    for (uint32_t i = 0; i < rig->n_chips; i++) {
        chip_free(&rig->chips[i]);
        chip_queue_free(&rig->queues[i]);
    }
    free(rig);
}

/* neighbours: n_chips rows of six chip numbers, -1 = none. null: no memory. */
EXPORT struct rig *rig_new(uint32_t n_chips, const struct chip_options *options,
                           const struct chip_costs *costs, const int32_t *neighbours) {
    struct rig *rig = calloc(1, sizeof *rig);
    if (!rig)
        return NULL;
    rig->host = (struct chip_host){rig, schedule, next_time, pop, link_send, link_credit,
                                   ethernet_send};
    memcpy(rig->neighbours, neighbours, n_chips * sizeof rig->neighbours[0]);
    for (; rig->n_chips < n_chips; rig->n_chips++)
        if (!chip_init(&rig->chips[rig->n_chips], &options[rig->n_chips], costs, &rig->host)) {
            rig_free(rig);
            return NULL;
        }
    return rig;
}

/* ---- snapshot: chips and queues to a file's bytes and back */

struct rig_bytes {
    uint8_t *data;
    size_t at, size;
};

static bool save_bytes(void *ctx, void *data, size_t size_bytes) {
    struct rig_bytes *bytes = ctx;
    if (bytes->at + size_bytes <= bytes->size)
        memcpy(bytes->data + bytes->at, data, size_bytes);
    bytes->at += size_bytes;
    return true;
}

static bool load_bytes(void *ctx, void *data, size_t size_bytes) {
    struct rig_bytes *bytes = ctx;
    if (bytes->at + size_bytes > bytes->size)
        return false;
    memcpy(data, bytes->data + bytes->at, size_bytes);
    bytes->at += size_bytes;
    return true;
}

/* Bytes needed; data is filled when size is enough. */
EXPORT uint64_t rig_save(const struct rig *rig, uint8_t *data, uint64_t size) {
    struct rig_bytes bytes = {data, 0, size};
    struct chip_stream out = {&bytes, save_bytes};
    for (uint32_t i = 0; i < rig->n_chips; i++) {
        const struct chip_queue *queue = &rig->queues[i];
        chip_save(&rig->chips[i], &out);
        save_bytes(&bytes, (void *)&queue->count, sizeof queue->count);
        save_bytes(&bytes, queue->events, queue->count * sizeof queue->events[0]);
    }
    return bytes.at;
}

static bool load_queue(struct chip_queue *queue, struct rig_bytes *bytes) {
    struct chip_event event;
    uint32_t count;
    queue->count = 0;
    if (!load_bytes(bytes, &count, sizeof count))
        return false;
    for (; count; count--)
        if (!load_bytes(bytes, &event, sizeof event) || !chip_queue_push(queue, &event))
            return false;
    return true;
}

EXPORT bool rig_load(struct rig *rig, uint8_t *data, uint64_t size) {
    struct rig_bytes bytes = {data, 0, size};
    struct chip_stream in = {&bytes, load_bytes};
    for (uint32_t i = 0; i < rig->n_chips; i++)
        if (!chip_load(&rig->chips[i], &in) || !load_queue(&rig->queues[i], &bytes))
            return false;
    return true;
}

/* ---- time */

static uint64_t next_of_all(const struct rig *rig) {
    uint64_t next = CHIP_NEVER;
    for (uint32_t i = 0; i < rig->n_chips; i++) {
        uint64_t time = chip_next_time(&rig->chips[i]);
        next = time < next ? time : next;
    }
    return next;
}

/* All chips up to `until`, in windows of one hop from the earliest thing to do. */
EXPORT void rig_run(struct rig *rig, uint64_t until) {
    for (uint64_t next = next_of_all(rig); next < until; next = next_of_all(rig)) {
        uint64_t end = next + rig->chips[0].costs.hop_cycles;
        for (uint32_t i = 0; i < rig->n_chips; i++)
            chip_run(&rig->chips[i], end < until ? end : until);
    }
}

EXPORT uint64_t rig_hash(const struct rig *rig) {
    uint64_t hash = 0;
    for (uint32_t i = 0; i < rig->n_chips; i++)
        hash = chip_mix(hash ^ chip_hash(&rig->chips[i]));
    return hash;
}

/* ---- single accesses of a core at a cycle; they return wait cycles or ARM_BUS_FAULT */

static struct arm_core *at(struct rig *rig, uint32_t chip, uint32_t core, uint64_t cycle) {
    struct arm_core *arm = rig->chips[chip].wires.arm[core];
    rig_run(rig, cycle);
    if (arm->cycles < cycle)
        arm->cycles = cycle;
    return arm;
}

EXPORT uint32_t rig_read(struct rig *rig, uint32_t chip, uint32_t core, uint64_t cycle,
                         uint32_t addr, uint32_t size, uint32_t *value) {
    struct arm_core *arm = at(rig, chip, core, cycle);
    return chip_bus_read(arm->ctx, arm, addr, size, value);
}

EXPORT uint32_t rig_write(struct rig *rig, uint32_t chip, uint32_t core, uint64_t cycle,
                          uint32_t addr, uint32_t size, uint32_t value) {
    struct arm_core *arm = at(rig, chip, core, cycle);
    return chip_bus_write(arm->ctx, arm, addr, size, value);
}

/* ---- cores */

EXPORT void rig_start(struct rig *rig, uint32_t chip, uint32_t core, uint32_t pc, uint64_t cycle) {
    chip_start_core(&rig->chips[chip], core, pc, cycle);
}

EXPORT uint8_t *rig_itcm(struct rig *rig, uint32_t chip, uint32_t core) {
    return rig->chips[chip].wires.arm[core]->itcm;
}

EXPORT uint8_t *rig_dtcm(struct rig *rig, uint32_t chip, uint32_t core) {
    return rig->chips[chip].wires.arm[core]->dtcm;
}

EXPORT uint64_t rig_cycles(struct rig *rig, uint32_t chip, uint32_t core) {
    return rig->chips[chip].wires.arm[core]->cycles;
}

EXPORT uint32_t rig_reg(struct rig *rig, uint32_t chip, uint32_t core, uint32_t index) {
    return arm_get_reg(rig->chips[chip].wires.arm[core], index);
}

/* Bits: 0 IRQ, 1 FIQ, 2 asleep, 3 held, 4 stopped by a fault. */
EXPORT uint32_t rig_core_state(struct rig *rig, uint32_t chip, uint32_t core) {
    const struct arm_core *arm = rig->chips[chip].wires.arm[core];
    return arm->irq_line | (uint32_t)arm->fiq_line << 1 | (uint32_t)arm->asleep << 2 |
           (uint32_t)rig->chips[chip].cores[core].held << 3 | (uint32_t)(arm->error != 0) << 4;
}

/* ---- boot */

EXPORT void rig_rom_power_on(struct rig *rig, uint32_t chip, uint32_t monitor,
                             const uint8_t *srom) {
    rom_power_on(&rig->chips[chip], monitor, srom);
}

EXPORT void rig_rom_load(struct rig *rig, uint32_t chip, const uint8_t *image,
                         uint32_t size_bytes, uint64_t cycle) {
    rom_load(&rig->chips[chip], image, size_bytes, cycle);
}

/* ---- inside */

EXPORT bool rig_memory_read(struct rig *rig, uint32_t chip, uint32_t addr, void *data,
                            uint32_t size_bytes) {
    return memory_read(&rig->chips[chip], addr, data, size_bytes);
}

EXPORT bool rig_memory_write(struct rig *rig, uint32_t chip, uint32_t addr, const void *data,
                             uint32_t size_bytes) {
    return memory_write(&rig->chips[chip], addr, data, size_bytes);
}

EXPORT uint32_t rig_faults(struct rig *rig, uint32_t chip, struct chip_fault *faults) {
    uint32_t count = rig->chips[chip].fault_count;
    memcpy(faults, rig->chips[chip].faults, sizeof rig->chips[chip].faults);
    return count;
}

EXPORT void rig_router_counts(struct rig *rig, uint32_t chip, uint64_t counts[3]) {
    const struct router *router = &rig->chips[chip].router;
    counts[0] = router->routed;
    counts[1] = router->dropped;
    counts[2] = router->lost;
}

EXPORT bool rig_ethernet_receive(struct rig *rig, uint32_t chip, uint64_t cycle,
                                 const uint8_t *frame, uint32_t size_bytes) {
    rig_run(rig, cycle);
    return ethernet_receive(&rig->chips[chip], frame, size_bytes, cycle);
}

/* Frame i that the host saw; its size, 0 beyond the last. */
EXPORT uint32_t rig_frame(struct rig *rig, uint32_t i, uint64_t *time, uint8_t *data) {
    if (i >= rig->n_frames)
        return 0;
    *time = rig->frames[i].time;
    memcpy(data, rig->frames[i].data, rig->frames[i].size_bytes);
    return rig->frames[i].size_bytes;
}

/* Registers and timing without a core: a timer that is not wired. */
EXPORT uint64_t rig_timer_expiry(struct rig *rig, uint32_t chip, uint32_t core, uint32_t index) {
    return timer_expiry(&rig->chips[chip].cores[core].timers[index]);
}
