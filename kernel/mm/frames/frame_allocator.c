#include "kernel/mm/frames/frame_allocator.h"

#include "kernel/mm/frames/frame_reserve.h"
#include "kernel/core/panic.h"
#include "shared/memory.h"
#include "shared/power_of_two.h"
#include "shared/range.h"
#include "shared/region.h"

enum frame_holder {
    HOLDER_MAP,     /* as the map said */
    HOLDER_RECORDS, /* the allocator's own records */
    HOLDER_ZERO,    /* frame 0: an address that means "none" in too many places */
};

/* Frame numbers [start, end) that are held alike. */
struct frame_record {
    uint64_t start;
    uint64_t end;
    uint64_t offset; /* frame number - bit number; only if managed */
    const char *phase;
    uint64_t timestamp;
    uint32_t type; /* enum handoff_region_type: what the map said */
    uint8_t holder;
    uint8_t reuse; /* enum handoff_reuse; a value that is not in it is NEVER */
    bool is_ram : 1;
    bool managed : 1;  /* free one day, or now */
    bool released : 1; /* free, used or cached; not released: reserved */
};

const char *frame_allocator_status_text(enum frame_allocator_status status)
{
    switch (status) {
    case FRAME_ALLOCATOR_OK:
        return "ok";
    case FRAME_ALLOCATOR_MAP_EMPTY:
        return "the memory map is empty";
    case FRAME_ALLOCATOR_MAP_NOT_NORMALISED:
        return "the regions are not sorted, disjoint, aligned and non-empty";
    case FRAME_ALLOCATOR_TOO_LITTLE_RAM:
        return "too little RAM";
    case FRAME_ALLOCATOR_NO_ROOM:
        return "no room for the frame allocator's records";
    }
    return "unknown status";
}

/* --- Building the records from the regions --------------------------------------------------- */

/* True for RAM that is free now or can be reclaimed one day: what the map lets the kernel take, and
 * what the loader placed for it. Whatever the type: a newer loader may have more of them. */
static bool region_is_managed(const struct handoff_region *region)
{
    return region_is_mapped_ram(region) && (region_reuse(region) != HANDOFF_REUSE_NEVER ||
                                            (region->facts & HANDOFF_FACT_LOADER_PLACED) != 0);
}

static bool region_is_free_at_entry(const struct handoff_region *region)
{
    return region_is_mapped_ram(region) && region_reuse(region) == HANDOFF_REUSE_AT_ENTRY;
}

/* Rounded outward to whole blocks of bits. */
static struct frame_range round_to_blocks(struct frame_range frames)
{
    const uint64_t mask = BIT_TREE_BLOCK_BITS - 1;
    return frame_range(frames.start & ~mask, (frames.end + mask) & ~mask);
}

static struct frame_range frames_of(struct phys_range bytes)
{
    return frame_range(bytes.start.value / FRAME_SIZE_BYTES, bytes.end.value / FRAME_SIZE_BYTES);
}

static struct frame_range region_frames(const struct region_list *regions, uint32_t index)
{
    return frames_of(region_list_range(regions, index));
}

/* Make extents, frames that have bits, for all managed regions: blocks that follow on each other
 * are one. Frame and bit numbers are congruent modulo BIT_TREE_BLOCK_BITS, so that extents cost
 * little where RAM has small holes. With NULL it only counts, so that what is counted and what is
 * written cannot differ. Returns the number of bits. */
static uint64_t build_extents(const struct region_list *regions, struct bit_tree_extent *extents,
                              uint32_t *ret_count)
{
    struct frame_range blocks = frame_range(0, 0);
    uint64_t bit_count = 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i < regions->count; i++) {
        if (!region_is_managed(region_list_at(regions, i)))
            continue;
        struct frame_range more = round_to_blocks(region_frames(regions, i));
        if (count == 0 || more.start > blocks.end) {
            bit_count += frame_range_count(blocks);
            blocks.start = more.start;
            count++;
        }
        blocks.end = more.end;
        if (extents != NULL)
            extents[count - 1] = (struct bit_tree_extent){
                .first_bit = bit_count,
                .bit_count = frame_range_count(blocks),
                .offset = blocks.start - bit_count,
            };
    }
    *ret_count = count;
    return bit_count + frame_range_count(blocks);
}

