#include "kernel/mm/heap/include/handoff/guarded.h"

#include "kernel/mm/heap/heap_fault.h"
#include "kernel/mm/heap/layers/guarded_block.h"
#include "kernel/mm/heap/layers/guarded_canary.h"
#include "kernel/mm/heap/layers/guarded_view.h"
#include "shared/memory.h"
#include "shared/power_of_two.h"

/* --- Sampling --------------------------------------------------------------------------------- */

/* Return how many blocks there are until the next sample: `sample_interval` on average, and each
 * number from 1 to 2 × interval - 1 with the same probability. So a program that allocates in a
 * regular order has no block that is never chosen. */
static void begin_countdown(struct guarded *guarded)
{
    uint64_t interval = guarded->sample_interval;
    uint64_t range = interval > UINT64_MAX / 2 ? UINT64_MAX : 2 * interval - 1;
    guarded->random ^= guarded->random << 13;
    guarded->random ^= guarded->random >> 7;
    guarded->random ^= guarded->random << 17;
    guarded->countdown = 1 + guarded->random % range;
}

/* True if this small request is the sample. If it is too long for a page, the next request becomes
 * the sample. */
static bool is_sample(struct guarded *guarded, const struct heap_request *request)
{
    if (request->size_bytes > HEAP_PAGE_SIZE_BYTES ||
        request->alignment_bytes > HEAP_PAGE_SIZE_BYTES) {
        guarded->countdown = 1;
        return false;
    }
    begin_countdown(guarded);
    return true;
}

/* Samples get no more than this part of the heap's limit. Otherwise many samples, each with a page,
 * would leave no memory for the policy, and requests would fail. */
#define SAMPLES_PART 4

/* All blocks of a page lie in the first lane. */
static bool has_room_for_sample(const struct heap *heap)
{
    const struct guarded_lane *lane = &guarded_of(heap)->lanes[0];
    size_t live_count = lane->touched_count - lane->freed_count;
    return live_count < heap->limit_bytes / SAMPLES_PART / HEAP_PAGE_SIZE_BYTES;
}

/* --- Allocation ------------------------------------------------------------------------------- */

/* Not inline: the functions on the path of every call then need no stack. */
#define RARE __attribute__((noinline, cold))

static bool is_ordinary(struct guarded *guarded, size_t size_bytes)
{
    return size_bytes < guarded->large_bytes && --guarded->countdown != 0;
}

/* Serve a request that is large, or a sample. The order of the arguments is that of the calls, so
 * no register moves are needed. */
static RARE void *allocate_apart(struct heap *heap, size_t size_bytes, const void *caller,
                                 size_t alignment_bytes)
{
    struct guarded *guarded = guarded_of(heap);
    const struct heap_request request = {size_bytes, larger(alignment_bytes, HEAP_ALIGNMENT_BYTES),
                                         caller};
    bool is_large = size_bytes >= guarded->large_bytes;
    if (!is_large && !is_sample(guarded, &request))
        return guarded->layer.below.allocate_aligned(heap, size_bytes, alignment_bytes, caller);
    void *block = NULL;
    if (is_large || has_room_for_sample(heap))
        block = guarded_block_allocate(heap, &request);
    if (block != NULL) {
        guarded->sampled_count += !is_large;
        return block;
    }
    block = guarded->layer.below.allocate_aligned(heap, size_bytes, alignment_bytes, caller);
    guarded->unguarded_count += block != NULL;
    return block;
}

static void *guarded_allocate(struct heap *heap, size_t size_bytes, const void *caller)
{
    struct guarded *guarded = guarded_of(heap);
    if (is_ordinary(guarded, size_bytes))
        return guarded->layer.below.allocate(heap, size_bytes, caller);
    return allocate_apart(heap, size_bytes, caller, HEAP_ALIGNMENT_BYTES);
}

static void *guarded_allocate_aligned(struct heap *heap, size_t size_bytes, size_t alignment_bytes,
                                      const void *caller)
{
    struct guarded *guarded = guarded_of(heap);
    if (!is_power_of_two(alignment_bytes) || is_ordinary(guarded, size_bytes))
        return guarded->layer.below.allocate_aligned(heap, size_bytes, alignment_bytes, caller);
    return allocate_apart(heap, size_bytes, caller, alignment_bytes);
}

/* --- Free and size ---------------------------------------------------------------------------- */

static RARE void free_guarded(struct heap *heap, void *block, const void *caller)
{
    struct guarded_place place;
    if (guarded_block_validate(heap, block, &place))
        guarded_block_free(heap, &place, caller);
    else
        heap_fault_report(heap, caller);
}

static void guarded_free(struct heap *heap, void *block, const void *caller)
{
    struct guarded *guarded = guarded_of(heap);
    if (guarded_has(guarded, block))
        free_guarded(heap, block, caller);
    else
        guarded->layer.below.free(heap, block, caller);
}

static RARE size_t size_of_guarded(struct heap *heap, const void *block, const void *caller)
{
    struct guarded_place place;
    if (guarded_block_validate(heap, block, &place))
        return place.record->size_bytes;
    heap_fault_report(heap, caller);
    return 0;
}

static size_t guarded_usable_size(struct heap *heap, const void *block, const void *caller)
{
    struct guarded *guarded = guarded_of(heap);
    if (guarded_has(guarded, block))
        return size_of_guarded(heap, block, caller);
    return guarded->layer.below.usable_size(heap, block, caller);
}

/* --- Re-allocation ---------------------------------------------------------------------------- */

/* Resize a guarded block. A block that gets smaller stays if the new size is still large, or if the
 * policy has no memory for it. So a smaller size never fails. A block must move to grow, since it
 * ends where its pages end. */
