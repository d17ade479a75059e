/* Unsigned division by shift and subtract: one step per bit of the quotient. */
#include "divide.h"

uint32_t divide_u32(uint32_t a, uint32_t b)
{
    uint32_t quotient = 0;
    if (b == 0) {
        return 0xffffffffu;
    }
    if (a < b) {
        return 0;
    }
    for (int32_t shift = __builtin_clz(b) - __builtin_clz(a); shift >= 0; shift--) {
        if (a >> shift >= b) {
            a -= b << shift;
            quotient |= 1u << shift;
        }
    }
    return quotient;
}
