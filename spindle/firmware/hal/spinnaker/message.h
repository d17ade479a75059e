/* message.h: SC&MP's message buffers and mailboxes in system RAM. */
#ifndef SPINDLE_MESSAGE_H
#define SPINDLE_MESSAGE_H

#include "port.h"

/* Of a core's VCPU block: to the application (AP) and to the monitor (MP). */
#define AP_MESSAGE 48
#define MP_MESSAGE 52
#define AP_COMMAND 56
#define MP_COMMAND 57

enum mailbox_command { MAILBOX_IDLE = 0, MAILBOX_MESSAGE = 1, MAILBOX_PING = 2 };

/* An SDP message as SC&MP keeps it. */
struct message {
    uint32_t next;
    uint16_t length, checksum;
    uint8_t flags, tag, dest_port, source_port;
    uint16_t dest_address, source_address;
    uint16_t command, sequence;
    uint32_t arg[3];
};
_Static_assert(sizeof(struct message) == 32, "message");

/* Buffers out, and the most ever. */
static inline volatile uint16_t *buffers_in_use(void)
{
    return (volatile uint16_t *)(SV_BASE + SV_SHM_COUNT);
}

#endif
