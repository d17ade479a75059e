/* native.h: a virtual board of one chip on the host, called by ctypes (kernels_host/native.py).
 *
 * SDRAM is the caller's byte array, seen at SPINDLE_SDRAM_BASE. Lane l runs on core
 * l % min(n_cores, 16). Cores run one after another between barriers, each with its own DTCM and
 * its own clock, in 1/COST_FRACTION cycles. One board serves one launch at a time.
 */
#ifndef SPINDLE_NATIVE_H
#define SPINDLE_NATIVE_H

#include "rt.h"
#include "spindle_costs.h"

#define NATIVE_MAX_CORES 17
#define NATIVE_DMA_RING 64

/* When a transfer's data moves: both are allowed by hal.h, and give the same bits or find a bug. */
enum native_dma_mode {
    NATIVE_DMA_AT_START = 0, /* when it is queued */
    NATIVE_DMA_AT_WAIT = 1   /* when it is waited for; a read's target holds 0xa5 until then */
};

struct native;

struct native_transfer {
    uint32_t ticket;
    uint32_t sdram;
    uint32_t bytes;
    uint32_t is_read;
    uint8_t *dtcm;
    uint64_t done_at;
};

struct hal {
    struct native *board;
    const struct rt_lane *lane; /* the one that runs now: faults name it */
    uint64_t clock;
    uint64_t busy;        /* clock without barriers */
    uint64_t engine_free; /* when the DMA engine has done everything queued */
    uint32_t last_ticket;
    uint32_t first, n_pending; /* of the ring */
    struct native_transfer ring[NATIVE_DMA_RING];
    uint32_t dtcm[SPINDLE_DTCM_BYTES / 4];
};

/* One step's elapsed time: from its first lane's start to its last lane's end, added up. */
struct native_elapsed {
    uint64_t start, end, total;
    uint32_t open;
};

/* Facts of one launch, beside the status record. Cycles, bytes. */
struct native_result {
    uint64_t cycles;
    uint64_t dma_bytes;
    uint64_t core_cycles[NATIVE_MAX_CORES]; /* busy: without barriers */
    uint32_t barriers;
    uint32_t packets;
    uint32_t nonfinite;
    uint32_t n_steps;  /* in: length of elapsed */
    uint64_t *elapsed; /* out, by step id */
};

struct native {
    uint8_t *sdram;
    uint32_t sdram_bytes;
    uint32_t n_cores;
    uint32_t n_active; /* cores that have a lane */
    uint32_t dma_mode;
    uint32_t estimate; /* trips of a while; 0: compute */
    const struct costs *costs;
    struct command command;
    uint32_t status; /* SDRAM address of the status record */
    struct fault fault;
    struct native_result *result;
    struct native_elapsed *elapsed;
    struct hal hal[SPINDLE_LANES];
    struct rt_core core[SPINDLE_LANES];
    struct rt_lane lane[SPINDLE_LANES];
};

/* hal_host.c, for native.c */
uint8_t *hal_host_sdram(const struct native *board, uint32_t address, uint32_t bytes);
void hal_host_start(struct hal *hal, struct native *board);
uint32_t hal_host_intact(const struct hal *hal); /* guard words around the arena */

/* For ctypes. native_open returns 0 where there is no memory. n_cores 1..17; costs is copied by
 * reference: keep it. native_launch reads the command at SDRAM address `command` and the status at
 * `status`, and returns the fault code. native_estimate does the same without computing: SDRAM
 * then needs to hold command, status, binding table, program and profile only. */
struct native *native_open(uint8_t *sdram, uint32_t bytes, uint32_t n_cores, uint32_t dma_mode,
                           const struct costs *costs);
uint32_t native_launch(struct native *board, uint32_t command, uint32_t status,
                       struct native_result *result);
uint32_t native_estimate(struct native *board, uint32_t command, uint32_t status,
                         struct native_result *result, uint32_t while_trips);
void native_close(struct native *board);

#endif
