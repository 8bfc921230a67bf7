/*
 * fast_canary.h - the canary words of slots. They come from a key of the heap and an address.
 *
 * A canary protects against errors, not against a caller who can read freed or foreign memory: who
 * has read two canaries knows the keys. They do not give away the secret of the seals.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_FAST_CANARY_H
#define KERNEL_MM_HEAP_POLICIES_FAST_CANARY_H

#include "kernel/mm/heap/heap_checks.h"
#include "kernel/mm/heap/policies/fast.h"

/* Return the canary for this address. The product moves each bit of the address to all higher bits,
 * and the key to the lowest bits. */
static inline uint64_t fast_canary(const struct fast_state *fast, uintptr_t address)
{
    const struct heap_key *key = &fast->core.secret.canaries;
    return HEAP_CHECKS ? (address ^ key->first) * key->odd : 0;
}

#endif
