#include "kernel/handoff/handoff_view.h"

#include <stddef.h>

const struct handoff_moment *handoff_view_moment(const struct handoff_view *view, uint32_t index)
{
    const uint8_t *bytes = view->timeline;
    return (const void *)(bytes + (uint64_t)index * view->handoff->timeline.stride_bytes);
}

const struct handoff_module *handoff_view_module(const struct handoff_view *view, uint32_t index)
{
    const uint8_t *bytes = view->modules;
    return (const void *)(bytes + (uint64_t)index * view->handoff->modules.stride_bytes);
}

bool handoff_view_has_random_seed(const struct handoff_view *view)
{
    const struct handoff *handoff = view->handoff;
    uint8_t seen = 0;
    for (size_t i = 0; i < sizeof(handoff->random_seed); i++)
        seen |= handoff->random_seed[i];
    return seen != 0 && (handoff->random_seed_source == HANDOFF_SEED_EFI_RNG ||
                         handoff->random_seed_source == HANDOFF_SEED_CPU);
}
