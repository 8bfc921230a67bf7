#include "kernel/mm/heap/layers/heap_debug.h"

#include "kernel/mm/heap/heap_fault.h"
#include "kernel/mm/heap/heap_hash.h"
#include "kernel/mm/heap/layers/layer.h"
#include "shared/memory.h"
#include "shared/power_of_two.h"

enum record_state {
    RECORD_LIVE = 1,
    RECORD_WAITING = 2, /* freed, and not given back to the policy yet */
};

/* What runs over the end of a block meets the last words last. */
struct heap_debug_record {
    uint64_t seal;     /* of all others */
    size_t size_bytes; /* as asked for */
    const void *freed_by;
    uint8_t *next; /* block that was freed after this one; NULL for the newest, and if it is live */
    uint32_t state;
    uint32_t alignment_shift;
    const void *allocated_by;
    uint64_t owner_seal; /* of size_bytes and allocated_by */
};

typedef struct heap_debug_record record;

#define RECORD_ALIGNMENT_BYTES _Alignof(record)
#define CANARY_BYTES           ((size_t)24) /* at least, before the record */
/* More than the caller asks for, always the same. */
#define OVERHEAD_BYTES (CANARY_BYTES + sizeof(record) + RECORD_ALIGNMENT_BYTES - 1)

/* No ASCII character, no 0 and no 0xff: what runs over the end of a block is often one of these. */
#define CANARY_BYTE 0xa6

_Static_assert(RECORD_ALIGNMENT_BYTES <= HEAP_ALIGNMENT_BYTES,
               "a block's end must do for a record");
_Static_assert(CANARY_BYTES + offsetof(record, allocated_by) >= 64,
               "an overrun of 64 bytes leaves the owner");

/* --- Geometry --------------------------------------------------------------------------------- */

/* What the layer below is asked for. Precondition: the sum does not wrap. */
static size_t total_for(size_t size_bytes)
{
    return size_bytes + OVERHEAD_BYTES;
}

/* The caller's part of that. */
static size_t size_within(size_t total_bytes)
{
    return total_bytes < OVERHEAD_BYTES ? 0 : total_bytes - OVERHEAD_BYTES;
}

static record *record_at(const uint8_t *block, size_t total_bytes)
{
    size_t end = total_bytes - total_bytes % RECORD_ALIGNMENT_BYTES;
    return (record *)(uintptr_t)(block + end - sizeof(record));
}

/* Behind the canary behind the record. */
static const uint8_t *end_of(const uint8_t *block, const record *r)
{
    return block + total_for(r->size_bytes);
}

/* --- Seals, canaries, patterns ---------------------------------------------------------------- */

static uint64_t seal_for(const struct heap *heap, const record *r)
{
    uint64_t hash = heap_hash(heap->debug.secret, (uintptr_t)r);
    hash = heap_hash(hash, r->size_bytes);
    hash = heap_hash(hash, r->owner_seal);
    hash = heap_hash(hash, (uintptr_t)r->allocated_by);
    hash = heap_hash(hash, (uintptr_t)r->freed_by);
    hash = heap_hash(hash, (uintptr_t)r->next);
    return heap_hash(hash, (uint64_t)r->state << 32 | r->alignment_shift);
}

static void seal(const struct heap *heap, record *r)
{
    r->seal = seal_for(heap, r);
}

static uint64_t owner_seal_for(const struct heap *heap, const record *r, size_t size_bytes)
{
    uint64_t hash = heap_hash(heap->debug.secret, (uintptr_t)r);
    hash = heap_hash(hash, size_bytes);
    return heap_hash(hash, (uintptr_t)r->allocated_by);
}

/* Who allocated a block of that size can be believed, whatever became of the rest. */
static bool has_owner(const struct heap *heap, const record *r, size_t size_bytes)
{
    return r->owner_seal == owner_seal_for(heap, r, size_bytes);
}

static bool is_sound(const struct heap *heap, const record *r)
{
    return r->seal == seal_for(heap, r);
}

/* And it is of a block of which the policy says that it has so many bytes. */
static bool is_sound_for(const struct heap *heap, const record *r, size_t total_bytes)
{
    return is_sound(heap, r) && total_for(r->size_bytes) == total_bytes;
}

/* The first of the bytes from `start` to `end` that is not `value`, or NULL. A block that waits,
 * which begins aligned and may be large, is looked at by words. */