struct record_counts {
    uint32_t records; /* for which there is room */
    uint32_t extents;
    uint64_t bits;
};

static struct record_counts count_records(const struct region_list *regions)
{
    struct record_counts counts;
    counts.bits = build_extents(regions, NULL, &counts.extents);
    /* Two more regions are cut by frame 0 and by the records themselves. */
    counts.records = regions->count + 2 + 2 * FRAME_ALLOCATOR_SPLITS_MAX;
    return counts;
}

/* At most 2^32 rows and 2^40 frames: far from a wrap. */
static uint64_t records_size_bytes(const struct record_counts *counts)
{
    return counts->records * sizeof(struct frame_record) +
           counts->extents * sizeof(struct bit_tree_extent) + bit_tree_size_bytes(counts->bits);
}

/* The end of the highest usable region that is large enough. */
static bool find_place_for_records(const struct region_list *regions, uint64_t size_bytes,
                                   struct phys_range *ret_records)
{
    for (uint32_t i = regions->count; i-- > 0;) {
        struct phys_range usable = region_list_range(regions, i);
        if (!region_is_free_at_entry(region_list_at(regions, i)))
            continue;
        if (usable.start.value < FRAME_SIZE_BYTES)
            usable.start = phys_addr(FRAME_SIZE_BYTES);
        if (usable.start.value <= usable.end.value && phys_range_size_bytes(usable) >= size_bytes) {
            *ret_records = phys_range(usable.end.value - size_bytes, usable.end.value);
            return true;
        }
    }
    return false;
}

/* Memory for the records, from the early heap if at least half of it stays free. */
static void *take_from_early_heap(struct early_heap *early_heap, uint64_t size_bytes)
{
    if (early_heap == NULL)
        return NULL;
    struct early_heap_statistics usage = early_heap_statistics(early_heap);
    if (size_bytes > usage.free_bytes || usage.free_bytes - size_bytes < usage.size_bytes / 2)
        return NULL;
    return early_heap_allocate(early_heap, size_bytes, sizeof(uint64_t));
}

uint64_t frame_allocator_available_bytes(const struct region_list *regions)
{
    uint64_t available_bytes = 0;
    for (uint32_t i = 0; i < regions->count; i++) {
        const struct handoff_region *region = region_list_at(regions, i);
        if (region_is_mapped_ram(region) && region_reuse(region) != HANDOFF_REUSE_NEVER)
            available_bytes += region->size_bytes;
    }
    return available_bytes;
}

static void add_record(struct frame_allocator *allocator, struct frame_range frames,
                       const struct handoff_region *region, enum frame_holder holder)
{
    if (frame_range_is_empty(frames))
        return;
    struct frame_record *record = &allocator->records[allocator->record_count++];
    *record = (struct frame_record){
        .start = frames.start,
        .end = frames.end,
        .type = region->type,
        .reuse = (uint8_t)region_reuse(region),
        .holder = (uint8_t)holder,
        .is_ram = region_is_ram(region),
        .managed = holder == HOLDER_MAP && region_is_managed(region),
    };
    if (record->is_ram)
        allocator->total_count += frame_range_count(frames);
    for (uint32_t i = 0; record->managed && i < allocator->extent_count; i++) {
        const struct bit_tree_extent *extent = &allocator->extents[i];
        if (record->start - extent->first_bit - extent->offset < extent->bit_count)
            record->offset = extent->offset;
    }
}

/* One region's records: without frame 0, and without the allocator's records, which stand at the
 * end of a region. */
static void add_region(struct frame_allocator *allocator, struct frame_range frames,
                       const struct handoff_region *region, struct frame_range carved)
{
    struct frame_range zero = {frames.start, frames.start};
    struct frame_range records = {frames.end, frames.end};
    if (region_is_managed(region) && frames.start == 0)
        zero.end = 1;
    if (frame_range_overlaps(frames, carved))
        records.start = carved.start;
    add_record(allocator, zero, region, HOLDER_ZERO);
    add_record(allocator, (struct frame_range){zero.end, records.start}, region, HOLDER_MAP);
    add_record(allocator, records, region, HOLDER_RECORDS);
}

