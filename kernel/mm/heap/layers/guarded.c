#include "kernel/mm/heap/layers/guarded.h"

#include "kernel/mm/heap/heap_fault.h"
#include "kernel/mm/heap/layers/guarded_place.h"
#include "kernel/mm/heap/layers/layer.h"
#include "shared/memory.h"
#include "shared/power_of_two.h"

/* --- Canaries --------------------------------------------------------------------------------- */

/* No byte of it is ASCII, 0 or 0xff: what runs over the end of a block is often one of these. */
static uint64_t canary_of(uint64_t secret)
{
    uint64_t mixed = (secret + 1) * UINT64_C(0x9e3779b97f4a7c15);
    return (mixed & UINT64_C(0x3e3e3e3e3e3e3e3e)) | UINT64_C(0x8181818181818181);
}

static uint8_t canary_byte(uint64_t canary, uintptr_t address)
{
    return (uint8_t)(canary >> (address % sizeof canary * 8));
}

/* Both ranges of canaries end at a multiple of 8: at a block, or at the end of a page. */
static void lay_canaries(uint64_t canary, uintptr_t start, uintptr_t end)
{
    for (; start < end && start % sizeof canary != 0; start++)
        *(uint8_t *)start = canary_byte(canary, start);
    for (; start < end; start += sizeof canary)
        *(uint64_t *)start = canary;
}

static bool canaries_are_intact(uint64_t canary, uintptr_t start, uintptr_t end)
{
    for (; start < end && start % sizeof canary != 0; start++) {
        if (*(const uint8_t *)start != canary_byte(canary, start))
            return false;
    }
    for (; start < end; start += sizeof canary) {
        if (*(const uint64_t *)start != canary)
            return false;
    }
    return true;
}

static void lay_canaries_behind(const struct guarded_state *guarded,
                                const struct guarded_record *record)
{
    lay_canaries(guarded->canary, record->block + record->size_bytes,
                 guarded_pages_end(record->block, record->size_bytes));
}

/* NULL, or which side of a live block was written to. */
static const char *broken_side(const struct guarded_state *guarded,
                               const struct guarded_record *record)
{
    if (!canaries_are_intact(guarded->canary, guarded_page_down(record->block), record->block))
        return "the bytes before the block were overwritten";
    if (!canaries_are_intact(guarded->canary, record->block + record->size_bytes,
                             guarded_pages_end(record->block, record->size_bytes)))
        return "the bytes behind the block were overwritten";
    return NULL;
}

/* --- Blocks ----------------------------------------------------------------------------------- */

/* A block in a place of its own; NULL, and nothing changed, if there is no place or page. */
static void *place_block(struct heap *heap, const struct heap_request *request)
{
    struct guarded_state *guarded = &heap->guarded;
    struct guarded_place place;
    uintptr_t block;
    if (!guarded_place_choose(guarded, request, &place, &block))
        return NULL;
    const struct guarded_record record = {
        .block = block,
        .size_bytes = request->size_bytes,
        .allocated_by = request->caller,
        .alignment_shift = (uint8_t)__builtin_ctzll(request->alignment_bytes),
        .life = GUARDED_LIVE,
    };
    if (!guarded_make_usable(heap, guarded_page_down(block), guarded_page_bytes(&record)))
        return NULL;
    if (!guarded_place_take(heap, &place)) {
        guarded_take_back(heap, guarded_page_down(block), guarded_page_bytes(&record));
        return NULL;
    }
    *place.record = record;
    lay_canaries(guarded->canary, guarded_page_down(block), block);
    lay_canaries_behind(guarded, &record);
    guarded->used_bytes += record.size_bytes;
    guarded->live_count++;
    heap_counters_allocate(heap_outer_counters(heap), record.size_bytes);
    return (void *)block;
}

/* Precondition: the block is live and intact. */
static void release(struct heap *heap, const struct guarded_place *place, const void *caller)
{
    struct guarded_record *record = place->record;
    guarded_take_back(heap, guarded_page_down(record->block), guarded_page_bytes(record));
    record->freed_by = caller;
    record->life = GUARDED_FREED;
    guarded_place_give_back(&heap->guarded, place);
    heap->guarded.used_bytes -= record->size_bytes;
    heap->guarded.live_count--;
    heap_counters_free(heap_outer_counters(heap), 1, record->size_bytes);
}

/* --- Validating pointers ---------------------------------------------------------------------- */

static void describe_pointer(const struct guarded_record *record, const void *pointer,
                             struct heap_fault *fault)
{
    fault->block = (const void *)record->block;
    fault->size_bytes = record->size_bytes;
    fault->allocated_by = record->allocated_by;
    if (record->life == GUARDED_LIVE) {
        fault->detail = "the pointer is not the start of a block";
        return;
    }
    fault->kind = HEAP_FAULT_DOUBLE_FREE;
    fault->is_free = true;
    fault->freed_by = record->freed_by;
    fault->detail = fault->block == pointer ? "the block is free already"
                                            : "the pointer is into memory that was freed";
}

