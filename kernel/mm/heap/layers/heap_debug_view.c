#include "kernel/mm/heap/layers/heap_debug_view.h"

#include "kernel/mm/heap/layers/heap_debug_pattern.h"
#include "kernel/mm/heap/layers/heap_debug_record.h"

void heap_debug_view_adjust_statistics(const struct heap *heap, struct heap_statistics *statistics)
{
    const struct heap_debug_quarantine *quarantine = &heap_debug_of(heap)->quarantine;
    size_t records_bytes = statistics->free_block_count * HEAP_DEBUG_OVERHEAD_BYTES;
    size_t largest_bytes = heap_debug_size_within(statistics->largest_free_bytes);
    size_t free_bytes = statistics->free_bytes - smaller(records_bytes, statistics->free_bytes);
    statistics->live_block_count -= quarantine->block_count;
    statistics->largest_free_bytes = largest_bytes;
    /* A piece without room for a record adds a negative number above. */
    statistics->free_bytes = larger(free_bytes, largest_bytes);
    statistics->quarantine_bytes = quarantine->bytes;
    statistics->quarantine_block_count = quarantine->block_count;
}

/* --- Pieces ----------------------------------------------------------------------------------- */

struct walk {
    const struct heap_debug *debug;
    heap_piece_visitor *visit;
    void *context;
};

/* A block whose record was overwritten stays live, as the level below reports it. */
static void visit_adjusted(void *context, const struct heap_piece *below)
{
    const struct walk *walk = context;
    struct heap_piece piece = *below;
    if (piece.kind == HEAP_PIECE_LIVE && piece.size_bytes >= HEAP_DEBUG_OVERHEAD_BYTES) {
        const struct heap_debug_record *record =
            heap_debug_record_at(piece.start, piece.size_bytes);
        if (heap_debug_record_is_sound(walk->debug, record)) {
            bool is_live = record->state == HEAP_DEBUG_LIVE;
            piece.kind = is_live ? HEAP_PIECE_LIVE : HEAP_PIECE_OWN;
            piece.size_bytes = is_live ? record->size_bytes : 0;
            piece.allocated_by = record->allocated_by;
        }
    }
    walk->visit(walk->context, &piece);
}

void heap_debug_view_walk(const struct heap *heap, heap_piece_visitor *visit, void *context)
{
    struct walk walk = {heap_debug_of(heap), visit, context};
    heap_walk_below(heap, HEAP_LAYER_DEBUG, visit_adjusted, &walk);
}

/* --- Check ------------------------------------------------------------------------------------ */

struct tally {
    const struct heap_debug *debug;
    const char *problem; /* the first */
    size_t used_bytes;
    size_t quarantine_count;
    size_t quarantine_bytes;
};

static const char *tally_block(struct tally *tally, const struct heap_piece *piece)
{
    const uint8_t *block = piece->start;
    const struct heap_debug_record *record = heap_debug_record_at(block, piece->size_bytes);
    if (!heap_debug_record_is_of(tally->debug, record, piece->size_bytes))
        return "the record behind a block was overwritten";
    if (!heap_debug_canary_is_intact(block, record))
        return "the bytes behind a block were overwritten";
    if (record->state != HEAP_DEBUG_QUARANTINED) {
        tally->used_bytes += record->size_bytes;
        return NULL;
    }
    tally->quarantine_count++;
    tally->quarantine_bytes += piece->size_bytes;
    return heap_debug_pattern_find_write(block, record->size_bytes, HEAP_DEBUG_FREED_BYTE) == NULL
               ? NULL
               : "a freed block was written to";
}

static void tally_piece(void *context, const struct heap_piece *piece)
{
    struct tally *tally = context;
    if (piece->kind == HEAP_PIECE_LIVE && tally->problem == NULL)
        tally->problem = tally_block(tally, piece);
}

const char *heap_debug_view_check(const struct heap *heap)
{
    const struct heap_debug *debug = heap_debug_of(heap);
    struct tally tally = {.debug = debug};
    heap_walk_below(heap, HEAP_LAYER_DEBUG, tally_piece, &tally);
    if (tally.problem != NULL)
        return tally.problem;
    if (tally.used_bytes + heap->layer_used_bytes != heap_counters_used_bytes(&debug->counters))
        return "the counters of the layer above do not match the blocks";
    if (tally.quarantine_count != debug->quarantine.block_count ||
        tally.quarantine_bytes != debug->quarantine.bytes)
        return "the quarantine's counters do not match its blocks";
    return NULL;
}
