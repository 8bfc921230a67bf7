/*
 * heap_hash.h - the hash for seals over several words.
 */
#ifndef KERNEL_MM_HEAP_HEAP_HASH_H
#define KERNEL_MM_HEAP_HEAP_HASH_H

#include <stdint.h>

/* Return `hash` with one more word mixed in. Begin with the heap's secret. The multiplier is that
 * of sealed_hash() (sealed_block.h). */
static inline uint64_t heap_hash(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

#endif
