#include "kernel/mm/frames/frame_records.h"

#include "shared/memory.h"

/* --- From frame to record and bit, and back --------------------------------------------------- */

uint64_t frame_records_bit_count(const struct frame_records *records)
{
    const struct bit_tree_extent *last = &records->extents[records->extent_count - 1];
    return last->first_bit + last->bit_count;
}

uint64_t frame_records_ram_count(const struct frame_records *records)
{
    uint64_t frame_count = 0;
    for (uint32_t i = 0; i < records->count; i++) {
        if (records->list[i].is_ram)
            frame_count += frame_range_count(records->list[i].frames);
    }
    return frame_count;
}

uint32_t frame_records_find(const struct frame_records *records, uint64_t frame)
{
    uint32_t low = 0;
    uint32_t high = records->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (frame < records->list[middle].frames.start)
            high = middle;
        else if (frame >= records->list[middle].frames.end)
            low = middle + 1;
        else
            return middle;
    }
    return records->count;
}

/* Return the extent that has the bit. Precondition: the bit is one of the tree. */
static const struct bit_tree_extent *find_extent_of_bit(const struct frame_records *records,
                                                        uint64_t bit)
{
    uint32_t low = 0;
    uint32_t high = records->extent_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (bit < records->extents[middle].first_bit)
            high = middle;
        else
            low = middle;
    }
    return &records->extents[low];
}

static bool extent_has_bit(const struct bit_tree_extent *extent, uint64_t bit)
{
    return bit - extent->first_bit < extent->bit_count;
}

uint64_t frame_records_frame_of_bit(struct frame_records *records, uint64_t bit)
{
    if (!extent_has_bit(records->recent_extent, bit))
        records->recent_extent = find_extent_of_bit(records, bit);
    return bit + records->recent_extent->offset;
}

/* Return the number of bits whose frame is below `frame`; they are the lowest bits. */
static uint64_t bits_below(const struct frame_records *records, uint64_t frame)
{
    uint32_t low = 0;
    uint32_t high = records->extent_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct bit_tree_extent *extent = &records->extents[middle];
        if (extent->first_bit + extent->offset < frame)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return 0;
    const struct bit_tree_extent *extent = &records->extents[low - 1];
    uint64_t end = extent->first_bit + extent->bit_count;
    return frame - extent->offset < end ? frame - extent->offset : end;
}

struct bit_range frame_records_bits_within(const struct frame_records *records,
                                           struct frame_range frames)
{
    return bit_range(bits_below(records, frames.start), bits_below(records, frames.end));
}

/* --- Cutting ---------------------------------------------------------------------------------- */

bool frame_records_need_split_at(const struct frame_records *records, uint64_t frame)
{
    uint32_t index = frame_records_find(records, frame);
    return index < records->count && records->list[index].frames.start != frame;
}

void frame_records_split_at(struct frame_records *records, uint64_t frame)
{
    if (!frame_records_need_split_at(records, frame))
        return;
    uint32_t index = frame_records_find(records, frame);
    struct frame_record *record = &records->list[index];
    memmove(record + 1, record, (records->count - index) * sizeof(*record));
    records->count++;
    record[0].frames.end = frame;
    record[1].frames.start = frame;
}

/* --- Checking --------------------------------------------------------------------------------- */

/* The bits of two extents have no gap between them, but their frames have. */
static bool extents_are_sound(const struct frame_records *records, uint64_t bit_count)
{
    uint64_t next_bit = 0;
    for (uint32_t i = 0; i < records->extent_count; i++) {
        const struct bit_tree_extent *extent = &records->extents[i];
        if (extent->first_bit != next_bit || extent->bit_count == 0 ||
            extent->bit_count % BIT_TREE_BLOCK_BITS != 0 ||
            extent->offset % BIT_TREE_BLOCK_BITS != 0)
            return false;
        if (i > 0 && extent->offset <= records->extents[i - 1].offset)
            return false;
        next_bit += extent->bit_count;
    }
    return next_bit == bit_count;
}

static bool has_bits_in_one_extent(const struct frame_records *records,
                                   const struct frame_record *record)
{
    struct bit_range bits = frame_record_bits(record);
    const struct bit_tree_extent *extent = find_extent_of_bit(records, bits.start);
    return record->offset == extent->offset && extent_has_bit(extent, bits.start) &&
           extent_has_bit(extent, bits.end - 1);
}

static bool records_are_sound(const struct frame_records *records)
{
    for (uint32_t i = 0; i < records->count; i++) {
        const struct frame_record *record = &records->list[i];
        if (record->frames.start >= record->frames.end ||
            (i > 0 && record->frames.start < record[-1].frames.end))
            return false;
        if (record->released && !record->managed)
            return false;
        if (record->managed && !has_bits_in_one_extent(records, record))
            return false;
    }
    return true;
}

const char *frame_records_check(const struct frame_records *records, uint64_t bit_count)
{
    if (records->count > records->capacity)
        return "more records than there is room for";
    if (!extents_are_sound(records, bit_count))
        return "the extents are not sorted, disjoint and complete";
    if (!records_are_sound(records))
        return "the records are not sorted, disjoint and inside of the extents";
    return NULL;
}
