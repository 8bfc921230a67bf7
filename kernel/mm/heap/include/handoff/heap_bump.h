/*
 * heap_bump.h - a heap of one pointer that moves up.
 *
 * Only the newest block can be freed; any other is a fault (BAD_POINTER). An older block can
 * shrink, and grow again up to its first size. For a larger size heap_reallocate() returns NULL.
 * The memory that a shrunk block gives up is used again when the block behind it has been freed. A
 * block costs 8 bytes. The layer of guarded.h is left out.
 *
 * The calls are those of heap.h.
 */
#ifndef HANDOFF_HEAP_BUMP_H
#define HANDOFF_HEAP_BUMP_H

#include "heap.h"

#define HEAP_BUMP_STORAGE_BYTES 432

/* For heap_configuration.storage. Its content is private. */
struct heap_bump_storage {
    _Alignas(HEAP_STORAGE_ALIGNMENT_BYTES) unsigned char content[HEAP_BUMP_STORAGE_BYTES];
};

extern const struct heap_policy heap_policy_bump;

#endif
