#include "kernel/mm/heap/layers/guarded_place.h"

/* The places of the first lane: a guard page and a page. */
#define FIRST_PLACE_SHIFT 13
/* The last lane has 2^this places, so even the longest blocks have several places to choose from.
 */
#define LAST_LANE_SHIFT 2

/* The oldest freed place of a lane is used again when its reuse queue has this many places. Their
 * records take 40 KiB for each lane. Until then each block gets addresses that no block had before.
 */
#define FREED_LIMIT 1024u

static unsigned place_shift(unsigned lane_index)
{
    return FIRST_PLACE_SHIFT + lane_index;
}

/* --- Pages ------------------------------------------------------------------------------------ */

bool guarded_make_usable(struct guarded *guarded, uintptr_t start, size_t bytes)
{
    const struct guarded_pages *pages = &guarded->pages;
    if (!pages->make_usable(pages->context, start - guarded->base, bytes))
        return false;
    guarded->usable_bytes += bytes;
    return true;
}

void guarded_take_back(struct guarded *guarded, uintptr_t start, size_t bytes)
{
    const struct guarded_pages *pages = &guarded->pages;
    pages->take_back(pages->context, start - guarded->base, bytes);
    guarded->usable_bytes -= bytes;
}

/* --- The window, parted ----------------------------------------------------------------------- */

static unsigned lane_count_for(unsigned lane_shift)
{
    return lane_shift - FIRST_PLACE_SHIFT - LAST_LANE_SHIFT + 1;
}

static size_t records_bytes(unsigned lane_shift, unsigned lane_index)
{
    return guarded_page_up(((size_t)1 << (lane_shift - place_shift(lane_index))) *
                           sizeof(struct guarded_record));
}

static size_t all_records_bytes(unsigned lane_shift)
{
    size_t bytes = 0;
    for (unsigned i = 0; i < lane_count_for(lane_shift); i++)
        bytes += records_bytes(lane_shift, i);
    return bytes;
}

/* Records, lanes and the page behind. */
static size_t window_bytes_for(unsigned lane_shift)
{
    return all_records_bytes(lane_shift) + ((size_t)lane_count_for(lane_shift) << lane_shift) +
           HEAP_PAGE_SIZE_BYTES;
}

/* Return the size of the longest lanes that fit into the window. Precondition: the shortest lanes
 * fit. */
static unsigned lane_shift_for(size_t window_bytes)
{
    unsigned lane_shift = FIRST_PLACE_SHIFT + LAST_LANE_SHIFT + GUARDED_LANE_LIMIT - 1;
    while (window_bytes_for(lane_shift) > window_bytes)
        lane_shift--;
    return lane_shift;
}

void guarded_place_begin(struct guarded *guarded)
{
    guarded->lane_shift = lane_shift_for(guarded->window_bytes);
    guarded->lane_count = lane_count_for(guarded->lane_shift);
    guarded->lanes_start = guarded->base;
    for (unsigned i = 0; i < guarded->lane_count; i++) {
        struct guarded_lane *lane = &guarded->lanes[i];
        lane->records = (struct guarded_record *)guarded->lanes_start;
        lane->place_count = UINT32_C(1) << (guarded->lane_shift - place_shift(i));
        guarded->lanes_start += records_bytes(guarded->lane_shift, i);
    }
}

/* --- From an address to its place ------------------------------------------------------------- */

struct guarded_place guarded_place_at(const struct guarded *guarded, unsigned lane_index,
                                      uint32_t index)
{
    const struct guarded_lane *lane = &guarded->lanes[lane_index];
    uintptr_t lane_start = guarded->lanes_start + ((uintptr_t)lane_index << guarded->lane_shift);
    return (struct guarded_place){
        .lane_index = lane_index,
        .index = index,
        .start = lane_start + ((uintptr_t)index << place_shift(lane_index)),
        .end = lane_start + (((uintptr_t)index + 1) << place_shift(lane_index)),
        .record = index < lane->touched_count ? &lane->records[index] : NULL,
    };
}

