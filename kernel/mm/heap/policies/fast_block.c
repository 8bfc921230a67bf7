#include "kernel/mm/heap/policies/fast_block.h"

#include "kernel/mm/heap/heap_end.h"
#include "kernel/mm/heap/heap_fault.h"
#include "kernel/mm/heap/policies/fast_absent.h"
#include "kernel/mm/heap/policies/fast_class.h"
#include "kernel/mm/heap/policies/fast_dissolve.h"
#include "kernel/mm/heap/policies/fast_recent.h"
#include "kernel/mm/heap/policies/fast_take.h"
#include "kernel/mm/heap/policies/fast_validate.h"

/* --- Allocation ------------------------------------------------------------------------------- */

static uint8_t *take(struct heap *heap, const struct heap_request *request, uint64_t *ret_header)
{
    if (heap->is_corrupt)
        return NULL;
    uint8_t *block = fast_core_take_aligned(heap, fast_units_for(request->size_bytes),
                                            request->alignment_bytes, ret_header);
    if (block != NULL)
        *ret_header |= sealed_alignment_field(request->alignment_bytes);
    return block;
}

/* Return a block of the core; the heap does not grow for it. Memory that is kept for other requests
 * is used: one slab without live blocks, if it has enough, else some of the kept blocks. */
static uint8_t *take_block(struct heap *heap, const struct heap_request *request,
                           uint64_t *ret_header)
{
    uint8_t *block = take(heap, request, ret_header);
    if (block == NULL && !heap->is_corrupt &&
        fast_slab_flush_for(heap, fast_units_for(request->size_bytes)))
        block = take(heap, request, ret_header);
    if (block == NULL && !heap->is_corrupt && fast_recent_release(heap))
        block = take(heap, request, ret_header);
    return block;
}

/* Merge all kept blocks and close all kept slabs, step by step, until there is a block. Several of
 * them may lie side by side. */
static uint8_t *take_after_flush(struct heap *heap, const struct heap_request *request,
                                 uint64_t *ret_header)
{
    size_t units = fast_units_for(request->size_bytes);
    uint8_t *block = NULL;
    while (block == NULL && !heap->is_corrupt &&
           (fast_recent_release(heap) || fast_slab_flush_one(heap))) {
        if (fast_core_may_have_room(&fast_of(heap)->core, units))
            block = take(heap, request, ret_header);
    }
    return block;
}

static inline void count_block(struct heap *heap, size_t size_bytes)
{
    fast_class_count_blocks(fast_of(heap), size_bytes, 1);
    heap_count_allocation(heap, size_bytes);
}

static inline void *give_block(struct heap *heap, uint8_t *block, size_t size_bytes,
                               uint64_t header)
{
    sealed_make_live(fast_of(heap)->core.secret, block, header, size_bytes);
    count_block(heap, size_bytes);
    return block;
}

static void *take_slot_of(struct heap *heap, size_t class_index, size_t size_bytes)
{
    struct fast_state *fast = fast_of(heap);
    unsigned index = 0;
    if (!fast_class_has_slot(fast->current[class_index]) && !fast_class_refill(heap, class_index))
        return NULL;
    struct fast_slab *slab = fast->current[class_index];
    uint8_t *slot = fast_class_take_slot(slab);
    (void)fast_slot_find(slab, slot, &index);
    fast_slot_set_size(fast, slab, index, size_bytes);
    heap_count_allocation(heap, size_bytes);
    return slot;
}

/* Return the first class from `first` to `last` that has a free slot, or FAST_CLASS_COUNT. Classes
 * without slabs cost nothing. */
static size_t next_with_slot(const struct fast_state *fast, size_t first, size_t last)
{
    for (size_t i = first; i <= last; i++) {
        uint64_t open = fast->open_classes[i / 64] >> i % 64;
        i = open == 0 ? i | 63 : i + (size_t)__builtin_ctzll(open);
        if (open != 0 && i <= last && fast_class_has_any_slot(fast, i))
            return i;
    }
    return FAST_CLASS_COUNT;
}

/* Return the shortest free slot that has room. It has up to `more_units` of 16 bytes more than the
 * size needs. NULL if no such slot is free. */
