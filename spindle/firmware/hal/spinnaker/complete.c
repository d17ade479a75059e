/* complete.c: push a completion to the host: an SDP message through the fixed IP tag.
 * Page: docs/spec/run.md. Runs from system RAM (firmware.ld). */
#include "message.h"

#define MESSAGE_BYTES (sizeof(struct message) - 8) /* SDP and SCP headers, as `length` counts */
#define PORT_ETHERNET 0xff
#define FLAGS_NO_REPLY 0x07
#define PATIENCE_CYCLES 200000 /* 1 ms, as SC&MP has with us */

/* 0: none free. */
static volatile struct message *take_buffer(void)
{
    volatile struct message *message;
    uint32_t cpsr = port_disable_irq();
    mailbox_take_lock(LOCK_MESSAGES);
    message = (volatile struct message *)(uintptr_t)REG(SV_BASE + SV_SHM_FREE);
    if (message != 0) {
        REG(SV_BASE + SV_SHM_FREE) = message->next;
        if (++buffers_in_use()[0] > buffers_in_use()[1]) {
            buffers_in_use()[1] = buffers_in_use()[0];
        }
    }
    mailbox_give_lock(LOCK_MESSAGES);
    port_restore(cpsr);
    return message;
}

static void notify_monitor(void)
{
    uint32_t old, cpsr = port_disable_irq();
    mailbox_take_lock(LOCK_MAILBOX);
    old = REG(SV_BASE + SV_MBOX_FLAGS);
    REG(SV_BASE + SV_MBOX_FLAGS) = old | 1u << firmware.virtual_core;
    mailbox_give_lock(LOCK_MAILBOX);
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
void complete_push(uint32_t sequence, uint32_t code, uint32_t cycles)
{
    volatile uint8_t *command = (volatile uint8_t *)(uintptr_t)(firmware.vcpu + MP_COMMAND);
    volatile struct message *message;
    uint32_t started = port_cycles();
    while (*command != MAILBOX_IDLE) {
        if (port_cycles() - started > PATIENCE_CYCLES) {
            return;
        }
    }
    message = take_buffer();
    if (message == 0) {
        return;
    }
    fill(message, sequence, code, cycles);
    REG(firmware.vcpu + MP_MESSAGE) = (uint32_t)(uintptr_t)message;
    *command = MAILBOX_MESSAGE;
    notify_monitor();
}
