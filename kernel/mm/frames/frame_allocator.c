#include "kernel/mm/frames/frame_allocator.h"

#include "kernel/core/panic.h"
#include "kernel/mm/frames/frame_word.h"
#include "shared/power_of_two.h"
#include "shared/region.h"

/* --- Starting --------------------------------------------------------------------------------- */

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

static enum frame_allocator_status check_map(const struct region_list *regions)
{
    if (regions->count == 0)
        return FRAME_ALLOCATOR_MAP_EMPTY;
    if (!region_list_is_normalised(regions))
        return FRAME_ALLOCATOR_MAP_NOT_NORMALISED;
    if (frame_allocator_available_bytes(regions) < FRAME_ALLOCATOR_RAM_MIN_BYTES)
        return FRAME_ALLOCATOR_TOO_LITTLE_RAM;
    return FRAME_ALLOCATOR_OK;
}

enum frame_allocator_status frame_allocator_initialise(struct frame_allocator *allocator,
                                                       const struct region_list *regions,
                                                       struct early_heap *early_heap,
                                                       struct virt_addr direct_map_base)
{
    struct frame_records records;
    enum frame_allocator_status status = check_map(regions);
    if (status != FRAME_ALLOCATOR_OK)
        return status;
    if (!frame_records_build(regions, early_heap, direct_map_base, &records))
        return FRAME_ALLOCATOR_NO_ROOM;
    *allocator = (struct frame_allocator){
        .records = records,
        .total_count = frame_records_ram_count(&records),
        .phase = "start",
    };
    bit_tree_initialise(&allocator->free_frames, frame_records_tree_memory(&records),
                        frame_records_bit_count(&records), records.extents, records.extent_count);
    frame_allocator_reclaim_reusable(allocator, HANDOFF_REUSE_AT_ENTRY);
    return FRAME_ALLOCATOR_OK;
}

/* --- Allocating ------------------------------------------------------------------------------- */

/* About one call in 64 needs this. It is a separate function, so that the other calls do not save
 * its registers. */
static __attribute__((noinline)) bool allocate_anywhere(struct frame_allocator *allocator,
                                                        struct phys_addr *ret_frame)
{
    uint64_t bit;
    if (!bit_tree_take_last(&allocator->free_frames, &bit) &&
        !(frame_word_return_all(allocator) && bit_tree_take_last(&allocator->free_frames, &bit)))
        return false;
    allocator->free_count--;
    *ret_frame = frame_address(frame_records_frame_of_bit(&allocator->records, bit));
    return true;
}

bool frame_allocator_allocate(struct frame_allocator *allocator, struct phys_addr *ret_frame)
{
    const struct bit_tree_extent *extent = allocator->records.recent_extent;
    uint64_t bit;
    if (!bit_tree_try_take_last(&allocator->free_frames, extent->first_bit, extent->bit_count,
                                &bit))
        return allocate_anywhere(allocator, ret_frame);
    allocator->free_count--;
    *ret_frame = frame_address(bit + extent->offset);
    return true;
}

static bool take_run(struct frame_allocator *allocator, uint64_t frame_count,
                     uint64_t alignment_frames, struct phys_range within,
                     struct phys_addr *ret_base)
{
    struct frame_records *records = &allocator->records;
    const struct bit_tree_run_request request = {
        .within = frame_records_bits_within(records, frames_within(within)),
        .length = frame_count,
        .alignment = alignment_frames,
    };
    uint64_t first_bit;
    if (!bit_tree_find_run(&allocator->free_frames, &request, &first_bit))
        return false;
    bit_tree_remove(&allocator->free_frames, bit_range(first_bit, first_bit + frame_count));
    allocator->free_count -= frame_count;
    *ret_base = frame_address(frame_records_frame_of_bit(records, first_bit));
    return true;
}

bool frame_allocator_allocate_contiguous(struct frame_allocator *allocator, uint64_t frame_count,
                                         uint64_t alignment_frames, struct phys_range within,
                                         struct phys_addr *ret_base)
{
    if (frame_count == 0 || !is_power_of_two(alignment_frames))
        return false;
    return take_run(allocator, frame_count, alignment_frames, within, ret_base) ||
           (frame_word_return_all(allocator) &&
            take_run(allocator, frame_count, alignment_frames, within, ret_base));
}

/* --- Freeing ---------------------------------------------------------------------------------- */

static unsigned long long printable_address(uint64_t frame)
{
    return frame_address(frame).value;
}