bool guarded_place_find(const struct guarded *guarded, uintptr_t address,
                        struct guarded_place *ret_place)
{
    if (address < guarded->lanes_start)
        return false;
    size_t offset = address - guarded->lanes_start;
    size_t lane_index = offset >> guarded->lane_shift;
    if (lane_index >= guarded->lane_count)
        return false;
    offset &= ((size_t)1 << guarded->lane_shift) - 1;
    *ret_place = guarded_place_at(guarded, (unsigned)lane_index,
                                  (uint32_t)(offset >> place_shift((unsigned)lane_index)));
    return true;
}

/* --- Taken and given back --------------------------------------------------------------------- */

/* Find the lane with the smallest places that take this block and the guard page before it. False:
 * there is no such lane. */
static bool find_lane(const struct guarded *guarded, const struct heap_request *request,
                      unsigned *ret_lane_index)
{
    size_t largest_bytes = (size_t)1 << (guarded->lane_shift - LAST_LANE_SHIFT);
    if (request->size_bytes > largest_bytes || request->alignment_bytes > largest_bytes)
        return false;
    /* Places begin at a multiple of the page. A larger alignment may move the block down by this
     * much. */
    size_t needed_bytes =
        guarded_page_up(request->size_bytes + (request->size_bytes == 0)) + HEAP_PAGE_SIZE_BYTES;
    if (request->alignment_bytes > HEAP_PAGE_SIZE_BYTES)
        needed_bytes += request->alignment_bytes;
    if (needed_bytes > largest_bytes)
        return false;
    unsigned shift = 64 - (unsigned)__builtin_clzll(needed_bytes - 1);
    *ret_lane_index = shift - FIRST_PLACE_SHIFT;
    return true;
}

bool guarded_place_choose(const struct guarded *guarded, const struct heap_request *request,
                          struct guarded_place *ret_place, uintptr_t *ret_block)
{
    unsigned lane_index;
    if (!find_lane(guarded, request, &lane_index))
        return false;
    const struct guarded_lane *lane = &guarded->lanes[lane_index];
    uint32_t index = lane->touched_count;
    if (lane->freed_count >= FREED_LIMIT || index == lane->place_count) {
        if (lane->freed_count == 0)
            return false;
        index = lane->oldest_freed;
    }
    size_t bytes = request->size_bytes == 0 ? 1 : request->size_bytes;
    *ret_place = guarded_place_at(guarded, lane_index, index);
    *ret_block = (ret_place->end - bytes) & ~(request->alignment_bytes - 1);
    return true;
}

/* The record of a place that was never used may need a page. */
static bool make_record_usable(struct guarded *guarded, const struct guarded_place *place)
{
    struct guarded_lane *lane = &guarded->lanes[place->lane_index];
    size_t needed_bytes = (place->index + (size_t)1) * sizeof(struct guarded_record);
    if (needed_bytes <= lane->records_usable_bytes)
        return true;
    if (!guarded_make_usable(guarded, (uintptr_t)lane->records + lane->records_usable_bytes,
                             HEAP_PAGE_SIZE_BYTES))
        return false;
    lane->records_usable_bytes += HEAP_PAGE_SIZE_BYTES;
    return true;
}

bool guarded_place_take(struct guarded *guarded, struct guarded_place *place)
{
    struct guarded_lane *lane = &guarded->lanes[place->lane_index];
    if (place->index != lane->touched_count) {
        lane->oldest_freed = place->record->next_freed;
        lane->freed_count--;
        return true;
    }
    if (!make_record_usable(guarded, place))
        return false;
    place->record = &lane->records[place->index];
    lane->touched_count++;
    return true;
}

void guarded_place_give_back(struct guarded *guarded, const struct guarded_place *place)
{
    struct guarded_lane *lane = &guarded->lanes[place->lane_index];
    if (lane->freed_count++ == 0)
        lane->oldest_freed = place->index;
    else
        lane->records[lane->newest_freed].next_freed = place->index;
    lane->newest_freed = place->index;
}
