#include "kernel/diagnostics/measurement.h"

#include "kernel/arch.h"
#include "kernel/core/log.h"

/* The first round fills the caches, and makes structures that only the first use needs. */
#define ROUND_COUNT 4

uint64_t measurement_take(const struct measurement *measurement, void *context)
{
    uint64_t lowest = UINT64_MAX;
    for (unsigned round = 0; round < ROUND_COUNT; round++) {
        uint64_t began = arch_timestamp();
        measurement->run(context);
        uint64_t ticks = arch_timestamp() - began;
        measurement->undo(context);
        if (ticks < lowest)
            lowest = ticks;
    }
    log_line("measure", "ticks_each=%llu.%02llu what=\"%s\"",
             (unsigned long long)(lowest / measurement->count),
             (unsigned long long)(lowest % measurement->count * 100 / measurement->count),
             measurement->name);
    return lowest;
}

void measurement_undo_nothing(void *context)
{
    (void)context;
}
