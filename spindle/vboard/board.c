/* The board: life, links between chips, windows of time.
 *
 * In: board.h. Out: chips that ran to a common time.
 */
#include <stdlib.h>
#include <string.h>

#include "board.h"

/* ---- what a board gives its chips */

static void schedule(void *ctx, const struct chip_event *event) {
    struct board *board = ctx;
    if (!chip_queue_push(&board->queues[event->chip], event))
        abort();
}

static uint64_t next_time(void *ctx, uint32_t chip) {
    return chip_queue_next(&((struct board *)ctx)->queues[chip]);
}

static void pop(void *ctx, uint32_t chip, struct chip_event *event) {
    chip_queue_pop(&((struct board *)ctx)->queues[chip], event);
}

static void to_neighbour(struct board *board, uint32_t chip, uint32_t link,
                         struct chip_event event) {
    int32_t other = board->places[chip].neighbours[link];
    if (other < 0)
        return;
    event.chip = (uint32_t)other;
    event.unit = (uint16_t)((link + 3) % CHIP_LINKS);
    schedule(board, &event);
}

static void link_send(void *ctx, uint32_t chip, uint32_t link, uint64_t time,
                      const struct packet *packet) {
    struct board *board = ctx;
    struct chip_event event = {time, 0, EV_LINK_RX, 0,
                               {packet->key, packet->payload, packet->control, 0}};
    uint64_t place = chip_mix(time * 256 + chip * CHIP_LINKS + link);
    board->link_hash += chip_mix(place ^ packet->key ^ (uint64_t)packet->payload << 32) ^
                        packet->control;
    to_neighbour(board, chip, link, event);
}

static void link_credit(void *ctx, uint32_t chip, uint32_t link, uint64_t time) {
    to_neighbour(ctx, chip, link, (struct chip_event){time, 0, EV_LINK_CREDIT, 0, {0}});
}

static void ethernet_send(void *ctx, uint32_t chip, uint64_t time, const uint8_t *frame,
                          uint32_t size_bytes) {
    net_frame(ctx, chip, time, frame, size_bytes);
}

/* ---- life */

static uint32_t links_up(const struct board_place *place) {
    uint32_t mask = 0;
    for (uint32_t link = 0; link < CHIP_LINKS; link++)
        mask |= (uint32_t)(place->neighbours[link] >= 0) << link;
    return mask;
}

static struct chip_options chip_options(const struct board *board, uint32_t index) {
    const struct board_options *options = &board->options;
    const struct board_place *place = &board->places[index];
    return (struct chip_options){.seed = options->seed, .x = place->x, .y = place->y,
                                 .index = index, .cores_ok = place->cores_ok,
                                 .links_up = links_up(place),
                                 .receiver_depth = options->receiver_depth,
                                 .lose_rate = options->lose_rate, .quantum = options->quantum,
                                 .has_ethernet = place->has_ethernet,
                                 .pristine = options->pristine,
                                 .allow_faults = options->allow_faults};
}

static bool allocate(struct board *board, const struct board_place *places) {
    uint32_t n = board->options.n_chips;
    board->chips = calloc(n, sizeof *board->chips);
    board->queues = calloc(n, sizeof *board->queues);
    board->places = calloc(n, sizeof *board->places);
    if (!board->chips || !board->queues || !board->places)
        return false;
    memcpy(board->places, places, n * sizeof *places);
    return true;
}

static bool power_on(struct board *board, const struct chip_costs *costs) {
    for (uint32_t i = 0; i < board->options.n_chips; i++) {
        struct chip_options options = chip_options(board, i);
        if (!chip_init(&board->chips[i], &options, costs, &board->host))
            return false;
        board_power_on(board, i);
    }
    return true;
}

struct board *board_new(const struct board_options *options, const struct board_place *places,
                        const struct chip_costs *costs) {
    struct board *board = calloc(1, sizeof *board);
    if (!board)
        return NULL;
    board->options = *options;
    board->host = (struct chip_host){board, schedule, next_time, pop, link_send, link_credit,
                                     ethernet_send};
    if (!allocate(board, places) || !power_on(board, costs)) {
        board_free(board);
        return NULL;
    }
    return board;
}

void board_free(struct board *board) {
    for (uint32_t i = 0; board->chips && i < board->options.n_chips; i++)
        chip_free(&board->chips[i]);
    for (uint32_t i = 0; board->queues && i < board->options.n_chips; i++)
        chip_queue_free(&board->queues[i]);
    net_free(&board->net);
    free(board->chips);
    free(board->queues);
    free(board->places);
    free(board);
}

/* ---- time */

static uint64_t least(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static uint64_t next_of_all(const struct board *board) {
    uint64_t next = CHIP_NEVER;
    for (uint32_t i = 0; i < board->options.n_chips; i++)
        next = least(next, chip_next_time(&board->chips[i]));
    return next;
}

/* From the earliest thing any chip does, one hop on. */
static void run_window(struct board *board, uint64_t end) {
    uint64_t next = next_of_all(board);
    if (next >= end) {
        board->now = end;
        return;
    }
    uint64_t stop = least(next + board->chips[0].costs.hop_cycles, end);
    for (uint32_t i = 0; i < board->options.n_chips; i++)
        if (chip_next_time(&board->chips[i]) < stop)
            chip_run(&board->chips[i], stop);
    board->now = stop;
    board->windows++;
}

uint64_t board_run(struct board *board, uint64_t until) {
    while (board->now < until) {
        net_deliver(board);
        uint64_t end = least(until, least(net_next_input(board), net_next_output(board)));
        if (end <= board->now)
            break;
        run_window(board, end);
    }
    return board->now;
}

uint64_t board_hash(const struct board *board) {
    uint64_t hash = chip_mix(board->now ^ board->link_hash) ^ board->net.hash;
    for (uint32_t i = 0; i < board->options.n_chips; i++)
        hash = chip_mix(hash ^ chip_hash(&board->chips[i]));
    return hash;
}
