/*
 * heap_fast.h - a heap with slabs for small blocks and segregated free lists for others.
 *
 * Every operation takes constant time. A block in a slab costs up to 16 bytes, any other block 8
 * bytes. A block of 1 to 16 KiB may take an eighth more than its size. Up to eight empty slabs are kept
 * until memory is short.
 *
 * The calls are those of heap.h.
 */
#ifndef HANDOFF_HEAP_FAST_H
#define HANDOFF_HEAP_FAST_H

#include "heap.h"

#define HEAP_FAST_STORAGE_BYTES 18544

/* For heap_configuration.storage. Its content is private. */
struct heap_fast_storage {
    _Alignas(HEAP_STORAGE_ALIGNMENT_BYTES) unsigned char content[HEAP_FAST_STORAGE_BYTES];
};

extern const struct heap_policy heap_policy_fast;

#endif
