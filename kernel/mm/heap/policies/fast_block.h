/*
 * fast_block.h - blocks of the fast policy that lie in no slab, and what serves a request when a
 * slab does not.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_FAST_BLOCK_H
#define KERNEL_MM_HEAP_POLICIES_FAST_BLOCK_H

#include "kernel/mm/heap/policies/fast_class.h"

/* A block of the core, or any slot that has room. NULL if there is none; that is counted, and what
 * is corrupt is reported. The arguments are in the order in which the calls have them already. */
void *fast_block_allocate(struct heap *heap, size_t size_bytes, const void *caller,
                          size_t alignment_bytes);

/* False: the block is no live one, or something is corrupt, recorded. */
bool fast_block_free(struct heap *heap, uint8_t *block);

/* Change the size of a block of the core, of which that is the header, where it is. False: not
 * possible, or something is corrupt, recorded. */
bool fast_block_resize(struct heap *heap, uint8_t *block, uint64_t header, size_t size_bytes);

/* A slot of the class's current slab. Precondition: fast_class_has_slot(). */
static inline void *fast_block_take_slot(struct heap *heap, struct fast_class *size_class,
                                         size_t size_bytes)
{
    uint8_t *slot = fast_class_take_slot(size_class);
    if (size_class->stride_bytes != size_bytes)
        fast_slot_mark_end(slot, size_class->stride_bytes, size_bytes);
    heap_count_allocation(heap, size_bytes);
    return slot;
}

#endif
