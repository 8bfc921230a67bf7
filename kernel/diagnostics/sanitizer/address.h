/*
 * address.h - the kernel's code under AddressSanitizer: `make KASAN=1`.
 *
 * The compiler calls address.c before every access to memory. The call looks the address up in a
 * shadow with one byte for each 8 bytes of the heap. An access to a byte outside of every live
 * block is an error. A red zone behind each block separates neighbours. Only the permanent heap has
 * a shadow. Guard pages and the permissions of the page tables protect other memory.
 *
 * kmalloc.c calls these functions; without KASAN=1 they do nothing. The heap's own code is not
 * checked, since its records lie outside of live blocks.
 */
#ifndef KERNEL_DIAGNOSTICS_SANITIZER_ADDRESS_H
#define KERNEL_DIAGNOSTICS_SANITIZER_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef HANDOFF_KASAN

/* The part of the heap that has a shadow. The heap never grows beyond it. */
#define ADDRESS_SHADOWED_BYTES (UINT64_C(64) << 20)
#define ADDRESS_RED_ZONE_BYTES ((size_t)32)

/* Set the start of the heap to `base`. It has no live block yet. */
void address_begin(const void *base);

/* Mark [block, block + size_bytes) as live. The block has `capacity_bytes` in total. */
void address_mark_live(const void *block, size_t size_bytes, size_t capacity_bytes);
void address_mark_free(const void *block, size_t capacity_bytes);

/* Do the named wrong access, on purpose. Return false for an unknown name. */
bool address_provoke(const char *name);

/* Return a name by index, from 0 on; NULL behind the last. */
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
