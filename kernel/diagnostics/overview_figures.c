#include "kernel/diagnostics/overview_figures.h"

#include "kernel/arch.h"
#include "kernel/core/image.h"
#include "kernel/mm/heap/heap_brief.h"
#include "shared/text/format.h"

_Static_assert(OVERVIEW_PHASE_LIMIT >= TIMELINE_LIMIT, "each phase has room");
_Static_assert(OVERVIEW_BUILD_CAPACITY_BYTES == 2 * KERNEL_BUILD_ID_SIZE_BYTES + 1, "as digits");

/* The owner of RAM that the frame allocator does not give out. */
static enum overview_owner owner_of(uint32_t type)
{
    switch (type) {
    case HANDOFF_REGION_USABLE: /* with the records of the frame allocator */
    case HANDOFF_REGION_KERNEL_IMAGE:
        return OVERVIEW_KERNEL;
    case HANDOFF_REGION_TEMP_HEAP:
        return OVERVIEW_EARLY_HEAP;
    case HANDOFF_REGION_LOADER:
    case HANDOFF_REGION_STACK:
    case HANDOFF_REGION_PAGE_TABLES:
    case HANDOFF_REGION_HANDOFF_DATA:
    case HANDOFF_REGION_PROCESSOR_START:
    case HANDOFF_REGION_BOOT_RECORD:
    case HANDOFF_REGION_MODULE:
    case HANDOFF_REGION_PARKING:
        return OVERVIEW_BOOT_DATA;
    case HANDOFF_REGION_BOOT_SERVICES:
    case HANDOFF_REGION_ACPI_RECLAIM:
    case HANDOFF_REGION_ACPI_NVS:
    case HANDOFF_REGION_RUNTIME_DATA:
    case HANDOFF_REGION_RUNTIME_CODE:
    case HANDOFF_REGION_FIRMWARE_TABLES:
        return OVERVIEW_FIRMWARE;
    case HANDOFF_REGION_LOW_MEMORY:
        return OVERVIEW_LOW_MEMORY;
    default:
        return OVERVIEW_UNUSABLE;
    }
}

/* The frame allocator gives out the highest free address first. So its frames in use are shown at
 * the end of their range. */
static void read_holding(const struct frame_holding *holding, struct overview *overview)
{
    uint64_t size_bytes = frame_range_count(holding->frames) * FRAME_SIZE_BYTES;
    uint64_t free_bytes = holding->free_count * FRAME_SIZE_BYTES;
    if (!holding->is_ram)
        return;
    overview->ram_end = holding->frames.end * FRAME_SIZE_BYTES;
    if (!holding->released) {
        overview_add_part(overview, owner_of(holding->type), size_bytes);
        return;
    }
    overview_add_part(overview, OVERVIEW_FREE, free_bytes);
    overview_add_part(overview, OVERVIEW_IN_USE, size_bytes - free_bytes);
}

static void read_heaps(const struct kernel *kernel, struct overview *overview)
{
    struct early_heap_statistics early = early_heap_statistics(&kernel->early_heap);
    struct heap_brief heap = heap_brief(kernel->heap);
    overview->early_heap = (struct overview_early_heap){
        .size_bytes = early.size_bytes,
        .used_bytes = early.used_bytes,
        .peak_bytes = early.peak_bytes,
        .is_retired = kernel->early_heap.retired,
        .is_fallback = kernel->early_heap_is_fallback,
    };
    overview->heap = (struct overview_heap){
        .policy = heap_policy_name(kernel->heap),
        .used_bytes = heap.used_bytes,
        .peak_bytes = heap.peak_bytes,
        .mapped_bytes = heap_window_mapped_bytes(&kernel->heap_window),
        .window_bytes = kernel->heap_window.window_bytes,
        .limit_bytes = kernel->heap_window.limit_bytes,
    };
}

/* The last moment begins a phase that has not ended. */
static void read_timeline(const struct timeline *timeline, struct overview *overview)
{
    for (unsigned i = 0; i + 1 < timeline->count; i++) {
        uint64_t begin_us = timeline_microseconds_at(timeline, timeline->moments[i].ticks);
        uint64_t end_us = timeline_microseconds_at(timeline, timeline->moments[i + 1].ticks);
        bool is_loader = i < timeline->loader_count;
        overview->phases[overview->phase_count++] =
            (struct overview_phase){timeline->moments[i].name, begin_us,
                                    end_us > begin_us ? end_us - begin_us : 0, is_loader};
        overview->total_us = end_us;
        if (is_loader)
            overview->loader_us = end_us;
    }
    if (overview->loader_us > overview->total_us)
        overview->loader_us = overview->total_us;
}

static void read_machine(const struct kernel *kernel, struct overview *overview)
{
    arch_cpu_name(overview->cpu_name, sizeof overview->cpu_name);
    overview->clock_hz = kernel->timeline.frequency_hz;
    overview->loader_name = kernel->handoff.loader_name;
    overview->version = HANDOFF_VERSION_TEXT;
    for (size_t i = 0; i < KERNEL_BUILD_ID_SIZE_BYTES; i++)
        format_text(overview->build + 2 * i, sizeof overview->build - 2 * i, "%02x",
                    kernel_build_id[i]);
    overview->has_acpi = kernel->handoff.rsdp != 0;
    overview->has_smbios = kernel->handoff.smbios != 0;
    overview->has_keyboard = kernel->has_keyboard;
}

void overview_figures_read(const struct kernel *kernel, struct overview *ret_overview)
{
    *ret_overview = (struct overview){.part_count = 0};
    for (uint32_t i = 0; i < frame_allocator_holding_count(&kernel->frames); i++) {
        struct frame_holding holding = frame_allocator_holding(&kernel->frames, i);
        read_holding(&holding, ret_overview);
    }
    read_heaps(kernel, ret_overview);
    read_timeline(&kernel->timeline, ret_overview);
    read_machine(kernel, ret_overview);
}
