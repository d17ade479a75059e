/* Sums and products of significands, rounded once (sf_round.c). */
#ifndef SPINDLE_SF_ROUND_H
#define SPINDLE_SF_ROUND_H

#include <stdint.h>

uint32_t sf_round(int64_t value, int32_t exponent);
uint32_t sf_round_product(int32_t a, int32_t b, int32_t exponent);
uint32_t sf_round_sum(int32_t a, int32_t b, int32_t exponent, uint32_t places);

#endif
