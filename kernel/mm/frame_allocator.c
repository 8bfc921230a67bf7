#include "kernel/mm/frame_allocator.h"

#include "kernel/panic.h"
#include "shared/memory.h"
#include "shared/range.h"
#include "shared/region.h"

/* Frame numbers [start, end) that are held alike. A frame outside of every holding is not ours. */
struct frame_holding {
    uint64_t start;
    uint64_t end;
    uint32_t type; /* enum handoff_region_type: what the map said */
    uint32_t span; /* index into spans */
    bool released; /* free or used; not released: reserved */
};

/* Holdings that touch, and where their bits are. The bits of a span start at a word of their own,
 * and frame numbers are congruent to bit numbers modulo 64, so no run of bits spans a hole. */
struct frame_span {
    uint64_t start;
    uint64_t end;
    uint64_t first_bit; /* of the frame number `start` rounded down to a multiple of 64 */
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

/* True for RAM that is free now or can be reclaimed one day. */
static bool type_is_managed(uint32_t type)
{
    switch (type) {
    case HANDOFF_REGION_USABLE:
    case HANDOFF_REGION_BOOT_SERVICES:
    case HANDOFF_REGION_LOADER:
    case HANDOFF_REGION_ACPI_RECLAIM:
    case HANDOFF_REGION_TEMP_HEAP:
    case HANDOFF_REGION_STACK:
    case HANDOFF_REGION_PAGE_TABLES:
    case HANDOFF_REGION_HANDOFF_DATA:
    case HANDOFF_REGION_KERNEL_IMAGE:
        return true;
    default:
        return false;
    }
}

/* The frames of one region that are to be managed, without frame 0 and without the records, which
 * stand at the end of a region; an empty range if there are none. */
static struct range managed_frames(const struct region_list *regions, uint32_t index,
                                   struct range records)
{
    struct range bytes = region_list_range(regions, index);
    if (!type_is_managed(region_list_at(regions, index)->type))
        return (struct range){0, 0};
    if (range_overlaps(bytes, records))
        bytes.end = records.start;
    struct range frames = {bytes.start / FRAME_SIZE_BYTES, bytes.end / FRAME_SIZE_BYTES};
    if (frames.start == 0)
        frames.start = 1;
    return frames.start < frames.end ? frames : (struct range){0, 0};
}

static uint64_t round_down_to_word(uint64_t frame)
{
    return frame - frame % BIT_TREE_WORD_BITS;
}

static uint64_t span_bit_count(const struct frame_span *span)
{
    uint64_t bits = span->end - round_down_to_word(span->start);
    return (bits + BIT_TREE_WORD_BITS - 1) / BIT_TREE_WORD_BITS * BIT_TREE_WORD_BITS;
}

struct record_counts {
    uint32_t holdings;
    uint32_t spans;
    uint64_t bits;
};

/* Turn the regions into holdings and spans. With NULL arrays it only counts, so that what is
 * counted and what is written cannot differ. */
static struct record_counts build_records(const struct region_list *regions, struct range records,
                                          struct frame_holding *holdings, struct frame_span *spans)
{
    struct record_counts counts = {0};
    struct frame_span span = {0};
    for (uint32_t i = 0; i < regions->count; i++) {
        struct range frames = managed_frames(regions, i, records);
        if (range_is_empty(frames))
            continue;
        if (counts.spans == 0 || frames.start != span.end) {
            counts.bits += span_bit_count(&span);
            span = (struct frame_span){.start = frames.start, .first_bit = counts.bits};
            counts.spans++;
        }
        span.end = frames.end;
        if (spans != NULL)
            spans[counts.spans - 1] = span;
        if (holdings != NULL)
            holdings[counts.holdings] = (struct frame_holding){
                .start = frames.start,
                .end = frames.end,
                .type = region_list_at(regions, i)->type,
                .span = counts.spans - 1,
            };
        counts.holdings++;
    }
    counts.bits += span_bit_count(&span);
    return counts;
}

static uint64_t records_size_bytes(const struct record_counts *counts)
{
    /* Carving the records out of a region may part two that touched: one span more, whose bits are
     * rounded to words. At most 2^32 rows and 2^40 frames: far from a wrap. */
    uint64_t capacity = (uint64_t)counts->holdings + 2 * FRAME_ALLOCATOR_SPLITS_MAX;
    uint64_t span_count = (uint64_t)counts->spans + 1;
    uint64_t bit_count = counts->bits + 2 * BIT_TREE_WORD_BITS;
    return capacity * sizeof(struct frame_holding) + span_count * sizeof(struct frame_span) +
           bit_tree_word_count(bit_count) * sizeof(uint64_t);
}

/* The end of the highest usable region that is large enough. */
static bool find_place_for_records(const struct region_list *regions, uint64_t size_bytes,
                                   struct range *ret_records)
{
    for (uint32_t i = regions->count; i-- > 0;) {
        struct range usable = region_list_range(regions, i);
        if (region_list_at(regions, i)->type != HANDOFF_REGION_USABLE)
            continue;
        if (usable.start < FRAME_SIZE_BYTES)
            usable.start = FRAME_SIZE_BYTES;
        if (usable.start <= usable.end && range_size_bytes(usable) >= size_bytes) {
            *ret_records = (struct range){usable.end - size_bytes, usable.end};
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
        if (region->type == HANDOFF_REGION_USABLE || region->type == HANDOFF_REGION_BOOT_SERVICES)
            available_bytes += region->size_bytes;
    }
    return available_bytes;
}

static uint64_t count_ram_frames(const struct region_list *regions)
{
    uint64_t frame_count = 0;
    for (uint32_t i = 0; i < regions->count; i++) {
        if (region_type_is_ram(region_list_at(regions, i)->type))
            frame_count += region_list_at(regions, i)->size_bytes / FRAME_SIZE_BYTES;
    }
    return frame_count;
}

/* Lay the three kinds of records out in `memory` and fill them from the regions. */
static void fill_records(struct frame_allocator *allocator, const struct region_list *regions,
                         struct range carved, void *memory)
{
    struct record_counts counts = build_records(regions, carved, NULL, NULL);
    allocator->holdings = memory;
    allocator->holding_count = counts.holdings;
    allocator->holding_capacity = counts.holdings + 2 * FRAME_ALLOCATOR_SPLITS_MAX;
    allocator->spans = (void *)(allocator->holdings + allocator->holding_capacity);
    allocator->span_count = counts.spans;
    build_records(regions, carved, allocator->holdings, allocator->spans);
    bit_tree_initialise(&allocator->free_frames, (void *)(allocator->spans + counts.spans),
                        counts.bits);
}

enum frame_allocator_status frame_allocator_initialise(struct frame_allocator *allocator,
                                                       const struct region_list *regions,
                                                       struct early_heap *early_heap,
                                                       uint64_t direct_map_base)
{
    struct range carved = {0, 0};
    if (regions->count == 0)
        return FRAME_ALLOCATOR_MAP_EMPTY;
    if (!region_list_is_normalised(regions))
        return FRAME_ALLOCATOR_MAP_NOT_NORMALISED;
    if (frame_allocator_available_bytes(regions) < FRAME_ALLOCATOR_RAM_MIN_BYTES)
        return FRAME_ALLOCATOR_TOO_LITTLE_RAM;

    struct record_counts counts = build_records(regions, carved, NULL, NULL);
    uint64_t size_bytes = records_size_bytes(&counts);
    void *memory = take_from_early_heap(early_heap, size_bytes);
    if (memory == NULL) {
        size_bytes = page_align_up(size_bytes);
        if (!find_place_for_records(regions, size_bytes, &carved))
            return FRAME_ALLOCATOR_NO_ROOM;
        memory = (void *)(uintptr_t)(direct_map_base + carved.start);
    }

    *allocator = (struct frame_allocator){
        .total_count = count_ram_frames(regions),
        .records_base = phys_addr(carved.start),
        .records_size_bytes = size_bytes,
        .records_in_early_heap = range_is_empty(carved),
    };
    allocator->reserved_count = allocator->total_count;
    fill_records(allocator, regions, carved, memory);
    frame_allocator_reclaim_type(allocator, HANDOFF_REGION_USABLE);
    return FRAME_ALLOCATOR_OK;
}

/* --- From frame to record and bit, and back --------------------------------------------------- */

/* The index of the holding that has `frame`, or holding_count. */
static uint32_t find_holding(const struct frame_allocator *allocator, uint64_t frame)
{
    uint32_t low = 0;
    uint32_t high = allocator->holding_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (frame < allocator->holdings[middle].start)
            high = middle;
        else if (frame >= allocator->holdings[middle].end)
            low = middle + 1;
        else
            return middle;
    }
    return allocator->holding_count;
}

/* The span whose bits include `bit`. Precondition: there is one, as for every set bit. */
static const struct frame_span *find_span_of_bit(const struct frame_allocator *allocator,
                                                 uint64_t bit)
{
    uint32_t low = 0;
    uint32_t high = allocator->span_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (bit < allocator->spans[middle].first_bit)
            high = middle;
        else
            low = middle;
    }
    return &allocator->spans[low];
}