static const uint8_t *first_other(const uint8_t *start, const uint8_t *end, uint8_t value)
{
    const uint64_t word = value * UINT64_C(0x0101010101010101);
    const uint8_t *words_end = start;
    if ((uintptr_t)start % sizeof word == 0)
        words_end += (size_t)(end - start) / sizeof word * sizeof word;
    while (start < words_end && *(const uint64_t *)(const void *)start == word)
        start += sizeof word;
    while (start < end && *start == value)
        start++;
    return start == end ? NULL : start;
}

static bool canary_is_intact(const uint8_t *block, const record *r)
{
    return first_other(block + r->size_bytes, (const uint8_t *)r, CANARY_BYTE) == NULL &&
           first_other((const uint8_t *)(r + 1), end_of(block, r), CANARY_BYTE) == NULL;
}

static void lay_canary(uint8_t *block, record *r)
{
    uint8_t *start = block + r->size_bytes;
    uint8_t *rest = (uint8_t *)(r + 1);
    memset(start, CANARY_BYTE, (size_t)((uint8_t *)r - start));
    memset(rest, CANARY_BYTE, (size_t)(end_of(block, r) - rest));
}

/* --- Patterns ----------------------------------------------------------------------------------
 */

/* Where the part at the end begins that has a pattern, from the start of `bytes` bytes on; that at
 * the start ends there or before. */
static size_t last_edge(size_t bytes)
{
    if (bytes <= 2 * HEAP_DEBUG_EDGE_BYTES)
        return smaller(bytes, HEAP_DEBUG_EDGE_BYTES);
    size_t start = bytes - HEAP_DEBUG_EDGE_BYTES;
    return start - start % sizeof(uint64_t);
}

void heap_debug_fill_edges(uint8_t *start, size_t bytes, uint8_t value)
{
    size_t last = last_edge(bytes);
    memset(start, value, smaller(bytes, HEAP_DEBUG_EDGE_BYTES));
    memset(start + last, value, bytes - last);
}

/* The first byte of a block that waits which was written to, or NULL. */
static const uint8_t *first_written(const uint8_t *block, const record *r)
{
    size_t bytes = r->size_bytes;
    const uint8_t *first_end = block + smaller(bytes, HEAP_DEBUG_EDGE_BYTES);
    const uint8_t *written = first_other(block, first_end, HEAP_DEBUG_FREED_BYTE);
    return written != NULL
               ? written
               : first_other(block + last_edge(bytes), block + bytes, HEAP_DEBUG_FREED_BYTE);
}

/* --- Faults ----------------------------------------------------------------------------------- */

/* Say who the block is. Precondition: the record can be believed. */
static void describe(struct heap_fault *fault, const record *r)
{
    fault->is_free = r->state == RECORD_WAITING;
    fault->size_bytes = r->size_bytes;
    fault->allocated_by = r->allocated_by;
    fault->freed_by = r->freed_by;
}

/* Say what is left of it: `r` cannot be believed, and the policy knows the block's length. */
static void describe_remains(const struct heap *heap, struct heap_fault *fault, const record *r,
                             size_t total_bytes)
{
    fault->size_bytes = size_within(total_bytes);
    if (has_owner(heap, r, fault->size_bytes))
        fault->allocated_by = r->allocated_by;
}

/* `total_bytes` is what the policy says of the block. */
static void record_fault(struct heap *heap, enum heap_fault_kind kind, const void *pointer,
                         const uint8_t *block, size_t total_bytes, const char *detail)
{
    struct heap_fault fault = {.kind = kind, .detail = detail, .pointer = pointer, .block = block};
    const record *r = record_at(block, total_bytes);
    if (is_sound(heap, r)) {
        describe(&fault, r);
    } else {
        describe_remains(heap, &fault, r, total_bytes);
        fault.is_free = kind == HEAP_FAULT_WRITE_AFTER_FREE;
    }
    (void)heap_fault_record_final(heap, &fault);
}

/* How many bytes of the heap begin at `block`; 0 if it is not in the heap. */
static size_t bytes_behind(const struct heap *heap, const uint8_t *block)
{
    size_t offset = (uintptr_t)block - (uintptr_t)heap->configuration.base;
    return offset < heap->size_bytes ? heap->size_bytes - offset : 0;
}