static void *allocate_small_slot(struct heap *heap, size_t size_bytes, size_t more_units)
{
    struct fast_state *fast = fast_of(heap);
    size_t padded = size_bytes / 16;
    size_t dense = FAST_PADDED_CLASSES + (larger(size_bytes, 1) - 1) / 16;
    padded = next_with_slot(fast, padded, smaller(padded + more_units, FAST_PADDED_CLASSES - 1));
    dense = next_with_slot(fast, dense, smaller(dense + more_units, FAST_FIRST_MEDIUM - 1));
    size_t best =
        dense != FAST_CLASS_COUNT && dense - FAST_PADDED_CLASSES <= padded ? dense : padded;
    return best == FAST_CLASS_COUNT ? NULL : take_slot_of(heap, best, size_bytes);
}

/* The same for slots of this many medium classes. */
static void *allocate_medium_slot(struct heap *heap, size_t size_bytes, size_t count)
{
    struct fast_state *fast = fast_of(heap);
    size_t first =
        size_bytes <= FAST_PADDED_MAX ? FAST_FIRST_MEDIUM : fast_class_of_medium(fast, size_bytes);
    size_t best = next_with_slot(fast, first, smaller(first + count, FAST_CLASS_COUNT) - 1);
    return best == FAST_CLASS_COUNT ? NULL : take_slot_of(heap, best, size_bytes);
}

/* True if a slot can have room and alignment for the request. */
static bool fits_slot(const struct heap_request *request)
{
    return request->size_bytes <= FAST_MEDIUM_MAX && request->alignment_bytes == SEALED_UNIT_BYTES;
}

/* Return a slot of the request's usual length, or a little longer. */
static void *find_near_slot(struct heap *heap, const struct heap_request *request)
{
    if (heap->is_corrupt || !fits_slot(request))
        return NULL;
    if (request->size_bytes > FAST_PADDED_MAX)
        return allocate_medium_slot(heap, request->size_bytes, 2);
    return allocate_small_slot(heap, request->size_bytes, 0);
}

static void *find_longer_slot(struct heap *heap, const struct heap_request *request)
{
    if (heap->is_corrupt || !fits_slot(request))
        return NULL;
    void *slot = NULL;
    if (request->size_bytes <= FAST_PADDED_MAX)
        slot = allocate_small_slot(heap, request->size_bytes, FAST_PADDED_CLASSES);
    return slot != NULL ? slot
                        : allocate_medium_slot(heap, request->size_bytes, FAST_MEDIUM_CLASSES);
}

/* Before the heap grows, the request gets free memory: from the core, then a slot of the other kind
 * of slab for this size, then absent memory. Before the request fails, it gets a slot of any size
 * with enough room. */
static void *find_room(struct heap *heap, const struct heap_request *request)
{
    uint64_t header;
    if (heap->is_corrupt || request->size_bytes >= heap->limit_bytes ||
        request->alignment_bytes >= heap->limit_bytes - request->size_bytes)
        return NULL;
    uint8_t *block = take_block(heap, request, &header);
    if (block == NULL) {
        void *slot = find_near_slot(heap, request);
        if (slot != NULL || heap->is_corrupt)
            return slot;
        if (heap_end_grow_for(heap, request))
            block = take(heap, request, &header);
        if (block == NULL)
            block = take_after_flush(heap, request, &header);
    }
    if (block != NULL)
        return give_block(heap, block, request->size_bytes, header);
    return find_longer_slot(heap, request);
}

/* Not inline, to keep the usual path short. */
static __attribute__((noinline)) void *fail(struct heap *heap, const void *caller)
{
    heap_fault_report(heap, caller);
    return NULL;
}

/* The core's usual search has found nothing, or the request is unusual. */
static __attribute__((noinline)) void *allocate_other(struct heap *heap, size_t size_bytes,
                                                      const void *caller, size_t alignment_bytes)
{
    const struct heap_request request = {.size_bytes = size_bytes,
                                         .alignment_bytes = alignment_bytes};
    void *block = heap->is_corrupt ? NULL : find_room(heap, &request);
    if (block == NULL)
        heap->counters.failure_count++;
    fast_dissolve_step(heap);
    heap_fault_report(heap, caller);
    return heap->is_corrupt ? NULL : block;
}