static uint64_t bit_of_frame(const struct frame_span *span, uint64_t frame)
{
    return frame - round_down_to_word(span->start) + span->first_bit;
}

static uint64_t frame_of_bit(const struct frame_span *span, uint64_t bit)
{
    return bit - span->first_bit + round_down_to_word(span->start);
}

static struct phys_addr address_of_frame(uint64_t frame)
{
    return phys_addr(frame * FRAME_SIZE_BYTES);
}

/* --- Releasing reserved frames ---------------------------------------------------------------- */

static void release_holding(struct frame_allocator *allocator, struct frame_holding *holding)
{
    const struct frame_span *span = &allocator->spans[holding->span];
    uint64_t frame_count = holding->end - holding->start;
    holding->released = true;
    bit_tree_insert(&allocator->free_frames, bit_of_frame(span, holding->start),
                    bit_of_frame(span, holding->end));
    allocator->reserved_count -= frame_count;
    allocator->free_count += frame_count;
}

/* True if a holding has frames on both sides of the boundary before `frame`. */
static bool needs_split_at(const struct frame_allocator *allocator, uint64_t frame)
{
    uint32_t index = find_holding(allocator, frame);
    return index < allocator->holding_count && allocator->holdings[index].start != frame;
}

/* Cut a holding in two before `frame`, if needed. There must be room for one more. */
static void split_holding_at(struct frame_allocator *allocator, uint64_t frame)
{
    if (!needs_split_at(allocator, frame))
        return;
    uint32_t index = find_holding(allocator, frame);
    struct frame_holding *holding = &allocator->holdings[index];
    memmove(holding + 1, holding, (allocator->holding_count - index) * sizeof(*holding));
    allocator->holding_count++;
    holding[0].end = frame;
    holding[1].start = frame;
}

