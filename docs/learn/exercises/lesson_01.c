/* Lesson 1: what firmware leaves us. This is your file: edit it, then run `make lesson N=1`. */
#include "lessons/lesson_01.h"

/* Boot services have ended, and the kernel runs. Return whether it may use memory of this type for
 * its own purposes. Memory that holds the kernel, or tables that it must still read, does not count.
 * Memory of a type that you do not know does not count either. */
static bool is_usable(uint32_t type)
{
    (void)type; /* Your code, in place of these two lines. */
    return false;
}

/* Return the number of usable bytes in the map. The rows are sorted by `start`, and no two overlap.
 * Ignore a row with 0 pages. Ignore a broken row: the firmware made a mistake, and its end,
 * start + page_count * PAGE_BYTES, is larger than UINT64_MAX. */
static uint64_t usable_bytes(const struct memory_row *rows, uint64_t row_count)
{
    (void)rows, (void)row_count; /* Your code, in place of these two lines. */
    return 0;
}

/* Return the largest run of usable bytes without a gap. Usable rows that touch belong to one run,
 * also if their types differ. Return a run with size 0 if no memory is usable. Ignore the same rows
 * as above. */
static struct memory_run largest_run(const struct memory_row *rows, uint64_t row_count)
{
    (void)rows, (void)row_count; /* Your code, in place of these two lines. */
    return (struct memory_run){0, 0};
}

/* The lesson calls your functions through this table. Leave it as it is. */
const struct lesson_01 lesson_01 = {is_usable, usable_bytes, largest_run};
