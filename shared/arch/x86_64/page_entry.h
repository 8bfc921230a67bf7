/*
 * page_entry.h - the entries of x86-64 page tables: made and read here, nowhere else.
 *
 * Levels are counted from the bottom: 1 = page table (4 KiB pages), 2 = page directory (2 MiB),
 * 3 = page-directory-pointer table (1 GiB), 4 = PML4, 5 = PML5. A "leaf" maps a page; any other
 * present entry refers to the table one level below.
 *
 *    63 62        52 51                       12 11   9  8   7  6  5   4   3  2  1  0
 *   +--+------------+---------------------------+------+--+---+--+--+---+---+--+--+--+
 *   |NX|  ignored   |  physical address         | ours |G |PS |D |A |PCD|PWT|U |W |P |
 *   +--+------------+---------------------------+------+--+---+--+--+---+---+--+--+--+
 *
 * Bit 7 is PS ("this is a large page") at levels 2 and 3, but PAT in a 4 KiB entry; a large page
 * has its PAT in bit 12. (Intel SDM Vol. 3A, 4.5, tables 4-14 to 4-20; 4.9.2 for PAT.)
 *
 * Pure: compiled for the host as it is.
 */
#ifndef SHARED_ARCH_X86_64_PAGE_ENTRY_H
#define SHARED_ARCH_X86_64_PAGE_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/address.h"
#include "shared/page_table.h"

#define PAGE_ENTRY_COUNT 512u /* in a table of any level */

#define PAGE_LEVEL_4KIB 1u
#define PAGE_LEVEL_2MIB 2u
#define PAGE_LEVEL_1GIB 3u

#define PAGE_ENTRY_PRESENT       (UINT64_C(1) << 0)
#define PAGE_ENTRY_WRITE         (UINT64_C(1) << 1)
#define PAGE_ENTRY_USER          (UINT64_C(1) << 2)
#define PAGE_ENTRY_WRITE_THROUGH (UINT64_C(1) << 3)
#define PAGE_ENTRY_CACHE_DISABLE (UINT64_C(1) << 4)
#define PAGE_ENTRY_ACCESSED      (UINT64_C(1) << 5)
#define PAGE_ENTRY_DIRTY         (UINT64_C(1) << 6)
#define PAGE_ENTRY_LARGE         (UINT64_C(1) << 7)
#define PAGE_ENTRY_PAT_4KIB      (UINT64_C(1) << 7)
#define PAGE_ENTRY_GLOBAL        (UINT64_C(1) << 8)
/* One of the bits that the CPU ignores: the table below belongs to another root. */
#define PAGE_ENTRY_BORROWED   (UINT64_C(1) << 9)
#define PAGE_ENTRY_PAT_LARGE  (UINT64_C(1) << 12)
#define PAGE_ENTRY_NO_EXECUTE (UINT64_C(1) << 63)

#define PAGE_ENTRY_ADDRESS_MASK UINT64_C(0x000ffffffffff000)

/* IA32_PAT (MSR 0x277), a byte an entry. Entries 0-3 are the power-on values write-back,
 * write-through, UC- and uncached, so tables that do not use bit PAT mean the same before and after
 * it is loaded. Entry 5 (PAT and PWT), write-through at power-on, becomes write-combining.
 * (Intel SDM Vol. 3A, 12.12.4) */
#define PAGE_ENTRY_PAT_MSR_VALUE UINT64_C(0x0007010600070406)

/* Bytes that one entry of a table of this level covers. Precondition: level 1…5. */
static inline uint64_t page_entry_span_bytes(unsigned level)
{
    // NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): it does not see the levels
    return PAGE_SIZE_BYTES << (9 * (level - 1));
}

/* Which entry of a table of this level translates the address. */
static inline unsigned page_entry_index(struct virt_addr virtual, unsigned level)
{
    return (unsigned)(virtual.value / page_entry_span_bytes(level)) % PAGE_ENTRY_COUNT;
}

static inline bool page_entry_is_present(uint64_t entry)
{
    return (entry & PAGE_ENTRY_PRESENT) != 0;
}

/* Precondition: the entry is present. */
static inline bool page_entry_is_leaf(uint64_t entry, unsigned level)
{
    return level == PAGE_LEVEL_4KIB || (entry & PAGE_ENTRY_LARGE) != 0;
}

static inline bool page_entry_is_borrowed(uint64_t entry)
{
    return (entry & PAGE_ENTRY_BORROWED) != 0;
}

static inline bool page_entry_allows_write(uint64_t entry)
{
    return (entry & PAGE_ENTRY_WRITE) != 0;
}

