/* mailbox.c: messages between the monitor and this core (SC&MP's shared memory protocol).
 *
 * mailbox_interrupt runs in IRQ mode on the IRQ stack, well under the monitor's 1 ms of patience.
 * Messages lie in buffers of system RAM that all cores share: taken and given back under a lock, with
 * IRQ off while it is held (a handler that waited for it would never get it).
 */
#include "message.h"

void mailbox_take_lock(uint32_t lock)
{
    while (REG(SC_BASE + SC_TAS + 4 * lock) & 0x80000000u) {
    }
}

void mailbox_give_lock(uint32_t lock) { (void)REG(SC_BASE + SC_TAC + 4 * lock); }

static void free_buffer(volatile struct message *message)
{
    mailbox_take_lock(LOCK_MESSAGES);
    message->next = REG(SV_BASE + SV_SHM_FREE);
    REG(SV_BASE + SV_SHM_FREE) = (uint32_t)(uintptr_t)message;
    buffers_in_use()[0]--;
    mailbox_give_lock(LOCK_MESSAGES);
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
    if (*command == MAILBOX_MESSAGE) {
        receive((volatile struct message *)(uintptr_t)REG(firmware.vcpu + AP_MESSAGE));
    } else if (*command == MAILBOX_PING) {
        REG(firmware.vcpu + AP_MESSAGE) = pc;
    }
    *command = MAILBOX_IDLE;
}
