/*
 * timeline.h - when each phase of the boot began, loader and kernel on one axis.
 */
#ifndef KERNEL_CORE_TIMELINE_H
#define KERNEL_CORE_TIMELINE_H

#include <stdint.h>

#include "kernel/handoff/handoff_view.h"
#include "shared/handoff.h"

/* The loader hands over some ten moments and the kernel adds as many. */
#define TIMELINE_LIMIT 48

struct timeline {
    struct handoff_moment moments[TIMELINE_LIMIT];
    uint64_t log_ticks[TIMELINE_LIMIT]; /* that the kernel's log had taken until each moment */
    unsigned count;
    unsigned loader_count; /* so many of them, the first, are the loader's */
    unsigned dropped;      /* moments for which there was no room */
    uint64_t frequency_hz; /* of the counter; 0 if unknown */
};

/* Begin with the loader's moments, which are copied.
 *   frequency_hz  of the counter in whose ticks all moments are; 0 if unknown */
void timeline_begin(struct timeline *timeline, const struct handoff_view *view,
                    uint64_t frequency_hz);

/* The phase `name` begins at `ticks`. The name is copied, at most 23 characters of it. */
void timeline_mark(struct timeline *timeline, const char *name, uint64_t ticks);

/* When `ticks` was, in microseconds since the first moment; 0 if it was before that, or if the
 * counter's frequency is unknown. Precondition: there is a moment. */
uint64_t timeline_microseconds_at(const struct timeline *timeline, uint64_t ticks);

/* Log how long loader and kernel took, and which phases were the slowest: two lines. */
void timeline_print(const struct timeline *timeline);

/* Log one line a phase: when it began, and how long it took until the next one. */
void timeline_print_phases(const struct timeline *timeline);

/* Log, as lines of `stage`, how many ticks of each phase went into the log itself. */
void timeline_print_log_share(const struct timeline *timeline, const char *stage);

#endif
