/*
 * fast_validate.h - validate a pointer in a fast heap, and record the fault of a bad one.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_FAST_VALIDATE_H
#define KERNEL_MM_HEAP_POLICIES_FAST_VALIDATE_H

#include "kernel/mm/heap/policies/fast_slot.h"

/* Validate a slot that the usual test refuses: it may have an unusual end. False: the fault is
 * recorded. */
bool fast_validate_other_slot(struct heap *heap, const struct fast_slab *slab, const uint8_t *slot,
                              unsigned *ret_index, size_t *ret_size_bytes);

/* True if the pointer is a live block of the slab, and intact. False: the fault is recorded. */
static inline bool fast_validate_slot(struct heap *heap, const struct fast_slab *slab,
                                      const uint8_t *slot, unsigned *ret_index,
                                      size_t *ret_size_bytes)
{
    uint64_t free_word;
    return (fast_slot_index(slab, slot, ret_index) && !fast_slot_is_free(slab, *ret_index) &&
            fast_slot_is_intact(fast_of(heap), slab, slot, ret_size_bytes, &free_word)) ||
           fast_validate_other_slot(heap, slab, slot, ret_index, ret_size_bytes);
}

/* True if the pointer is a live block of the core, and intact. False: the fault is recorded. */
bool fast_validate_block(struct heap *heap, const uint8_t *block, uint64_t *ret_header);

#endif