/* A size that comes from a header which passed by chance must not lead out of the heap. */
static bool may_end_in_record(const struct heap *heap, const uint8_t *block, size_t total_bytes)
{
    return total_bytes >= OVERHEAD_BYTES && total_bytes <= bytes_behind(heap, block) &&
           (uintptr_t)block % RECORD_ALIGNMENT_BYTES == 0;
}

/* How far a record is looked for: what that takes is bounded. */
#define SEARCH_BYTES ((size_t)64 * 1024)

/* The policy has lost the block's length, as after a write before its start. The record behind it
 * is known by its owner's seal, which is of its place and the size. False if there is none near. */
static bool find_owner(const struct heap *heap, const uint8_t *block, struct heap_fault *fault)
{
    size_t limit_bytes = smaller(bytes_behind(heap, block), SEARCH_BYTES);
    if ((uintptr_t)block % RECORD_ALIGNMENT_BYTES != 0)
        return false;
    for (size_t total_bytes = OVERHEAD_BYTES; total_bytes <= limit_bytes; total_bytes++) {
        const record *r = record_at(block, total_bytes);
        if (!has_owner(heap, r, size_within(total_bytes)))
            continue;
        describe_remains(heap, fault, r, total_bytes);
        return true;
    }
    return false;
}

/* What the policy says of the size is of what it was asked for. */
void heap_debug_explain(const struct heap *heap, struct heap_fault *fault)
{
    const uint8_t *block = fault->block;
    size_t total_bytes = fault->size_bytes;
    bool is_free = fault->is_free;
    if (block == NULL || fault->free_bytes != 0)
        return;
    fault->size_bytes = 0;
    if (!may_end_in_record(heap, block, total_bytes)) {
        (void)find_owner(heap, block, fault);
        return;
    }
    const record *r = record_at(block, total_bytes);
    if (!is_sound(heap, r)) {
        if (has_owner(heap, r, size_within(total_bytes)) || !find_owner(heap, block, fault))
            describe_remains(heap, fault, r, total_bytes);
        return;
    }
    describe(fault, r);
    fault->is_free |= is_free;
    if (fault->is_free && fault->kind == HEAP_FAULT_BAD_POINTER) {
        fault->kind = HEAP_FAULT_DOUBLE_FREE;
        fault->detail = "the pointer is into a block that was freed";
    }
}

/* The record of `block` if that is a live block and intact. NULL: the fault is recorded, or the
 * layer below has reported it. */
static record *validate(struct heap *heap, const uint8_t *block, const void *caller)
{
    size_t total_bytes = heap->debug.below->usable_size(heap, block, caller);
    if (total_bytes == 0)
        return NULL;
    record *r = record_at(block, total_bytes);
    enum heap_fault_kind kind = HEAP_FAULT_OVERRUN;
    const char *detail = "the bytes behind the block were overwritten";
    if (!is_sound_for(heap, r, total_bytes)) {
        detail = "the record behind the block was overwritten";
    } else if (r->state == RECORD_WAITING) {
        kind = HEAP_FAULT_DOUBLE_FREE;
        detail = "the block is free already";
    } else if (canary_is_intact(block, r)) {
        return r;
    }
    record_fault(heap, kind, block, block, total_bytes, detail);
    return NULL;
}

/* True if nobody wrote to a block that waits; else that is recorded. */
static bool validate_untouched(struct heap *heap, const uint8_t *block, size_t total_bytes)
{
    const record *r = record_at(block, total_bytes);
    const uint8_t *written = NULL;
    const char *detail = "the record behind a freed block was written to";
    if (is_sound_for(heap, r, total_bytes)) {
        written = first_written(block, r);
        if (written == NULL && canary_is_intact(block, r))
            return true;
        detail = written == NULL ? "the bytes behind a freed block were written to"
                                 : "a freed block was written to";
    }
    record_fault(heap, HEAP_FAULT_WRITE_AFTER_FREE, written, block, total_bytes, detail);
    return false;
}

/* --- Blocks that wait ------------------------------------------------------------------------- */

/* Give the block that waits longest to the layer below. */
static bool release_oldest(struct heap *heap, const void *caller)
{
    struct heap_debug_state *debug = &heap->debug;
    uint8_t *block = debug->oldest;
    size_t total_bytes = debug->below->usable_size(heap, block, caller);
    if (total_bytes == 0)
        return false;
    if (!validate_untouched(heap, block, total_bytes))
        return false;
    debug->oldest = record_at(block, total_bytes)->next;
    debug->waiting_count--;
    debug->waiting_bytes -= total_bytes;
    uint64_t fault_count = heap->counters.fault_count;
    debug->below->free(heap, block, caller);
    return heap->counters.fault_count == fault_count;
}

