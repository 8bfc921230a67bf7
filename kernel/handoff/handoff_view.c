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

uint32_t handoff_view_waiting_count(const struct handoff_view *view,
                                    struct virt_addr direct_map_base)
{
    const struct handoff_array *array = &view->handoff->processors;
    uint64_t first = virt_addr_add(direct_map_base, array->first).value;
    uint32_t waiting_count = 0;
    for (uint32_t i = 0; i < array->count; i++) {
        const struct handoff_processor *processor =
            (const void *)(first + (uint64_t)i * array->stride_bytes);
        waiting_count += (processor->flags & HANDOFF_PROCESSOR_STARTED) != 0;
    }
    return waiting_count;
}