/* Lay the three kinds of records out in `memory` and fill them from the regions. */
static void fill_records(struct frame_allocator *allocator, const struct region_list *regions,
                         const struct record_counts *counts, void *memory)
{
    struct frame_range carved = {0, 0};
    if (!allocator->records_in_early_heap) {
        carved.start = allocator->records_base.value / FRAME_SIZE_BYTES;
        carved.end = carved.start + allocator->records_size_bytes / FRAME_SIZE_BYTES;
    }
    allocator->records = memory;
    allocator->record_capacity = counts->records;
    allocator->extents = (void *)(allocator->records + counts->records);
    build_extents(regions, allocator->extents, &allocator->extent_count);
    bit_tree_initialise(&allocator->free_frames, allocator->extents + counts->extents, counts->bits,
                        allocator->extents, allocator->extent_count);
    for (uint32_t i = 0; i < regions->count; i++)
        add_region(allocator, region_frames(regions, i), region_list_at(regions, i), carved);
    allocator->recent_extent = allocator->extents;
}

enum frame_allocator_status frame_allocator_initialise(struct frame_allocator *allocator,
                                                       const struct region_list *regions,
                                                       struct early_heap *early_heap,
                                                       struct virt_addr direct_map_base)
{
    struct phys_range carved = phys_range(0, 0);
    if (regions->count == 0)
        return FRAME_ALLOCATOR_MAP_EMPTY;
    if (!region_list_is_normalised(regions))
        return FRAME_ALLOCATOR_MAP_NOT_NORMALISED;
    if (frame_allocator_available_bytes(regions) < FRAME_ALLOCATOR_RAM_MIN_BYTES)
        return FRAME_ALLOCATOR_TOO_LITTLE_RAM;

    struct record_counts counts = count_records(regions);
    uint64_t size_bytes = records_size_bytes(&counts);
    void *memory = take_from_early_heap(early_heap, size_bytes);
    bool in_early_heap = memory != NULL;
    if (!in_early_heap) {
        size_bytes = page_align_up(size_bytes);
        if (!find_place_for_records(regions, size_bytes, &carved))
            return FRAME_ALLOCATOR_NO_ROOM;
        memory = (void *)(uintptr_t)virt_addr_add(direct_map_base, carved.start.value).value;
    }

    *allocator = (struct frame_allocator){
        .phase = "start",
        .records_base = carved.start,
        .records_size_bytes = size_bytes,
        .records_in_early_heap = in_early_heap,
    };
    fill_records(allocator, regions, &counts, memory);
    frame_allocator_reclaim_reusable(allocator, HANDOFF_REUSE_AT_ENTRY);
    return FRAME_ALLOCATOR_OK;
}

/* --- From frame to record and bit, and back --------------------------------------------------- */

/* The index of the record that has `frame`, or record_count. */
static uint32_t find_record(const struct frame_allocator *allocator, uint64_t frame)
{
    uint32_t low = 0;
    uint32_t high = allocator->record_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (frame < allocator->records[middle].start)
            high = middle;
        else if (frame >= allocator->records[middle].end)
            low = middle + 1;
        else
            return middle;
    }
    return allocator->record_count;
}

/* The extent that has the bit. Precondition: there is one, as for every bit of the tree. */
static const struct bit_tree_extent *find_extent_of_bit(const struct frame_allocator *allocator,
                                                        uint64_t bit)
{
    uint32_t low = 0;
    uint32_t high = allocator->extent_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (bit < allocator->extents[middle].first_bit)
            high = middle;
        else
            low = middle;
    }
    return &allocator->extents[low];
}

static bool extent_has_bit(const struct bit_tree_extent *extent, uint64_t bit)
{
    return bit - extent->first_bit < extent->bit_count;
}