bool heap_debug_flush(struct heap *heap, const void *caller)
{
    while (heap->debug.oldest != NULL) {
        if (!release_oldest(heap, caller))
            return false;
    }
    return true;
}

/* A heap that has not grown yet has little of what it may become. */
static size_t waiting_limit_bytes(const struct heap *heap)
{
    size_t final_bytes = heap->configuration.limit_bytes / HEAP_DEBUG_WAITING_PART;
    return larger(heap->size_bytes / HEAP_DEBUG_WAITING_PART,
                  smaller(final_bytes, HEAP_DEBUG_WAITING_MINIMUM_BYTES));
}

static bool is_more_than_may_wait(const struct heap *heap)
{
    return heap->debug.waiting_count > HEAP_DEBUG_WAITING_LIMIT ||
           heap->debug.waiting_bytes > waiting_limit_bytes(heap);
}

/* Append a block that validate() has accepted, and let go of those that waited longest. False:
 * something is corrupt. */
static bool let_wait(struct heap *heap, uint8_t *block, record *r, const void *caller)
{
    struct heap_debug_state *debug = &heap->debug;
    /* Its seal is about to be made anew, which must not hide that it was broken. */
    if (debug->oldest != NULL && !is_sound(heap, debug->newest_record)) {
        record_fault(heap, HEAP_FAULT_WRITE_AFTER_FREE, NULL, debug->newest,
                     total_for(debug->newest_bytes),
                     "the record behind a freed block was written to");
        return false;
    }
    r->freed_by = caller;
    r->state = RECORD_WAITING;
    seal(heap, r);
    heap_debug_fill_edges(block, r->size_bytes, HEAP_DEBUG_FREED_BYTE);
    if (debug->oldest == NULL) {
        debug->oldest = block;
    } else {
        debug->newest_record->next = block;
        seal(heap, debug->newest_record);
    }
    debug->newest = block;
    debug->newest_record = r;
    debug->newest_bytes = r->size_bytes;
    debug->waiting_count++;
    debug->waiting_bytes += total_for(r->size_bytes);
    heap_counters_free(&debug->counters, 1, r->size_bytes);
    while (is_more_than_may_wait(heap)) {
        if (!release_oldest(heap, caller))
            return false;
    }
    return true;
}

/* Free a block that validate() has accepted. False: something is corrupt, or the layer below has
 * refused it. */
static bool release(struct heap *heap, uint8_t *block, record *r, const void *caller)
{
    if (!heap_frees_newest_only(heap))
        return let_wait(heap, block, r, caller);
    size_t size_bytes = r->size_bytes;
    uint64_t fault_count = heap->counters.fault_count;
    heap->debug.below->free(heap, block, caller);
    if (heap->counters.fault_count != fault_count)
        return false;
    heap_counters_free(&heap->debug.counters, 1, size_bytes);
    return true;
}

/* --- Allocation ------------------------------------------------------------------------------- */

/* Lay canary and record behind a block that is live below. */
static void write_record(const struct heap *heap, uint8_t *block, size_t size_bytes,
                         size_t alignment_bytes, const void *caller)
{
    record *r = record_at(block, total_for(size_bytes));
    *r = (record){
        .size_bytes = size_bytes,
        .allocated_by = caller,
        .state = RECORD_LIVE,
        .alignment_shift = (uint32_t)__builtin_ctzll(alignment_bytes),
    };
    r->owner_seal = owner_seal_for(heap, r, size_bytes);
    seal(heap, r);
    lay_canary(block, r);
}

static void *take(struct heap *heap, size_t size_bytes, size_t alignment_bytes, const void *caller)
{
    const struct heap_operations *below = heap->debug.below;
    return alignment_bytes <= HEAP_ALIGNMENT_BYTES
               ? below->allocate(heap, total_for(size_bytes), caller)
               : below->allocate_aligned(heap, total_for(size_bytes), alignment_bytes, caller);
}

/* As take(); if there is no room, from what waits. `alignment_bytes` is a power of two. NULL if
 * that does not help, or something was found corrupt; not counted. */
