/* tiles.c: which tiles of a task a lane runs, in which order (docs/spec/image.md, Tiles).
 *
 * Tiles along `inner` belong to one lane. The others are numbered with dim 3 fastest, then 2, 1, 0;
 * lane l runs the numbers t with (t + lane_first) % 16 = l. Nothing is divided that need not be:
 * most dims have one tile, and most lanes' numbers are below a dim's count. arm/tiles.S is the same
 * for ARM.
 */
#include "parts.h"

static inline void fill_dim(const struct task *task, struct tile *tile, uint32_t dim,
                            uint32_t number)
{
    uint32_t origin = number * task->tile[dim];
    tile->origin[dim] = origin;
    tile->extent[dim] = smaller(task->tile[dim], task->extent[dim] - origin);
}

static inline void mark_inner(const struct rt_run *run, struct rt_place *place)
{
    place->tile.first_inner = place->inner == 0;
    place->tile.last_inner = place->inner + 1 == run->n_inner;
}

static void fill(const struct rt_run *run, struct rt_place *place)
{
    uint32_t rest = place->outer;
    for (uint32_t i = SPINDLE_MAX_DIMS; i-- > 0;) {
        uint32_t count = run->count[i], number = rest;
        if (i == run->task->inner) {
            number = place->inner;
        } else if (number >= count) {
            rest = count == 1 ? rest : rest / count;
            number = count == 1 ? 0 : number - rest * count;
        } else {
            rest = 0;
        }
        fill_dim(run->task, &place->tile, i, number);
    }
    mark_inner(run, place);
}

static void count_tiles(struct rt_run *run)
{
    const struct task *task = run->task;
    run->n_outer = 1;
    run->n_inner = 1;
    for (uint32_t dim = 0; dim < SPINDLE_MAX_DIMS; dim++) {
        uint32_t extent = task->extent[dim], tile = task->tile[dim];
        uint32_t count = extent <= tile ? extent != 0 : (extent + tile - 1) / tile;
        run->count[dim] = count;
        if (dim == task->inner) {
            run->n_inner = count;
        } else {
            run->n_outer *= count;
        }
    }
}

/* Count the tiles and set place[0] to the lane's first one; it may not be valid. */
void tiles_start(struct rt_run *run, const struct rt_lane *lane)
{
    struct rt_place *place = &run->place[0];
    count_tiles(run);
    run->current = 0;
    place->outer = (lane->number - run->task->lane_first) & (SPINDLE_LANES - 1);
    place->inner = 0;
    place->n_tiles = 0;
    place->n_outers = 0;
    place->odd = 0;
    if (tiles_valid(run, place)) {
        fill(run, place);
    }
}

/* Along `inner` only that dim changes. */
void tiles_next(const struct rt_run *run, const struct rt_place *place, struct rt_place *next)
{
    uint32_t goes_on = place->inner + 1 < run->n_inner;
    next->inner = goes_on ? place->inner + 1 : 0;
    next->outer = place->outer + (goes_on ? 0 : SPINDLE_LANES);
    next->n_tiles = place->n_tiles + 1;
    next->n_outers = place->n_outers + !goes_on;
    next->odd = (next->n_tiles & 1 ? run->each : 0) | (next->n_outers & 1 ? ~run->each : 0);
    if (goes_on) {
        next->tile = place->tile;
        fill_dim(run->task, &next->tile, run->task->inner, next->inner);
        mark_inner(run, next);
    } else if (tiles_valid(run, next)) {
        fill(run, next);
    }
}
