/*
 * address.h - the kernel's own code under AddressSanitizer: `make KASAN=1`.
 *
 * The compiler calls address.c before every access to memory. That looks the address up in a
 * shadow, a byte for each 8 bytes of the heap: what no live block covers is an error, to the byte.
 * Blocks are made longer by a red zone, so that even two that touch are told apart. Only the
 * permanent heap has a shadow; guard pages and the page tables' permissions watch over the rest.
 *
 * The functions here are kmalloc.c's; without KASAN=1 they do nothing. The heap's own code is not
 * checked: its records lie where nobody else may look.
 */
#ifndef KERNEL_DIAGNOSTICS_SANITIZER_ADDRESS_H
#define KERNEL_DIAGNOSTICS_SANITIZER_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef HANDOFF_KASAN

/* So much of the heap has a shadow, and more of it is never used. */
#define ADDRESS_SHADOWED_BYTES (UINT64_C(64) << 20)
#define ADDRESS_RED_ZONE_BYTES ((size_t)32)

/* The heap begins at `base`; nothing of it is live. */
void address_begin(const void *base);

/* [block, block + size_bytes) is live, `capacity_bytes` from the block on are its own. */
void address_mark_live(const void *block, size_t size_bytes, size_t capacity_bytes);
void address_mark_free(const void *block, size_t capacity_bytes);

/* Do the named wrong access, on purpose. False for an unknown name. */
bool address_provoke(const char *name);

/* The names one by one, from index 0 on; NULL behind the last. */
const char *address_provoke_name(size_t index);

#else

#define ADDRESS_SHADOWED_BYTES UINT64_MAX
#define ADDRESS_RED_ZONE_BYTES ((size_t)0)

static inline void address_begin(const void *base)
{
    (void)base;
}

static inline void address_mark_live(const void *block, size_t size_bytes, size_t capacity_bytes)
{
    (void)block;
    (void)size_bytes;
    (void)capacity_bytes;
}

static inline void address_mark_free(const void *block, size_t capacity_bytes)
{
    (void)block;
    (void)capacity_bytes;
}

static inline bool address_provoke(const char *name)
{
    (void)name;
    return false;
}

static inline const char *address_provoke_name(size_t index)
{
    (void)index;
    return NULL;
}

#endif

#endif
