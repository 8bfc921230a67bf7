/*
 * page_entry.h - the functions that each CPU's format of page-table entries defines.
 *
 * shared/page_table*.c make and read entries only through these functions. A format is one header,
 * shared/arch/<cpu>/page_entry.h, that defines each of them `static inline`, so that the choice
 * costs nothing at run time. For a CPU without a format they are only declared: their users
 * compile, but do not link.
 *
 * All formats share these rules. A table is one page of 64-bit entries, on every level. Levels are
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

/* Return the number of bytes that one entry of a table of this level covers. Precondition: level >=
 * 1. */
static inline uint64_t page_entry_span_bytes(unsigned level)
{
    // NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): it does not see the levels
    return PAGE_SIZE_BYTES << (PAGE_ENTRY_INDEX_BITS * (level - 1));
}

/* Return the index of the entry that translates the address, in a table of this level. */
static inline unsigned page_entry_index(struct virt_addr virtual, unsigned level)
{
    return (unsigned)(virtual.value / page_entry_span_bytes(level)) % PAGE_ENTRY_COUNT;
}

/* The format is the header that PAGE_ENTRY_FORMAT names, else that of the target CPU. Tests use the
 * name to compile the tables for a second CPU. */
#if defined(PAGE_ENTRY_FORMAT) || defined(__x86_64__)
#define PAGE_ENTRY_FUNCTION static inline
#else
#define PAGE_ENTRY_FUNCTION extern
#endif

/* --- The walk --- */

/* Return true if each half of the address space has its own root. Otherwise one root translates
 * both, and the highest bit that it translates selects the half. Constant. */
PAGE_ENTRY_FUNCTION bool page_entry_has_two_roots(void);

static inline unsigned page_entry_root_count(void)
{
    return page_entry_has_two_roots() ? 2 : 1;
}

/* Return true if the CPU translates through the entry, if no reserved bit is set. */
PAGE_ENTRY_FUNCTION bool page_entry_is_present(uint64_t entry);

/* Precondition of all following functions: the entry is present. */
PAGE_ENTRY_FUNCTION bool page_entry_is_leaf(uint64_t entry, unsigned level);

/* Return the page that a leaf maps, or the table to which another entry refers. */
PAGE_ENTRY_FUNCTION struct phys_addr page_entry_address(uint64_t entry, unsigned level);

/* Return false if the CPU cannot translate through this entry. Then a reserved bit is set, the
 * address is beyond the CPU's width, or the CPU has no pages of that size. */
PAGE_ENTRY_FUNCTION bool page_entry_is_accepted(uint64_t entry, unsigned level,
                                                const struct page_table_features *features);

/* --- Permissions --- */

/* Return the permissions of a leaf, without those of the levels above. */
PAGE_ENTRY_FUNCTION struct page_permissions page_entry_permissions(uint64_t leaf, unsigned level);

/* Return true if an entry of any level grants the right. A page has a right if every entry from the
 * root down to its leaf grants it. */
PAGE_ENTRY_FUNCTION bool page_entry_allows_write(uint64_t entry, unsigned level);
PAGE_ENTRY_FUNCTION bool page_entry_allows_execute(uint64_t entry, unsigned level);
PAGE_ENTRY_FUNCTION bool page_entry_allows_user(uint64_t entry, unsigned level);

/* --- Making entries --- */

/* Make an entry for a table. It grants the kernel all rights, so only the leaf decides. */
PAGE_ENTRY_FUNCTION uint64_t page_entry_for_table(struct phys_addr table);

/* Map a page of the level's size. `features` says which bits the CPU has. Execution is allowed
 * where it cannot be forbidden, and uncached replaces a missing write-combining type.
 * Preconditions: level <= features->largest_leaf_level; the address is a multiple of the page size
 * and within features->physical_bits. */
PAGE_ENTRY_FUNCTION uint64_t page_entry_for_page(struct phys_addr page, unsigned level,
                                                 struct page_permissions permissions,
                                                 const struct page_table_features *features);

/* Return the same leaf for the next page in physical memory. */
PAGE_ENTRY_FUNCTION uint64_t page_entry_for_next_page(uint64_t leaf, unsigned level);

/* Return the entry as software made it: without the bits that the CPU sets when the page is
 * used. */
PAGE_ENTRY_FUNCTION uint64_t page_entry_without_use(uint64_t entry);

/* --- Changes of live tables --- */

/* Return true if the CPU requires "break before make" when `new` replaces `old`, and both are
 * present. The entry is then cleared first, and its translations are dropped
 * (page_table_memory.invalidate). Otherwise the CPU may use both entries for a time, which some
 * CPUs do not allow. */
PAGE_ENTRY_FUNCTION bool page_entry_needs_break(uint64_t old, uint64_t new, unsigned level);

/* Return true if the CPU's walker sees stores to tables only after a barrier
 * (page_table_memory.publish). Constant. */
PAGE_ENTRY_FUNCTION bool page_entry_needs_publish(void);

#if defined(PAGE_ENTRY_FORMAT)
#include PAGE_ENTRY_FORMAT
#elif defined(__x86_64__)
#include "shared/arch/x86_64/page_entry.h"
#endif

#endif
