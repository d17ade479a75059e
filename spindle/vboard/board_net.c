/* The wire between board and host: datagrams to frames and back, address resolution.
 *
 * In: datagrams of the host with their time, frames of the chips. Out: frames at the chips' Ethernet
 * (paced there), boot datagrams at the ROM, datagrams to the host.
 *
 * The host side of the wire answers every ARP question at once; one MAC stands for all hosts.
 */
#include <stdlib.h>
#include <string.h>

#include "board.h"

#define ETH_HEADER 14u
#define IP_HEADER 20u
#define UDP_HEADER 8u
#define HEADERS (ETH_HEADER + IP_HEADER + UDP_HEADER)
#define ARP_SIZE 42u
#define MIN_FRAME 60u
#define MAX_FRAME 1514u
#define ARP_CYCLES 2000u /* 10 us */

static const uint8_t HOST_MAC[6] = {0x02, 0x68, 0x6f, 0x73, 0x74, 0x01};

static uint32_t get16(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 8 | bytes[1];
}

static uint32_t get32(const uint8_t *bytes) {
    return get16(bytes) << 16 | get16(bytes + 2);
}

static void put16(uint8_t *bytes, uint32_t value) {
    bytes[0] = (uint8_t)(value >> 8);
    bytes[1] = (uint8_t)value;
}

static void put32(uint8_t *bytes, uint32_t value) {
    put16(bytes, value >> 16);
    put16(bytes + 2, value);
}

/* ---- lists in order of time */

static void forget_inputs(struct board_net *net) {
    uint32_t left = net->count - net->first;
    memmove(net->inputs, net->inputs + net->first, left * sizeof *net->inputs);
    net->count = left;
    net->first = 0;
}

static bool input_room(struct board_net *net) {
    if (net->first == net->count || net->first > 4096)
        forget_inputs(net);
    if (net->count < net->capacity)
        return true;
    uint32_t capacity = net->capacity ? 2 * net->capacity : 64;
    struct board_input **inputs = realloc(net->inputs, capacity * sizeof *inputs);
    if (!inputs)
        return false;
    net->inputs = inputs;
    net->capacity = capacity;
    return true;
}

/* Of one time: ARP first, then datagrams in the order they were given. */
static bool is_before(const struct board_input *a, const struct board_input *b) {
    return a->time < b->time || (a->time == b->time && a->is_arp > b->is_arp);
}

static bool add_input(struct board_net *net, const struct board_input *head, const uint8_t *data) {
    struct board_input *input = malloc(sizeof *input + head->size_bytes);
    if (!input || !input_room(net)) {
        free(input);
        return false;
    }
    *input = *head;
    memcpy(input->data, data, head->size_bytes);
    uint32_t at = net->count++;
    for (; at > net->first && is_before(input, net->inputs[at - 1]); at--)
        net->inputs[at] = net->inputs[at - 1];
    net->inputs[at] = input;
    return true;
}

static struct board_datagram *add_output(struct board_net *net) {
    if (net->output_first == net->output_count)
        net->output_first = net->output_count = 0;
    if (net->output_count == net->output_capacity) {
        uint32_t capacity = net->output_capacity ? 2 * net->output_capacity : 32;
        struct board_datagram *outputs = realloc(net->outputs, capacity * sizeof *outputs);
        if (!outputs)
            return NULL;
        net->outputs = outputs;
        net->output_capacity = capacity;
    }
    return &net->outputs[net->output_count++];
}

void net_free(struct board_net *net) {
    for (uint32_t i = net->first; i < net->count; i++)
        free(net->inputs[i]);
    free(net->inputs);
    free(net->outputs);
}

uint64_t net_next_input(const struct board *board) {
    const struct board_net *net = &board->net;
    return net->first < net->count ? net->inputs[net->first]->time : CHIP_NEVER;
}

uint64_t net_next_output(const struct board *board) {
    const struct board_net *net = &board->net;
    return net->output_first < net->output_count ? net->outputs[net->output_first].time
                                                 : CHIP_NEVER;
}

/* ---- host to board */

static uint32_t ip_checksum(const uint8_t *header) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i < IP_HEADER; i += 2)
        sum += get16(header + i);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return ~sum & 0xffff;
}

static void write_ip(uint8_t *header, uint32_t from, uint32_t to, uint32_t size_bytes) {
    memset(header, 0, IP_HEADER);
    header[0] = 0x45;
    put16(header + 2, IP_HEADER + UDP_HEADER + size_bytes);
    header[8] = 64;
    header[9] = 17;
    put32(header + 12, from);
    put32(header + 16, to);
    put16(header + 10, ip_checksum(header));
}

static void write_eth(uint8_t *frame, const struct board *board, uint32_t chip, uint32_t type) {
    uint32_t low = board->chips[chip].ethernet.mac_low, high = board->chips[chip].ethernet.mac_high;
    put16(frame, high);
    put32(frame + 2, low);
    memcpy(frame + 6, HOST_MAC, 6);
    put16(frame + 12, type);
}

