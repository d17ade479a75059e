/* native.h: a virtual board of one chip on the host, called by ctypes (kernels_host/native.py).
 *
 * SDRAM is the caller's byte array, seen at SPINDLE_SDRAM_BASE. Lane l runs on core
 * l % min(n_cores, 16). Cores run one after another between barriers, each with its own DTCM; a
 * timed launch records what takes time and finds the clocks at the barrier (docs/spec/timing.md).
 * One board serves one launch at a time.
 */
#ifndef SPINDLE_NATIVE_H
#define SPINDLE_NATIVE_H

#include "replay.h"
#include "rt.h"

#define NATIVE_MAX_CORES 17
#define NATIVE_DMA_RING REPLAY_QUEUE

/* When a transfer's data moves: both are allowed by hal.h, and give the same bits or find a bug. */
enum native_dma_mode {
    NATIVE_DMA_AT_START = 0, /* when it is queued */
    NATIVE_DMA_AT_WAIT = 1   /* when it is waited for; a read's target holds 0xa5 until then */
};

struct native;

struct native_transfer {
    uint8_t *sdram, *dtcm;
    uint32_t bytes; /* 0: nothing to move */
    uint32_t is_read;
};

struct hal {
    struct native *board;
    const struct rt_lane *lane; /* the one that runs now: faults name it */
    uint64_t busy;              /* ticks without barriers */
    uint32_t last_ticket;
    uint32_t waited;       /* last ticket waited for */
    uint32_t first_ticket; /* of this epoch */
    uint32_t group;        /* whose code the overlay window holds; 0: not known yet in this launch */
    struct tape tape;
    struct native_transfer ring[NATIVE_DMA_RING]; /* of AT_WAIT, by ticket */
    uint32_t dtcm[SPINDLE_DTCM_BYTES / 4];
};

/* Facts of one launch, beside the status record. Cycles, bytes; no cycles where it was not timed. */
struct native_result {
    uint64_t cycles;
    uint64_t dma_bytes;
    uint64_t core_cycles[NATIVE_MAX_CORES]; /* busy: without barriers */
    uint32_t barriers;
    uint32_t packets;
    uint32_t nonfinite;
    uint32_t lost;     /* 1: the host had no memory to time it */
    uint32_t n_steps;  /* in: length of elapsed */
    uint64_t *elapsed; /* out, by step id; their sum and the barriers' cycles are `cycles` */
};

struct native {
    uint8_t *sdram;
    uint32_t sdram_bytes;
    uint32_t n_cores;
    uint32_t n_active; /* cores that have a lane */
    uint32_t dma_mode;
    uint32_t estimate; /* trips of a while; 0: compute */
    uint32_t timed;
    const struct costs *costs;
    struct command command;
    uint32_t status; /* SDRAM address of the status record */
    struct fault fault;
    struct native_result *result;
    uint64_t clock;     /* ticks: when the last barrier was passed */
    uint64_t *spent;    /* cycles of all lanes in each step, in this epoch */
    uint32_t last_step; /* that lane 0 ended last */
    struct hal hal[SPINDLE_LANES];
    struct rt_core core[SPINDLE_LANES];
    struct rt_lane lane[SPINDLE_LANES];
};

/* hal_host.c, for native.c and epoch.c. intact: of guard words, `margin` ones next to the arena;
 * NATIVE_ALL_GUARDS looks at all. */
#define NATIVE_ALL_GUARDS (4096 / 4)
#define NATIVE_NEAR_GUARDS 64
uint8_t *hal_host_sdram(const struct native *board, uint32_t address, uint32_t bytes);
void hal_host_open(struct hal *hal, struct native *board);
void hal_host_start(struct hal *hal);
uint32_t hal_host_intact(const struct hal *hal, uint32_t margin);

/* epoch.c. native_profile: 0 where there is none. native_end_epoch: replay the tapes; every core's
 * lanes are at the barrier or the end. native_pass_barrier: and go on behind it. */
struct profile *native_profile(struct native *board, uint32_t lane, uint32_t step);
void native_end_epoch(struct native *board);
void native_pass_barrier(struct native *board);

/* For ctypes. native_open returns 0 where there is no memory. n_cores 1..17; costs is copied by
 * reference: keep it. native_launch reads the command at SDRAM address `command` and the status at
 * `status`, and returns the fault code; timed 0 leaves out cycles, elapsed and profiles, but
 * for counts of non-finite outputs. native_estimate does the same, timed, without computing: SDRAM then needs to
 * hold command, status, binding table, program and profile only. */
struct native *native_open(uint8_t *sdram, uint32_t bytes, uint32_t n_cores, uint32_t dma_mode,
                           const struct costs *costs);
uint32_t native_launch(struct native *board, uint32_t command, uint32_t status,
                       struct native_result *result, uint32_t timed);
uint32_t native_estimate(struct native *board, uint32_t command, uint32_t status,
                         struct native_result *result, uint32_t while_trips);
void native_close(struct native *board);

#endif
