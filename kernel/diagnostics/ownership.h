/*
 * ownership.h - who holds which physical memory, for how long, and what became free: a line with
 * the sum, and one a holder. The lines are described in docs/LOG.md, `[memory]`.
 */
#ifndef KERNEL_DIAGNOSTICS_OWNERSHIP_H
#define KERNEL_DIAGNOSTICS_OWNERSHIP_H

#include "kernel/mm/frames/frame_allocator.h"
#include "kernel/core/timeline.h"

/* Log the holders in the order in which the map first has them, if `each_holder`, then the sum. The
 * allocator's timestamps are the time-stamp counter's, which the timeline turns into microseconds.
 */
void ownership_print(const struct frame_allocator *frames, const struct timeline *timeline,
                     bool each_holder);

#endif