/* Give a block of the core, which has the usual alignment. */
static inline void *give_taken(struct heap *heap, const struct fast_taken *taken, size_t size_bytes)
{
    sealed_write_live(fast_of(heap)->core.secret, taken->block, taken->units, 0, size_bytes);
    count_block(heap, size_bytes);
    return taken->block;
}

/* Some memory of sparse slabs becomes memory of the core. */
static __attribute__((noinline)) void *dissolve_after(struct heap *heap, void *block,
                                                      const void *caller)
{
    fast_dissolve_step(heap);
    heap_fault_report(heap, caller);
    return heap->is_corrupt ? NULL : block;
}

/* A block with no slack or more than usual, or from the top, whose zeros must stay
 * (heap_zero.h). */
static __attribute__((noinline)) void *give_other(struct heap *heap, struct fast_taken taken,
                                                  size_t size_bytes, const void *caller)
{
    void *block = give_taken(heap, &taken, size_bytes);
    return fast_dissolve_is_due(fast_of(heap)) ? dissolve_after(heap, block, caller) : block;
}

/* No bin has a block for the usual request. */
static __attribute__((noinline)) void *allocate_from_top(struct heap *heap, size_t size_bytes,
                                                         size_t units, const void *caller)
{
    struct fast_taken taken = fast_core_take_top(heap, units);
    if (taken.block == NULL)
        return allocate_other(heap, size_bytes, caller, SEALED_UNIT_BYTES);
    return give_other(heap, taken, size_bytes, caller);
}

/* This block was overwritten. */
static __attribute__((noinline)) void *fail_at(struct heap *heap, const uint8_t *block,
                                               size_t size_bytes, const void *caller)
{
    (void)sealed_record_overwritten(heap, block);
    return allocate_other(heap, size_bytes, caller, SEALED_UNIT_BYTES);
}

/* All calls are at the end, so nothing must be kept for the time after them. */
static __attribute__((noinline)) void *allocate_from_core(struct heap *heap, size_t size_bytes,
                                                          size_t units, const void *caller)
{
    struct fast_state *fast = fast_of(heap);
    struct fast_taken taken = fast_take_first(fast, units);
    if (taken.block == NULL)
        return allocate_from_top(heap, size_bytes, units, caller);
    if (taken.units == 0)
        return fail_at(heap, taken.block, size_bytes, caller);
    size_t slack_bytes = sealed_capacity_bytes(taken.units) - size_bytes;
    if (slack_bytes - 1 >= SEALED_UNIT_BYTES)
        return give_other(heap, taken, size_bytes, caller);
    sealed_write_new(&fast->core.secret, taken.block, taken.units, slack_bytes);
    count_block(heap, size_bytes);
    if (__builtin_expect(fast_dissolve_is_due(fast), 0))
        return dissolve_after(heap, taken.block, caller);
    return taken.block;
}

/* The block's set has blocks, but none of this size, or the header of one has changed. A request
 * that frees a kept block has done much already, so it dissolves no slab. */
static __attribute__((noinline)) void *allocate_after_release(struct heap *heap, size_t size_bytes,
                                                              const void *caller)
{
    if (fast_recent_miss(heap, size_bytes))
        return fast_block_allocate(heap, size_bytes, caller);
    if (heap->is_corrupt)
        return fail(heap, caller);
    struct fast_taken taken = fast_core_take(heap, fast_medium_units_for(size_bytes));
    if (taken.block == NULL)
        return allocate_other(heap, size_bytes, caller, SEALED_UNIT_BYTES);
    return give_taken(heap, &taken, size_bytes);
}

/* No block of this size is kept, or its header has changed. */
static __attribute__((noinline)) void *allocate_missed(struct heap *heap, size_t size_bytes,
                                                       const void *caller)
{
    struct fast_state *fast = fast_of(heap);
    if (size_bytes <= FAST_RECENT_MOST_BYTES) {
        if (!fast_recent_is_empty(&fast->recent, fast_recent_set_of(size_bytes)))
            return allocate_after_release(heap, size_bytes, caller);
        fast_recent_expect(heap, size_bytes);
    } else if (size_bytes >= heap->limit_bytes) {
        return allocate_other(heap, size_bytes, caller, SEALED_UNIT_BYTES);
    }
    return allocate_from_core(heap, size_bytes, fast_medium_units_for(size_bytes), caller);
}

