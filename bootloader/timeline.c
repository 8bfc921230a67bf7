#include "bootloader/timeline.h"

#include "bootloader/arch.h"
#include "shared/text/format.h"

void timeline_mark(struct timeline *timeline, const char *name)
{
    if (timeline->count == TIMELINE_CAPACITY)
        return;
    struct handoff_moment *moment = &timeline->moments[timeline->count++];
    *moment = (struct handoff_moment){.ticks = arch_timestamp()};
    format_text(moment->name, sizeof(moment->name), "%s", name);
}
