#include "bootloader/pure/timeline.h"

#include "shared/text/format.h"

void timeline_mark(struct timeline *timeline, uint64_t ticks, const char *name)
{
    if (timeline->count == TIMELINE_CAPACITY)
        return;
    struct handoff_moment *moment = &timeline->moments[timeline->count++];
    *moment = (struct handoff_moment){.ticks = ticks};
    format_text(moment->name, sizeof(moment->name), "%s", name);
}