/* True if the pointer is a live block, and intact; else the fault is recorded. Precondition: it is
 * in the window. */
static bool validate(struct heap *heap, const void *pointer, struct guarded_place *ret_place)
{
    const struct guarded_state *guarded = &heap->guarded;
    struct heap_fault fault = {.kind = HEAP_FAULT_BAD_POINTER,
                               .detail = "no block was ever at the pointer",
                               .pointer = pointer};
    if (guarded_place_find(guarded, (uintptr_t)pointer, ret_place) && ret_place->record != NULL) {
        const struct guarded_record *record = ret_place->record;
        describe_pointer(record, pointer, &fault);
        if (record->life == GUARDED_LIVE && record->block == (uintptr_t)pointer) {
            fault.kind = HEAP_FAULT_OVERRUN;
            fault.detail = broken_side(guarded, record);
            if (fault.detail == NULL)
                return true;
        }
    }
    return heap_fault_record_final(heap, &fault);
}

/* --- Sampling --------------------------------------------------------------------------------- */

/* One in `sample_interval` on average, and each of the next 2 × interval - 1 as likely: a program
 * that allocates in a rhythm has no blocks that are never chosen. */
static void begin_countdown(struct heap *heap)
{
    struct guarded_state *guarded = &heap->guarded;
    uint64_t interval = heap->configuration.guarded.sample_interval;
    uint64_t range = interval > UINT64_MAX / 2 ? UINT64_MAX : 2 * interval - 1;
    guarded->random ^= guarded->random << 13;
    guarded->random ^= guarded->random >> 7;
    guarded->random ^= guarded->random << 17;
    guarded->countdown = 1 + guarded->random % range;
}

/* True if a request that is not large is the chosen one. One that is too long for a page leaves it
 * to the next. */
static bool is_sample(struct heap *heap, const struct heap_request *request)
{
    if (request->size_bytes > HEAP_PAGE_SIZE_BYTES ||
        request->alignment_bytes > HEAP_PAGE_SIZE_BYTES) {
        heap->guarded.countdown = 1;
        return false;
    }
    begin_countdown(heap);
    return true;
}

/* Samples get no more than this part of what the heap may ever have: a page for each of many small
 * blocks would leave the policy none, and then requests fail. */
#define SAMPLES_PART 4

/* All blocks of a page lie in the first lane. */
static bool has_room_for_sample(const struct heap *heap)
{
    const struct guarded_lane *lane = &heap->guarded.lanes[0];
    size_t live_count = lane->touched_count - lane->freed_count;
    return live_count < heap->configuration.limit_bytes / SAMPLES_PART / HEAP_PAGE_SIZE_BYTES;
}

/* --- Operations ------------------------------------------------------------------------------- */

/* Kept out of the functions that every call passes, which then need no stack. */
#define RARE __attribute__((noinline, cold))

static bool is_ordinary(struct guarded_state *guarded, size_t size_bytes)
{
    return size_bytes < guarded->large_bytes && --guarded->countdown != 0;
}

/* A request that is large, or chosen. The arguments are in the order in which the calls have them
 * already. */
static RARE void *allocate_apart(struct heap *heap, size_t size_bytes, const void *caller,
                                 size_t alignment_bytes)
{
    struct guarded_state *guarded = &heap->guarded;
    const struct heap_request request = {
        size_bytes, alignment_bytes < HEAP_ALIGNMENT_BYTES ? HEAP_ALIGNMENT_BYTES : alignment_bytes,
        caller};
    bool is_large = size_bytes >= guarded->large_bytes;
    if (!is_large && !is_sample(heap, &request))
        return guarded->below->allocate_aligned(heap, size_bytes, alignment_bytes, caller);
    void *block = NULL;
    if (is_large || has_room_for_sample(heap))
        block = place_block(heap, &request);
    if (block != NULL) {
        guarded->sampled_count += !is_large;
        return block;
    }
    block = guarded->below->allocate_aligned(heap, size_bytes, alignment_bytes, caller);
    guarded->unguarded_count += block != NULL;
    return block;
}

static void *guarded_allocate(struct heap *heap, size_t size_bytes, const void *caller)
{
    if (is_ordinary(&heap->guarded, size_bytes))
        return heap->guarded.below->allocate(heap, size_bytes, caller);
    return allocate_apart(heap, size_bytes, caller, HEAP_ALIGNMENT_BYTES);
}

