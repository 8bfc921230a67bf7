/*
 * aarch64_page_entry.h - the entries of AArch64's tables, to prove that shared/page_table*.c serve
 * a second CPU: VMSAv8-64, stage 1 of EL1, 4 KiB granule, 48-bit addresses (Arm ARM DDI 0487,
 * D8.3). The production files are compiled with it a second time, for this machine.
 *
 * Levels: ours 1, 2, 3, 4 are the Arm ARM's 3, 2, 1, 0.
 *
 *   page or block    63     55 54  53      51  47           12  11  10 9  8 7  6 5 4      2 1 0
 *                   +---------+---+---+-------+---------------+---+---+----+----+-+--------+-+-+
 *                   | free    |UXN|PXN| 0     |output address |nG |AF | SH | AP |0|AttrIndx|T|1|
 *                   +---------+---+---+-------+---------------+---+---+----+----+-+--------+-+-+
 *   T: 1 in a page, 0 in a block. AP[1]: user programs have access, AP[2]: read-only.
 *
 *   table            63  62 61   60      59    58  47           12                          1 0
 *                   +--+-------+-------+-------+--+---------------+------------------------+-+-+
 *                   |0 |APTable|UXNTab.|PXNTab.|  | next table    | ignored                |1|1|
 *                   +--+-------+-------+-------+--+---------------+------------------------+-+-+
 *
 * MAIR_EL1 has Normal write-back, Normal non-cacheable and Device-nGnRE, in this order. The access
 * flag is set in every leaf, and hardware management of the dirty state is off. So the CPU does not
 * write to entries.
 */
#ifndef TESTS_UNIT_SUPPORT_AARCH64_PAGE_ENTRY_H
#define TESTS_UNIT_SUPPORT_AARCH64_PAGE_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/address.h"
#include "shared/page_entry.h"
#include "shared/page_table.h"

#define AARCH64_VALID         (UINT64_C(1) << 0)
#define AARCH64_TABLE_OR_PAGE (UINT64_C(1) << 1)
#define AARCH64_ATTRIBUTE(i)  ((uint64_t)(i) << 2)
#define AARCH64_USER          (UINT64_C(1) << 6) /* AP[1] */
#define AARCH64_READ_ONLY     (UINT64_C(1) << 7) /* AP[2] */
#define AARCH64_INNER_SHARED  (UINT64_C(3) << 8)
#define AARCH64_ACCESSED      (UINT64_C(1) << 10)
#define AARCH64_NOT_GLOBAL    (UINT64_C(1) << 11)
#define AARCH64_PRIVILEGED_XN (UINT64_C(1) << 53)
#define AARCH64_USER_XN       (UINT64_C(1) << 54)

#define AARCH64_TABLE_PRIVILEGED_XN (UINT64_C(1) << 59)
#define AARCH64_TABLE_NO_USER       (UINT64_C(1) << 61) /* APTable[0] */
#define AARCH64_TABLE_READ_ONLY     (UINT64_C(1) << 62) /* APTable[1] */

#define AARCH64_ADDRESS_MASK UINT64_C(0x0000fffffffff000)

/* The numbers of the attributes in MAIR_EL1. */
#define AARCH64_WRITE_BACK    0
#define AARCH64_NON_CACHEABLE 1
#define AARCH64_DEVICE        2

static inline bool page_entry_has_two_roots(void)
{
    return true;
}

static inline bool page_entry_is_present(uint64_t entry)
{
    return (entry & AARCH64_VALID) != 0;
}

static inline bool page_entry_is_leaf(uint64_t entry, unsigned level)
{
    return level == PAGE_LEVEL_SMALLEST || (entry & AARCH64_TABLE_OR_PAGE) == 0;
}

static inline struct phys_addr page_entry_address(uint64_t entry, unsigned level)
{
    (void)level;
    return phys_addr(entry & AARCH64_ADDRESS_MASK);
}

static inline bool page_entry_is_accepted(uint64_t entry, unsigned level,
                                          const struct page_table_features *features)
{
    uint64_t address = entry & AARCH64_ADDRESS_MASK;
    if ((address >> features->physical_bits) != 0)
        return false;
    if (!page_entry_is_leaf(entry, level))
        return true;
    if (level == PAGE_LEVEL_SMALLEST && (entry & AARCH64_TABLE_OR_PAGE) == 0)
        return false; /* reserved */
    return (entry & AARCH64_ACCESSED) != 0 && level <= features->largest_leaf_level &&
           address % page_entry_span_bytes(level) == 0;
}

