/*
 * plural.h - the ending of a noun behind a number: "1 block", "2 blocks".
 *
 * Pure. Phase: any.
 */
#ifndef KERNEL_DIAGNOSTICS_MONITOR_PLURAL_H
#define KERNEL_DIAGNOSTICS_MONITOR_PLURAL_H

#include <stdint.h>

/* Return the ending of a regular noun. */
static inline const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

/* The same for a column, in which every noun has the same width. */
static inline const char *plural_column(uint64_t count)
{
    return count == 1 ? " " : "s";
}

#endif
