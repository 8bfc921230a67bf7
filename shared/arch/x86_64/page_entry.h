/*
 * page_entry.h - the entries of x86-64 page tables. Only this file makes and reads them.
 * shared/page_entry.h describes each function.
 *
 * Levels: 1 = page table (4 KiB pages), 2 = page directory (2 MiB), 3 = page-directory-pointer
 * table (1 GiB), 4 = PML4, 5 = PML5.
 *
 *    63 62        52 51                       12 11   9  8   7  6  5   4   3  2  1  0
 *   +--+------------+---------------------------+------+--+---+--+--+---+---+--+--+--+
 *   |NX|  ignored   |  physical address         | free |G |PS |D |A |PCD|PWT|U |W |P |
 *   +--+------------+---------------------------+------+--+---+--+--+---+---+--+--+--+
 *
 * Bit 7 is PS ("this is a large page") at levels 2 and 3, but PAT in a 4 KiB entry; a large page
 * has its PAT in bit 12. (Intel SDM Vol. 3A, 4.5, tables 4-14 to 4-20; 4.9.2 for PAT.)
 *
 * Live tables may be changed with plain stores, in program order. An entry that becomes present
 * needs nothing (4.10.4.3). A large page and a table that mean the same may replace each other
 * before the translations are dropped: the TLB may hold both (4.10.2.3).
 *
 * Pure: compiled for the host as it is.
 */
#ifndef SHARED_ARCH_X86_64_PAGE_ENTRY_H
#define SHARED_ARCH_X86_64_PAGE_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/address.h"
#include "shared/page_entry.h"
#include "shared/page_table.h"

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
#define PAGE_ENTRY_PAT_LARGE     (UINT64_C(1) << 12)
#define PAGE_ENTRY_NO_EXECUTE    (UINT64_C(1) << 63)

#define PAGE_ENTRY_ADDRESS_MASK UINT64_C(0x000ffffffffff000)

/* IA32_PAT (MSR 0x277), a byte an entry. Entries 0-3 are the power-on values write-back,
 * write-through, UC- and uncached, so tables that do not use bit PAT mean the same before and after
 * it is loaded. Entry 5 (PAT and PWT), write-through at power-on, becomes write-combining.
 * (Intel SDM Vol. 3A, 12.12.4) */
#define PAGE_ENTRY_PAT_MSR_VALUE UINT64_C(0x0007010600070406)

static inline bool page_entry_has_two_roots(void)
{
    return false;
}

static inline bool page_entry_is_present(uint64_t entry)
{
    return (entry & PAGE_ENTRY_PRESENT) != 0;
}

static inline bool page_entry_is_leaf(uint64_t entry, unsigned level)
{
    return level == PAGE_LEVEL_SMALLEST || (entry & PAGE_ENTRY_LARGE) != 0;
}

/* The bits have one meaning on every level (Intel SDM Vol. 3A, 4.6). */
static inline bool page_entry_allows_write(uint64_t entry, unsigned level)
{
    (void)level;
    return (entry & PAGE_ENTRY_WRITE) != 0;
}

/* If the CPU has no NX, bit 63 is never set, so all pages count as executable. */
static inline bool page_entry_allows_execute(uint64_t entry, unsigned level)
{
    (void)level;
    return (entry & PAGE_ENTRY_NO_EXECUTE) == 0;
}

static inline bool page_entry_allows_user(uint64_t entry, unsigned level)
{
    (void)level;
    return (entry & PAGE_ENTRY_USER) != 0;
}

static inline uint64_t page_entry_without_use(uint64_t entry)
{
    return entry & ~(PAGE_ENTRY_ACCESSED | PAGE_ENTRY_DIRTY);
}

static inline struct phys_addr page_entry_address(uint64_t entry, unsigned level)
{
    uint64_t address = entry & PAGE_ENTRY_ADDRESS_MASK;
    if (page_entry_is_leaf(entry, level))
        address &= ~(page_entry_span_bytes(level) - 1); /* bit 12 is PAT in a large page */
    return phys_addr(address);
}

/* One with a reserved bit set faults (Intel SDM Vol. 3A, 4.7, "RSVD flag"). */
static inline bool page_entry_is_accepted(uint64_t entry, unsigned level,
                                          const struct page_table_features *features)
{
    uint64_t address = entry & PAGE_ENTRY_ADDRESS_MASK;
    if ((address >> features->physical_bits) != 0)
        return false;
    if (!features->no_execute && (entry & PAGE_ENTRY_NO_EXECUTE) != 0)
        return false;
    if (level == PAGE_LEVEL_SMALLEST || !page_entry_is_leaf(entry, level))
        return true;
    uint64_t page = address & ~PAGE_ENTRY_PAT_LARGE;
    return level <= features->largest_leaf_level && page % page_entry_span_bytes(level) == 0;
}

static inline uint64_t page_entry_for_table(struct phys_addr table)
{
    return table.value | PAGE_ENTRY_PRESENT | PAGE_ENTRY_WRITE;
}

static inline uint64_t page_entry_pat_bit(unsigned level)
{
    return level == PAGE_LEVEL_SMALLEST ? PAGE_ENTRY_PAT_4KIB : PAGE_ENTRY_PAT_LARGE;
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

/* The inverse. Types that this project never makes (write-through, UC-) count as uncached. */
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

/* Bit 63 is reserved without NX, and a set bit would fault. */
static inline uint64_t page_entry_for_page(struct phys_addr page, unsigned level,
                                           struct page_permissions permissions,
                                           const struct page_table_features *features)
{
    uint64_t entry = page.value | PAGE_ENTRY_PRESENT;
    if (level != PAGE_LEVEL_SMALLEST)
        entry |= PAGE_ENTRY_LARGE;
    if (permissions.write)
        entry |= PAGE_ENTRY_WRITE;
    if (!permissions.execute && features->no_execute)
        entry |= PAGE_ENTRY_NO_EXECUTE;
    if (permissions.global)
        entry |= PAGE_ENTRY_GLOBAL;
    return entry |
           page_entry_memory_type_bits(permissions.memory_type, level, features->write_combining);
}

static inline uint64_t page_entry_for_next_page(uint64_t leaf, unsigned level)
{
    return leaf + page_entry_span_bytes(level);
}

static inline struct page_permissions page_entry_permissions(uint64_t leaf, unsigned level)
{
    return (struct page_permissions){
        .write = page_entry_allows_write(leaf, level),
        .execute = page_entry_allows_execute(leaf, level),
        .global = (leaf & PAGE_ENTRY_GLOBAL) != 0,
        .memory_type = page_entry_memory_type(leaf, level),
    };
}

static inline bool page_entry_needs_break(uint64_t old, uint64_t new, unsigned level)
{
    (void)old;
    (void)new;
    (void)level;
    return false;
}

static inline bool page_entry_needs_publish(void)
{
    return false;
}

#endif
