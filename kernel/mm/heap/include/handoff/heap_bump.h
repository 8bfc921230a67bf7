/*
 * heap_bump.h - a heap of one pointer that moves up.
 *
 * Only the newest block can be freed; any other is a fault (BAD_POINTER). A block that is not the
 * newest can be made smaller, and as large again as it was; beyond that heap_reallocate() returns
 * NULL. What it gives up is used again when the block behind it has been freed. A block costs 8
 * bytes. The layer of guarded.h is left out.
 *
 * The calls are those of heap.h.
 */
#ifndef HANDOFF_HEAP_BUMP_H
#define HANDOFF_HEAP_BUMP_H

#include "heap.h"

#define HEAP_BUMP_STORAGE_BYTES 384

/* For heap_configuration.storage. Its content is private. */
struct heap_bump_storage {
    _Alignas(HEAP_STORAGE_ALIGNMENT_BYTES) unsigned char content[HEAP_BUMP_STORAGE_BYTES];
};

extern const struct heap_policy heap_policy_bump;

#endif
