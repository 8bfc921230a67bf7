/*
 * timeline.h - when each phase of the loader began, on the axis of the CPU's clock.
 *
 * Pure: the clock's ticks come as a number.
 */
#ifndef BOOTLOADER_PURE_TIMELINE_H
#define BOOTLOADER_PURE_TIMELINE_H

#include "shared/handoff.h"

/* Twice what the loader marks. */
#define TIMELINE_CAPACITY 24

struct timeline {
    uint32_t count;
    struct handoff_moment moments[TIMELINE_CAPACITY];
};

/* The phase `name` (cut after 23 characters) begins at `ticks`. Dropped when the table is full. */
void timeline_mark(struct timeline *timeline, uint64_t ticks, const char *name);

#endif
