/*
 * heap_debug_record.h - the record behind a block, its seals and the canary around it (the picture
 * is in heap_debug.h).
 *
 * "Total" bytes are the size that is requested from the level below.
 */
#ifndef KERNEL_MM_HEAP_LAYERS_HEAP_DEBUG_RECORD_H
#define KERNEL_MM_HEAP_LAYERS_HEAP_DEBUG_RECORD_H

#include "kernel/mm/heap/heap_hash.h"
#include "kernel/mm/heap/layers/heap_debug_pattern.h"

enum heap_debug_record_state {
    HEAP_DEBUG_LIVE = 1,
    HEAP_DEBUG_QUARANTINED = 2, /* freed, and not given back to the policy yet */
};

/* An overrun reaches the last words last, so the owner is there. */
struct heap_debug_record {
    uint64_t seal;     /* of all others */
    size_t size_bytes; /* as requested */
    const void *freed_by;
    uint8_t *next; /* the next freed block; NULL for the newest and for a live one */
    uint32_t state;
    uint32_t alignment_shift;
    const void *allocated_by;
    uint64_t owner_seal; /* of size_bytes and allocated_by */
};

#define HEAP_DEBUG_RECORD_ALIGNMENT_BYTES _Alignof(struct heap_debug_record)
#define HEAP_DEBUG_CANARY_BYTES           ((size_t)24) /* at least, before the record */
/* The bytes that the layer adds to each request. */
#define HEAP_DEBUG_OVERHEAD_BYTES                                                                  \
    (HEAP_DEBUG_CANARY_BYTES + sizeof(struct heap_debug_record) +                                  \
     HEAP_DEBUG_RECORD_ALIGNMENT_BYTES - 1)

_Static_assert(HEAP_DEBUG_RECORD_ALIGNMENT_BYTES <= HEAP_ALIGNMENT_BYTES,
               "a block's end must do for a record");
_Static_assert(HEAP_DEBUG_CANARY_BYTES + offsetof(struct heap_debug_record, allocated_by) >= 64,
               "an overrun of 64 bytes leaves the owner");

/* --- Geometry --------------------------------------------------------------------------------- */

/* Precondition: the sum does not wrap. */
static inline size_t heap_debug_total_for(size_t size_bytes)
{
    return size_bytes + HEAP_DEBUG_OVERHEAD_BYTES;
}

/* Return the caller's part of the total. */
static inline size_t heap_debug_size_within(size_t total_bytes)
{
    return total_bytes < HEAP_DEBUG_OVERHEAD_BYTES ? 0 : total_bytes - HEAP_DEBUG_OVERHEAD_BYTES;
}

static inline struct heap_debug_record *heap_debug_record_at(const uint8_t *block,
                                                             size_t total_bytes)
{
    size_t end = total_bytes - total_bytes % HEAP_DEBUG_RECORD_ALIGNMENT_BYTES;
    return (struct heap_debug_record *)(uintptr_t)(block + end - sizeof(struct heap_debug_record));
}

/* --- Seals ------------------------------------------------------------------------------------ */

static inline uint64_t heap_debug_seal_for(const struct heap_debug *debug,
                                           const struct heap_debug_record *record)
{
    struct heap_key key = debug->key;
    uint64_t state = heap_hash_add(key, 0, (uintptr_t)record, record->size_bytes);
    state = heap_hash_add(key, state, record->owner_seal, (uintptr_t)record->allocated_by);
    state = heap_hash_add(key, state, (uintptr_t)record->freed_by, (uintptr_t)record->next);
    state = heap_hash_add(key, state, record->state, record->alignment_shift);
    return heap_hash_end(key, state);
}

static inline void heap_debug_record_seal(const struct heap_debug *debug,
                                          struct heap_debug_record *record)
{
    record->seal = heap_debug_seal_for(debug, record);
}

static inline bool heap_debug_record_is_sound(const struct heap_debug *debug,
                                              const struct heap_debug_record *record)
{
    return record->seal == heap_debug_seal_for(debug, record);
}

