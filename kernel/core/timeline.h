/*
 * timeline.h - the begin of each phase of the boot, in loader and kernel, on one clock.
 */
#ifndef KERNEL_CORE_TIMELINE_H
#define KERNEL_CORE_TIMELINE_H

#include <stdint.h>

#include "kernel/handoff/handoff_view.h"
#include "shared/handoff.h"

/* The loader hands over about ten moments, and the kernel adds about ten. */
#define TIMELINE_LIMIT 48

struct timeline {
    struct handoff_moment moments[TIMELINE_LIMIT];
    uint64_t log_ticks[TIMELINE_LIMIT]; /* that the log had used until each moment */
    unsigned count;
    unsigned loader_count; /* the first moments, which are the loader's */
    unsigned dropped;      /* moments for which there was no space */
    uint64_t frequency_hz; /* of the counter; 0 if unknown */
};

/* Begin with the loader's moments, which are copied.
 *   frequency_hz  of the counter that all moments use; 0 if unknown */
void timeline_begin(struct timeline *timeline, const struct handoff_view *view,
                    uint64_t frequency_hz);

/* Record that the phase `name` begins at `ticks`. At most 23 characters of the name are copied. */
void timeline_mark(struct timeline *timeline, const char *name, uint64_t ticks);

/* Return the time of `ticks`, in microseconds since the first moment. Return 0 if it was before
 * that, or if the counter's frequency is unknown. Precondition: there is a moment. */
uint64_t timeline_microseconds_at(const struct timeline *timeline, uint64_t ticks);

/* Log the time of loader and kernel, and the slowest phases, in two lines. */
void timeline_print(const struct timeline *timeline);

/* Log one line per phase: its begin, and its duration until the next phase. */
void timeline_print_phases(const struct timeline *timeline);

/* Log, as lines of `stage`, the ticks of each phase that the log itself used. */
void timeline_print_log_share(const struct timeline *timeline, const char *stage);

#endif
