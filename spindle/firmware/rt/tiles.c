/* tiles.c: which tiles of a task a lane runs, in which order (docs/spec/image.md, Tiles).
 *
 * Tiles along `inner` belong to one lane. The others are numbered with dim 3 fastest, then 2, 1, 0;
 * lane l runs the numbers t with (t + lane_first) % 16 = l.
 */
#include "parts.h"

static inline uint32_t smaller(uint32_t a, uint32_t b) { return a < b ? a : b; }

static void fill_dim(const struct task *task, struct tile *tile, uint32_t dim, uint32_t number)
{
    tile->origin[dim] = number * task->tile[dim];
    tile->extent[dim] = smaller(task->tile[dim], task->extent[dim] - tile->origin[dim]);
}

static void mark_inner(const struct rt_run *run, struct rt_place *place)
{
    place->tile.first_inner = place->inner == 0;
    place->tile.last_inner = place->inner + 1 == run->n_inner;
}

static void fill(const struct rt_run *run, struct rt_place *place)
{
    uint32_t rest = place->outer;
    for (uint32_t i = SPINDLE_MAX_DIMS; i-- > 0;) {
        uint32_t number = 0;
        if (i == run->task->inner) {
            number = place->inner;
        } else if (run->count[i] > 1) {
            uint32_t above = rest / run->count[i];
            number = rest - above * run->count[i];
            rest = above;
        }
        fill_dim(run->task, &place->tile, i, number);
    }
    mark_inner(run, place);
}

int tiles_valid(const struct rt_run *run, const struct rt_place *place)
{
    return place->outer < run->n_outer && run->n_inner != 0;
}

static uint32_t count_dim(uint32_t extent, uint32_t tile)
{
    return extent <= tile ? extent != 0 : (extent + tile - 1) / tile;
}

static void count_tiles(struct rt_run *run)
{
    const struct task *task = run->task;
    run->n_outer = 1;
    run->n_inner = 1;
    for (uint32_t dim = 0; dim < SPINDLE_MAX_DIMS; dim++) {
        run->count[dim] = count_dim(task->extent[dim], task->tile[dim]);
        if (dim == task->inner) {
            run->n_inner = run->count[dim];
        } else {
            run->n_outer *= run->count[dim];
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
    if (tiles_valid(run, place)) {
        fill(run, place);
    }
}

/* The next tile along `inner`: only that dim changes. */
static void next_inner(const struct rt_run *run, const struct rt_place *place,
                       struct rt_place *next)
{
    *next = *place;
    next->inner++;
    next->n_tiles++;
    fill_dim(run->task, &next->tile, run->task->inner, next->inner);
    mark_inner(run, next);
}

void tiles_next(const struct rt_run *run, const struct rt_place *place, struct rt_place *next)
{
    if (place->inner + 1 < run->n_inner) {
        next_inner(run, place, next);
        return;
    }
    next->inner = 0;
    next->outer = place->outer + SPINDLE_LANES;
    next->n_tiles = place->n_tiles + 1;
    next->n_outers = place->n_outers + 1;
    if (tiles_valid(run, next)) {
        fill(run, next);
    }
}