/* Panic unless every frame of the range is managed and was not released yet. */
static void require_reclaimable(const struct frame_allocator *allocator, struct range frames)
{
    for (uint64_t frame = frames.start; frame < frames.end;) {
        uint32_t index = find_holding(allocator, frame);
        if (index == allocator->holding_count)
            panic(PANIC_FRAME_FREE, "reclaim of 0x%llx, which is not RAM that can be reclaimed",
                  (unsigned long long)address_of_frame(frame).value);
        if (allocator->holdings[index].released)
            panic(PANIC_FRAME_FREE, "reclaim of 0x%llx (%s), which was released before",
                  (unsigned long long)address_of_frame(frame).value,
                  region_type_name(allocator->holdings[index].type));
        frame = allocator->holdings[index].end;
    }
}

bool frame_allocator_reclaim(struct frame_allocator *allocator, struct phys_addr base,
                             uint64_t size_bytes)
{
    struct range bytes;
    if (!page_is_aligned(base.value) || !page_is_aligned(size_bytes) ||
        !range_from_base_size(base.value, size_bytes, &bytes))
        panic(PANIC_FRAME_FREE, "reclaim of 0x%llx bytes at 0x%llx: not whole frames",
              (unsigned long long)size_bytes, (unsigned long long)base.value);
    struct range frames = {bytes.start / FRAME_SIZE_BYTES, bytes.end / FRAME_SIZE_BYTES};
    if (frames.start == 0 && frames.end > 0)
        frames.start = 1;
    require_reclaimable(allocator, frames);
    if (range_is_empty(frames))
        return true;
    uint32_t more_holdings = (needs_split_at(allocator, frames.start) ? 1U : 0U) +
                             (needs_split_at(allocator, frames.end) ? 1U : 0U);
    if (allocator->holding_capacity - allocator->holding_count < more_holdings)
        return false;
    split_holding_at(allocator, frames.start);
    split_holding_at(allocator, frames.end);
    for (uint32_t i = find_holding(allocator, frames.start);
         i < allocator->holding_count && allocator->holdings[i].start < frames.end; i++)
        release_holding(allocator, &allocator->holdings[i]);
    return true;
}

uint64_t frame_allocator_reclaim_type(struct frame_allocator *allocator, uint32_t type)
{
    uint64_t free_before = allocator->free_count;
    for (uint32_t i = 0; i < allocator->holding_count; i++) {
        struct frame_holding *holding = &allocator->holdings[i];
        if (holding->type == type && !holding->released)
            release_holding(allocator, holding);
    }
    return allocator->free_count - free_before;
}

/* --- Allocating --------------------------------------------------------------------------------
 */

