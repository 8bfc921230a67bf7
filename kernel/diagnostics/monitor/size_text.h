/*
 * size_text.h - a number of bytes for people: "640 KiB".
 *
 * Pure. Phase: any.
 */
#ifndef KERNEL_DIAGNOSTICS_MONITOR_SIZE_TEXT_H
#define KERNEL_DIAGNOSTICS_MONITOR_SIZE_TEXT_H

#include <stdint.h>

struct size_text {
    char text[32];
};

/* Return the size in a unit in which it is below 10240: "9000 KiB", "64 MiB". A size that is not a
 * multiple of its unit is rounded down and gets a "+". */
struct size_text size_text(uint64_t bytes);

#endif
