/* float_mode.h: the host FPU's control word: round to nearest even, denormals kept, while kernels run. */
#ifndef SPINDLE_FLOAT_MODE_H
#define SPINDLE_FLOAT_MODE_H

#include <stdint.h>

#if defined(__x86_64__)

/* MXCSR: all exceptions masked, nearest, no flush to zero, no denormals-are-zero. */
static inline uint64_t float_mode_enter(void)
{
    uint64_t saved = __builtin_ia32_stmxcsr();
    __builtin_ia32_ldmxcsr(0x1f80u);
    return saved;
}

static inline void float_mode_leave(uint64_t saved) { __builtin_ia32_ldmxcsr((uint32_t)saved); }

#elif defined(__aarch64__)

/* FPCR 0: nearest, no flush to zero, no default NaN, no traps. */
static inline uint64_t float_mode_enter(void)
{
    uint64_t saved, plain = 0;
    __asm__ volatile("mrs %0, fpcr" : "=r"(saved));
    __asm__ volatile("msr fpcr, %0" : : "r"(plain));
    return saved;
}

static inline void float_mode_leave(uint64_t saved)
{
    __asm__ volatile("msr fpcr, %0" : : "r"(saved));
}

#else
#error "native runs on x86-64 and AArch64"
#endif

#endif
