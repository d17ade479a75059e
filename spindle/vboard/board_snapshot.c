/* The state of a board as bytes, and back.
 *
 * In: a board with no datagram under way. Out: one block of memory, for the same build on the same
 * kind of machine: it holds C structs as they are.
 *
 *   head | per chip: number of events, events, chip (chip/snapshot.c)
 */
#include <stdlib.h>
#include <string.h>

#include "board.h"

#define MAGIC 0x53504e4453303032ull

struct head {
    uint64_t magic, now, link_hash, net_hash;
    uint32_t n_chips, chip_size, core_size, ip;
};

struct buffer {
    uint8_t *bytes;
    uint64_t at, size;
};

static bool grow(struct buffer *buffer, uint64_t needed) {
    uint64_t size = buffer->size ? buffer->size : 1 << 24;
    while (size < needed)
        size *= 2;
    uint8_t *bytes = realloc(buffer->bytes, size);
    if (!bytes)
        return false;
    buffer->bytes = bytes;
    buffer->size = size;
    return true;
}

static bool put(void *ctx, void *data, size_t size) {
    struct buffer *buffer = ctx;
    if (buffer->at + size > buffer->size && !grow(buffer, buffer->at + size))
        return false;
    memcpy(buffer->bytes + buffer->at, data, size);
    buffer->at += size;
    return true;
}

static bool get(void *ctx, void *data, size_t size) {
    struct buffer *buffer = ctx;
    if (size > buffer->size - buffer->at)
        return false;
    memcpy(data, buffer->bytes + buffer->at, size);
    buffer->at += size;
    return true;
}

/* ---- save */

static struct head head_of(const struct board *board) {
    return (struct head){MAGIC, board->now, board->link_hash, board->net.hash,
                         board->options.n_chips, offsetof(struct chip, wires),
                         sizeof(struct arm_core), board->options.ip};
}

static bool save_chip(const struct board *board, uint32_t index, struct buffer *buffer) {
    const struct chip_queue *queue = &board->queues[index];
    const struct chip_stream out = {buffer, put};
    uint32_t count = queue->count;
    return put(buffer, &count, sizeof count) &&
           put(buffer, queue->events, count * sizeof *queue->events) &&
           chip_save(&board->chips[index], &out);
}

uint8_t *board_snapshot(const struct board *board, uint64_t *size_bytes) {
    struct buffer buffer = {0};
    struct head head = head_of(board);
    if (net_next_input(board) != CHIP_NEVER || net_next_output(board) != CHIP_NEVER)
        return NULL;
    bool good = put(&buffer, &head, sizeof head);
    for (uint32_t i = 0; good && i < board->options.n_chips; i++)
        good = save_chip(board, i, &buffer);
    if (good) {
        *size_bytes = buffer.at;
        return buffer.bytes;
    }
    free(buffer.bytes);
    return NULL;
}

void board_snapshot_free(uint8_t *bytes) {
    free(bytes);
}

/* ---- restore */

static bool load_events(struct chip_queue *queue, struct buffer *buffer) {
    uint32_t count;
    struct chip_event event;
    if (!get(buffer, &count, sizeof count))
        return false;
    for (queue->count = 0; count; count--)
        if (!get(buffer, &event, sizeof event) || !chip_queue_push(queue, &event))
            return false;
    return true;
}

/* Switches that a restored board keeps from its own options. */
static void keep_switches(struct chip *chip, const struct chip_options *own) {
    chip->options.quantum = own->quantum;
    chip->options.lose_rate = chip->router.lose_rate = own->lose_rate;
    chip->options.allow_faults = own->allow_faults;
}

static bool load_chip(struct board *board, uint32_t index, struct buffer *buffer) {
    struct chip *chip = &board->chips[index];
    struct chip_options own = chip->options;
    const struct chip_stream in = {buffer, get};
    bool good = load_events(&board->queues[index], buffer) && chip_load(chip, &in);
    keep_switches(chip, &own);
    return good;
}

static bool is_ours(const struct board *board, const struct head *head) {
    struct head own = head_of(board);
    return head->magic == own.magic && head->n_chips == own.n_chips &&
           head->chip_size == own.chip_size && head->core_size == own.core_size;
}

bool board_restore(struct board *board, const uint8_t *bytes, uint64_t size_bytes) {
    struct buffer buffer = {(uint8_t *)bytes, 0, size_bytes};
    struct head head;
    bool good = get(&buffer, &head, sizeof head) && is_ours(board, &head);
    for (uint32_t i = 0; good && i < head.n_chips; i++)
        good = load_chip(board, i, &buffer);
    if (!good)
        return false;
    board->now = head.now;
    board->link_hash = head.link_hash;
    board->net.hash = head.net_hash;
    board->options.ip = head.ip;
    return true;
}
