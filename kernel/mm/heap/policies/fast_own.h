/*
 * fast_own.h - own blocks: blocks of the core that the fast policy itself uses. They hold the pages
 * of slabs, their records and the map.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_FAST_OWN_H
#define KERNEL_MM_HEAP_POLICIES_FAST_OWN_H

#include "kernel/mm/heap/policies/fast_core.h"

/* The alignment field in the header of such a block holds its kind. */
enum fast_own {
    FAST_OWN_PAGES, /* of a slab, or a piece of a dissolved one (fast_piece.h) */
    FAST_OWN_SLAB,  /* records of slabs (fast_record.h) */
    FAST_OWN_LEAF,  /* of the map (fast_map.h) */
    FAST_OWN_MAP,
    FAST_OWN_ABSENT, /* free memory without pages (fast_absent.h) */
};

static inline enum fast_own fast_own_kind(uint64_t header)
{
    return (enum fast_own)(header >> SEALED_ALIGNMENT_SHIFT);
}

/* Return a block. NULL: there is no memory, or the heap is corrupt and the fault is recorded. The
 * heap grows only if the argument allows it. */
void *fast_own_take(struct heap *heap, enum fast_own kind, const struct heap_request *request,
                    bool may_grow);

/* Free the block. In a corrupt heap this does nothing. */
void fast_own_release(struct heap *heap, void *block);

#endif