static uint64_t frame_of_bit(struct frame_allocator *allocator, uint64_t bit)
{
    if (!extent_has_bit(allocator->recent_extent, bit))
        allocator->recent_extent = find_extent_of_bit(allocator, bit);
    return bit + allocator->recent_extent->offset;
}

static struct phys_addr address_of_frame(uint64_t frame)
{
    return phys_addr(frame * FRAME_SIZE_BYTES);
}

static unsigned long long printable_address(uint64_t frame)
{
    return address_of_frame(frame).value;
}

/* --- Reserves -----------------------------------------------------------------------------------
 */

bool frame_allocator_take_word(struct frame_allocator *allocator, struct frame_reserve *reserve)
{
    if (!bit_tree_take_last_word(&allocator->free_frames, &reserve->first_bit, &reserve->free_bits))
        return false;
    reserve->taken_bits = reserve->free_bits;
    reserve->first_frame = frame_of_bit(allocator, reserve->first_bit);
    allocator->free_count -= frame_reserve_count(reserve);
    return true;
}

void frame_allocator_return_word(struct frame_allocator *allocator, struct frame_reserve *reserve)
{
    allocator->free_count += frame_reserve_count(reserve);
    for (; reserve->free_bits != 0; reserve->free_bits &= reserve->free_bits - 1) {
        uint64_t offset = (uint64_t)__builtin_ctzll(reserve->free_bits);
        bool added = bit_tree_add(&allocator->free_frames, reserve->first_bit + offset);
        kernel_assert(added);
    }
    reserve->taken_bits = 0;
}

/* Take everything back. False if there was nothing. */
static bool empty_all_reserves(struct frame_allocator *allocator)
{
    uint64_t free_before = allocator->free_count;
    for (struct frame_reserve *i = allocator->reserves; i != NULL; i = i->next)
        frame_allocator_return_word(allocator, i);
    return allocator->free_count > free_before;
}

/* Take back the words that have one of these frames, so that the bits tell the truth about them;
 * and so that no word of a reserve's has a bit in the tree, see free_beside_last(). */
static void empty_reserves_with(struct frame_allocator *allocator, struct frame_range frames)
{
    for (struct frame_reserve *i = allocator->reserves; i != NULL; i = i->next) {
        struct frame_range word = {i->first_frame, i->first_frame + BIT_TREE_WORD_BITS};
        if (frame_range_overlaps(word, frames))
            frame_allocator_return_word(allocator, i);
    }
}

/* --- Releasing reserved frames ---------------------------------------------------------------- */

void frame_allocator_begin_phase(struct frame_allocator *allocator, const char *phase,
                                 uint64_t timestamp)
{
    allocator->phase = phase;
    allocator->timestamp = timestamp;
}

static void release_record(struct frame_allocator *allocator, struct frame_record *record)
{
    uint64_t frame_count = record->end - record->start;
    empty_reserves_with(allocator, (struct frame_range){record->start, record->end});
    record->released = true;
    record->phase = allocator->phase;
    record->timestamp = allocator->timestamp;
    bit_tree_insert(&allocator->free_frames, record->start - record->offset,
                    record->end - record->offset);
    allocator->released_count += frame_count;
    allocator->free_count += frame_count;
}

/* True if a record has frames on both sides of the boundary before `frame`. */
static bool needs_split_at(const struct frame_allocator *allocator, uint64_t frame)
{
    uint32_t index = find_record(allocator, frame);
    return index < allocator->record_count && allocator->records[index].start != frame;
}

/* Cut a record in two before `frame`, if needed. There must be room for one more. */
static void split_record_at(struct frame_allocator *allocator, uint64_t frame)
{
    if (!needs_split_at(allocator, frame))
        return;
    uint32_t index = find_record(allocator, frame);
    struct frame_record *record = &allocator->records[index];
    memmove(record + 1, record, (allocator->record_count - index) * sizeof(*record));
    allocator->record_count++;
    record[0].end = frame;
    record[1].start = frame;
}

