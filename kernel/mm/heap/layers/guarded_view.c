#include "kernel/mm/heap/layers/guarded_view.h"

#include "kernel/mm/heap/layers/guarded_canary.h"
#include "kernel/mm/heap/layers/guarded_place.h"

void guarded_view_adjust_statistics(const struct heap *heap, struct heap_statistics *statistics)
{
    const struct guarded *guarded = guarded_of(heap);
    statistics->size_bytes += guarded->usable_bytes;
    statistics->live_block_count += guarded->live_count;
    statistics->guarded_block_count = guarded->live_count;
    statistics->guarded_bytes = guarded->usable_bytes;
    statistics->sampled_count = guarded->sampled_count;
    statistics->unguarded_count = guarded->unguarded_count;
}

/* --- Pieces ----------------------------------------------------------------------------------- */

static struct heap_piece piece_of(const struct guarded_record *record)
{
    return (struct heap_piece){
        .kind = HEAP_PIECE_LIVE,
        .start = (const void *)record->block,
        .extent_bytes = guarded_pages_end(record->block, record->size_bytes) - record->block,
        .size_bytes = record->size_bytes,
        .allocated_by = record->allocated_by,
    };
}

void guarded_view_walk(const struct heap *heap, heap_piece_visitor *visit, void *context)
{
    const struct guarded *guarded = guarded_of(heap);
    heap_walk_below(heap, HEAP_LAYER_GUARDED, visit, context);
    for (unsigned i = 0; i < guarded->lane_count; i++) {
        for (uint32_t index = 0; index < guarded->lanes[i].touched_count; index++) {
            const struct guarded_record *record = &guarded->lanes[i].records[index];
            if (record->life != GUARDED_LIVE)
                continue;
            const struct heap_piece piece = piece_of(record);
            visit(context, &piece);
        }
    }
}

/* --- Check ------------------------------------------------------------------------------------ */

/* The figures that a walk over all records finds. */
struct tally {
    size_t usable_bytes;
    size_t used_bytes;
    size_t live_count;
};

static const char *check_place(const struct guarded *guarded, const struct guarded_place *place,
                               struct tally *tally)
{
    const struct guarded_record *record = place->record;
    if (record->block < place->start + HEAP_PAGE_SIZE_BYTES || record->block >= place->end ||
        record->size_bytes > place->end - record->block)
        return "a guarded block is not in its place";
    if (record->life != GUARDED_LIVE)
        return NULL;
    tally->live_count++;
    tally->usable_bytes += guarded_page_bytes(record);
    tally->used_bytes += record->size_bytes;
    return guarded_canary_broken_side(guarded, record);
}

static const char *check_freed(const struct guarded_lane *lane)
{
    uint32_t index = lane->oldest_freed;
    for (uint32_t n = 0; n < lane->freed_count; n++) {
        if (index >= lane->touched_count || lane->records[index].life != GUARDED_FREED)
            return "a place in the reuse queue is not free";
        if (n == lane->freed_count - 1 && index != lane->newest_freed)
            return "the reuse queue does not end with the newest";
        index = lane->records[index].next_freed;
    }
    return NULL;
}

static const char *check_lane(const struct guarded *guarded, unsigned lane_index,
                              struct tally *tally)
{
    const struct guarded_lane *lane = &guarded->lanes[lane_index];
    size_t live_count = tally->live_count;
    tally->usable_bytes += lane->records_usable_bytes;
    for (uint32_t index = 0; index < lane->touched_count; index++) {
        const struct guarded_place place = guarded_place_at(guarded, lane_index, index);
        const char *problem = check_place(guarded, &place, tally);
        if (problem != NULL)
            return problem;
    }
    const char *problem = check_freed(lane);
    if (problem != NULL)
        return problem;
    live_count = tally->live_count - live_count;
    return live_count + lane->freed_count == lane->touched_count ? NULL : "a place was lost";
}

const char *guarded_view_check(const struct heap *heap)
{
    const struct guarded *guarded = guarded_of(heap);
    struct tally tally = {0};
    const char *problem = NULL;
    for (unsigned i = 0; i < guarded->lane_count && problem == NULL; i++)
        problem = check_lane(guarded, i, &tally);
    if (problem == NULL &&
        (tally.usable_bytes != guarded->usable_bytes ||
         tally.used_bytes != heap->layer_used_bytes || tally.live_count != guarded->live_count))
        problem = "the counters do not match the guarded blocks";
    return problem;
}
