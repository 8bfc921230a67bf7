/*
 * frame_allocator_view.c - count the frames in each state, list their holders, and check the
 * records.
 */
#include "kernel/mm/frames/frame_allocator.h"

#include "kernel/mm/frames/frame_word.h"
#include "shared/region.h"

struct frame_allocator_statistics
frame_allocator_statistics(const struct frame_allocator *allocator)
{
    uint64_t cached_count = frame_word_cached_count(allocator);
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
    for (uint32_t i = 0; i < allocator->records.extent_count; i++) {
        const struct bit_tree_extent *extent = &allocator->records.extents[i];
        uint64_t run = bit_tree_longest_run(&allocator->free_frames, bit_tree_extent_bits(extent));
        longest = run > longest ? run : longest;
    }
    return longest;
}

static uint64_t count_free_in(const struct frame_allocator *allocator,
                              const struct frame_record *record)
{
    return record->released ? bit_tree_count(&allocator->free_frames, frame_record_bits(record))
                            : 0;
}

static const char *holder_name(const struct frame_record *record)
{
    if (record->holder == FRAME_HOLDER_RECORDS)
        return "frame-records";
    if (record->holder == FRAME_HOLDER_ZERO)
        return "frame-zero";
    return region_type_name(record->type);
}

uint32_t frame_allocator_holding_count(const struct frame_allocator *allocator)
{
    return allocator->records.count;
}

struct frame_holding frame_allocator_holding(const struct frame_allocator *allocator,
                                             uint32_t index)
{
    const struct frame_record *record = &allocator->records.list[index];
    return (struct frame_holding){
        .frames = record->frames,
        .type = record->type,
        .holder = holder_name(record),
        .is_ram = record->is_ram,
        .released = record->released,
        .phase = record->phase,
        .timestamp = record->timestamp,
        .free_count = count_free_in(allocator, record),
    };
}

static const char *check_counts(const struct frame_allocator *allocator)
{
    uint64_t released_count = 0;
    uint64_t free_count = 0;
    for (uint32_t i = 0; i < allocator->records.count; i++) {
        const struct frame_record *record = &allocator->records.list[i];
        if (record->released)
            released_count += frame_range_count(record->frames);
        free_count += count_free_in(allocator, record);
    }
    if (free_count !=
        bit_tree_count(&allocator->free_frames, bit_range(0, allocator->free_frames.bit_count)))
        return "a frame that was never released is free";
    if (free_count != allocator->free_count)
        return "the number of free frames is wrong";
    if (released_count != allocator->released_count)
        return "the number of released frames is wrong";
    if (released_count < free_count + frame_word_cached_count(allocator))
        return "more frames are free and in reserves than were released";
    if (frame_records_ram_count(&allocator->records) != allocator->total_count)
        return "free, used and reserved frames do not add up to the total";
    return NULL;
}

const char *frame_allocator_check(const struct frame_allocator *allocator)
{
    const struct bit_tree *tree = &allocator->free_frames;
    const char *problem = frame_records_check(&allocator->records, tree->bit_count);
    if (problem != NULL)
        return problem;
    if (!bit_tree_check(tree))
        return "the levels of the bit tree contradict each other";
    return check_counts(allocator);
}
