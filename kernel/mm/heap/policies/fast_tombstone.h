/*
 * fast_tombstone.h - the tombstone of a closed slab, which stays until its memory is used again.
 *
 * Its pages begin with a tombstone (sealed_block.h) that has `own` set and, instead of units, the
 * slab's class and how many pages it had.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_FAST_TOMBSTONE_H
#define KERNEL_MM_HEAP_POLICIES_FAST_TOMBSTONE_H

#include "kernel/mm/heap/policies/fast_class.h"

void fast_tombstone_write(const struct fast_state *fast, uint8_t *pages,
                          const struct fast_slab *slab);

/* True if the address was a slot of a closed slab, and the memory has not been used since. The
 * result is then the last requested size. Precondition: the address is in free memory of the core.
 */
bool fast_tombstone_find_slot(const struct fast_state *fast, const uint8_t *address,
                              size_t *ret_size_bytes);

#endif