/* Return the record of a frame that the allocator gives out. Panic for any other frame. */
static const struct frame_record *require_released(const struct frame_allocator *allocator,
                                                   uint64_t frame)
{
    uint32_t index = frame_records_find(&allocator->records, frame);
    if (index == allocator->records.count)
        panic(PANIC_FRAME_FREE, "free of frame 0x%llx, which does not belong to this allocator",
              printable_address(frame));
    const struct frame_record *record = &allocator->records.list[index];
    if (!record->released)
        panic(PANIC_FRAME_FREE, "free of frame 0x%llx, which is reserved (%s)",
              printable_address(frame), region_type_name(record->type));
    return record;
}

/* The next free will probably be in the same place. */
static void remember_free(struct frame_allocator *allocator, const struct frame_record *record)
{
    allocator->recent_free = (struct frame_allocator_recent_free){
        .base = frame_address(record->frames.start),
        .first_bit = frame_record_bits(record).start,
        .frame_count = frame_range_count(record->frames),
    };
}

/* Panic unless every frame of the range was released and is not free. */
static void require_used(const struct frame_allocator *allocator, struct frame_range frames)
{
    for (uint64_t frame = frames.start; frame < frames.end;) {
        const struct frame_record *record = require_released(allocator, frame);
        uint64_t end = frames.end < record->frames.end ? frames.end : record->frames.end;
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
    uint64_t first = frame_at(base);
    require_aligned(base);
    if (frame_count == 0 || frame_count > REGION_LIST_PHYSICAL_LIMIT / FRAME_SIZE_BYTES)
        panic(PANIC_FRAME_FREE, "free of %llu frames at 0x%llx", (unsigned long long)frame_count,
              (unsigned long long)base.value);
    struct frame_range frames = frame_range(first, first + frame_count);
    frame_word_return_overlapping(allocator, frames);
    require_used(allocator, frames);
    /* Records that touch lie in one extent, so the bits of the whole run are consecutive. */
    uint64_t offset = require_released(allocator, first)->offset;
    bit_tree_insert(&allocator->free_frames, bit_range(frames.start - offset, frames.end - offset));
    allocator->free_count += frame_count;
}

/* Find the bit of a frame in the record of the last free. Return false if the frame lies elsewhere,
 * or if the address is not a frame.
 */
static inline bool recent_bit(const struct frame_allocator *allocator, struct phys_addr frame,
                              uint64_t *ret_bit)
{
    const struct frame_allocator_recent_free *recent = &allocator->recent_free;
    /* Rotated, not shifted: an address that is not aligned becomes a number beyond all frames. */
    uint64_t distance = frame.value - recent->base.value;
    uint64_t index = distance >> PAGE_SHIFT | distance << (64 - PAGE_SHIFT);
    *ret_bit = recent->first_bit + index;
    return index < recent->frame_count;
}

/* The usual case: free a frame in the record of the last free, in a word that has a free frame. In
 * any other case return false, and change nothing. */
static bool free_beside_last(struct frame_allocator *allocator, struct phys_addr frame)
{
    uint64_t bit;
    if (!recent_bit(allocator, frame, &bit) || !bit_tree_try_add(&allocator->free_frames, bit))
        return false;
    allocator->free_count++;
    return true;
}

/* Few calls need this, and all wrong calls. */
static __attribute__((noinline)) void free_anywhere(struct frame_allocator *allocator,
                                                    struct phys_addr address)
{
    uint64_t frame = frame_at(address);
    uint64_t bit;
    require_aligned(address);
    frame_word_return_overlapping(allocator, frame_range(frame, frame + 1));
    if (!recent_bit(allocator, address, &bit)) {
        const struct frame_record *record = require_released(allocator, frame);
        remember_free(allocator, record);
        bit = frame - record->offset;
    }
    if (!bit_tree_add(&allocator->free_frames, bit))
        panic(PANIC_FRAME_FREE, "double free of frame 0x%llx", printable_address(frame));
    allocator->free_count++;
}

/* About one call in 64 needs this: free into an empty word, in the record of the last free. A word
 * that a reserve owns is empty in the tree, too: there, the frame may be free already. It is a
 * separate function, so that the other calls do not save its registers. */
static __attribute__((noinline)) void free_into_empty_word(struct frame_allocator *allocator,
                                                           struct phys_addr frame)
{
    uint64_t bit;
    if (recent_bit(allocator, frame, &bit) && !frame_word_is_out(allocator->words, bit) &&
        bit_tree_try_add_to_empty(&allocator->free_frames, bit))
        allocator->free_count++;
    else
        free_anywhere(allocator, frame);
}

void frame_allocator_free(struct frame_allocator *allocator, struct phys_addr frame)
{
    if (!free_beside_last(allocator, frame))
        free_into_empty_word(allocator, frame);
}