static void *move_or_shrink(struct heap *heap, const struct guarded_place *place, size_t size_bytes,
                            const void *caller)
{
    struct guarded_record *record = place->record;
    void *block = (void *)record->block;
    size_t old_bytes = record->size_bytes;
    if (size_bytes <= old_bytes && (size_bytes >= guarded_of(heap)->large_bytes ||
                                    guarded_page_bytes(record) == HEAP_PAGE_SIZE_BYTES)) {
        guarded_block_shrink(heap, record, size_bytes);
        return block;
    }
    uint64_t failure_count = heap->outer_counters->failure_count;
    void *moved =
        guarded_allocate_aligned(heap, size_bytes, (size_t)1 << record->alignment_shift, caller);
    if (moved == NULL) {
        if (size_bytes > old_bytes || heap->is_corrupt)
            return NULL;
        heap->outer_counters->failure_count = failure_count;
        guarded_block_shrink(heap, record, size_bytes);
        return block;
    }
    memcpy(moved, block, smaller(size_bytes, old_bytes));
    guarded_block_free(heap, place, caller);
    return moved;
}

static RARE void *reallocate_guarded(struct heap *heap, void *block, size_t size_bytes,
                                     const void *caller)
{
    struct guarded_place place;
    if (guarded_block_validate(heap, block, &place))
        return move_or_shrink(heap, &place, size_bytes, caller);
    heap_fault_report(heap, caller);
    return NULL;
}

/* Resize a block of the policy that becomes large. Only the policy knows its alignment, but its
 * address has at least this alignment. A block that was large already, and got no guarded pages,
 * stays in the policy unless it grows. */
static RARE void *reallocate_to_large(struct heap *heap, void *block, size_t size_bytes,
                                      const void *caller)
{
    struct guarded *guarded = guarded_of(heap);
    const struct heap_operations *below = &guarded->layer.below;
    uint64_t fault_count = heap->counters.fault_count;
    size_t old_bytes = below->usable_size(heap, block, caller);
    if (heap->counters.fault_count != fault_count)
        return NULL;
    if (size_bytes <= old_bytes)
        return below->reallocate(heap, block, size_bytes, caller);
    const struct heap_request request = {size_bytes, (uintptr_t)block & -(uintptr_t)block, caller};
    void *moved = guarded_block_allocate(heap, &request);
    if (moved == NULL) {
        moved = below->reallocate(heap, block, size_bytes, caller);
        guarded->unguarded_count += moved != NULL;
        return moved;
    }
    memcpy(moved, block, old_bytes);
    below->free(heap, block, caller);
    return heap->is_corrupt ? NULL : moved;
}

static void *guarded_reallocate(struct heap *heap, void *block, size_t size_bytes,
                                const void *caller)
{
    struct guarded *guarded = guarded_of(heap);
    if (block == NULL)
        return guarded_allocate(heap, size_bytes, caller);
    if (!guarded_has(guarded, block)) {
        if (size_bytes < guarded->large_bytes)
            return guarded->layer.below.reallocate(heap, block, size_bytes, caller);
        return reallocate_to_large(heap, block, size_bytes, caller);
    }
    if (size_bytes == 0) {
        free_guarded(heap, block, caller);
        return NULL;
    }
    return reallocate_guarded(heap, block, size_bytes, caller);
}

/* --- The layer -------------------------------------------------------------------------------- */

static const struct heap_operations guarded_operations = {
    .allocate = guarded_allocate,
    .allocate_aligned = guarded_allocate_aligned,
    .free = guarded_free,
    .reallocate = guarded_reallocate,
    .usable_size = guarded_usable_size,
};

static enum heap_status guarded_validate(const struct heap_layer *layer)
{
    const struct guarded *guarded = (const void *)layer;
    if (guarded->base % HEAP_PAGE_SIZE_BYTES != 0 ||
        guarded->window_bytes % HEAP_PAGE_SIZE_BYTES != 0)
        return HEAP_UNALIGNED;
    if (guarded->base == 0 || guarded->window_bytes < GUARDED_WINDOW_MINIMUM_BYTES)
        return HEAP_TOO_SMALL;
    if (guarded->window_bytes > UINTPTR_MAX - guarded->base)
        return HEAP_TOO_LARGE;
    return HEAP_OK;
}

static void guarded_initialise(struct heap *heap)
{
    struct guarded *guarded = guarded_of(heap);
    guarded->random = heap->secret | 1; /* not 0: xorshift64 (Marsaglia, 2003) would stay 0 */
    guarded->canary = guarded_canary_for(heap->secret);
    guarded_place_begin(guarded);
    if (guarded->sample_interval != 0)
        begin_countdown(guarded);
}

static const struct heap_layer_functions functions = {
    .operations = &guarded_operations,
    .frees_in_any_order = true,
    .validate = guarded_validate,
    .initialise = guarded_initialise,
    .adjust_statistics = guarded_view_adjust_statistics,
    .walk = guarded_view_walk,
    .check = guarded_view_check,
};

HEAP_ASSERT_STORAGE(sizeof(struct guarded), struct guarded_storage);

struct heap_layer *guarded_layer(struct guarded_storage *storage,
                                 const struct guarded_configuration *configuration)
{
    struct guarded *guarded = (void *)storage;
    *guarded = (struct guarded){
        .layer = {.functions = &functions},
        .base = (uintptr_t)configuration->base,
        .window_bytes = configuration->window_bytes,
        .large_bytes = configuration->large_bytes,
        .sample_interval = configuration->sample_interval,
        .pages = configuration->pages,
    };
    return &guarded->layer;
}