static void count_as_used(struct frame_allocator *allocator, uint64_t frame_count)
{
    allocator->free_count -= frame_count;
    allocator->used_count += frame_count;
}

bool frame_allocator_allocate(struct frame_allocator *allocator, struct phys_addr *ret_frame)
{
    uint64_t bit;
    if (!bit_tree_find_last_below(&allocator->free_frames, UINT64_MAX, &bit))
        return false;
    bit_tree_remove(&allocator->free_frames, bit, bit + 1);
    count_as_used(allocator, 1);
    *ret_frame = address_of_frame(frame_of_bit(find_span_of_bit(allocator, bit), bit));
    return true;
}

/* Find the highest aligned run of free frames in one span that ends at or below `limit_frame`.
 *
 * From the top down: a run must end behind a free frame, which the tree finds without a scan; if a
 * frame of it is not free, the next candidate ends below the lowest such frame. */
static bool find_run(const struct frame_allocator *allocator, const struct frame_span *span,
                     uint64_t frame_count, uint64_t alignment_frames, uint64_t limit_frame,
                     uint64_t *ret_start)
{
    const struct bit_tree *tree = &allocator->free_frames;
    uint64_t end = limit_frame < span->end ? limit_frame : span->end;
    while (end > span->start && end - span->start >= frame_count) {
        uint64_t start = (end - frame_count) & ~(alignment_frames - 1);
        uint64_t last_bit;
        uint64_t absent_bit;
        if (start < span->start ||
            !bit_tree_find_last_below(tree, bit_of_frame(span, start + frame_count), &last_bit) ||
            last_bit < span->first_bit)
            return false;
        if (frame_of_bit(span, last_bit) + 1 < start + frame_count) {
            end = frame_of_bit(span, last_bit) + 1;
            continue;
        }
        if (!bit_tree_find_first_absent(tree, bit_of_frame(span, start),
                                        bit_of_frame(span, start + frame_count), &absent_bit)) {
            *ret_start = start;
            return true;
        }
        end = frame_of_bit(span, absent_bit);
    }
    return false;
}

bool frame_allocator_allocate_contiguous(struct frame_allocator *allocator, uint64_t frame_count,
                                         uint64_t alignment_frames, uint64_t limit_address,
                                         struct phys_addr *ret_base)
{
    if (frame_count == 0 || alignment_frames == 0 ||
        (alignment_frames & (alignment_frames - 1)) != 0)
        return false;
    for (uint32_t i = allocator->span_count; i-- > 0;) {
        const struct frame_span *span = &allocator->spans[i];
        uint64_t start;
        if (!find_run(allocator, span, frame_count, alignment_frames,
                      limit_address / FRAME_SIZE_BYTES, &start))
            continue;
        bit_tree_remove(&allocator->free_frames, bit_of_frame(span, start),
                        bit_of_frame(span, start + frame_count));
        count_as_used(allocator, frame_count);
        *ret_base = address_of_frame(start);
        return true;
    }
    return false;
}

/* --- Freeing -----------------------------------------------------------------------------------
 */

/* Panic unless every frame of the range was released and is not free. Returns their span. */
static const struct frame_span *require_used(const struct frame_allocator *allocator,
                                             struct range frames)
{
    const struct frame_span *span = NULL;
    for (uint64_t frame = frames.start; frame < frames.end;) {
        uint32_t index = find_holding(allocator, frame);
        unsigned long long address = address_of_frame(frame).value;
        uint64_t free_bit;
        if (index == allocator->holding_count)
            panic(PANIC_FRAME_FREE, "free of frame 0x%llx, which is not this allocator's", address);
        const struct frame_holding *holding = &allocator->holdings[index];
        if (!holding->released)
            panic(PANIC_FRAME_FREE, "free of frame 0x%llx, which is reserved (%s)", address,
                  region_type_name(holding->type));
        span = &allocator->spans[holding->span];
        uint64_t end = frames.end < holding->end ? frames.end : holding->end;
        if (bit_tree_find_last_below(&allocator->free_frames, bit_of_frame(span, end), &free_bit) &&
            free_bit >= bit_of_frame(span, frame))
            panic(PANIC_FRAME_FREE, "double free of frame 0x%llx",
                  (unsigned long long)address_of_frame(frame_of_bit(span, free_bit)).value);
        frame = end;
    }
    return span;
}

