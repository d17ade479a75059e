/* DOT_S13, DOT_S16: C[m][n] from panels of 13- and 16-bit mantissas, one exponent per row and column.
 *
 * In: operands 0, 1 panels A, B; 2, 3 exponent words of their rows. Out: operand 6 C, over inner = 3:
 * on the last inner tile, S * 2^(Ea + Eb - 22) with S the sum of products, or (DOT_S16)
 * S * 2^(Ea + Eb - 21) with S = floor(K / 2) + the sum of floor(product / 2^7); rounded once. Follows
 * docs/spec/dots16.md.
 *
 * S is exact, whatever its size: the workspace holds its low 32 bits, taken as signed, and, for a triple
 * of rows that needs it ("wide"), what is missing above them. As long as no sum leaves int32, which
 * the sums' functions tell, nothing is; else the tile's part of the triple is summed again in blocks that
 * fit. Where all of k lies in one tile the workspace holds one triple of rows at a time.
 */
#include "dot_s16.h"

#include "families.h"

struct dot_s16 {
    const struct kernel_args *args;
    struct dot_triple triple; /* the present one of rows; its sums lie in the workspace */
    int32_t *high;
    uint32_t *wide;
    int32_t bias[BLOCK];      /* what sums begin with on the first inner tile */
    uint32_t is_s16, a_words; /* of a triple of rows in the tile */
};

typedef uint32_t sums_fn(const struct dot_triple *triple);

static uint32_t triples(uint32_t n) { return (n + TRIPLE - 1) / TRIPLE; }

static uint32_t all_k(const struct task *task) { return task->tile[3] >= task->extent[3]; }

/* Words of sums, and as many of what is above them. */
static uint32_t half_words(const struct task *task)
{
    uint32_t rows = all_k(task) ? 1 : triples(task->tile[1]);
    return rows * triples(task->tile[2]) * BLOCK;
}

uint32_t dot_s16_sums_words(const struct task *task)
{
    return 2 * half_words(task) + triples(task->tile[1]);
}

static void view_work(struct dot_s16 *s)
{
    const struct kernel_args *args = s->args;
    s->triple.sums = (int32_t *)args->work;
    s->high = s->triple.sums + half_words(args->task);
    s->wide = (uint32_t *)s->high + half_words(args->task);
}

static void begin(struct dot_s16 *s, const struct kernel_args *args)
{
    const struct task *task = args->task;
    s->args = args;
    s->is_s16 = task->kernel == KERNEL_DOT_S16;
    s->triple.a = args->data[0];
    s->triple.b = args->data[1];
    s->triple.chunks = (args->tile.extent[3] + SPINDLE_CHUNK - 1) / SPINDLE_CHUNK;
    s->triple.columns = triples(args->tile.extent[2]);
    s->triple.start_step = args->tile.first_inner ? 0 : BLOCK;
    s->a_words = s->triple.chunks * (s->is_s16 ? WIDE_WORDS : NARROW_WORDS);
    for (uint32_t i = 0; i < BLOCK; i++) {
        s->bias[i] = s->is_s16 ? (int32_t)(task->extent[3] / 2) : 0;
    }
    view_work(s);
}

static sums_fn *sums_of(const struct dot_s16 *s) { return s->is_s16 ? dot_s16_sums : dot_s13_sums; }

/* total[BLOCK] = exact sums of the triple's rows and its column triple j over the tile. */
static void exact_sums(int64_t *total, const struct dot_s16 *s, uint32_t j)
{
    uint32_t most = s->is_s16 ? S16_CHUNKS : S13_CHUNKS, chunks = s->triple.chunks;
    int32_t sums[BLOCK];
    struct dot_triple part = {s->triple.a, s->triple.b + j * chunks * NARROW_WORDS, most, 1, sums,
                              sums, 0};
    for (uint32_t i = 0; i < BLOCK; i++) {
        total[i] = 0;
    }
    for (uint32_t done = 0; done < chunks; done += most) {
        for (uint32_t i = 0; i < BLOCK; i++) {
            sums[i] = 0;
        }
        part.chunks = chunks - done < most ? chunks - done : most;
        sums_of(s)(&part);
        for (uint32_t i = 0; i < BLOCK; i++) {
            total[i] += sums[i];
        }
        part.a += most * (s->is_s16 ? WIDE_WORDS : NARROW_WORDS);
        part.b += most * NARROW_WORDS;
    }
}

/* What is above int32 of each sum, once the low words are there. */
static void widen(const struct dot_s16 *s, int32_t *high, uint32_t was_wide)
{
    int64_t total[BLOCK];
    const int32_t *sums = s->triple.sums;
    for (uint32_t j = 0; j < s->triple.columns; j++) {
        exact_sums(total, s, j);
        for (uint32_t i = 0; i < BLOCK; i++, sums++, high++) {
            int32_t before = (int32_t)((uint32_t)*sums - (uint32_t)total[i]);
            int64_t above = (before + total[i] - *sums) >> 32;
            *high = (was_wide ? *high : 0) + (int32_t)above;
        }
    }
}

/* Add the tile's products to the sums of a triple of rows. */
static void sum_triple(struct dot_s16 *s, uint32_t *wide)
{
    uint32_t first = s->args->tile.first_inner, was_wide = first ? 0 : *wide;
    s->triple.start = first ? s->bias : s->triple.sums;
    *wide = was_wide;
    if (sums_of(s)(&s->triple)) {
        widen(s, s->high, was_wide);
        *wide = 1;
    }
}

static void finish_triple(const struct dot_s16 *s, uint32_t row, uint32_t wide)
{
    const uint32_t *rows = s->args->data[2], *extent = s->args->tile.extent;
    struct dot_s16_row out = {s->args->data[6] + row * extent[2], s->triple.sums,
                              wide ? s->high : 0, s->args->data[3], extent[2], 0};
    for (uint32_t i = row; i < row + TRIPLE && i < extent[1]; i++) {
        out.exponent = (int16_t)rows[i] - (s->is_s16 ? 21 : 22);
        dot_s16_finish(&out);
        out.c += out.n;
        out.sums += TRIPLE;
        out.high += wide ? TRIPLE : 0;
    }
}

static uint32_t all_words(const uint32_t *words, uint32_t n)
{
    uint32_t all = 0;
    for (uint32_t i = 0; i < n; i++) {
        all |= words[i];
    }
    return all;
}

static void find_flags(const struct kernel_args *args)
{
    const uint32_t *rows = args->data[2], *columns = args->data[3], *extent = args->tile.extent;
    struct dot_flags flags;
    dot_flags_view(&flags, args);
    *flags.flagged = 0;
    if ((all_words(rows, extent[1]) | all_words(columns, extent[2])) & SPINDLE_NONFINITE_FLAG) {
        dot_flags_add(&flags, args, rows, columns, 1);
    }
}

void dot_s16_compute(const struct kernel_args *args)
{
    struct dot_s16 s;
    uint32_t step, last = args->tile.last_inner;
    begin(&s, args);
    step = all_k(args->task) ? 0 : s.triple.columns * BLOCK;
    for (uint32_t row = 0; row < args->tile.extent[1]; row += TRIPLE, s.wide++) {
        sum_triple(&s, s.wide);
        if (last) {
            finish_triple(&s, row, *s.wide);
        }
        s.triple.a += s.a_words;
        s.triple.sums += step;
        s.high += step;
    }
    if (last) {
        find_flags(args);
    }
}