static inline bool page_entry_allows_write(uint64_t entry, unsigned level)
{
    bool is_leaf = page_entry_is_leaf(entry, level);
    return (entry & (is_leaf ? AARCH64_READ_ONLY : AARCH64_TABLE_READ_ONLY)) == 0;
}

static inline bool page_entry_allows_execute(uint64_t entry, unsigned level)
{
    bool is_leaf = page_entry_is_leaf(entry, level);
    return (entry & (is_leaf ? AARCH64_PRIVILEGED_XN : AARCH64_TABLE_PRIVILEGED_XN)) == 0;
}

static inline bool page_entry_allows_user(uint64_t entry, unsigned level)
{
    return page_entry_is_leaf(entry, level) ? (entry & AARCH64_USER) != 0
                                            : (entry & AARCH64_TABLE_NO_USER) == 0;
}

static inline enum page_memory_type aarch64_memory_type(uint64_t leaf)
{
    unsigned attribute = (unsigned)(leaf >> 2) % 8;
    if (attribute == AARCH64_WRITE_BACK)
        return PAGE_MEMORY_WRITE_BACK;
    return attribute == AARCH64_NON_CACHEABLE ? PAGE_MEMORY_WRITE_COMBINING : PAGE_MEMORY_UNCACHED;
}

static inline struct page_permissions page_entry_permissions(uint64_t leaf, unsigned level)
{
    return (struct page_permissions){
        .write = page_entry_allows_write(leaf, level),
        .execute = page_entry_allows_execute(leaf, level),
        .global = (leaf & AARCH64_NOT_GLOBAL) == 0,
        .memory_type = aarch64_memory_type(leaf),
    };
}

static inline uint64_t page_entry_for_table(struct phys_addr table)
{
    return table.value | AARCH64_TABLE_OR_PAGE | AARCH64_VALID;
}

static inline uint64_t aarch64_memory_type_bits(enum page_memory_type type)
{
    if (type == PAGE_MEMORY_WRITE_BACK)
        return AARCH64_ATTRIBUTE(AARCH64_WRITE_BACK) | AARCH64_INNER_SHARED;
    return AARCH64_ATTRIBUTE(type == PAGE_MEMORY_WRITE_COMBINING ? AARCH64_NON_CACHEABLE
                                                                 : AARCH64_DEVICE);
}

/* Every AArch64 CPU can forbid execution and has Normal non-cacheable memory. */
static inline uint64_t page_entry_for_page(struct phys_addr page, unsigned level,
                                           struct page_permissions permissions,
                                           const struct page_table_features *features)
{
    (void)features;
    uint64_t entry = page.value | AARCH64_VALID | AARCH64_ACCESSED | AARCH64_USER_XN |
                     aarch64_memory_type_bits(permissions.memory_type);
    if (level == PAGE_LEVEL_SMALLEST)
        entry |= AARCH64_TABLE_OR_PAGE;
    if (!permissions.write)
        entry |= AARCH64_READ_ONLY;
    if (!permissions.execute)
        entry |= AARCH64_PRIVILEGED_XN;
    if (!permissions.global)
        entry |= AARCH64_NOT_GLOBAL;
    return entry;
}

static inline uint64_t page_entry_for_next_page(uint64_t leaf, unsigned level)
{
    return leaf + page_entry_span_bytes(level);
}

static inline uint64_t page_entry_without_use(uint64_t entry)
{
    return entry;
}

/* Arm ARM D8.17.1, RWHZWS, for a CPU without FEAT_BBML1 and FEAT_BBML2. A change from page to table
 * and back, of the output address, of the memory type and of "global" needs it. A change of
 * permissions does not. */
static inline bool page_entry_needs_break(uint64_t old, uint64_t new, unsigned level)
{
    const uint64_t allowed_to_change = AARCH64_READ_ONLY | AARCH64_USER | AARCH64_PRIVILEGED_XN |
                                       AARCH64_USER_XN | AARCH64_ACCESSED;
    bool are_leaves = page_entry_is_leaf(old, level) && page_entry_is_leaf(new, level);
    return !are_leaves || ((old ^ new) & ~allowed_to_change) != 0;
}

/* Arm ARM D8.2.6.1, RSPVBD: the walker is sure to see the stores that a DSB has completed. */
static inline bool page_entry_needs_publish(void)
{
    return true;
}

#endif