/* Panic unless every frame of the range is managed and was not released yet. */
static void require_reclaimable(const struct frame_allocator *allocator, struct frame_range frames)
{
    for (uint64_t frame = frames.start; frame < frames.end;) {
        uint32_t index = find_record(allocator, frame);
        if (index == allocator->record_count || !allocator->records[index].managed)
            panic(PANIC_FRAME_FREE, "reclaim of 0x%llx, which is not RAM that can be reclaimed",
                  printable_address(frame));
        if (allocator->records[index].released)
            panic(PANIC_FRAME_FREE, "reclaim of 0x%llx (%s), which was released before",
                  printable_address(frame), region_type_name(allocator->records[index].type));
        frame = allocator->records[index].end;
    }
}

bool frame_allocator_reclaim(struct frame_allocator *allocator, struct phys_range bytes)
{
    if (!page_is_aligned(bytes.start.value) || !page_is_aligned(bytes.end.value) ||
        bytes.start.value > bytes.end.value)
        panic(PANIC_FRAME_FREE, "reclaim of [0x%llx, 0x%llx): not whole frames",
              (unsigned long long)bytes.start.value, (unsigned long long)bytes.end.value);
    struct frame_range frames = frames_of(bytes);
    if (frames.start == 0 && frames.end > 0)
        frames.start = 1;
    require_reclaimable(allocator, frames);
    if (frame_range_is_empty(frames))
        return true;
    uint32_t more_records = (needs_split_at(allocator, frames.start) ? 1U : 0U) +
                            (needs_split_at(allocator, frames.end) ? 1U : 0U);
    if (allocator->record_capacity - allocator->record_count < more_records)
        return false;
    split_record_at(allocator, frames.start);
    split_record_at(allocator, frames.end);
    for (uint32_t i = find_record(allocator, frames.start);
         i < allocator->record_count && allocator->records[i].start < frames.end; i++)
        release_record(allocator, &allocator->records[i]);
    return true;
}

uint64_t frame_allocator_reclaim_reusable(struct frame_allocator *allocator,
                                          enum handoff_reuse reuse)
{
    uint64_t released_before = allocator->released_count;
    for (uint32_t i = 0; reuse != HANDOFF_REUSE_NEVER && i < allocator->record_count; i++) {
        struct frame_record *record = &allocator->records[i];
        if (record->reuse == reuse && record->managed && !record->released)
            release_record(allocator, record);
    }
    return allocator->released_count - released_before;
}

/* --- Allocating --------------------------------------------------------------------------------
 */

/* What one call in some 64 needs. Apart, so that the others do not pay for its registers. */
static __attribute__((noinline)) bool allocate_anywhere(struct frame_allocator *allocator,
                                                        struct phys_addr *ret_frame)
{
    uint64_t bit;
    if (!bit_tree_take_last(&allocator->free_frames, &bit) &&
        !(empty_all_reserves(allocator) && bit_tree_take_last(&allocator->free_frames, &bit)))
        return false;
    allocator->free_count--;
    *ret_frame = address_of_frame(frame_of_bit(allocator, bit));
    return true;
}

bool frame_allocator_allocate(struct frame_allocator *allocator, struct phys_addr *ret_frame)
{
    const struct bit_tree_extent *extent = allocator->recent_extent;
    uint64_t bit;
    if (!bit_tree_try_take_last(&allocator->free_frames, extent->first_bit, extent->bit_count,
                                &bit))
        return allocate_anywhere(allocator, ret_frame);
    allocator->free_count--;
    *ret_frame = address_of_frame(bit + extent->offset);
    return true;
}

bool frame_allocator_allocate_many(struct frame_allocator *allocator, struct phys_addr *ret_frames,
                                   uint64_t count)
{
    if (allocator->free_count < count) {
        (void)empty_all_reserves(allocator);
        if (allocator->free_count < count)
            return false;
    }
    for (uint64_t i = 0; i < count; i++) {
        bool allocated = frame_allocator_allocate(allocator, &ret_frames[i]);
        kernel_assert(allocated);
    }
    return true;
}