/* Without NX in the CPU bit 63 is never set, so everything is executable, as it is. */
static inline bool page_entry_allows_execute(uint64_t entry)
{
    return (entry & PAGE_ENTRY_NO_EXECUTE) == 0;
}

static inline bool page_entry_allows_user(uint64_t entry)
{
    return (entry & PAGE_ENTRY_USER) != 0;
}

static inline bool page_entry_is_global(uint64_t entry)
{
    return (entry & PAGE_ENTRY_GLOBAL) != 0;
}

/* The entry as software made it: without what the CPU notes about the use of the page. */
static inline uint64_t page_entry_without_use(uint64_t entry)
{
    return entry & ~(PAGE_ENTRY_ACCESSED | PAGE_ENTRY_DIRTY);
}

/* The page that a leaf maps, or the table that another entry refers to. */
static inline struct phys_addr page_entry_address(uint64_t entry, unsigned level)
{
    uint64_t address = entry & PAGE_ENTRY_ADDRESS_MASK;
    if (page_entry_is_leaf(entry, level))
        address &= ~(page_entry_span_bytes(level) - 1); /* bit 12 is PAT in a large page */
    return phys_addr(address);
}

/* Refer to a table. It allows everything, so that the leaf alone decides. */
static inline uint64_t page_entry_for_table(struct phys_addr table)
{
    return table.value | PAGE_ENTRY_PRESENT | PAGE_ENTRY_WRITE;
}

/* The same table, referred to by a root that does not own it. */
static inline uint64_t page_entry_borrow(uint64_t entry)
{
    return entry | PAGE_ENTRY_BORROWED;
}

static inline uint64_t page_entry_pat_bit(unsigned level)
{
    return level == PAGE_LEVEL_4KIB ? PAGE_ENTRY_PAT_4KIB : PAGE_ENTRY_PAT_LARGE;
}

/* The bits that select a PAT entry of PAGE_ENTRY_PAT_MSR_VALUE. */
static inline uint64_t page_entry_memory_type_bits(enum page_memory_type type, unsigned level,
                                                   bool write_combining)
{
    if (type == PAGE_MEMORY_WRITE_BACK)
        return 0;
    if (type == PAGE_MEMORY_WRITE_COMBINING && write_combining)
        return page_entry_pat_bit(level) | PAGE_ENTRY_WRITE_THROUGH;
    return PAGE_ENTRY_CACHE_DISABLE | PAGE_ENTRY_WRITE_THROUGH;
}

/* The inverse. What this project never makes (write-through, UC-) reads as uncached. */
static inline enum page_memory_type page_entry_memory_type(uint64_t leaf, unsigned level)
{
    bool pat = (leaf & page_entry_pat_bit(level)) != 0;
    bool write_through = (leaf & PAGE_ENTRY_WRITE_THROUGH) != 0;
    if ((leaf & PAGE_ENTRY_CACHE_DISABLE) != 0)
        return PAGE_MEMORY_UNCACHED;
    if (write_through)
        return pat ? PAGE_MEMORY_WRITE_COMBINING : PAGE_MEMORY_UNCACHED;
    return PAGE_MEMORY_WRITE_BACK;
}

/* Map a page of the level's size. Preconditions: level 1…3, the address is a multiple of that size
 * and below 2^52. `no_execute` and `write_combining` say what the CPU can do: bit 63 is reserved
 * without NX, and a set bit would fault. */
static inline uint64_t page_entry_for_page(struct phys_addr page, unsigned level,
                                           struct page_permissions permissions, bool no_execute,
                                           bool write_combining)
{
    uint64_t entry = page.value | PAGE_ENTRY_PRESENT;
    if (level != PAGE_LEVEL_4KIB)
        entry |= PAGE_ENTRY_LARGE;
    if (permissions.write)
        entry |= PAGE_ENTRY_WRITE;
    if (!permissions.execute && no_execute)
        entry |= PAGE_ENTRY_NO_EXECUTE;
    if (permissions.global)
        entry |= PAGE_ENTRY_GLOBAL;
    return entry | page_entry_memory_type_bits(permissions.memory_type, level, write_combining);
}

/* What a leaf says by itself, without the levels above. */
static inline struct page_permissions page_entry_permissions(uint64_t leaf, unsigned level)
{
    return (struct page_permissions){
        .write = page_entry_allows_write(leaf),
        .execute = page_entry_allows_execute(leaf),
        .global = page_entry_is_global(leaf),
        .memory_type = page_entry_memory_type(leaf, level),
    };
}

#endif
