/* The state of a board as bytes, and back.
 *
 * In: a board with no datagram under way. Out: one block of memory, for the same program on the same
 * kind of machine: it holds C structs as they are. Layout, all parts padded to 64 bytes:
 *
 *   head | per chip: struct chip (up to wires), 18 x struct arm_core, n events,
 *        n x {page number, bits of defined words, 4096 bytes}, backlog (chips with Ethernet)
 *
 * SDRAM pages that nobody touched are not in it: seeded garbage makes them again.
 */
#include <stdlib.h>
#include <string.h>

#include "board.h"

#define MAGIC 0x53504e4453303031ull
#define PAGE 4096u
#define PAGES (CHIP_SDRAM_SIZE / PAGE)
#define PAGE_WORDS (PAGE / 4 / 32)
#define PLAIN offsetof(struct chip, wires)

struct head {
    uint64_t magic, size_bytes, now, link_hash, net_hash;
    uint32_t n_chips, chip_size, core_size, ip;
};

struct page {
    uint32_t number, defined[PAGE_WORDS];
    uint8_t data[PAGE];
};

struct chip_head {
    uint32_t n_events, n_pages, backlog_size;
};

static uint64_t padded(uint64_t size) {
    return (size + 63) & ~63ull;
}

static uint32_t count_pages(const struct chip *chip) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < PAGES; i++)
        count += chip->wires.sdram_touched[i] != 0;
    return count;
}

static struct chip_head chip_head(const struct board *board, uint32_t index) {
    const struct chip *chip = &board->chips[index];
    return (struct chip_head){board->queues[index].count, count_pages(chip),
                              chip->ethernet.backlog_used ? ETH_BACKLOG_SIZE : 0};
}

static uint64_t chip_size(const struct chip_head *head) {
    return padded(sizeof *head) + padded(PLAIN) +
           CHIP_CORES * padded(sizeof(struct arm_core)) +
           padded(head->n_events * sizeof(struct chip_event)) +
           padded((uint64_t)head->n_pages * sizeof(struct page)) + padded(head->backlog_size);
}

/* ---- save */

static uint8_t *put(uint8_t *to, const void *data, uint64_t size) {
    memcpy(to, data, size);
    return to + padded(size);
}

static uint8_t *put_pages(uint8_t *to, const struct chip *chip, uint32_t count) {
    struct page *page = (struct page *)to;
    for (uint32_t i = 0; i < PAGES; i++) {
        if (!chip->wires.sdram_touched[i])
            continue;
        page->number = i;
        memcpy(page->defined, chip->wires.sdram_defined + i * PAGE_WORDS, sizeof page->defined);
        memcpy(page->data, chip->wires.sdram + (size_t)i * PAGE, PAGE);
        page++;
    }
    return to + padded((uint64_t)count * sizeof *page);
}

static uint8_t *put_chip(uint8_t *to, const struct board *board, uint32_t index) {
    const struct chip *chip = &board->chips[index];
    struct chip_head head = chip_head(board, index);
    to = put(to, &head, sizeof head);
    to = put(to, chip, PLAIN);
    for (uint32_t core = 0; core < CHIP_CORES; core++)
        to = put(to, chip->wires.arm[core], sizeof(struct arm_core));
    to = put(to, board->queues[index].events, head.n_events * sizeof(struct chip_event));
    to = put_pages(to, chip, head.n_pages);
    return head.backlog_size ? put(to, chip->wires.backlog, head.backlog_size) : to;
}

uint8_t *board_snapshot(const struct board *board, uint64_t *size_bytes) {
    uint64_t size = padded(sizeof(struct head));
    if (net_next_input(board) != CHIP_NEVER || net_next_output(board) != CHIP_NEVER)
        return NULL;
    for (uint32_t i = 0; i < board->options.n_chips; i++) {
        struct chip_head head = chip_head(board, i);
        size += chip_size(&head);
    }
    uint8_t *bytes = calloc(1, size), *to = bytes;
    if (!bytes)
        return NULL;
    struct head head = {MAGIC, size, board->now, board->link_hash, board->net.hash,
                        board->options.n_chips, PLAIN, sizeof(struct arm_core), board->options.ip};
    to = put(to, &head, sizeof head);
    for (uint32_t i = 0; i < board->options.n_chips; i++)
        to = put_chip(to, board, i);
    *size_bytes = size;
    return bytes;
}

