/*
 * timeline.h - when each phase of the loader began, on the axis of the CPU's clock.
 */
#ifndef BOOTLOADER_TIMELINE_H
#define BOOTLOADER_TIMELINE_H

#include "shared/handoff.h"

/* Twice what main.c marks. */
#define TIMELINE_CAPACITY 24

struct timeline {
    uint32_t count;
    struct handoff_moment moments[TIMELINE_CAPACITY];
};

/* The phase `name` (cut after 23 characters) begins now. Dropped when the table is full. */
void timeline_mark(struct timeline *timeline, const char *name);

#endif
