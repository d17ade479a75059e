/* mailbox.c: messages between the monitor and this core (SC&MP's shared memory protocol).
 *
 * mailbox_interrupt runs in IRQ mode on the IRQ stack, well under the monitor's 1 ms of patience.
 * Messages lie in buffers of system RAM that all cores share: taken and given back under a lock, with
 * IRQ off while it is held (a handler that waited for it would never get it).
 */
#include "port.h"

#define AP_MESSAGE 48
#define MP_MESSAGE 52
#define AP_COMMAND 56
#define MP_COMMAND 57

enum mailbox_command { IDLE = 0, MESSAGE = 1, PING = 2, SIGNAL = 3 };

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

#define MESSAGE_BYTES (sizeof(struct message) - 8) /* SDP and SCP headers, as `length` counts */
#define PORT_ETHERNET 0xff
#define FLAGS_NO_REPLY 0x07
#define NO_CORE 31

static void take_lock(uint32_t lock)
{
    while (REG(SC_BASE + SC_TAS + 4 * lock) & 0x80000000u) {
    }
}

static void give_lock(uint32_t lock) { (void)REG(SC_BASE + SC_TAC + 4 * lock); }

static volatile uint16_t *buffers_in_use(void)
{
    return (volatile uint16_t *)(SV_BASE + SV_SHM_COUNT);
}

static void free_buffer(volatile struct message *message)
{
    take_lock(LOCK_MESSAGES);
    message->next = REG(SV_BASE + SV_SHM_FREE);
    REG(SV_BASE + SV_SHM_FREE) = (uint32_t)(uintptr_t)message;
    buffers_in_use()[0]--;
    give_lock(LOCK_MESSAGES);
}

/* 0: none free. */
static volatile struct message *take_buffer(void)
{
    volatile struct message *message;
    uint32_t cpsr = port_disable_irq();
    take_lock(LOCK_MESSAGES);
    message = (volatile struct message *)(uintptr_t)REG(SV_BASE + SV_SHM_FREE);
    if (message != 0) {
        REG(SV_BASE + SV_SHM_FREE) = message->next;
        if (++buffers_in_use()[0] > buffers_in_use()[1]) {
            buffers_in_use()[1] = buffers_in_use()[0];
        }
    }
    give_lock(LOCK_MESSAGES);
    port_restore(cpsr);
    return message;
}

/* A doorbell: older numbers than the newest one say nothing. */
static void ring(uint32_t sequence)
{
    if ((int32_t)(sequence - firmware.doorbell) > 0) {
        firmware.doorbell = sequence;
        firmware.barrier.inbox.news = 1;
    }
}

static void receive(volatile struct message *message)
{
    uint32_t port = message->dest_port >> 5, command = message->command;
    uint32_t sequence = message->arg[0];
    free_buffer(message);
    if (firmware.is_service && port == SPINDLE_DOORBELL_PORT &&
        command == SPINDLE_DOORBELL_COMMAND) {
        ring(sequence);
    }
}

/* pc: of what was interrupted. Signals are taken note of and have no effect; STOP does not come here. */
void mailbox_interrupt(uint32_t pc)
{
    volatile uint8_t *command = (volatile uint8_t *)(uintptr_t)(firmware.vcpu + AP_COMMAND);
    REG(SC_BASE + SC_CLR_IRQ) = SC_CODE | 1u << firmware.physical_core;
    if (*command == MESSAGE) {
        receive((volatile struct message *)(uintptr_t)REG(firmware.vcpu + AP_MESSAGE));
    } else if (*command == PING) {
        REG(firmware.vcpu + AP_MESSAGE) = pc;
    }
    *command = IDLE;
}

static void notify_monitor(void)
{
    uint32_t old, cpsr = port_disable_irq();
    take_lock(LOCK_MAILBOX);
    old = REG(SV_BASE + SV_MBOX_FLAGS);
    REG(SV_BASE + SV_MBOX_FLAGS) = old | 1u << firmware.virtual_core;
    give_lock(LOCK_MAILBOX);
    port_restore(cpsr);
    if (old == 0) {
        uint32_t monitor = *(volatile uint8_t *)(SV_BASE + SV_V2P);
        REG(SC_BASE + SC_SET_IRQ) = SC_CODE | 1u << monitor;
    }
}

static void fill(volatile struct message *message, uint32_t sequence, uint32_t code,
                 uint32_t cycles)
{
    message->length = MESSAGE_BYTES;
    message->checksum = 0;
    message->flags = FLAGS_NO_REPLY;
    message->tag = (uint8_t)firmware.tag;
    message->dest_port = PORT_ETHERNET;
    message->source_port = (uint8_t)(SPINDLE_DOORBELL_PORT << 5 | firmware.virtual_core);
    message->dest_address = *(volatile uint16_t *)(SV_BASE + SV_ETH_ADDR);
    message->source_address = *(volatile uint16_t *)(SV_BASE + SV_P2P_ADDR);
    message->command = SPINDLE_DONE_COMMAND;
    message->sequence = (uint16_t)sequence;
    message->arg[0] = sequence;
    message->arg[1] = code;
    message->arg[2] = cycles;
}

/* Push a completion through the fixed tag. No buffer, or a monitor that does not take the last
 * message: nothing is sent; the host then finds the status record after silence. */
void mailbox_complete(uint32_t sequence, uint32_t code, uint32_t cycles)
{
    volatile uint8_t *command = (volatile uint8_t *)(uintptr_t)(firmware.vcpu + MP_COMMAND);
    volatile struct message *message;
    uint32_t started = port_cycles();
    while (*command != IDLE) {
        if (port_cycles() - started > 200000u) {
            return;
        }
    }
    message = take_buffer();
    if (message == 0) {
        return;
    }
    fill(message, sequence, code, cycles);
    REG(firmware.vcpu + MP_MESSAGE) = (uint32_t)(uintptr_t)message;
    *command = MESSAGE;
    notify_monitor();
}
