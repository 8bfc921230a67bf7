/*
 * fast_canary.h - the canary words of slots. They come from the heap's secret and an address, and
 * only here.
 *
 * A canary protects against errors, not against a caller who can read freed or foreign memory: who
 * has read two canaries knows the keys. They do not give away the secret of the seals.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_FAST_CANARY_H
#define KERNEL_MM_HEAP_POLICIES_FAST_CANARY_H

#include "kernel/mm/heap/heap_checks.h"
#include "kernel/mm/heap/heap_hash.h"
#include "kernel/mm/heap/policies/fast.h"

static inline void fast_canary_begin(struct fast_state *fast, uint64_t secret)
{
    fast->canary_key = heap_hash(heap_hash(secret, 1), 1);
    fast->canary_factor = heap_hash(heap_hash(secret, 2), 2) | 1;
}

/* Return the canary for this address. The product moves each bit of the address to all higher bits,
 * and the key to the lowest bits. */
static inline uint64_t fast_canary(const struct fast_state *fast, uintptr_t address)
{
    return HEAP_CHECKS ? (address ^ fast->canary_key) * fast->canary_factor : 0;
}

#endif
