/*
 * best_fit_segment.h - a segment of the best-fit policy: its header, its place, its seal and the
 * canary behind its block. The picture is in best_fit.c.
 *
 * The functions are inline since each operation calls them for several segments.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_BEST_FIT_SEGMENT_H
#define KERNEL_MM_HEAP_POLICIES_BEST_FIT_SEGMENT_H

#include "kernel/mm/heap/heap_hash.h"
#include "kernel/mm/heap/policies/best_fit.h"

#define BEST_FIT_UNIT_BYTES ((size_t)16)

enum best_fit_kind {
    BEST_FIT_FREE = 1,
    BEST_FIT_USED = 2,
    BEST_FIT_END = 3,      /* length 0; the last header */
    BEST_FIT_TOMBSTONE = 4 /* freed, and merged with the segment before: no longer a segment */
};

struct best_fit_segment {
    uint64_t seal;
    const void *allocated_by;
    uint32_t length_units;   /* from this header to the next */
    uint32_t previous_units; /* from the header before to this one; 0 for the first */
    uint32_t slack_bytes;    /* of the payload behind the requested bytes: the canary */
    uint16_t state;
    uint16_t alignment_shift; /* 0: never a block, or no longer known */
};

/* Head of a free segment's payload. */
struct best_fit_links {
    struct best_fit_segment *next;
    struct best_fit_segment *previous;
};

#define BEST_FIT_HEADER_BYTES          sizeof(struct best_fit_segment)
#define BEST_FIT_MINIMUM_PAYLOAD_BYTES sizeof(struct best_fit_links)
#define BEST_FIT_MINIMUM_SEGMENT_BYTES (BEST_FIT_HEADER_BYTES + BEST_FIT_MINIMUM_PAYLOAD_BYTES)

_Static_assert(BEST_FIT_HEADER_BYTES == 2 * BEST_FIT_UNIT_BYTES,
               "blocks must stay aligned behind a header");
_Static_assert(BEST_FIT_MINIMUM_PAYLOAD_BYTES == BEST_FIT_UNIT_BYTES,
               "the links must fit the smallest payload");
_Static_assert(BEST_FIT_UNIT_BYTES == HEAP_ALIGNMENT_BYTES, "segments are blocks' alignment apart");

/* --- Geometry --------------------------------------------------------------------------------- */

static inline size_t best_fit_length_bytes(const struct best_fit_segment *segment)
{
    return segment->length_units * BEST_FIT_UNIT_BYTES;
}

static inline size_t best_fit_payload_bytes(const struct best_fit_segment *segment)
{
    return best_fit_length_bytes(segment) - BEST_FIT_HEADER_BYTES;
}

static inline uint8_t *best_fit_payload_of(const struct best_fit_segment *segment)
{
    return (uint8_t *)(uintptr_t)segment + BEST_FIT_HEADER_BYTES;
}

static inline struct best_fit_segment *best_fit_segment_of(const void *block)
{
    return (struct best_fit_segment *)((uintptr_t)block - BEST_FIT_HEADER_BYTES);
}

static inline struct best_fit_segment *best_fit_next_of(const struct best_fit_segment *segment)
{
    return (struct best_fit_segment *)((uintptr_t)segment + best_fit_length_bytes(segment));
}

/* NULL for the first. */
static inline struct best_fit_segment *best_fit_previous_of(const struct best_fit_segment *segment)
{
    if (segment->previous_units == 0)
        return NULL;
    return (struct best_fit_segment *)((uintptr_t)segment -
                                       segment->previous_units * BEST_FIT_UNIT_BYTES);
}

static inline struct best_fit_links *best_fit_links_of(const struct best_fit_segment *segment)
{
    return (struct best_fit_links *)(void *)best_fit_payload_of(segment);
}

static inline size_t best_fit_asked_bytes(const struct best_fit_segment *segment)
{
    return best_fit_payload_bytes(segment) - segment->slack_bytes;
}

/* True if a free segment was a block, and its requested size is still in the header. */
static inline bool best_fit_was_block(const struct best_fit_segment *segment)
{
    return segment->alignment_shift != 0;
}

static inline void best_fit_clear_block(struct best_fit_segment *segment)
{
    segment->allocated_by = NULL;
    segment->slack_bytes = 0;
    segment->alignment_shift = 0;
}

static inline size_t best_fit_payload_for(size_t size_bytes)
{
    size_t rounded =
        (size_bytes + BEST_FIT_UNIT_BYTES - 1) / BEST_FIT_UNIT_BYTES * BEST_FIT_UNIT_BYTES;
    return rounded < BEST_FIT_MINIMUM_PAYLOAD_BYTES ? BEST_FIT_MINIMUM_PAYLOAD_BYTES : rounded;
}

/* --- Seals and canaries ----------------------------------------------------------------------- */

/* The bytes of a canary, and the first byte of a seal, are in 0x80…0xbf. So they are not ASCII, 0
 * or 0xff, since an overrun often writes one of these. */
static inline uint8_t best_fit_uncommon_byte(uint64_t hash)
{
    return (uint8_t)(0x80 | (hash & 0x3f));
}

static inline uint64_t best_fit_seal_for(const struct heap *heap,
                                         const struct best_fit_segment *segment)
{
    struct heap_key key = best_fit_of(heap)->headers;
    uint64_t state = heap_hash_add(key, 0, (uintptr_t)segment, (uintptr_t)segment->allocated_by);
    state =
        heap_hash_add(key, state, (uint64_t)segment->length_units << 32 | segment->previous_units,
                      (uint64_t)segment->slack_bytes << 32 | (uint32_t)segment->state << 16 |
                          segment->alignment_shift);
    if (segment->state == BEST_FIT_FREE)
        state = heap_hash_add(key, state, (uintptr_t)best_fit_links_of(segment)->next,
                              (uintptr_t)best_fit_links_of(segment)->previous);
    uint64_t hash = heap_hash_end(key, state);
    return (hash & ~UINT64_C(0xff)) | best_fit_uncommon_byte(hash);
}

static inline void best_fit_seal(const struct heap *heap, struct best_fit_segment *segment)
{
    segment->seal = best_fit_seal_for(heap, segment);
}

static inline bool best_fit_is_sound(const struct heap *heap,
                                     const struct best_fit_segment *segment)
{
    return segment->seal == best_fit_seal_for(heap, segment);
}

/* Return the canary's byte at this address. It comes from the address, so that the bytes behind one
 * block are not those behind another one. */
static inline uint8_t best_fit_canary_byte(const struct heap *heap, const uint8_t *address)
{
    uint64_t hash = heap_hash(best_fit_of(heap)->canaries, (uintptr_t)address, 0);
    return best_fit_uncommon_byte(hash >> 58);
}

/* Write the canary behind a block. */
static inline void best_fit_write_canary(const struct heap *heap,
                                         const struct best_fit_segment *segment)
{
    uint8_t *canary = best_fit_payload_of(segment) + best_fit_asked_bytes(segment);
    for (size_t i = 0; i < segment->slack_bytes; i++)
        canary[i] = best_fit_canary_byte(heap, canary + i);
}

static inline bool best_fit_canary_is_intact(const struct heap *heap,
                                             const struct best_fit_segment *segment)
{
    const uint8_t *canary = best_fit_payload_of(segment) + best_fit_asked_bytes(segment);
    for (size_t i = 0; i < segment->slack_bytes; i++) {
        if (canary[i] != best_fit_canary_byte(heap, canary + i))
            return false;
    }
    return true;
}

#endif