static uint32_t datagram_frame(const struct board *board, const struct board_input *input,
                               uint8_t *frame) {
    uint32_t size = HEADERS + input->size_bytes;
    uint8_t *udp = frame + ETH_HEADER + IP_HEADER;
    memset(frame, 0, MIN_FRAME);
    write_eth(frame, board, input->chip, 0x0800);
    write_ip(frame + ETH_HEADER, input->ip, board->options.ip, input->size_bytes);
    put16(udp, input->port);
    put16(udp + 2, input->own_port);
    put16(udp + 4, UDP_HEADER + input->size_bytes);
    put16(udp + 6, 0);
    memcpy(frame + HEADERS, input->data, input->size_bytes);
    return size < MIN_FRAME ? MIN_FRAME : size;
}

static void deliver(struct board *board, const struct board_input *input) {
    uint8_t frame[MAX_FRAME];
    uint32_t size = input->size_bytes;
    if (board->chips[input->chip].rom_boot.active) {
        if (input->own_port == BOARD_BOOT_PORT)
            board_boot_datagram(board, input->chip, input->data, size, input->time);
        return;
    }
    if (input->is_arp)
        memcpy(frame, input->data, size);
    else
        size = datagram_frame(board, input, frame);
    if (!ethernet_receive(&board->chips[input->chip], frame, size, input->time))
        board->net.refused++;
}

void net_deliver(struct board *board) {
    struct board_net *net = &board->net;
    while (net_next_input(board) <= board->now) {
        struct board_input *input = net->inputs[net->first++];
        deliver(board, input);
        net->received++;
        free(input);
    }
}

static uint32_t ethernet_chip(const struct board *board) {
    for (uint32_t i = 0; i < board->options.n_chips; i++)
        if (board->places[i].has_ethernet)
            return i;
    return 0;
}

bool board_inject(struct board *board, uint64_t time, uint32_t ip, uint32_t port, uint32_t own_port,
                  const uint8_t *data, uint32_t size_bytes) {
    struct board_input head = {time, 0, ethernet_chip(board), ip, port, own_port, size_bytes};
    if (time < board->now || size_bytes > BOARD_MAX_DATAGRAM)
        return false;
    return add_input(&board->net, &head, data);
}

/* ---- board to host */

static uint64_t hash_bytes(uint64_t hash, const uint8_t *data, uint32_t size_bytes) {
    for (uint32_t i = 0; i < size_bytes; i++)
        hash = (hash ^ data[i]) * 0x100000001b3u;
    return chip_mix(hash);
}

static void send_datagram(struct board *board, uint64_t time, const uint8_t *frame,
                          uint32_t size_bytes) {
    const uint8_t *udp = frame + ETH_HEADER + IP_HEADER;
    uint32_t length = get16(udp + 4);
    if (length < UDP_HEADER || ETH_HEADER + IP_HEADER + length > size_bytes)
        return;
    struct board_datagram *out = add_output(&board->net);
    if (!out)
        return;
    out->time = time;
    out->ip = get32(frame + ETH_HEADER + 16);
    out->own_port = get16(udp);
    out->port = get16(udp + 2);
    out->size_bytes = length - UDP_HEADER;
    memcpy(out->data, frame + HEADERS, out->size_bytes);
    board->net.sent++;
    board->net.hash = hash_bytes(board->net.hash ^ chip_mix(time), out->data, out->size_bytes);
}

/* "Who has ip?" -> "ip is at HOST_MAC". */
static void answer_arp(struct board *board, uint32_t chip, uint64_t time, const uint8_t *question) {
    uint8_t frame[MIN_FRAME] = {0};
    memcpy(frame, question, ARP_SIZE);
    memcpy(frame, question + 6, 6);
    memcpy(frame + 6, HOST_MAC, 6);
    put16(frame + 20, 2);
    memcpy(frame + 22, HOST_MAC, 6);
    memcpy(frame + 28, question + 38, 4);
    memcpy(frame + 32, question + 22, 10);
    struct board_input head = {time + ARP_CYCLES, 1, chip, 0, 0, 0, MIN_FRAME};
    add_input(&board->net, &head, frame);
}

static bool is_arp_question(const struct board *board, const uint8_t *frame, uint32_t size_bytes) {
    return size_bytes >= ARP_SIZE && get16(frame + 12) == 0x0806 && get16(frame + 20) == 1 &&
           get32(frame + 38) != board->options.ip;
}

static bool is_udp(const uint8_t *frame, uint32_t size_bytes) {
    return size_bytes >= HEADERS && get16(frame + 12) == 0x0800 && frame[ETH_HEADER] == 0x45 &&
           frame[ETH_HEADER + 9] == 17;
}

void net_frame(struct board *board, uint32_t chip, uint64_t time, const uint8_t *frame,
               uint32_t size_bytes) {
    if (is_arp_question(board, frame, size_bytes))
        answer_arp(board, chip, time, frame);
    else if (is_udp(frame, size_bytes))
        send_datagram(board, time, frame, size_bytes);
}

bool board_take(struct board *board, struct board_datagram *datagram) {
    if (net_next_output(board) > board->now)
        return false;
    *datagram = board->net.outputs[board->net.output_first++];
    return true;
}