/* True if the record is sound, and its size fits the total size of the block below. */
static inline bool heap_debug_record_is_of(const struct heap_debug *debug,
                                           const struct heap_debug_record *record,
                                           size_t total_bytes)
{
    return heap_debug_record_is_sound(debug, record) &&
           heap_debug_total_for(record->size_bytes) == total_bytes;
}

static inline uint64_t heap_debug_owner_seal_for(const struct heap_debug *debug,
                                                 const struct heap_debug_record *record,
                                                 size_t size_bytes)
{
    struct heap_key key = debug->key;
    uint64_t state = heap_hash_add(key, 0, (uintptr_t)record, size_bytes);
    state = heap_hash_add(key, state, (uintptr_t)record->allocated_by, 0);
    return heap_hash_end(key, state);
}

/* True if the owner in the record can be trusted for a block of this size, even if the rest of the
 * record is overwritten. */
static inline bool heap_debug_record_has_owner(const struct heap_debug *debug,
                                               const struct heap_debug_record *record,
                                               size_t size_bytes)
{
    return record->owner_seal == heap_debug_owner_seal_for(debug, record, size_bytes);
}

/* --- Canaries --------------------------------------------------------------------------------- */

/* The canary's bytes are those of the record's second seal, which comes from the key and the
 * record's address. */
static inline uint8_t heap_debug_canary_byte(const struct heap_debug_record *record,
                                             const uint8_t *address)
{
    return (uint8_t)(record->owner_seal >> (uintptr_t)address % 8 * 8);
}

static inline bool heap_debug_canary_has(const struct heap_debug_record *record,
                                         const uint8_t *start, const uint8_t *end)
{
    unsigned difference = 0;
    for (const uint8_t *byte = start; byte < end; byte++)
        difference |= *byte ^ (unsigned)heap_debug_canary_byte(record, byte);
    return difference == 0;
}

static inline void heap_debug_canary_fill(const struct heap_debug_record *record, uint8_t *start,
                                          const uint8_t *end)
{
    for (uint8_t *byte = start; byte < end; byte++)
        *byte = heap_debug_canary_byte(record, byte);
}

/* Return the end of the canary behind the record. */
static inline const uint8_t *heap_debug_record_end_of(const uint8_t *block,
                                                      const struct heap_debug_record *record)
{
    return block + heap_debug_total_for(record->size_bytes);
}

/* Precondition: the record is sound. */
static inline bool heap_debug_canary_is_intact(const uint8_t *block,
                                               const struct heap_debug_record *record)
{
    const uint8_t *before = (const uint8_t *)record;
    const uint8_t *behind = (const uint8_t *)(record + 1);
    return heap_debug_canary_has(record, block + record->size_bytes, before) &&
           heap_debug_canary_has(record, behind, heap_debug_record_end_of(block, record));
}

static inline void heap_debug_canary_lay(uint8_t *block, struct heap_debug_record *record)
{
    heap_debug_canary_fill(record, block + record->size_bytes, (const uint8_t *)record);
    heap_debug_canary_fill(record, (uint8_t *)(record + 1),
                           heap_debug_record_end_of(block, record));
}

/* Write canaries and record behind a block that is live in the level below. */
static inline void heap_debug_record_write(const struct heap_debug *debug, uint8_t *block,
                                           size_t size_bytes, size_t alignment_bytes,
                                           const void *caller)
{
    struct heap_debug_record *record =
        heap_debug_record_at(block, heap_debug_total_for(size_bytes));
    *record = (struct heap_debug_record){
        .size_bytes = size_bytes,
        .allocated_by = caller,
        .state = HEAP_DEBUG_LIVE,
        .alignment_shift = (uint32_t)__builtin_ctzll(alignment_bytes),
    };
    record->owner_seal = heap_debug_owner_seal_for(debug, record, size_bytes);
    heap_debug_record_seal(debug, record);
    heap_debug_canary_lay(block, record);
}

#endif