static uint8_t *obtain(struct heap *heap, size_t size_bytes, size_t alignment_bytes,
                       const void *caller)
{
    size_t limit_bytes = heap->configuration.limit_bytes;
    if (size_bytes >= limit_bytes || alignment_bytes >= limit_bytes - size_bytes)
        return NULL;
    uint8_t *block = take(heap, size_bytes, alignment_bytes, caller);
    if (block == NULL && !heap->is_corrupt && heap->debug.oldest != NULL &&
        heap_debug_flush(heap, caller))
        block = take(heap, size_bytes, alignment_bytes, caller);
    if (block == NULL)
        return NULL;
    heap_debug_fill_edges(block, size_bytes, HEAP_DEBUG_NEW_BYTE);
    write_record(heap, block, size_bytes, alignment_bytes, caller);
    heap_counters_allocate(&heap->debug.counters, size_bytes);
    return block;
}

/* Kept out of what every call passes. */
static __attribute__((noinline)) void *fail(struct heap *heap, const void *caller)
{
    heap->debug.counters.failure_count++;
    heap_fault_report(heap, caller);
    return NULL;
}

static inline void *debug_allocate_aligned(struct heap *heap, size_t size_bytes,
                                           size_t alignment_bytes, const void *caller)
{
    uint8_t *block = NULL;
    if (is_power_of_two(alignment_bytes))
        block = obtain(heap, size_bytes, alignment_bytes, caller);
    return block != NULL ? block : fail(heap, caller);
}

static void *debug_allocate(struct heap *heap, size_t size_bytes, const void *caller)
{
    return debug_allocate_aligned(heap, size_bytes, HEAP_ALIGNMENT_BYTES, caller);
}

static void debug_free(struct heap *heap, void *block, const void *caller)
{
    if (block == NULL)
        return;
    record *r = validate(heap, block, caller);
    if (r == NULL || !release(heap, block, r, caller))
        heap_fault_report(heap, caller);
}

/* --- Re-allocation ---------------------------------------------------------------------------- */

/* Let the layer below do it: for want of room for two, or since the policy frees newest first
 * alone. The block's bytes keep their place in it; canary and record are laid anew. */
static void *resize(struct heap *heap, uint8_t *block, const record *r, size_t size_bytes,
                    const void *caller)
{
    struct heap_debug_state *debug = &heap->debug;
    size_t old_bytes = r->size_bytes;
    size_t alignment_bytes = (size_t)1 << r->alignment_shift;
    uint8_t *resized = debug->below->reallocate(heap, block, total_for(size_bytes), caller);
    if (resized == NULL)
        return NULL;
    if (size_bytes > old_bytes)
        heap_debug_fill_edges(resized + old_bytes, size_bytes - old_bytes, HEAP_DEBUG_NEW_BYTE);
    write_record(heap, resized, size_bytes, alignment_bytes, caller);
    if (resized == block) {
        heap_counters_resize(&debug->counters, old_bytes, size_bytes);
    } else {
        heap_counters_allocate(&debug->counters, size_bytes);
        heap_counters_free(&debug->counters, 1, old_bytes);
    }
    return resized;
}

/* Precondition: validate() has accepted the block. It moves wherever it can, so that whoever still
 * uses the old pointer is found. */
static void *move_or_resize(struct heap *heap, uint8_t *block, record *r, size_t size_bytes,
                            const void *caller)
{
    if (size_bytes >= heap->configuration.limit_bytes)
        return NULL;
    if (heap_frees_newest_only(heap))
        return resize(heap, block, r, size_bytes, caller);
    uint8_t *moved = obtain(heap, size_bytes, (size_t)1 << r->alignment_shift, caller);
    if (moved == NULL)
        return heap->is_corrupt ? NULL : resize(heap, block, r, size_bytes, caller);
    memcpy(moved, block, smaller(r->size_bytes, size_bytes));
    (void)release(heap, block, r, caller);
    return moved;
}

static void *debug_reallocate(struct heap *heap, void *block, size_t size_bytes, const void *caller)
{
    if (block == NULL)
        return debug_allocate(heap, size_bytes, caller);
    if (size_bytes == 0) {
        debug_free(heap, block, caller);
        return NULL;
    }
    record *r = validate(heap, block, caller);
    void *moved = NULL;
    if (r != NULL) {
        moved = move_or_resize(heap, block, r, size_bytes, caller);
        if (moved == NULL || heap->is_corrupt)
            heap->debug.counters.failure_count++;
    }
    heap_fault_report(heap, caller);
    return moved;
}

