/*
 * overview_text.h - sizes and times in four digits or less, for people.
 *
 * Pure.
 */
#ifndef KERNEL_SCREEN_OVERVIEW_TEXT_H
#define KERNEL_SCREEN_OVERVIEW_TEXT_H

#include <stdint.h>

struct overview_text {
    char text[24];
};

/* Return a size: "12 bytes", "1.5 MiB", "502 MiB". It is rounded down. Below 10 it has one
 * digit after the point. */
struct overview_text overview_size(uint64_t bytes);

/* Return a time, also rounded down: "812 us", "24.3 ms", "1.2 s". Below 100 it has a digit after the
 * point, except for microseconds. */
struct overview_text overview_time(uint64_t microseconds);

#endif
