/* A board: chips, the links between them, their boot ROM, and the wire to the host.
 *
 * In: options, a place per chip, datagrams of the host with their time. Out: datagrams to the host with
 * their time, memory, faults, a trace hash.
 * Follows: the rules in chip/chip.h. All times are cycles of the 200 MHz clock since power on.
 *
 * The board's input is the list of (time, datagram) given to board_inject; equal lists give equal
 * states at equal times, however board_run was cut into calls.
 *
 *   board.c           life, links, windows of time
 *   board_rom.c       the host's boot datagrams, serial ROM, readiness
 *   board_net.c       datagrams <-> Ethernet frames, ARP
 *   board_snapshot.c  the whole state as bytes
 *   board_api.c       looks inside, for Python
 *
 * Chips influence each other hop_cycles later at the earliest, so they run one after the other (or
 * in threads) in windows of hop_cycles. The number of chips is bounded by memory only.
 */
#ifndef SPINDLE_BOARD_H
#define SPINDLE_BOARD_H

#include "chip/chip.h"

#define BOARD_IMAGE_SIZE 0x8000u
#define BOARD_SCP_PORT 17893u
#define BOARD_BOOT_PORT 54321u
#define BOARD_MAX_DATAGRAM 1472u

/* One for the whole board. */
struct board_options {
    uint64_t seed;
    uint32_t n_chips, receiver_depth, lose_rate, quantum, pristine, allow_faults;
    uint32_t ip; /* first octet in the top byte */
    uint32_t hardware; /* 3: a 4-chip board, 5: a 48-chip board; for the serial ROM block */
};

/* One per chip. */
struct board_place {
    uint32_t x, y, cores_ok, monitor, has_ethernet;
    int32_t neighbours[CHIP_LINKS]; /* index of the chip behind a link, -1: none */
};

/* The image that the host sends to the Ethernet chip. */
struct board_rom {
    uint32_t is_filling, blocks;
    uint32_t have[BOARD_IMAGE_SIZE / 4 / 32]; /* a bit per word */
    uint8_t image[BOARD_IMAGE_SIZE];
};

struct board_datagram {
    uint64_t time;
    uint32_t ip, port, own_port, size_bytes;
    uint8_t data[BOARD_MAX_DATAGRAM];
};

/* What comes to the board's wire; board_net.c */
struct board_input {
    uint64_t time;
    uint32_t is_arp, chip, ip, port, own_port, size_bytes;
    uint8_t data[]; /* payload, or the ARP frame */
};

struct board_net {
    struct board_input **inputs; /* in order of time; [first, count) are still to come */
    uint32_t first, count, capacity;
    struct board_datagram *outputs; /* likewise */
    uint32_t output_first, output_count, output_capacity;
    uint64_t received, sent, refused;
    uint64_t hash; /* of every datagram sent and its time */
};

struct board {
    struct board_options options;
    struct chip_host host;
    struct chip *chips;
    struct chip_queue *queues;
    struct board_place *places;
    struct board_rom rom;
    struct board_net net;
    uint64_t now;
    uint64_t link_hash; /* sum over packets on links: the order of chips in a window is no matter */
    uint64_t windows;
};

/* ---- board.c */

/* null: no memory. */
struct board *board_new(const struct board_options *options, const struct board_place *places,
                        const struct chip_costs *costs);
void board_free(struct board *board);
/* Run to `until`, or to the first datagram that is due to the host. Returns the new time. */
uint64_t board_run(struct board *board, uint64_t until);
/* Of everything that happened and of the state now. */
uint64_t board_hash(const struct board *board);

/* ---- board_rom.c */

void board_power_on(struct board *board, uint32_t chip);
void board_boot_datagram(struct board *board, uint32_t chip, const uint8_t *data,
                         uint32_t size_bytes, uint64_t now);
/* Give the image to a chip as if it had come over the wire, and start it. */
void board_boot(struct board *board, uint32_t chip, const uint8_t *image, uint32_t size_bytes);
/* The monitors of all chips have finished their network start-up. */
bool board_is_ready(const struct board *board);
/* Give a booted board another address; false: it is not where the monitor keeps it. */
bool board_set_ip(struct board *board, uint32_t ip);

/* ---- board_net.c */

/* A datagram of the host reaches the wire at `time` >= board->now; times never go back. false: refused
 * (too large, in the past, no memory). */
bool board_inject(struct board *board, uint64_t time, uint32_t ip, uint32_t port, uint32_t own_port,
                  const uint8_t *data, uint32_t size_bytes);
/* Take the next datagram with time <= now; false: none. */
bool board_take(struct board *board, struct board_datagram *datagram);
void net_deliver(struct board *board); /* inputs with time <= now */
uint64_t net_next_input(const struct board *board);
uint64_t net_next_output(const struct board *board);
void net_frame(struct board *board, uint32_t chip, uint64_t time, const uint8_t *frame,
               uint32_t size_bytes);
void net_free(struct board_net *net);

/* ---- board_snapshot.c */

/* Bytes of the state (free with board_snapshot_free); null: no memory, or datagrams are under way. */
uint8_t *board_snapshot(const struct board *board, uint64_t *size_bytes);
void board_snapshot_free(uint8_t *bytes);
/* Into a board made with the same options, places and costs. false: not a snapshot of such a board. */
bool board_restore(struct board *board, const uint8_t *bytes, uint64_t size_bytes);

#endif