static void *guarded_allocate_aligned(struct heap *heap, size_t size_bytes, size_t alignment_bytes,
                                      const void *caller)
{
    if (!is_power_of_two(alignment_bytes) || is_ordinary(&heap->guarded, size_bytes))
        return heap->guarded.below->allocate_aligned(heap, size_bytes, alignment_bytes, caller);
    return allocate_apart(heap, size_bytes, caller, alignment_bytes);
}

static RARE void free_guarded(struct heap *heap, void *block, const void *caller)
{
    struct guarded_place place;
    if (validate(heap, block, &place))
        release(heap, &place, caller);
    heap_fault_report(heap, caller);
}

static void guarded_free(struct heap *heap, void *block, const void *caller)
{
    if (guarded_has(&heap->guarded, block))
        free_guarded(heap, block, caller);
    else
        heap->guarded.below->free(heap, block, caller);
}

/* It keeps its address; pages that it no longer needs go back. */
static void shrink(struct heap *heap, struct guarded_record *record, size_t size_bytes)
{
    struct guarded_state *guarded = &heap->guarded;
    uintptr_t old_end = guarded_pages_end(record->block, record->size_bytes);
    uintptr_t new_end = guarded_pages_end(record->block, size_bytes);
    if (new_end < old_end)
        guarded_take_back(heap, new_end, old_end - new_end);
    guarded->used_bytes -= record->size_bytes - size_bytes;
    heap_counters_resize(heap_outer_counters(heap), record->size_bytes, size_bytes);
    record->size_bytes = size_bytes;
    lay_canaries_behind(guarded, record);
}

/* A block that gets smaller stays, if pages of its own are still what it would get, or if there is
 * nothing else: that never fails. To grow it has to move: its end is the end of its pages. */
static void *move_or_shrink(struct heap *heap, const struct guarded_place *place, void *block,
                            size_t size_bytes, const void *caller)
{
    struct guarded_record *record = place->record;
    size_t old_bytes = record->size_bytes;
    if (size_bytes <= old_bytes && (size_bytes >= heap->guarded.large_bytes ||
                                    guarded_page_bytes(record) == HEAP_PAGE_SIZE_BYTES)) {
        shrink(heap, record, size_bytes);
        return block;
    }
    uint64_t failure_count = heap_outer_counters(heap)->failure_count;
    void *moved =
        guarded_allocate_aligned(heap, size_bytes, (size_t)1 << record->alignment_shift, caller);
    if (moved == NULL) {
        if (size_bytes > old_bytes || heap->is_corrupt)
            return NULL;
        heap_outer_counters(heap)->failure_count = failure_count;
        shrink(heap, record, size_bytes);
        return block;
    }
    memcpy(moved, block, size_bytes < old_bytes ? size_bytes : old_bytes);
    release(heap, place, caller);
    return moved;
}

static RARE void *reallocate_guarded(struct heap *heap, void *block, size_t size_bytes,
                                     const void *caller)
{
    struct guarded_place place;
    void *resized = NULL;
    if (validate(heap, block, &place))
        resized = move_or_shrink(heap, &place, block, size_bytes, caller);
    heap_fault_report(heap, caller);
    return resized;
}

/* A policy's block that becomes large. What its alignment is the policy alone knows; the address
 * has at least that. One that was large already, and found no pages, stays where it is unless it
 * grows. */
static RARE void *reallocate_to_large(struct heap *heap, void *block, size_t size_bytes,
                                      const void *caller)
{
    struct guarded_state *guarded = &heap->guarded;
    uint64_t fault_count = heap->counters.fault_count;
    size_t old_bytes = guarded->below->usable_size(heap, block, caller);
    if (heap->counters.fault_count != fault_count)
        return NULL;
    if (size_bytes <= old_bytes)
        return guarded->below->reallocate(heap, block, size_bytes, caller);
    const struct heap_request request = {size_bytes, (uintptr_t)block & -(uintptr_t)block, caller};
    void *moved = place_block(heap, &request);
    if (moved == NULL) {
        moved = guarded->below->reallocate(heap, block, size_bytes, caller);
        guarded->unguarded_count += moved != NULL;
        return moved;
    }
    memcpy(moved, block, old_bytes);
    guarded->below->free(heap, block, caller);
    return moved;
}

static void *guarded_reallocate(struct heap *heap, void *block, size_t size_bytes,
                                const void *caller)
{
    if (block == NULL)
        return guarded_allocate(heap, size_bytes, caller);
    if (!guarded_has(&heap->guarded, block)) {
        if (size_bytes < heap->guarded.large_bytes)
            return heap->guarded.below->reallocate(heap, block, size_bytes, caller);
        return reallocate_to_large(heap, block, size_bytes, caller);
    }
    if (size_bytes == 0) {
        free_guarded(heap, block, caller);
        return NULL;
    }
    return reallocate_guarded(heap, block, size_bytes, caller);
}

