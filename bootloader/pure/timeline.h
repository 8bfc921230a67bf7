/*
 * timeline.h - record the begin of each phase of the loader, in ticks of the CPU's clock.
 *
 * Pure: the clock's ticks come as a number.
 */
#ifndef BOOTLOADER_PURE_TIMELINE_H
#define BOOTLOADER_PURE_TIMELINE_H

#include "shared/handoff.h"

/* Twice the number of phases of the loader. */
#define TIMELINE_CAPACITY 24

struct timeline {
    uint32_t count;
    struct handoff_moment moments[TIMELINE_CAPACITY];
};

/* Record that the phase `name` (cut after 23 characters) begins at `ticks`. If the table is full,
 * the phase is dropped. */
void timeline_mark(struct timeline *timeline, uint64_t ticks, const char *name);

#endif
