/* Rows and columns of C that an Inf or a NaN flags, and the rescue's state: they lie behind the sums in the
 * workspace of a dot on mantissas. Shared by the dots and rescue.c.
 */
#ifndef SPINDLE_DOT_FLAGS_H
#define SPINDLE_DOT_FLAGS_H

#include "kernels.h"

/* rows and columns hold nothing while *flagged is 0. rescue: 2 bits per output. */
struct dot_flags {
    uint32_t *flagged;
    uint32_t *rows, *columns, *rescue;
};

/* Words they take. */
uint32_t dot_flags_words(const struct task *task);

void dot_flags_view(struct dot_flags *flags, const struct kernel_args *args);

/* Flag what has NONFINITE_FLAG in its exponent word; words lie `pitch` apart. */
void dot_flags_add(const struct dot_flags *flags, const struct kernel_args *args,
                   const uint32_t *rows, const uint32_t *columns, uint32_t pitch);

#endif
