/* Unsigned division for the ARM968, which has no divide instruction: what the compiler calls for
 * `/` and `%` (names and registers by the ARM run-time ABI). Shift and subtract, a step per bit of
 * the quotient. A divisor of 0 gives all ones; kernels never divide by 0.
 */
#include <stdint.h>

uint32_t __aeabi_uidiv(uint32_t a, uint32_t b);
uint64_t __aeabi_uidivmod(uint32_t a, uint32_t b);

/* Remainder in the high word, quotient in the low one: r1 and r0. */
uint64_t __aeabi_uidivmod(uint32_t a, uint32_t b)
{
    uint32_t quotient = b == 0 ? 0xffffffffu : 0;
    int32_t shift = a >= b && b != 0 ? __builtin_clz(b) - __builtin_clz(a) : -1;
    for (; shift >= 0; shift--) {
        if (a >> shift >= b) {
            a -= b << shift;
            quotient |= 1u << shift;
        }
    }
    return (uint64_t)a << 32 | quotient;
}

uint32_t __aeabi_uidiv(uint32_t a, uint32_t b) { return (uint32_t)__aeabi_uidivmod(a, b); }
