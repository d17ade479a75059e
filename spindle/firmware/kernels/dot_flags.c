/* Flags of a dot's rows and columns (dot_flags.h): gathered from exponent words, counted at the end. */
#include "dot_flags.h"
#include "families.h"

uint32_t dot_flags_words(const struct task *task)
{
    uint32_t m = task->tile[1], n = task->tile[2];
    return 1 + m + n + (m * n + 15) / 16;
}

void dot_flags_view(struct dot_flags *flags, const struct kernel_args *args)
{
    flags->flagged = args->work + dot_sums_words(args->task);
    flags->rows = flags->flagged + 1;
    flags->columns = flags->rows + args->task->tile[1];
    flags->rescue = flags->columns + args->task->tile[2];
}

static void gather(uint32_t *flags, const uint32_t *words, uint32_t pitch, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        flags[i] |= words[i * pitch] & SPINDLE_NONFINITE_FLAG;
    }
}

void dot_flags_add(const struct dot_flags *flags, const struct kernel_args *args,
                   const uint32_t *rows, const uint32_t *columns, uint32_t pitch)
{
    if (*flags->flagged == 0) {
        *flags->flagged = 1;
        for (uint32_t *flag = flags->rows; flag < flags->rescue; flag++) {
            *flag = 0;
        }
    }
    gather(flags->rows, rows, pitch, args->tile.extent[1]);
    gather(flags->columns, columns, pitch, args->tile.extent[2]);
}

static uint32_t count(const uint32_t *flags, uint32_t n)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < n; i++) {
        found += flags[i] != 0;
    }
    return found;
}

uint32_t dot_flagged(const struct kernel_args *args)
{
    struct dot_flags flags;
    dot_flags_view(&flags, args);
    if (*flags.flagged == 0) {
        return 0;
    }
    return count(flags.rows, args->tile.extent[1]) + count(flags.columns, args->tile.extent[2]);
}