static RARE size_t size_of_guarded(struct heap *heap, const void *block, const void *caller)
{
    struct guarded_place place;
    size_t size_bytes = validate(heap, block, &place) ? place.record->size_bytes : 0;
    heap_fault_report(heap, caller);
    return size_bytes;
}

static size_t guarded_usable_size(struct heap *heap, const void *block, const void *caller)
{
    if (guarded_has(&heap->guarded, block))
        return size_of_guarded(heap, block, caller);
    return heap->guarded.below->usable_size(heap, block, caller);
}

static const struct heap_operations guarded_operations = {
    .allocate = guarded_allocate,
    .allocate_aligned = guarded_allocate_aligned,
    .free = guarded_free,
    .reallocate = guarded_reallocate,
    .usable_size = guarded_usable_size,
};

/* --- Beginning -------------------------------------------------------------------------------- */

enum heap_status guarded_judge(const struct guarded_configuration *configuration)
{
    if ((uintptr_t)configuration->base % HEAP_PAGE_SIZE_BYTES != 0 ||
        configuration->window_bytes % HEAP_PAGE_SIZE_BYTES != 0)
        return HEAP_UNALIGNED;
    if (configuration->base == NULL || configuration->window_bytes < GUARDED_WINDOW_MINIMUM_BYTES)
        return HEAP_TOO_SMALL;
    if (configuration->window_bytes > UINTPTR_MAX - (uintptr_t)configuration->base)
        return HEAP_TOO_LARGE;
    return HEAP_OK;
}

const struct heap_operations *guarded_install(struct heap *heap,
                                              const struct heap_operations *below)
{
    const struct guarded_configuration *configuration = &heap->configuration.guarded;
    struct guarded_state *guarded = &heap->guarded;
    uint64_t secret = heap->configuration.secret;
    *guarded = (struct guarded_state){
        .below = below,
        .base = (uintptr_t)configuration->base,
        .window_bytes = configuration->window_bytes,
        .large_bytes = configuration->large_bytes,
        .random = secret | 1, /* xorshift64 (Marsaglia, 2003) stays 0 once it is */
        .canary = canary_of(secret),
    };
    guarded_place_begin(guarded);
    if (configuration->sample_interval != 0)
        begin_countdown(heap);
    return &guarded_operations;
}

/* --- Looking at it ---------------------------------------------------------------------------- */

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

void guarded_walk(const struct heap *heap, heap_piece_visitor *visit, void *context)
{
    const struct guarded_state *guarded = &heap->guarded;
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

/* What is found by looking at every record. */
struct tally {
    size_t usable_bytes;
    size_t used_bytes;
    size_t live_count;
};

static const char *check_lane(const struct guarded_state *guarded, unsigned lane_index,
                              struct tally *tally)
{
    const struct guarded_lane *lane = &guarded->lanes[lane_index];
    uint32_t live_count = 0;
    tally->usable_bytes += lane->records_usable_bytes;
    for (uint32_t index = 0; index < lane->touched_count; index++) {
        const struct guarded_place place = guarded_place_at(guarded, lane_index, index);
        const struct guarded_record *record = place.record;
        if (record->block < place.start + HEAP_PAGE_SIZE_BYTES || record->block >= place.end ||
            record->size_bytes > place.end - record->block)
            return "a guarded block is not in its place";
        if (record->life != GUARDED_LIVE)
            continue;
        const char *problem = broken_side(guarded, record);
        if (problem != NULL)
            return problem;
        live_count++;
        tally->usable_bytes += guarded_page_bytes(record);
        tally->used_bytes += record->size_bytes;
    }
    tally->live_count += live_count;

    uint32_t index = lane->oldest_freed;
    for (uint32_t n = 0; n < lane->freed_count; n++) {
        if (index >= lane->touched_count || lane->records[index].life != GUARDED_FREED)
            return "a place that waits is not a freed one";
        if (n == lane->freed_count - 1 && index != lane->newest_freed)
            return "the list of freed places does not end with the newest";
        index = lane->records[index].next_freed;
    }
    return live_count + lane->freed_count == lane->touched_count ? NULL : "a place was lost";
}

const char *guarded_check(const struct heap *heap)
{
    const struct guarded_state *guarded = &heap->guarded;
    struct tally tally = {0};
    const char *problem = NULL;
    for (unsigned i = 0; i < guarded->lane_count && problem == NULL; i++)
        problem = check_lane(guarded, i, &tally);
    if (problem == NULL &&
        (tally.usable_bytes != guarded->usable_bytes || tally.used_bytes != guarded->used_bytes ||
         tally.live_count != guarded->live_count))
        problem = "the counters do not match the guarded blocks";
    return problem;
}
