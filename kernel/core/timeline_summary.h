/*
 * timeline_summary.h - summarise the time of a boot in two lines of text.
 *
 * Pure. Phase: any.
 */
#ifndef KERNEL_CORE_TIMELINE_SUMMARY_H
#define KERNEL_CORE_TIMELINE_SUMMARY_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/core/timeline.h"

#define TIMELINE_SLOWEST_LIMIT 3

struct timeline_summary {
    uint64_t total_ticks; /* of all phases */
    uint64_t loader_ticks;
    uint64_t kernel_ticks;                    /* loader_ticks + kernel_ticks == total_ticks */
    unsigned slowest[TIMELINE_SLOWEST_LIMIT]; /* indices of moments, the longest phase first */
    unsigned slowest_count;
};

/* Compute the summary. A moment before its predecessor begins a phase of no duration. */
struct timeline_summary timeline_summarise(const struct timeline *timeline);

/* Write the slowest phases with their share of the total: "read kernel 40 %, kernel: heap 12 %".
 * Text without space is cut. The text is empty if no time has passed. */
void timeline_format_slowest(const struct timeline *timeline,
                             const struct timeline_summary *summary, char *text,
                             size_t capacity_bytes);

#endif
