#include "host/simulator/ownership.h"

#include <string.h>

#include "kernel/mm/layout.h"
#include "shared/region.h"

static uint64_t frames_of_ram(const struct kernel_model *kernel)
{
    uint64_t size_bytes = 0;
    for (uint32_t i = 0; i < kernel->view.regions.count; i++) {
        const struct handoff_region *region = region_list_at(&kernel->view.regions, i);
        size_bytes += region_is_ram(region) ? region->size_bytes : 0;
    }
    return size_bytes / FRAME_SIZE_BYTES;
}

static uint64_t frames_of_reuse(const struct kernel_model *kernel, enum handoff_reuse reuse)
{
    uint64_t size_bytes = 0;
    for (uint32_t i = 0; i < kernel->view.regions.count; i++) {
        const struct handoff_region *region = region_list_at(&kernel->view.regions, i);
        size_bytes += region_reuse(region) == reuse ? region->size_bytes : 0;
    }
    return size_bytes / FRAME_SIZE_BYTES;
}

static uint64_t frames_of_type(const struct kernel_model *kernel, uint32_t type)
{
    uint64_t size_bytes = 0;
    for (uint32_t i = 0; i < kernel->view.regions.count; i++) {
        const struct handoff_region *region = region_list_at(&kernel->view.regions, i);
        if (region->type == type)
            size_bytes += region->size_bytes;
    }
    return size_bytes / FRAME_SIZE_BYTES;
}

/* Only the frame allocator knows the place of its records. */
static uint64_t records_frame_count(const struct kernel_model *kernel)
{
    uint64_t frame_count = 0;
    for (uint32_t i = 0; i < frame_allocator_holding_count(&kernel->frames); i++) {
        struct frame_holding holding = frame_allocator_holding(&kernel->frames, i);
        if (strcmp(holding.holder, "frame-records") == 0)
            frame_count += frame_range_count(holding.frames);
    }
    return frame_count;
}

static void add(struct ownership *ownership, const char *name, const char *fate,
                enum ownership_state state, uint64_t entry_frame_count, uint64_t now_frame_count)
{
    if (entry_frame_count == 0 && now_frame_count == 0)
        return;
    ownership->entries[ownership->count++] =
        (struct ownership_entry){name, fate, state, entry_frame_count, now_frame_count};
}

/* The types of which an event makes all frames free, and their state now. */
static const struct fate {
    uint32_t type;
    const char *text;
} RECLAIMED[] = {
    {HANDOFF_REGION_LOADER, "of this loader and of earlier ones: free"},
    {HANDOFF_REGION_STACK, "the loader's stack: free"},
    {HANDOFF_REGION_PAGE_TABLES, "the loader's tables: free"},
    {HANDOFF_REGION_HANDOFF_DATA, "read and copied: free"},
};

/* The types of which no frame became free since the kernel's first instruction. */
static const struct fate KEPT[] = {
    {HANDOFF_REGION_ACPI_RECLAIM, "ACPI tables: kept until the kernel reads them"},
    {HANDOFF_REGION_LOW_MEMORY, "below 1 MiB: firmware may write there"},
    {HANDOFF_REGION_PROCESSOR_START, "where other processors start"},
    {HANDOFF_REGION_BOOT_RECORD, "the boot record, for the next boot"},
    {HANDOFF_REGION_PARKING, "where other processors wait"},
    {HANDOFF_REGION_ACPI_NVS, "the firmware's for ever"},
    {HANDOFF_REGION_RUNTIME_DATA, "runtime services: the firmware's for ever"},
    {HANDOFF_REGION_RUNTIME_CODE, "runtime services: the firmware's for ever"},
};

static void add_reclaimed_and_kept(struct ownership *ownership, const struct kernel_model *kernel)
{
    for (size_t i = 0; i < sizeof(RECLAIMED) / sizeof(RECLAIMED[0]); i++)
        add(ownership, region_type_name(RECLAIMED[i].type), RECLAIMED[i].text, OWNERSHIP_RESERVED,
            frames_of_type(kernel, RECLAIMED[i].type), 0);
    for (size_t i = 0; i < sizeof(KEPT) / sizeof(KEPT[0]); i++) {
        uint64_t frame_count = frames_of_type(kernel, KEPT[i].type);
        add(ownership, region_type_name(KEPT[i].type), KEPT[i].text, OWNERSHIP_RESERVED,
            frame_count, frame_count);
    }
}

