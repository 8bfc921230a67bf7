/*
 * fast_own.h - memory of the fast policy's own: blocks of the core that no caller has.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_FAST_OWN_H
#define KERNEL_MM_HEAP_POLICIES_FAST_OWN_H

#include "kernel/mm/heap/policies/fast_core.h"

/* The policy's own blocks say in the header's alignment field what they are. */
enum fast_own {
    FAST_OWN_PAGES,
    FAST_OWN_SLAB,
    FAST_OWN_LEAF,
    FAST_OWN_MAP,
};

static inline enum fast_own fast_own_kind(uint64_t header)
{
    return (enum fast_own)(header >> SEALED_ALIGNMENT_SHIFT);
}

/* NULL if there is none, without growing unless the heap may grow for it; or if something is
 * corrupt, recorded. */
void *fast_own_take(struct heap *heap, enum fast_own kind, const struct heap_request *request,
                    bool may_grow);

/* Nothing happens in a heap that is corrupt. */
void fast_own_release(struct heap *heap, void *block);

#endif
