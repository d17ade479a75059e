/* fiq_off.c: the handler of the monitor's messages keeps FIQ off for FIQ_OFF_CYCLES. */
#include "port.h"

#define CYCLES_PER_TURN 4 /* subs, bne taken */

void __real_mailbox_interrupt(uint32_t pc);
void __wrap_mailbox_interrupt(uint32_t pc);

void __wrap_mailbox_interrupt(uint32_t pc)
{
    uint32_t cpsr, turns = FIQ_OFF_CYCLES / CYCLES_PER_TURN;
    __asm__ volatile("mrs %0, cpsr" : "=r"(cpsr));
    __asm__ volatile("msr cpsr_c, %0" : : "r"(cpsr | 0xc0));
    __asm__ volatile("1: subs %0, %0, #1\n bne 1b" : "+r"(turns) : : "cc");
    __asm__ volatile("msr cpsr_c, %0" : : "r"(cpsr));
    __real_mailbox_interrupt(pc);
}
