/*
 * page_entry.h - the entries of page tables: what a CPU's format has to define, and nothing else.
 *
 * shared/page_table*.c make and read entries only through these functions. A format is one header,
 * shared/arch/<cpu>/page_entry.h, that defines each of them `static inline`, so that the choice
 * costs nothing at run time. For a CPU without a format they are only declared: their users
 * compile, and do not link.
 *
 * Every format has in common: a table is one page of 64-bit entries, on every level. Levels are
 * counted from the bottom, from PAGE_LEVEL_SMALLEST on. A "leaf" maps a page: on the lowest level
 * one of the smallest size, on higher levels a large page. Any other present entry refers to the
 * table one level below. An entry of 0 is not present. The granule (shared/address.h) gives the
 * rest: with pages of 4 KiB a table has 512 entries, and an entry of level 2 covers 2 MiB.
 *
 * Pure. Phase: any.
 */
#ifndef SHARED_PAGE_ENTRY_H
#define SHARED_PAGE_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/address.h"
#include "shared/page_table.h"

#define PAGE_LEVEL_SMALLEST   1u
#define PAGE_ENTRY_INDEX_BITS (PAGE_SHIFT - 3)
#define PAGE_ENTRY_COUNT      (1u << PAGE_ENTRY_INDEX_BITS) /* in a table of any level */

/* Bytes that one entry of a table of this level covers. Precondition: level >= 1. */
static inline uint64_t page_entry_span_bytes(unsigned level)
{
    // NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): it does not see the levels
    return PAGE_SIZE_BYTES << (PAGE_ENTRY_INDEX_BITS * (level - 1));
}

/* Which entry of a table of this level translates the address. */
static inline unsigned page_entry_index(struct virt_addr virtual, unsigned level)
{
    return (unsigned)(virtual.value / page_entry_span_bytes(level)) % PAGE_ENTRY_COUNT;
}

/* The format: the one that PAGE_ENTRY_FORMAT names (tests compile the tables for a second CPU so),
 * else that of the CPU for which is compiled. */
#if defined(PAGE_ENTRY_FORMAT) || defined(__x86_64__)
#define PAGE_ENTRY_FUNCTION static inline
#else
#define PAGE_ENTRY_FUNCTION extern
#endif

/* --- The walk --- */

/* Whether each half of the address space has a root of its own. Else one root translates both, and
 * the highest bit that it translates selects the half. Constant. */
PAGE_ENTRY_FUNCTION bool page_entry_has_two_roots(void);

static inline unsigned page_entry_root_count(void)
{
    return page_entry_has_two_roots() ? 2 : 1;
}

/* Whether the CPU translates through the entry, if nothing in it is reserved. */
PAGE_ENTRY_FUNCTION bool page_entry_is_present(uint64_t entry);

/* Precondition of all that follow: the entry is present. */
PAGE_ENTRY_FUNCTION bool page_entry_is_leaf(uint64_t entry, unsigned level);

/* The page that a leaf maps, or the table that another entry refers to. */
PAGE_ENTRY_FUNCTION struct phys_addr page_entry_address(uint64_t entry, unsigned level);

/* False if the CPU refuses to translate through this entry: a reserved bit is set, the address is
 * beyond its width, or it has no pages of that size. */
PAGE_ENTRY_FUNCTION bool page_entry_is_accepted(uint64_t entry, unsigned level,
                                                const struct page_table_features *features);

/* --- What it allows --- */

/* What a leaf says by itself, without the levels above. */
PAGE_ENTRY_FUNCTION struct page_permissions page_entry_permissions(uint64_t leaf, unsigned level);

/* What an entry of any level leaves of a right: a page has it if every entry on the way does. */
PAGE_ENTRY_FUNCTION bool page_entry_allows_write(uint64_t entry, unsigned level);
PAGE_ENTRY_FUNCTION bool page_entry_allows_execute(uint64_t entry, unsigned level);
PAGE_ENTRY_FUNCTION bool page_entry_allows_user(uint64_t entry, unsigned level);

/* --- Making entries --- */

/* Refer to a table. It allows the kernel everything, so that only the leaf decides. */
PAGE_ENTRY_FUNCTION uint64_t page_entry_for_table(struct phys_addr table);

/* Map a page of the level's size. `features` says which bits the CPU has: execution is allowed where
 * it cannot be forbidden, and uncached takes the place of write-combining.
 * Preconditions: level <= features->largest_leaf_level; the address is a multiple of the page size
 * and within features->physical_bits. */
PAGE_ENTRY_FUNCTION uint64_t page_entry_for_page(struct phys_addr page, unsigned level,
                                                 struct page_permissions permissions,
                                                 const struct page_table_features *features);

/* The same leaf for the next page in physical memory. */
PAGE_ENTRY_FUNCTION uint64_t page_entry_for_next_page(uint64_t leaf, unsigned level);

/* The entry as software made it: without what the CPU notes about the use of the page. */
PAGE_ENTRY_FUNCTION uint64_t page_entry_without_use(uint64_t entry);

/* --- What a change of live tables needs --- */

/* Whether the CPU demands "break before make": before `new` replaces `old`, both present, the entry
 * is cleared and its translations are dropped (page_table_memory.invalidate). The CPU may use the
 * old and the new meaning side by side otherwise, and some must not even see both. */
PAGE_ENTRY_FUNCTION bool page_entry_needs_break(uint64_t old, uint64_t new, unsigned level);

/* Whether the CPU's walker sees stores to tables only behind a barrier (page_table_memory.publish).
 * Constant. */
PAGE_ENTRY_FUNCTION bool page_entry_needs_publish(void);

#if defined(PAGE_ENTRY_FORMAT)
#include PAGE_ENTRY_FORMAT
#elif defined(__x86_64__)
#include "shared/arch/x86_64/page_entry.h"
#endif

#endif