void *fast_block_allocate_small(struct heap *heap, size_t size_bytes, const void *caller)
{
    return allocate_from_core(heap, size_bytes, fast_units_for(size_bytes), caller);
}

void *fast_block_allocate(struct heap *heap, size_t size_bytes, const void *caller)
{
    void *block = fast_recent_take(fast_of(heap), size_bytes);
    if (block == NULL)
        return allocate_missed(heap, size_bytes, caller);
    heap_count_allocation(heap, size_bytes);
    return block;
}

void *fast_block_allocate_at_once(struct heap *heap, size_t size_bytes)
{
    struct fast_state *fast = fast_of(heap);
    bool is_small = size_bytes <= FAST_PADDED_MAX;
    void *kept = is_small ? NULL : fast_recent_take(fast, size_bytes);
    if (kept != NULL) {
        heap_count_allocation(heap, size_bytes);
        return kept;
    }
    if (heap->is_corrupt || size_bytes >= heap->limit_bytes)
        return NULL;
    struct fast_taken taken = fast_core_take(heap, is_small ? fast_units_for(size_bytes)
                                                            : fast_medium_units_for(size_bytes));
    return taken.block == NULL ? NULL : give_taken(heap, &taken, size_bytes);
}

void *fast_block_allocate_aligned(struct heap *heap, size_t size_bytes, size_t alignment_bytes,
                                  const void *caller)
{
    return allocate_other(heap, size_bytes, caller, alignment_bytes);
}

/* --- Free ------------------------------------------------------------------------------------- */

/* Pages at the end or inside may be of no use any more. */
static inline void give_back(struct heap *heap, const uint8_t *old_top)
{
    if (heap->pages.shrink != NULL && fast_of(heap)->core.top != old_top)
        heap_end_give_back(heap);
    if (heap->pages.discard != NULL)
        fast_absent_discard_surplus(heap);
}

static inline bool release(struct heap *heap, uint8_t *block, uint64_t header, size_t size_bytes)
{
    const uint8_t *old_top = fast_of(heap)->core.top;
    heap_count_free(heap, size_bytes);
    fast_class_count_blocks(fast_of(heap), size_bytes, SIZE_MAX);
    sealed_write_tombstone(block, sealed_header_word(block));
    if (!fast_core_release(heap, block, header))
        return false;
    give_back(heap, old_top);
    return !heap->is_corrupt;
}

bool fast_block_free_valid(struct heap *heap, uint8_t *block, uint64_t header)
{
    return release(heap, block, header, sealed_size(header));
}

/* Not inline, to keep the usual path short. */
static __attribute__((noinline)) void refuse(struct heap *heap, uint8_t *block, const void *caller)
{
    uint64_t header;
    if (block == NULL)
        return;
    (void)fast_validate_block(heap, block, &header);
    heap_fault_report(heap, caller);
}

/* Free a block that is intact, and that no set wants. */
static __attribute__((noinline)) void free_to_core(struct heap *heap, uint8_t *block,
                                                   const void *caller, uint64_t header,
                                                   size_t size_bytes)
{
    (void)release(heap, block, header, size_bytes);
    heap_fault_report(heap, caller);
}

static inline void keep(struct heap *heap, uint8_t *block, uint64_t header, size_t set,
                        size_t size_bytes)
{
    heap_count_free(heap, size_bytes);
    fast_recent_push(fast_of(heap), set, block, header);
}

/* Free a block that its set wants, while no more blocks can be kept. Another set may give up one of
 * its blocks, which may be the neighbour of this one, and change its header. */
static __attribute__((noinline)) void keep_instead(struct heap *heap, uint8_t *block,
                                                   const void *caller, size_t size_bytes)
{
    size_t set = fast_recent_set_of(size_bytes);
    const uint8_t *old_top = fast_of(heap)->core.top;
    if (fast_recent_make_room(heap, set)) {
        keep(heap, block, sealed_header_word(block), set, size_bytes);
        give_back(heap, old_top);
    } else if (!heap->is_corrupt) {
        (void)release(heap, block, sealed_header_word(block), size_bytes);
    }
    heap_fault_report(heap, caller);
}

