/*
 * fast_own.h - own blocks: blocks of the core that the fast policy itself uses. They hold the pages
 * of slabs, their records and the map.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_FAST_OWN_H
#define KERNEL_MM_HEAP_POLICIES_FAST_OWN_H

#include "kernel/mm/heap/policies/fast_core.h"

/* The alignment field in the header of such a block holds its kind. */
enum fast_own {
    FAST_OWN_PAGES,   /* of a slab, or a piece of a dissolved one (fast_piece.h) */
    FAST_OWN_RECORDS, /* of slabs (fast_record.h) */
    FAST_OWN_LEAF,    /* of the map (fast_map.h) */
    FAST_OWN_MAP,
    FAST_OWN_ABSENT, /* free memory without pages (fast_absent.h) */
};

static inline enum fast_own fast_own_kind(uint64_t header)
{
    return (enum fast_own)(header >> SEALED_ALIGNMENT_SHIFT);
}

/* Complete the header of a block that was taken from the core. */
static inline void fast_own_write_header(const struct heap *heap, enum fast_own kind,
                                         uint8_t *block, uint64_t header)
{
    const uint64_t kept = SEALED_UNITS_MASK | SEALED_PREVIOUS_FREE;
    sealed_write_header(fast_of(heap)->core.secret, block,
                        (header & kept) | SEALED_OWN | (uint64_t)kind << SEALED_ALIGNMENT_SHIFT);
}

/* The core had no memory: merge some of the kept blocks, or let the heap grow. NULL: as below. */
uint8_t *fast_own_take_more(struct heap *heap, const struct heap_request *request,
                            uint64_t *ret_header);

/* Return a block. NULL: there is no memory, or the heap is corrupt and the fault is recorded. The
 * heap grows only if the argument allows it. */
void *fast_own_take(struct heap *heap, enum fast_own kind, const struct heap_request *request,
                    bool may_grow);

/* The same for an aligned block. `units` are those of the request. */
static inline uint8_t *fast_own_take_aligned(struct heap *heap, enum fast_own kind,
                                             const struct heap_request *request, size_t units,
                                             bool may_grow)
{
    uint64_t header;
    uint8_t *block = fast_core_take_aligned(heap, units, request->alignment_bytes, &header);
    if (block == NULL && may_grow)
        block = fast_own_take_more(heap, request, &header);
    if (block != NULL)
        fast_own_write_header(heap, kind, block, header);
    return block;
}

/* Free the block. In a corrupt heap this does nothing. */
void fast_own_release(struct heap *heap, void *block);

#endif
