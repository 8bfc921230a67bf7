/*
 * fast_dissolve.h - sparse slabs become memory of the core, so that other sizes can use it.
 *
 * A slab is sparse when a free leaves live blocks in at most half of its slots. Its class still
 * allocates from it if it has no better slab. When the sparse slabs have a large part of the used
 * memory, one of them is dissolved. Each request that takes memory of the core then turns one run
 * of its free slots into a free block (fast_piece.h). The current slab of a class becomes sparse,
 * too, if it has as few live blocks, and other classes used up many words of slots meanwhile.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_FAST_DISSOLVE_H
#define KERNEL_MM_HEAP_POLICIES_FAST_DISSOLVE_H

#include "kernel/mm/heap/policies/fast_piece.h"

/* Slabs are dissolved while the sparse ones have more than this part of the used memory. A heap
 * whose sizes change all the time always has some sparse slabs, and needs them again at once.
 * Measured: if one sparse slab was enough, churn took six times as long. */
#define FAST_SPARSE_DUE_PART 4

/* True if the sparse slabs have much memory for the core. */
static inline bool fast_dissolve_is_due(const struct fast_state *fast)
{
    if ((fast->sparse_page_count | (uintptr_t)fast->dissolving) == 0)
        return false;
    size_t used_units =
        fast->core.end_place - fast_core_free_units(&fast->core) - fast->absent.units;
    size_t sparse_units = fast->sparse_page_count * (FAST_PAGE_BYTES / SEALED_UNIT_BYTES);
    return fast->dissolving != NULL || sparse_units > used_units / FAST_SPARSE_DUE_PART;
}

/* Look at one class's current slab. It becomes sparse if the class has not needed another word of
 * slots for long. Call this after a free that counted a slab's live blocks down. */
void fast_dissolve_look(struct heap *heap);

/* The same, and give a bounded amount of the memory of sparse slabs to the core. Call this after
 * another request that needed more memory than its class had. In a corrupt heap this does
 * nothing. */
void fast_dissolve_step(struct heap *heap);

/* Dissolve all sparse slabs. */
void fast_dissolve_all(struct heap *heap);

/* Free a live slot of a dissolved slab. The free is counted already. */
void fast_dissolve_free(struct heap *heap, struct fast_slab *slab, unsigned index,
                        size_t size_bytes);

#endif