static size_t debug_usable_size(struct heap *heap, const void *block, const void *caller)
{
    if (block == NULL)
        return 0;
    const record *r = validate(heap, block, caller);
    if (r != NULL)
        return r->size_bytes;
    heap_fault_report(heap, caller);
    return 0;
}

static const struct heap_operations debug_operations = {
    .allocate = debug_allocate,
    .allocate_aligned = debug_allocate_aligned,
    .free = debug_free,
    .reallocate = debug_reallocate,
    .usable_size = debug_usable_size,
};

const struct heap_operations *heap_debug_install(struct heap *heap,
                                                 const struct heap_operations *below)
{
    heap->debug = (struct heap_debug_state){
        .below = below,
        .secret = heap_hash(heap->configuration.secret, (uintptr_t)heap->configuration.base),
    };
    return &debug_operations;
}

/* --- Looking at it ---------------------------------------------------------------------------- */

void heap_debug_adjust_survey(const struct heap *heap, struct heap_survey *survey)
{
    size_t records_bytes = survey->free_block_count * OVERHEAD_BYTES;
    survey->live_block_count -= heap->debug.waiting_count;
    survey->largest_free_bytes = size_within(survey->largest_free_bytes);
    survey->free_bytes =
        survey->free_bytes < records_bytes ? 0 : survey->free_bytes - records_bytes;
    /* Pieces that have no room for a record count for less than nothing above. */
    if (survey->free_bytes < survey->largest_free_bytes)
        survey->free_bytes = survey->largest_free_bytes;
}

struct walk {
    const struct heap *heap;
    heap_piece_visitor *visit;
    void *context;
};

/* A block whose record was overwritten stays what it is below: live. */
static void visit_adjusted(void *context, const struct heap_piece *below)
{
    const struct walk *walk = context;
    struct heap_piece piece = *below;
    if (piece.kind == HEAP_PIECE_LIVE && piece.size_bytes >= OVERHEAD_BYTES) {
        const record *r = record_at(piece.start, piece.size_bytes);
        if (is_sound(walk->heap, r)) {
            bool waits = r->state == RECORD_WAITING;
            piece.kind = waits ? HEAP_PIECE_OWN : HEAP_PIECE_LIVE;
            piece.size_bytes = waits ? 0 : r->size_bytes;
            piece.allocated_by = r->allocated_by;
        }
    }
    walk->visit(walk->context, &piece);
}

void heap_debug_walk(const struct heap *heap, heap_piece_visitor *visit, void *context)
{
    struct walk walk = {heap, visit, context};
    heap_walk_below(heap, visit_adjusted, &walk);
}

struct tally {
    const struct heap *heap;
    const char *problem; /* the first */
    size_t used_bytes;
    size_t waiting_count;
    size_t waiting_bytes;
};

static const char *tally_block(struct tally *tally, const struct heap_piece *piece)
{
    const uint8_t *block = piece->start;
    const record *r = record_at(block, piece->size_bytes);
    if (!is_sound_for(tally->heap, r, piece->size_bytes))
        return "the record behind a block was overwritten";
    if (!canary_is_intact(block, r))
        return "the bytes behind a block were overwritten";
    if (r->state != RECORD_WAITING) {
        tally->used_bytes += r->size_bytes;
        return NULL;
    }
    tally->waiting_count++;
    tally->waiting_bytes += piece->size_bytes;
    return first_written(block, r) == NULL ? NULL : "a freed block was written to";
}

static void tally_piece(void *context, const struct heap_piece *piece)
{
    struct tally *tally = context;
    if (piece->kind == HEAP_PIECE_LIVE && tally->problem == NULL)
        tally->problem = tally_block(tally, piece);
}

const char *heap_debug_check(const struct heap *heap)
{
    const struct heap_debug_state *debug = &heap->debug;
    struct tally tally = {.heap = heap};
    heap_walk_below(heap, tally_piece, &tally);
    if (tally.problem != NULL)
        return tally.problem;
    if (tally.used_bytes + heap->guarded.used_bytes != heap_counters_used_bytes(&debug->counters))
        return "the counters of the layer above do not match the blocks";
    if (tally.waiting_count != debug->waiting_count || tally.waiting_bytes != debug->waiting_bytes)
        return "the freed blocks that wait are not those that were counted";
    return NULL;
}