/* How many bits have a frame below `frame`; they are the lowest. */
static uint64_t count_bits_below(const struct frame_allocator *allocator, uint64_t frame)
{
    uint32_t low = 0;
    uint32_t high = allocator->extent_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct bit_tree_extent *extent = &allocator->extents[middle];
        if (extent->first_bit + extent->offset < frame)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return 0;
    const struct bit_tree_extent *extent = &allocator->extents[low - 1];
    uint64_t end = extent->first_bit + extent->bit_count;
    return frame - extent->offset < end ? frame - extent->offset : end;
}

static bool take_run(struct frame_allocator *allocator, uint64_t frame_count,
                     uint64_t alignment_frames, struct phys_range within,
                     struct phys_addr *ret_base)
{
    uint64_t lowest_frame =
        within.start.value / FRAME_SIZE_BYTES + (page_is_aligned(within.start.value) ? 0 : 1);
    const struct bit_tree_run_request request = {
        .start = count_bits_below(allocator, lowest_frame),
        .end = count_bits_below(allocator, within.end.value / FRAME_SIZE_BYTES),
        .length = frame_count,
        .alignment = alignment_frames,
    };
    uint64_t first_bit;
    if (!bit_tree_find_run(&allocator->free_frames, &request, &first_bit))
        return false;
    bit_tree_remove(&allocator->free_frames, first_bit, first_bit + frame_count);
    allocator->free_count -= frame_count;
    *ret_base = address_of_frame(frame_of_bit(allocator, first_bit));
    return true;
}

bool frame_allocator_allocate_contiguous(struct frame_allocator *allocator, uint64_t frame_count,
                                         uint64_t alignment_frames, struct phys_range within,
                                         struct phys_addr *ret_base)
{
    if (frame_count == 0 || !is_power_of_two(alignment_frames))
        return false;
    return take_run(allocator, frame_count, alignment_frames, within, ret_base) ||
           (empty_all_reserves(allocator) &&
            take_run(allocator, frame_count, alignment_frames, within, ret_base));
}

/* --- Freeing -----------------------------------------------------------------------------------
 */

/* The record of a frame that may be used; panics if the frame cannot be. */
static const struct frame_record *require_released(const struct frame_allocator *allocator,
                                                   uint64_t frame)
{
    uint32_t index = find_record(allocator, frame);
    if (index == allocator->record_count)
        panic(PANIC_FRAME_FREE, "free of frame 0x%llx, which is not this allocator's",
              printable_address(frame));
    const struct frame_record *record = &allocator->records[index];
    if (!record->released)
        panic(PANIC_FRAME_FREE, "free of frame 0x%llx, which is reserved (%s)",
              printable_address(frame), region_type_name(record->type));
    return record;
}

/* Where the next free will probably be, too. */
static void remember_free(struct frame_allocator *allocator, const struct frame_record *record)
{
    allocator->recent_free = (struct frame_allocator_recent_free){
        .base = record->start * FRAME_SIZE_BYTES,
        .first_bit = record->start - record->offset,
        .frame_count = record->end - record->start,
    };
}

/* Panic unless every frame of the range was released and is not free. */
static void require_used(const struct frame_allocator *allocator, struct frame_range frames)
{
    for (uint64_t frame = frames.start; frame < frames.end;) {
        const struct frame_record *record = require_released(allocator, frame);
        uint64_t end = frames.end < record->end ? frames.end : record->end;
        uint64_t free_bit;
        if (bit_tree_find_last_below(&allocator->free_frames, end - record->offset, &free_bit) &&
            free_bit >= frame - record->offset)
            panic(PANIC_FRAME_FREE, "double free of frame 0x%llx",
                  printable_address(free_bit + record->offset));
        frame = end;
    }
}

static void require_aligned(struct phys_addr address)
{
    if (!page_is_aligned(address.value))
        panic(PANIC_FRAME_FREE, "free of frame 0x%llx, which is not aligned",
              (unsigned long long)address.value);
}

