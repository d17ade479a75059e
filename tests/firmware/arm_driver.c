/* Loops of the firmware's tests: many calls of a two- or one-operand function in one emulator run. */
#include <stdint.h>

void drive_2(uint32_t (*f)(uint32_t, uint32_t), const uint32_t *ab, uint32_t *out, uint32_t n);
void drive_1(uint32_t (*f)(uint32_t), const uint32_t *a, uint32_t *out, uint32_t n);

/* ab: pairs. */
void drive_2(uint32_t (*f)(uint32_t, uint32_t), const uint32_t *ab, uint32_t *out, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        out[i] = f(ab[2 * i], ab[2 * i + 1]);
    }
}

void drive_1(uint32_t (*f)(uint32_t), const uint32_t *a, uint32_t *out, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        out[i] = f(a[i]);
    }
}