static void add_early_heap_and_image(struct ownership *ownership, const struct kernel_model *kernel)
{
    uint64_t heap = frames_of_type(kernel, HANDOFF_REGION_TEMP_HEAP);
    uint64_t image = frames_of_type(kernel, HANDOFF_REGION_KERNEL_IMAGE);
    uint64_t returned = kernel->returned_frame_count;
    bool fallback = kernel->early_heap_is_fallback;
    add(ownership, "temp-heap",
        fallback ? "refused: the kernel used its fallback region; free since that retired"
                 : "the early heap; its unused pages became free when it retired",
        OWNERSHIP_RESERVED, heap,
        fallback ? heap - kernel->refused_heap_frame_count : heap - returned);
    add(ownership, "kernel-image",
        fallback ? "text, data, symbols; the fallback region in it is free again"
                 : "text, data, symbols",
        OWNERSHIP_RESERVED, image, fallback ? image - returned : image);
}

void ownership_take(const struct kernel_model *kernel, struct ownership *ret_ownership)
{
    struct ownership *o = ret_ownership;
    struct frame_allocator_statistics frames = frame_allocator_statistics(&kernel->frames);
    *o = (struct ownership){.total_frame_count = frames_of_ram(kernel)};

    add(o, "free", "for the next request", OWNERSHIP_FREE,
        frames_of_reuse(kernel, HANDOFF_REUSE_AT_ENTRY), frames.free_count);
    add(o, "cpu-reserve", "free, for the next requests of this processor", OWNERSHIP_CACHED, 0,
        (uint64_t)__builtin_popcountll(kernel->frame_reserve.word.free_bits));
    add(o, "load", "held by the load", OWNERSHIP_USED, 0, kernel->load_frame_count);
    add(o, "heap", "behind kmalloc(), mapped as it grew", OWNERSHIP_USED, 0,
        heap_window_mapped_bytes(&kernel->heap_window) / FRAME_SIZE_BYTES);
    add(o, "stacks", "one for the kernel, three for interrupts that must not fail", OWNERSHIP_USED,
        0, KERNEL_MODEL_STACK_COUNT * LAYOUT_STACK_SIZE_BYTES / FRAME_SIZE_BYTES);
    add(o, "kernel-tables", "page tables of the kernel", OWNERSHIP_USED, 0,
        kernel->address_space.table.table_count);
    add(o, "frame-records", "which frames are free: taken from usable RAM", OWNERSHIP_RESERVED, 0,
        records_frame_count(kernel));
    add_early_heap_and_image(o, kernel);
    add_reclaimed_and_kept(o, kernel);
}

/* The records need at most 1.021 bits a frame, some bytes for each region and the hole behind it,
 * and a few pages. */
#define RECORDS_BITS_PER_1000_FRAMES 1021
#define RECORDS_BYTES_PER_REGION     2048
#define RECORDS_SLACK_FRAMES         16

static bool records_are_small(const struct ownership *ownership, const struct kernel_model *kernel)
{
    uint64_t size_bytes = ownership->total_frame_count * RECORDS_BITS_PER_1000_FRAMES / 1000 / 8 +
                          (uint64_t)kernel->view.regions.count * RECORDS_BYTES_PER_REGION;
    return records_frame_count(kernel) <= size_bytes / FRAME_SIZE_BYTES + RECORDS_SLACK_FRAMES;
}

/* Compare the sums over the owners with the counts of the frame allocator. */
static const char *check_sums(const struct ownership *ownership, const struct kernel_model *kernel)
{
    struct frame_allocator_statistics frames = frame_allocator_statistics(&kernel->frames);
    uint64_t entry = 0;
    uint64_t sum = 0;
    uint64_t now[OWNERSHIP_STATE_COUNT] = {0};
    for (size_t i = 0; i < ownership->count; i++) {
        entry += ownership->entries[i].entry_frame_count;
        sum += ownership->entries[i].now_frame_count;
        now[ownership->entries[i].state] += ownership->entries[i].now_frame_count;
    }
    if (entry != ownership->total_frame_count)
        return "at the kernel's first instruction the owners' frames do not add up to the RAM";
    if (sum != ownership->total_frame_count)
        return "the owners' frames do not add up to the RAM";
    if (now[OWNERSHIP_USED] != frames.used_count)
        return "the frame allocator and the owners count different used frames";
    if (now[OWNERSHIP_CACHED] != frames.cached_count)
        return "the frame allocator and the reserve count different cached frames";
    if (now[OWNERSHIP_RESERVED] != frames.reserved_count)
        return "the frame allocator and the owners count different reserved frames";
    if (frames.total_count != ownership->total_frame_count)
        return "the frame allocator and the regions have different totals";
    return NULL;
}

const char *ownership_check(const struct ownership *ownership, const struct kernel_model *kernel)
{
    if (kernel->free_at_start_count + records_frame_count(kernel) !=
        frames_of_reuse(kernel, HANDOFF_REUSE_AT_ENTRY))
        return "the first free frames and the allocator's records are not the RAM that is free at "
               "entry";
    if (!records_are_small(ownership, kernel))
        return "the allocator's records are larger than 1.021 bits a frame";
    return check_sums(ownership, kernel);
}
