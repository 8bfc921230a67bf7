#include "kernel/core/timeline_summary.h"

#include "shared/text/format.h"

/* The loader's moments are untrusted numbers: a phase that ends before its begin has no duration.
 */
static uint64_t phase_ticks(const struct timeline *timeline, unsigned index)
{
    uint64_t began = timeline->moments[index].ticks;
    uint64_t ended = timeline->moments[index + 1].ticks;
    return ended > began ? ended - began : 0;
}

/* Insert a phase into the list of the slowest, behind phases of the same duration. */
static void consider(const struct timeline *timeline, struct timeline_summary *summary,
                     unsigned index)
{
    unsigned place = summary->slowest_count;
    while (place > 0 &&
           phase_ticks(timeline, summary->slowest[place - 1]) < phase_ticks(timeline, index))
        place--;
    if (place == TIMELINE_SLOWEST_LIMIT)
        return;
    if (summary->slowest_count < TIMELINE_SLOWEST_LIMIT)
        summary->slowest_count++;
    for (unsigned i = summary->slowest_count - 1; i > place; i--)
        summary->slowest[i] = summary->slowest[i - 1];
    summary->slowest[place] = index;
}

struct timeline_summary timeline_summarise(const struct timeline *timeline)
{
    struct timeline_summary summary = {0};
    for (unsigned i = 0; i + 1 < timeline->count; i++) {
        uint64_t ticks = phase_ticks(timeline, i);
        summary.total_ticks += ticks;
        if (i < timeline->loader_count)
            summary.loader_ticks += ticks;
        else
            summary.kernel_ticks += ticks;
        consider(timeline, &summary, i);
    }
    return summary;
}

/* Rounded to the nearest. Both are scaled down first, so that the product cannot overflow. */
static unsigned percent(uint64_t part, uint64_t whole)
{
    while (whole > UINT64_MAX / 1000) {
        part >>= 1;
        whole >>= 1;
    }
    return (unsigned)((part * 100 + whole / 2) / whole);
}

void timeline_format_slowest(const struct timeline *timeline,
                             const struct timeline_summary *summary, char *text,
                             size_t capacity_bytes)
{
    size_t length = 0;
    text[0] = '\0';
    if (summary->total_ticks == 0)
        return;
    for (unsigned i = 0; i < summary->slowest_count && length < capacity_bytes; i++) {
        unsigned index = summary->slowest[i];
        length += (size_t)format_text(text + length, capacity_bytes - length, "%s%s %u %%",
                                      i == 0 ? "" : ", ", timeline->moments[index].name,
                                      percent(phase_ticks(timeline, index), summary->total_ticks));
    }
}
