/* parts.h: what the files of rt/ call of each other. core->lane is the lane that runs. */
#ifndef SPINDLE_RT_PARTS_H
#define SPINDLE_RT_PARTS_H

#include "rt.h"

#define RT_NO_OFFSET 0xffffffffu

static inline uint32_t smaller(uint32_t a, uint32_t b) { return a < b ? a : b; }
static inline uint32_t larger(uint32_t a, uint32_t b) { return a > b ? a : b; }

/* rt.c */
void rt_fault(struct rt_core *core, uint32_t code, uint32_t word0, uint32_t word1);
int rt_must_stop(struct rt_core *core);
void rt_clear_profile(struct profile *spent);
enum rt_reason rt_finish(struct rt_core *core, const struct step *step, struct profile *spent);

static inline void rt_wait(struct rt_core *core, struct profile *spent, uint32_t ticket)
{
    spent->dma_wait += hal_dma_wait(core->hal, ticket);
}

/* stream.c: the entry at an offset, waited for; 0 after a fault. */
const struct step *stream_get(struct rt_core *core, uint32_t at, uint32_t size);
void stream_prefetch(struct rt_core *core, uint32_t at, uint32_t size);
int stream_first_size(struct rt_core *core);

/* control.c */
enum rt_reason control_run(struct rt_core *core, const struct step *step);

/* address.c: an address of the present lane, with its loop registers; 0 after a fault. */
uint32_t address_of(struct rt_core *core, const struct addr *addr, const struct term *terms);

/* tiles.c */
void tiles_start(struct rt_run *run, const struct rt_lane *lane);
void tiles_next(const struct rt_run *run, const struct rt_place *place, struct rt_place *next);

static inline int tiles_valid(const struct rt_run *run, const struct rt_place *place)
{
    return place->outer < run->n_outer && run->n_inner != 0;
}

/* move.c: between an operand's tile in SDRAM and `data` in DTCM; nothing is waited for. */
enum move_direction { MOVE_READ, MOVE_WRITE };
void move_tile(struct rt_core *core, struct rt_run *run, uint32_t index, const struct tile *tile,
               uint32_t *data, enum move_direction direction);

/* rescue.c: outputs of a dot that non-finite operands decide; after its last inner tile. */
void rescue_run(struct rt_core *core, struct rt_run *run);

/* pipeline.c */
enum rt_reason pipeline_run(struct rt_core *core, const struct step *step);

/* task.c: read and check a task entry; 0 after a fault. */
int task_prepare(struct rt_core *core, struct rt_run *run, const struct step *step);

#endif