void frame_allocator_free_contiguous(struct frame_allocator *allocator, struct phys_addr base,
                                     uint64_t frame_count)
{
    uint64_t first = base.value / FRAME_SIZE_BYTES;
    require_aligned(base);
    if (frame_count == 0 || frame_count > REGION_LIST_PHYSICAL_LIMIT / FRAME_SIZE_BYTES)
        panic(PANIC_FRAME_FREE, "free of %llu frames at 0x%llx", (unsigned long long)frame_count,
              (unsigned long long)base.value);
    struct frame_range frames = {first, first + frame_count};
    empty_reserves_with(allocator, frames);
    require_used(allocator, frames);
    /* Records that touch lie in one extent, so the whole run has its bits in one piece. */
    uint64_t offset = require_released(allocator, first)->offset;
    bit_tree_insert(&allocator->free_frames, frames.start - offset, frames.end - offset);
    allocator->free_count += frame_count;
}

/* The bit of a frame that lies where the last one was freed; false if it does not, or is no frame.
 */
static inline bool recent_bit(const struct frame_allocator *allocator, struct phys_addr frame,
                              uint64_t *ret_bit)
{
    const struct frame_allocator_recent_free *recent = &allocator->recent_free;
    /* Rotated, not shifted: an address that is not aligned becomes a number beyond all frames. */
    uint64_t distance = frame.value - recent->base;
    uint64_t index = distance >> PAGE_SHIFT | distance << (64 - PAGE_SHIFT);
    *ret_bit = recent->first_bit + index;
    return index < recent->frame_count;
}

/* False, and nothing changed, if it is not so easy. A word that a reserve has taken is empty in the
 * tree: what is freed into an empty word has to ask them. */
static bool free_beside_last(struct frame_allocator *allocator, struct phys_addr frame)
{
    uint64_t bit;
    if (!recent_bit(allocator, frame, &bit) ||
        !bit_tree_try_add(&allocator->free_frames, bit, allocator->reserves == NULL))
        return false;
    allocator->free_count++;
    return true;
}

/* What few calls need, and those that are bad. */
static __attribute__((noinline)) void free_anywhere(struct frame_allocator *allocator,
                                                    struct phys_addr address)
{
    uint64_t frame = address.value / FRAME_SIZE_BYTES;
    uint64_t bit;
    require_aligned(address);
    empty_reserves_with(allocator, (struct frame_range){frame, frame + 1});
    if (!recent_bit(allocator, address, &bit)) {
        const struct frame_record *record = require_released(allocator, frame);
        remember_free(allocator, record);
        bit = frame - record->offset;
    }
    if (!bit_tree_add(&allocator->free_frames, bit))
        panic(PANIC_FRAME_FREE, "double free of frame 0x%llx", printable_address(frame));
    allocator->free_count++;
}

void frame_allocator_free(struct frame_allocator *allocator, struct phys_addr frame)
{
    if (!free_beside_last(allocator, frame))
        free_anywhere(allocator, frame);
}

void frame_allocator_free_many(struct frame_allocator *allocator, const struct phys_addr *frames,
                               uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        frame_allocator_free(allocator, frames[i]);
}

/* --- Looking at it -----------------------------------------------------------------------------
 */

static uint64_t count_cached(const struct frame_allocator *allocator)
{
    uint64_t count = 0;
    for (const struct frame_reserve *i = allocator->reserves; i != NULL; i = i->next)
        count += frame_reserve_count(i);
    return count;
}

struct frame_allocator_statistics
frame_allocator_statistics(const struct frame_allocator *allocator)
{
    uint64_t cached_count = count_cached(allocator);
    return (struct frame_allocator_statistics){
        .total_count = allocator->total_count,
        .free_count = allocator->free_count,
        .used_count = allocator->released_count - allocator->free_count - cached_count,
        .cached_count = cached_count,
        .reserved_count = allocator->total_count - allocator->released_count,
        .run_search_step_count = allocator->free_frames.run_search_step_count,
    };
}

uint64_t frame_allocator_largest_run(const struct frame_allocator *allocator)
{
    uint64_t longest = 0;
    for (uint32_t i = 0; i < allocator->extent_count; i++) {
        const struct bit_tree_extent *extent = &allocator->extents[i];
        uint64_t run = bit_tree_longest_run(&allocator->free_frames, extent->first_bit,
                                            extent->first_bit + extent->bit_count);
        longest = run > longest ? run : longest;
    }
    return longest;
}

