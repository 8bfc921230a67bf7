/*
 * fast_dissolve.h - sparse slabs become memory of the core, so that other sizes can use it.
 *
 * A slab is sparse when a free leaves few live blocks in it. Its class still allocates from it if
 * it has no better slab. If another class needs memory meanwhile, the slab is dissolved, a few runs
 * of free slots at each request (fast_piece.h). The current slab of a class is sparse, too, if it
 * has few live blocks and other classes used up many slabs meanwhile.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_FAST_DISSOLVE_H
#define KERNEL_MM_HEAP_POLICIES_FAST_DISSOLVE_H

#include "kernel/mm/heap/policies/fast_piece.h"

/* True if a sparse slab has memory for the core. */
static inline bool fast_dissolve_is_due(const struct fast_state *fast)
{
    uint64_t sparse_classes = 0;
    for (size_t w = 0; w < FAST_SPARSE_WORDS; w++)
        sparse_classes |= fast->sparse_classes[w];
    return fast->dissolving != NULL || sparse_classes != 0;
}

/* Give a bounded amount of the memory of sparse slabs to the core. Call this after a request that
 * needed more memory than its class had. In a corrupt heap this does nothing. */
void fast_dissolve_step(struct heap *heap);

/* Dissolve all sparse slabs. */
void fast_dissolve_all(struct heap *heap);

/* Free a live slot of a dissolved slab. The free is counted already. */
void fast_dissolve_free(struct heap *heap, struct fast_slab *slab, unsigned index,
                        size_t size_bytes);

#endif
