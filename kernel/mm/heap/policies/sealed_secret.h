/*
 * sealed_secret.h - the keys of a heap whose blocks are sealed (sealed_block.h).
 */
#ifndef KERNEL_MM_HEAP_POLICIES_SEALED_SECRET_H
#define KERNEL_MM_HEAP_POLICIES_SEALED_SECRET_H

#include "kernel/mm/heap/heap_hash.h"

/* One leaked key does not give the other one. */
struct sealed_secret {
    struct heap_key headers;
    struct heap_key canaries;
};

/* Derive the keys from the configured secret and the first 8 bytes of the heap's memory. No block
 * covers these bytes, and each new heap in this memory changes them. So a header of an earlier heap
 * with the same secret is not valid in this heap. */
struct sealed_secret sealed_begin_life(void *base, uint64_t secret);

#endif