void frame_allocator_free_contiguous(struct frame_allocator *allocator, struct phys_addr base,
                                     uint64_t frame_count)
{
    if (!page_is_aligned(base.value))
        panic(PANIC_FRAME_FREE, "free of frame 0x%llx, which is not aligned",
              (unsigned long long)base.value);
    uint64_t first = base.value / FRAME_SIZE_BYTES;
    if (frame_count == 0 || frame_count > REGION_LIST_PHYSICAL_LIMIT / FRAME_SIZE_BYTES)
        panic(PANIC_FRAME_FREE, "free of %llu frames at 0x%llx", (unsigned long long)frame_count,
              (unsigned long long)base.value);
    /* A run of touching holdings is one span, so the whole run has its bits in one piece. */
    const struct frame_span *span =
        require_used(allocator, (struct range){first, first + frame_count});
    bit_tree_insert(&allocator->free_frames, bit_of_frame(span, first),
                    bit_of_frame(span, first + frame_count));
    allocator->free_count += frame_count;
    allocator->used_count -= frame_count;
}

void frame_allocator_free(struct frame_allocator *allocator, struct phys_addr frame)
{
    frame_allocator_free_contiguous(allocator, frame, 1);
}

/* --- Looking at it -----------------------------------------------------------------------------
 */

struct frame_allocator_statistics
frame_allocator_statistics(const struct frame_allocator *allocator)
{
    return (struct frame_allocator_statistics){
        .total_count = allocator->total_count,
        .free_count = allocator->free_count,
        .used_count = allocator->used_count,
        .reserved_count = allocator->reserved_count,
    };
}

uint64_t frame_allocator_largest_run(const struct frame_allocator *allocator)
{
    uint64_t longest = 0;
    for (uint32_t i = 0; i < allocator->span_count; i++) {
        const struct frame_span *span = &allocator->spans[i];
        uint64_t run =
            bit_tree_longest_run(&allocator->free_frames, bit_of_frame(span, span->start),
                                 bit_of_frame(span, span->end));
        longest = run > longest ? run : longest;
    }
    return longest;
}

static bool spans_are_sound(const struct frame_allocator *allocator)
{
    uint64_t next_bit = 0;
    for (uint32_t i = 0; i < allocator->span_count; i++) {
        const struct frame_span *span = &allocator->spans[i];
        if (span->start >= span->end || span->first_bit != next_bit)
            return false;
        if (i > 0 && span->start <= allocator->spans[i - 1].end)
            return false;
        next_bit += span_bit_count(span);
    }
    return next_bit == allocator->free_frames.bit_count;
}

/* Holdings are sorted, disjoint, and fill the spans without a gap. */
static bool holdings_are_sound(const struct frame_allocator *allocator)
{
    uint32_t span_index = 0;
    uint64_t expected_start = allocator->span_count > 0 ? allocator->spans[0].start : 0;
    for (uint32_t i = 0; i < allocator->holding_count; i++) {
        const struct frame_holding *holding = &allocator->holdings[i];
        if (holding->span != span_index || holding->start != expected_start ||
            holding->start >= holding->end || holding->end > allocator->spans[span_index].end)
            return false;
        expected_start = holding->end;
        if (holding->end == allocator->spans[span_index].end &&
            ++span_index < allocator->span_count)
            expected_start = allocator->spans[span_index].start;
    }
    return span_index == allocator->span_count;
}

const char *frame_allocator_check(const struct frame_allocator *allocator)
{
    uint64_t released_count = 0;
    uint64_t free_count = 0;
    if (allocator->holding_count > allocator->holding_capacity)
        return "more holdings than there is room for";
    if (!spans_are_sound(allocator))
        return "the spans are not sorted, disjoint and complete";
    if (!holdings_are_sound(allocator))
        return "the holdings do not fill the spans";
    if (!bit_tree_check(&allocator->free_frames))
        return "the levels of the bit tree contradict each other";
    for (uint32_t i = 0; i < allocator->holding_count; i++) {
        const struct frame_holding *holding = &allocator->holdings[i];
        const struct frame_span *span = &allocator->spans[holding->span];
        if (!holding->released)
            continue;
        released_count += holding->end - holding->start;
        free_count += bit_tree_count(&allocator->free_frames, bit_of_frame(span, holding->start),
                                     bit_of_frame(span, holding->end));
    }
    if (free_count != bit_tree_count(&allocator->free_frames, 0, allocator->free_frames.bit_count))
        return "a frame that was never released is free";
    if (free_count != allocator->free_count)
        return "the number of free frames is wrong";
    if (released_count != free_count + allocator->used_count)
        return "the number of used frames is wrong";
    if (allocator->total_count != released_count + allocator->reserved_count)
        return "free, used and reserved frames do not add up to the total";
    return NULL;
}
