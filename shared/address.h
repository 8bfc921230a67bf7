/*
 * address.h - two kinds of address as separate types, so that the compiler tells them apart.
 *
 * Physical and virtual addresses are both 64-bit numbers, and programs of this kind often confuse
 * them. A struct with one member costs nothing, and the compiler does not convert it silently.
 */
#ifndef SHARED_ADDRESS_H
#define SHARED_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#define PAGE_SHIFT      12
#define PAGE_SIZE_BYTES (UINT64_C(1) << PAGE_SHIFT)
#define PAGE_MASK       (PAGE_SIZE_BYTES - 1)

#define KIB UINT64_C(1024)
#define MIB (UINT64_C(1024) * KIB)
#define GIB (UINT64_C(1024) * MIB)
#define TIB (UINT64_C(1024) * GIB)

struct phys_addr {
    uint64_t value;
};

struct virt_addr {
    uint64_t value;
};

static inline struct phys_addr phys_addr(uint64_t value)
{
    return (struct phys_addr){value};
}

static inline struct virt_addr virt_addr(uint64_t value)
{
    return (struct virt_addr){value};
}

static inline struct phys_addr phys_addr_add(struct phys_addr base, uint64_t bytes)
{
    return (struct phys_addr){base.value + bytes};
}

static inline struct virt_addr virt_addr_add(struct virt_addr base, uint64_t bytes)
{
    return (struct virt_addr){base.value + bytes};
}

static inline bool page_is_aligned(uint64_t value)
{
    return (value & PAGE_MASK) == 0;
}

static inline uint64_t page_align_down(uint64_t value)
{
    return value & ~PAGE_MASK;
}

/* A value in the last page of the address space wraps to 0: check untrusted numbers first. */
static inline uint64_t page_align_up(uint64_t value)
{
    return (value + PAGE_MASK) & ~PAGE_MASK;
}

#endif
