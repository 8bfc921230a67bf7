#include "kernel/core/timeline.h"

#include <stddef.h>

#include "kernel/core/log.h"
#include "kernel/core/timeline_summary.h"

static void append(struct timeline *timeline, const char *name, size_t name_capacity,
                   uint64_t ticks)
{
    if (timeline->count == TIMELINE_LIMIT) {
        timeline->dropped++;
        return;
    }
    timeline->log_ticks[timeline->count] = log_spent_ticks();
    struct handoff_moment *moment = &timeline->moments[timeline->count++];
    *moment = (struct handoff_moment){.ticks = ticks};
    for (size_t i = 0; i + 1 < sizeof moment->name && i < name_capacity && name[i] != '\0'; i++)
        moment->name[i] = name[i];
}

void timeline_begin(struct timeline *timeline, const struct handoff_view *view,
                    uint64_t frequency_hz)
{
    timeline->count = 0;
    timeline->dropped = 0;
    timeline->frequency_hz = frequency_hz;
    for (uint32_t i = 0; i < view->handoff->timeline.count; i++) {
        const struct handoff_moment *moment = handoff_view_moment(view, i);
        append(timeline, moment->name, sizeof moment->name, moment->ticks);
    }
    timeline->loader_count = timeline->count;
}

void timeline_mark(struct timeline *timeline, const char *name, uint64_t ticks)
{
    append(timeline, name, SIZE_MAX, ticks);
}

/* Split so that the product cannot overflow: ticks below 2^64, one million below 2^20. */
static uint64_t ticks_to_microseconds(uint64_t ticks, uint64_t frequency_hz)
{
    if (frequency_hz == 0)
        return 0;
    return ticks / frequency_hz * 1000000 + ticks % frequency_hz * 1000000 / frequency_hz;
}

uint64_t timeline_microseconds_at(const struct timeline *timeline, uint64_t ticks)
{
    uint64_t began = timeline->moments[0].ticks;
    return ticks > began ? ticks_to_microseconds(ticks - began, timeline->frequency_hz) : 0;
}

static unsigned long long microseconds(const struct timeline *timeline, uint64_t ticks)
{
    return ticks_to_microseconds(ticks, timeline->frequency_hz);
}

void timeline_print(const struct timeline *timeline)
{
    char slowest[TIMELINE_SLOWEST_LIMIT * (sizeof timeline->moments[0].name + sizeof ", 100 %")];
    struct timeline_summary summary = timeline_summarise(timeline);
    timeline_format_slowest(timeline, &summary, slowest, sizeof slowest);
    log_line("timeline", "total_us=%llu loader_us=%llu kernel_us=%llu ticks=%llu",
             microseconds(timeline, summary.total_ticks),
             microseconds(timeline, summary.loader_ticks),
             microseconds(timeline, summary.kernel_ticks), (unsigned long long)summary.total_ticks);
    log_line("timeline", "slowest=\"%s\"", slowest);
}

void timeline_print_phases(const struct timeline *timeline)
{
    for (unsigned i = 0; i < timeline->count; i++) {
        const struct handoff_moment *moment = &timeline->moments[i];
        unsigned next = i + 1 < timeline->count ? i + 1 : i;
        uint64_t end = timeline->moments[next].ticks;
        log_line(
            "timeline", "at_us=%-8llu took_us=%-8llu ticks=%-10llu phase=%s",
            (unsigned long long)timeline_microseconds_at(timeline, moment->ticks),
            (unsigned long long)ticks_to_microseconds(end - moment->ticks, timeline->frequency_hz),
            (unsigned long long)(end - moment->ticks), moment->name);
    }
    if (timeline->dropped > 0)
        log_warning("timeline", "%u moments are not recorded: there is no room", timeline->dropped);
}

void timeline_print_log_share(const struct timeline *timeline, const char *stage)
{
    for (unsigned i = 0; i + 1 < timeline->count; i++) {
        uint64_t ticks = timeline->log_ticks[i + 1] - timeline->log_ticks[i];
        if (ticks != 0)
            log_line(stage, "log_ticks=%llu phase=%s", (unsigned long long)ticks,
                     timeline->moments[i].name);
    }
}
