/*
 * frame_allocator_reclaim.c - reserved frames become free.
 */
#include "kernel/mm/frames/frame_allocator.h"

#include "kernel/core/panic.h"
#include "kernel/mm/frames/frame_word.h"
#include "shared/region.h"

void frame_allocator_begin_phase(struct frame_allocator *allocator, const char *phase,
                                 uint64_t timestamp)
{
    allocator->phase = phase;
    allocator->timestamp = timestamp;
}

static void release(struct frame_allocator *allocator, struct frame_record *record)
{
    uint64_t frame_count = frame_range_count(record->frames);
    frame_word_return_overlapping(allocator, record->frames);
    record->released = true;
    record->phase = allocator->phase;
    record->timestamp = allocator->timestamp;
    bit_tree_insert(&allocator->free_frames, frame_record_bits(record));
    allocator->released_count += frame_count;
    allocator->free_count += frame_count;
}

/* Panic unless every frame of the range is managed and was not released yet. */
static void require_reclaimable(const struct frame_records *records, struct frame_range frames)
{
    for (uint64_t frame = frames.start; frame < frames.end;) {
        uint32_t index = frame_records_find(records, frame);
        const struct frame_record *record = &records->list[index];
        unsigned long long address = frame_address(frame).value;
        if (index == records->count || !record->managed)
            panic(PANIC_FRAME_FREE, "reclaim of 0x%llx, which is not RAM that can be reclaimed",
                  address);
        if (record->released)
            panic(PANIC_FRAME_FREE, "reclaim of 0x%llx (%s), which was released before", address,
                  region_type_name(record->type));
        frame = record->frames.end;
    }
}

/* Split the records at both ends of the range. Return false, and change nothing, if there is no
 * room. */
static bool split_around(struct frame_records *records, struct frame_range frames)
{
    uint32_t more_records = (frame_records_need_split_at(records, frames.start) ? 1U : 0U) +
                            (frame_records_need_split_at(records, frames.end) ? 1U : 0U);
    if (records->capacity - records->count < more_records)
        return false;
    frame_records_split_at(records, frames.start);
    frame_records_split_at(records, frames.end);
    return true;
}

bool frame_allocator_reclaim(struct frame_allocator *allocator, struct phys_range bytes)
{
    struct frame_records *records = &allocator->records;
    if (!page_is_aligned(bytes.start.value) || !page_is_aligned(bytes.end.value) ||
        bytes.start.value > bytes.end.value)
        panic(PANIC_FRAME_FREE, "reclaim of [0x%llx, 0x%llx): not whole frames",
              (unsigned long long)bytes.start.value, (unsigned long long)bytes.end.value);
    struct frame_range frames = frames_of(bytes);
    if (frames.start == 0 && frames.end > 0)
        frames.start = 1;
    require_reclaimable(records, frames);
    if (frame_range_is_empty(frames))
        return true;
    if (!split_around(records, frames))
        return false;
    for (uint32_t i = frame_records_find(records, frames.start);
         i < records->count && records->list[i].frames.start < frames.end; i++)
        release(allocator, &records->list[i]);
    return true;
}

uint64_t frame_allocator_reclaim_reusable(struct frame_allocator *allocator,
                                          enum handoff_reuse reuse)
{
    uint64_t released_before = allocator->released_count;
    for (uint32_t i = 0; reuse != HANDOFF_REUSE_NEVER && i < allocator->records.count; i++) {
        struct frame_record *record = &allocator->records.list[i];
        if (record->reuse == reuse && record->managed && !record->released)
            release(allocator, record);
    }
    return allocator->released_count - released_before;
}