/* Free a block that is intact. */
static inline void free_intact(struct heap *heap, uint8_t *block, const void *caller,
                               uint64_t header, size_t size_bytes)
{
    const struct fast_recent *recent = &fast_of(heap)->recent;
    size_t set = fast_recent_set_of(size_bytes);
    if (!fast_recent_wants(recent, set, size_bytes))
        return free_to_core(heap, block, caller, header, size_bytes);
    if (fast_recent_is_full(recent, set))
        return keep_instead(heap, block, caller, size_bytes);
    keep(heap, block, header, set, size_bytes);
}

/* Free a block with an unusual alignment or slack. */
static __attribute__((noinline)) void free_unusual(struct heap *heap, uint8_t *block,
                                                   const void *caller, uint64_t header)
{
    if (!sealed_end_is_intact(fast_of(heap)->core.secret, block, header))
        return refuse(heap, block, caller);
    if (sealed_alignment(header) != SEALED_UNIT_BYTES)
        return free_to_core(heap, block, caller, header, sealed_size(header));
    free_intact(heap, block, caller, header, sealed_size(header));
}

/* As sealed_end_is_intact(), in fewer instructions, for a block with 1 to 16 bytes of slack and the
 * usual alignment. False for other blocks, too. */
static inline bool end_is_usual(const struct fast_core *core, const uint64_t *end,
                                size_t slack_bytes)
{
    const uint64_t *word = end - 1;
    if (slack_bytes > sizeof *word) {
        if (*word != sealed_canary(core->secret, word))
            return false;
        word--;
        slack_bytes -= sizeof *word;
        if (slack_bytes > sizeof *word)
            return false;
    }
    return ((*word ^ sealed_canary(core->secret, word)) & sealed_last_bytes(slack_bytes)) == 0;
}

void fast_block_free(struct heap *heap, uint8_t *block, const void *caller)
{
    const struct fast_core *core = &fast_of(heap)->core;
    size_t index = fast_block_index(core, block);
    if (index >= core->last_index ||
        !sealed_word_is_intact(core->secret, block - SEALED_HEADER_BYTES,
                               sealed_header_word(block)))
        return refuse(heap, block, caller);
    uint64_t header = sealed_header_word(block);
    if ((header & SEALED_LIVE) == 0 || sealed_units(header) - 1 >= core->last_index - index)
        return refuse(heap, block, caller);
    size_t slack_bytes = header >> SEALED_SLACK_SHIFT; /* and the alignment, as high bits */
    size_t capacity_bytes = sealed_capacity_bytes(sealed_units(header));
    const uint64_t *end = (const void *)(block + capacity_bytes);
    if (HEAP_CHECKS ? !end_is_usual(core, end, slack_bytes) : slack_bytes > SEALED_SLACK_MAX)
        return free_unusual(heap, block, caller, header);
    free_intact(heap, block, caller, header, capacity_bytes - slack_bytes);
}

/* --- Re-allocation ---------------------------------------------------------------------------- */

/* A kept block behind this one becomes free memory. */
static bool expand(struct heap *heap, uint8_t *block, size_t units, uint64_t *header)
{
    struct fast_state *fast = fast_of(heap);
    uint8_t *next = sealed_next(block, sealed_units(*header));
    uint64_t next_header;
    if (fast->recent.block_count != 0 &&
        sealed_read_header(fast->core.secret, next, &next_header) &&
        fast_recent_is_kept(next_header) && !fast_recent_release_at(heap, next, next_header))
        return false;
    return fast_core_expand(heap, block, units, header);
}

bool fast_block_resize(struct heap *heap, uint8_t *block, uint64_t header, size_t size_bytes)
{
    size_t old_bytes = sealed_size(header);
    size_t units = fast_units_for(size_bytes);
    bool done = units > sealed_units(header) ? expand(heap, block, units, &header)
                                             : fast_core_shrink(heap, block, units, &header);
    if (!done)
        return false;
    sealed_make_live(fast_of(heap)->core.secret, block, header, size_bytes);
    fast_class_count_blocks(fast_of(heap), old_bytes, SIZE_MAX);
    fast_class_count_blocks(fast_of(heap), size_bytes, 1);
    return true;
}
