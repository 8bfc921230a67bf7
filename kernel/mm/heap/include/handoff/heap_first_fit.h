/*
 * heap_first_fit.h - a heap with a list of free blocks in order of address.
 *
 * It uses the first free block that fits. A freed block is merged with its neighbours at once. The
 * time of both operations is linear in the number of free blocks. A block costs 8 bytes.
 *
 * The calls are those of heap.h.
 */
#ifndef HANDOFF_HEAP_FIRST_FIT_H
#define HANDOFF_HEAP_FIRST_FIT_H

#include "heap.h"

#define HEAP_FIRST_FIT_STORAGE_BYTES 432

/* For heap_configuration.storage. Its content is private. */
struct heap_first_fit_storage {
    _Alignas(HEAP_STORAGE_ALIGNMENT_BYTES) unsigned char content[HEAP_FIRST_FIT_STORAGE_BYTES];
};

extern const struct heap_policy heap_policy_first_fit;

#endif
