/*
 * heap_best_fit.h - a heap of doubly linked segments. It uses the smallest one that fits.
 *
 * The time of an allocation is linear in the number of free segments. A free takes constant time. A
 * block costs 32 bytes; they also record the caller that allocated it.
 *
 * The calls are those of heap.h.
 */
#ifndef HANDOFF_HEAP_BEST_FIT_H
#define HANDOFF_HEAP_BEST_FIT_H

#include "heap.h"

#define HEAP_BEST_FIT_STORAGE_BYTES 432

/* For heap_configuration.storage. Its content is private. */
struct heap_best_fit_storage {
    _Alignas(HEAP_STORAGE_ALIGNMENT_BYTES) unsigned char content[HEAP_BEST_FIT_STORAGE_BYTES];
};

extern const struct heap_policy heap_policy_best_fit;

#endif
