/*
 * ownership.h - log the holders of physical memory, the lifetime of each, and the memory that
 * became free. There is one line per holder, and one with the sum. docs/LOG.md, `[memory]`,
 * describes the lines.
 */
#ifndef KERNEL_DIAGNOSTICS_OWNERSHIP_H
#define KERNEL_DIAGNOSTICS_OWNERSHIP_H

#include "kernel/mm/frames/frame_allocator.h"
#include "kernel/core/timeline.h"

/* If `each_holder`, log the holders in the order of the map. Then log the sum. The allocator's
 * timestamps are those of the time-stamp counter, which the timeline converts to microseconds.
 */
void ownership_print(const struct frame_allocator *frames, const struct timeline *timeline,
                     bool each_holder);

#endif