void board_snapshot_free(uint8_t *bytes) {
    free(bytes);
}

/* ---- restore */

/* All but the pointers; decoded code is dropped. */
static void get_core(struct arm_core *core, const uint8_t *from) {
    const struct arm_bus *bus = core->bus;
    struct arm_op *ops[2] = {core->ops[0], core->ops[1]};
    struct arm_step *steps = core->steps;
    arm_trace *trace = core->trace;
    void *ctx = core->ctx;
    memcpy(core, from, sizeof *core);
    core->bus = bus;
    core->ctx = ctx;
    core->trace = trace;
    core->ops[0] = ops[0];
    core->ops[1] = ops[1];
    core->steps = steps;
    core->code_ops = NULL;
    arm_invalidate(core, 0, ARM_ITCM_SIZE);
}

static void get_pages(struct chip *chip, const struct page *page, uint32_t count) {
    for (; count; count--, page++) {
        chip->wires.sdram_touched[page->number] = 1;
        memcpy(chip->wires.sdram_defined + page->number * PAGE_WORDS, page->defined,
               sizeof page->defined);
        memcpy(chip->wires.sdram + (size_t)page->number * PAGE, page->data, PAGE);
    }
}

static bool get_events(struct chip_queue *queue, const struct chip_event *events, uint32_t count) {
    queue->count = 0;
    for (uint32_t i = 0; i < count; i++)
        if (!chip_queue_push(queue, &events[i]))
            return false;
    return true;
}

/* Switches that a restored board keeps from its own options. */
static void keep_switches(struct chip *chip, const struct chip_options *own) {
    chip->options.quantum = own->quantum;
    chip->options.lose_rate = chip->router.lose_rate = own->lose_rate;
    chip->options.allow_faults = own->allow_faults;
}

static const uint8_t *get_chip(const uint8_t *from, struct board *board, uint32_t index) {
    struct chip *chip = &board->chips[index];
    struct chip_options own = chip->options;
    struct chip_head head;
    memcpy(&head, from, sizeof head);
    const uint8_t *end = from + chip_size(&head);
    from += padded(sizeof head);
    memcpy(chip, from, PLAIN);
    keep_switches(chip, &own);
    from += padded(PLAIN);
    for (uint32_t core = 0; core < CHIP_CORES; core++, from += padded(sizeof(struct arm_core)))
        get_core(chip->wires.arm[core], from);
    if (!get_events(&board->queues[index], (const struct chip_event *)from, head.n_events))
        return NULL;
    from += padded(head.n_events * sizeof(struct chip_event));
    get_pages(chip, (const struct page *)from, head.n_pages);
    from += padded((uint64_t)head.n_pages * sizeof(struct page));
    if (head.backlog_size)
        memcpy(chip->wires.backlog, from, head.backlog_size);
    return end;
}

bool board_restore(struct board *board, const uint8_t *bytes, uint64_t size_bytes) {
    struct head head;
    if (size_bytes < sizeof head)
        return false;
    memcpy(&head, bytes, sizeof head);
    if (head.magic != MAGIC || head.size_bytes != size_bytes || head.chip_size != PLAIN ||
        head.n_chips != board->options.n_chips || head.core_size != sizeof(struct arm_core))
        return false;
    const uint8_t *from = bytes + padded(sizeof head);
    for (uint32_t i = 0; from && i < head.n_chips; i++)
        from = get_chip(from, board, i);
    board->now = head.now;
    board->link_hash = head.link_hash;
    board->net.hash = head.net_hash;
    board->options.ip = head.ip;
    return from != NULL;
}