static uint64_t count_free_in(const struct frame_allocator *allocator,
                              const struct frame_record *record)
{
    return record->released
               ? bit_tree_count(&allocator->free_frames, record->start - record->offset,
                                record->end - record->offset)
               : 0;
}

static const char *holder_name(const struct frame_record *record)
{
    if (record->holder == HOLDER_RECORDS)
        return "frame-records";
    if (record->holder == HOLDER_ZERO)
        return "frame-zero";
    return region_type_name(record->type);
}

uint32_t frame_allocator_holding_count(const struct frame_allocator *allocator)
{
    return allocator->record_count;
}

struct frame_holding frame_allocator_holding(const struct frame_allocator *allocator,
                                             uint32_t index)
{
    const struct frame_record *record = &allocator->records[index];
    return (struct frame_holding){
        .frames = {record->start, record->end},
        .type = record->type,
        .holder = holder_name(record),
        .is_ram = record->is_ram,
        .released = record->released,
        .phase = record->phase,
        .timestamp = record->timestamp,
        .free_count = count_free_in(allocator, record),
    };
}

/* Extents follow on each other in the bits, and with a gap among the frames. */
static bool extents_are_sound(const struct frame_allocator *allocator)
{
    uint64_t next_bit = 0;
    for (uint32_t i = 0; i < allocator->extent_count; i++) {
        const struct bit_tree_extent *extent = &allocator->extents[i];
        if (extent->first_bit != next_bit || extent->bit_count == 0 ||
            extent->bit_count % BIT_TREE_BLOCK_BITS != 0 ||
            extent->offset % BIT_TREE_BLOCK_BITS != 0)
            return false;
        if (i > 0 && extent->offset <= allocator->extents[i - 1].offset)
            return false;
        next_bit += extent->bit_count;
    }
    return next_bit == allocator->free_frames.bit_count;
}

/* Records are sorted and disjoint, and the managed ones have their bits in one extent. */
static bool records_are_sound(const struct frame_allocator *allocator)
{
    for (uint32_t i = 0; i < allocator->record_count; i++) {
        const struct frame_record *record = &allocator->records[i];
        if (record->start >= record->end || (i > 0 && record->start < record[-1].end))
            return false;
        if (record->released && !record->managed)
            return false;
        if (!record->managed)
            continue;
        const struct bit_tree_extent *extent =
            find_extent_of_bit(allocator, record->start - record->offset);
        if (record->offset != extent->offset ||
            !extent_has_bit(extent, record->start - record->offset) ||
            !extent_has_bit(extent, record->end - 1 - record->offset))
            return false;
    }
    return true;
}

static const char *check_counts(const struct frame_allocator *allocator)
{
    uint64_t total_count = 0;
    uint64_t released_count = 0;
    uint64_t free_count = 0;
    for (uint32_t i = 0; i < allocator->record_count; i++) {
        const struct frame_record *record = &allocator->records[i];
        if (record->is_ram)
            total_count += record->end - record->start;
        if (record->released)
            released_count += record->end - record->start;
        free_count += count_free_in(allocator, record);
    }
    if (free_count != bit_tree_count(&allocator->free_frames, 0, allocator->free_frames.bit_count))
        return "a frame that was never released is free";
    if (free_count != allocator->free_count)
        return "the number of free frames is wrong";
    if (released_count != allocator->released_count)
        return "the number of released frames is wrong";
    if (released_count < free_count + count_cached(allocator))
        return "more frames are free and in reserves than were released";
    if (total_count != allocator->total_count)
        return "free, used and reserved frames do not add up to the total";
    return NULL;
}

const char *frame_allocator_check(const struct frame_allocator *allocator)
{
    if (allocator->record_count > allocator->record_capacity)
        return "more records than there is room for";
    if (!extents_are_sound(allocator))
        return "the extents are not sorted, disjoint and complete";
    if (!records_are_sound(allocator))
        return "the records are not sorted, disjoint and inside of the extents";
    if (!bit_tree_check(&allocator->free_frames))
        return "the levels of the bit tree contradict each other";
    return check_counts(allocator);
}
