/*
 * frame_records_build.c - make the records and extents from the map's regions.
 */
#include "kernel/mm/frames/frame.h"
#include "kernel/mm/frames/frame_records.h"
#include "shared/region.h"

bool frame_records_is_managed(const struct handoff_region *region)
{
    return region_is_mapped_ram(region) && (region_reuse(region) != HANDOFF_REUSE_NEVER ||
                                            (region->facts & HANDOFF_FACT_LOADER_PLACED) != 0);
}

static bool is_free_at_entry(const struct handoff_region *region)
{
    return region_is_mapped_ram(region) && region_reuse(region) == HANDOFF_REUSE_AT_ENTRY;
}

static struct frame_range region_frames(const struct region_list *regions, uint32_t index)
{
    return frames_of(region_list_range(regions, index));
}

/* --- Extents ---------------------------------------------------------------------------------- */

/* Return the range, rounded outward to whole blocks of bits. */
static struct frame_range round_to_blocks(struct frame_range frames)
{
    const uint64_t mask = BIT_TREE_BLOCK_BITS - 1;
    return frame_range(frames.start & ~mask, (frames.end + mask) & ~mask);
}

/* Make an extent for each group of managed regions whose blocks of bits touch or overlap. With
 * NULL, only count: one function does both, so that the two results cannot differ. Return the
 * number of bits. */
static uint64_t build_extents(const struct region_list *regions, struct bit_tree_extent *extents,
                              uint32_t *ret_count)
{
    struct frame_range blocks = frame_range(0, 0);
    uint64_t bit_count = 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i < regions->count; i++) {
        if (!frame_records_is_managed(region_list_at(regions, i)))
            continue;
        struct frame_range more = round_to_blocks(region_frames(regions, i));
        if (count == 0 || more.start > blocks.end) {
            bit_count += frame_range_count(blocks);
            blocks.start = more.start;
            count++;
        }
        blocks.end = more.end;
        if (extents != NULL)
            extents[count - 1] = (struct bit_tree_extent){bit_count, frame_range_count(blocks),
                                                          blocks.start - bit_count};
    }
    *ret_count = count;
    return bit_count + frame_range_count(blocks);
}

/* --- Memory ----------------------------------------------------------------------------------- */

/* The number of records and extents to build, and their size. */
struct plan {
    uint32_t record_capacity;
    uint32_t extent_count;
    uint64_t size_bytes; /* at most 2^32 rows and 2^40 frames: the sum cannot wrap */
};

static struct plan make_plan(const struct region_list *regions)
{
    struct plan plan;
    uint64_t bit_count = build_extents(regions, NULL, &plan.extent_count);
    /* Frame 0 and the records themselves split regions, too. */
    plan.record_capacity = regions->count + 2 + 2 * FRAME_RECORDS_SPLITS_MAX;
    plan.size_bytes = plan.record_capacity * sizeof(struct frame_record) +
                      plan.extent_count * sizeof(struct bit_tree_extent) +
                      bit_tree_size_bytes(bit_count);
    return plan;
}

/* Allocate from the early heap if at least half of it stays free; else return NULL. */
static void *take_from_early_heap(struct early_heap *early_heap, uint64_t size_bytes)
{
    if (early_heap == NULL)
        return NULL;
    struct early_heap_statistics usage = early_heap_statistics(early_heap);
    if (size_bytes > usage.free_bytes || usage.free_bytes - size_bytes < usage.size_bytes / 2)
        return NULL;
    return early_heap_allocate(early_heap, size_bytes, sizeof(uint64_t));
}

/* Find the end of the highest usable region that is large enough. */
static bool find_usable(const struct region_list *regions, uint64_t size_bytes,
                        struct phys_range *ret_place)
{
    for (uint32_t i = regions->count; i-- > 0;) {
        struct phys_range usable = region_list_range(regions, i);
        if (!is_free_at_entry(region_list_at(regions, i)))
            continue;
        if (usable.start.value < FRAME_SIZE_BYTES)
            usable.start = phys_addr(FRAME_SIZE_BYTES);
        if (usable.start.value <= usable.end.value && phys_range_size_bytes(usable) >= size_bytes) {
            *ret_place = phys_range(usable.end.value - size_bytes, usable.end.value);
            return true;
        }
    }
    return false;
}

/* Find memory for the records, and write its place into them. Return NULL if there is no room. */
static void *place(struct frame_records *records, const struct region_list *regions,
                   struct early_heap *early_heap, struct virt_addr direct_map_base)
{
    void *memory = take_from_early_heap(early_heap, records->size_bytes);
    if (memory != NULL)
        return memory;
    records->size_bytes = page_align_up(records->size_bytes);
    if (!find_usable(regions, records->size_bytes, &records->own))
        return NULL;
    return (void *)(uintptr_t)virt_addr_add(direct_map_base, records->own.start.value).value;
}

/* --- Records ---------------------------------------------------------------------------------- */

/* Return the offset of the extent that has the frame. */
static uint64_t offset_of(const struct frame_records *records, uint64_t frame)
{
    uint64_t offset = 0;
    for (uint32_t i = 0; i < records->extent_count; i++) {
        const struct bit_tree_extent *extent = &records->extents[i];
        if (frame - extent->first_bit - extent->offset < extent->bit_count)
            offset = extent->offset;
    }
    return offset;
}

static void add_record(struct frame_records *records, struct frame_range frames,
                       const struct handoff_region *region, enum frame_holder holder)
{
    if (frame_range_is_empty(frames))
        return;
    bool managed = holder == FRAME_HOLDER_MAP && frame_records_is_managed(region);
    records->list[records->count++] = (struct frame_record){
        .frames = frames,
        .offset = managed ? offset_of(records, frames.start) : 0,
        .type = region->type,
        .reuse = (uint8_t)region_reuse(region),
        .holder = (uint8_t)holder,
        .is_ram = region_is_ram(region),
        .managed = managed,
    };
}

/* Make the records of one region. Frame 0, and the records' memory at the end of a region, get
 * separate records. */
static void add_region(struct frame_records *records, struct frame_range frames,
                       const struct handoff_region *region)
{
    struct frame_range zero = frame_range(frames.start, frames.start);
    struct frame_range own = frame_range(frames.end, frames.end);
    if (frame_records_is_managed(region) && frames.start == 0)
        zero.end = 1;
    if (frame_range_overlaps(frames, frames_of(records->own)))
        own.start = frame_at(records->own.start);
    add_record(records, zero, region, FRAME_HOLDER_ZERO);
    add_record(records, frame_range(zero.end, own.start), region, FRAME_HOLDER_MAP);
    add_record(records, own, region, FRAME_HOLDER_RECORDS);
}

bool frame_records_build(const struct region_list *regions, struct early_heap *early_heap,
                         struct virt_addr direct_map_base, struct frame_records *ret_records)
{
    struct plan plan = make_plan(regions);
    struct frame_records records = {.capacity = plan.record_capacity,
                                    .size_bytes = plan.size_bytes};
    records.list = place(&records, regions, early_heap, direct_map_base);
    if (records.list == NULL)
        return false;
    records.extents = (void *)(records.list + records.capacity);
    records.recent_extent = records.extents;
    build_extents(regions, records.extents, &records.extent_count);
    for (uint32_t i = 0; i < regions->count; i++)
        add_region(&records, region_frames(regions, i), region_list_at(regions, i));
    *ret_records = records;
    return true;
}

void *frame_records_tree_memory(const struct frame_records *records)
{
    return records->extents + records->extent_count;
}
