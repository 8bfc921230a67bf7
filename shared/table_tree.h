/*
 * table_tree.h - the tables of one address space as a tree, for shared/page_table*.c.
 *
 * Invariant: only a root may be empty. A request that empties a table frees it, and a map that
 * fails removes everything that it added. A map stops at the first page that is already mapped. So
 * removing everything in the range before that page undoes an incomplete map exactly. Recursion
 * goes down one level with each call, so its depth is the number of levels. No other file includes
 * this one.
 */
#ifndef SHARED_TABLE_TREE_H
#define SHARED_TABLE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/address.h"
#include "shared/memory.h"
#include "shared/page_entry.h"
#include "shared/page_table.h"

/* --- Table pages --- */

static inline uint64_t *table_tree_entries(const struct page_table *table, struct phys_addr page)
{
    return table->memory.access_table(table->memory.context, page);
}

/* The root that translates the address. */
static inline struct phys_addr table_tree_root(const struct page_table *table,
                                               struct virt_addr virtual)
{
    bool is_upper = page_entry_has_two_roots() && virtual.value >> 63 != 0;
    return is_upper ? table->upper_root : table->root;
}

/* Allocate a page for a table, and clear it. */
static inline bool table_tree_allocate(struct page_table *table, struct phys_addr *ret_page)
{
    if (!table->memory.allocate_table(table->memory.context, ret_page))
        return false;
    memset(table_tree_entries(table, *ret_page), 0, PAGE_SIZE_BYTES);
    table->table_count++;
    return true;
}

static inline void table_tree_free(struct page_table *table, struct phys_addr page)
{
    table->memory.free_table(table->memory.context, page);
    table->table_count--;
}

/* --- Entries --- */

static inline bool table_tree_is_multiple_of(uint64_t value, uint64_t power_of_two)
{
    return (value & (power_of_two - 1)) == 0;
}

/* Return an entry that maps a page of the level's size, with the features of this CPU. */
static inline uint64_t table_tree_leaf(const struct page_table *table, struct phys_addr page,
                                       unsigned level, struct page_permissions permissions)
{
    return page_entry_for_page(page, level, permissions, &table->features);
}

static inline unsigned table_tree_largest_level(const struct page_table *table, bool large_pages)
{
    return large_pages ? table->features.largest_leaf_level : PAGE_LEVEL_SMALLEST;
}

/* Return an entry that refers to a table. */
static inline bool table_tree_refers_to_table(uint64_t entry, unsigned level)
{
    return page_entry_is_present(entry) && !page_entry_is_leaf(entry, level);
}

/* Return how many entries of a table of this level, from the first on, refer to the address space's
 * own tables. If the upper half is borrowed, only the lower half of a single root does. */
static inline unsigned table_tree_own_count(const struct page_table *table, unsigned level)
{
    bool is_half = !page_entry_has_two_roots() && table->upper_half_is_borrowed &&
                   level == table->features.levels;
    return is_half ? PAGE_ENTRY_COUNT / 2 : PAGE_ENTRY_COUNT;
}

static inline bool table_tree_owns_upper_root(const struct page_table *table)
{
    return page_entry_has_two_roots() && !table->upper_half_is_borrowed;
}

/* Return the entry at which the walk for an address ends: a leaf, or an entry that is not
 * present. */
struct table_tree_end {
    uint64_t *entry;
    unsigned level;
};

static inline struct table_tree_end table_tree_walk_to(const struct page_table *table,
                                                       struct virt_addr virtual)
{
    struct phys_addr page = table_tree_root(table, virtual);
    for (unsigned level = table->features.levels;; level--) {
        uint64_t *entry = &table_tree_entries(table, page)[page_entry_index(virtual, level)];
        if (!page_entry_is_present(*entry) || page_entry_is_leaf(*entry, level))
            return (struct table_tree_end){entry, level};
        page = page_entry_address(*entry, level);
    }
}

/* --- Changes of live tables --- */

static inline void table_tree_invalidate(struct page_table *table, struct virt_addr start,
                                         uint64_t size_bytes)
{
    if (table->memory.invalidate != NULL)
        table->memory.invalidate(table->memory.context, start, size_bytes);
}

/* Call this between the stores to a table and the store that links it, and after entries became
 * present. It always keeps the order for the compiler. The format decides whether the CPU needs a
 * barrier. */
static inline void table_tree_publish(struct page_table *table)
{
    __atomic_signal_fence(__ATOMIC_RELEASE);
    if (page_entry_needs_publish() && table->memory.publish != NULL)
        table->memory.publish(table->memory.context);
}

/* Replace a present entry by another for the same addresses: a page by a table, a table by a page,
 * or a page by a page with other permissions. `start` is the first address that the entry
 * translates. Return true if the old translations were dropped. */
static inline bool table_tree_replace(struct page_table *table, uint64_t *entry, uint64_t value,
                                      unsigned level, struct virt_addr start)
{
    table_tree_publish(table); /* the table that `value` refers to */
    bool needs_break = page_entry_needs_break(*entry, value, level);
    if (needs_break) {
        *entry = 0;
        table_tree_invalidate(table, start, page_entry_span_bytes(level));
    }
    *entry = value;
    table_tree_publish(table);
    return needs_break;
}

/* --- Ranges --- */

/* The rest of a range. It advances through the tables in order of address. */
struct table_cursor {
    struct virt_addr virtual;
    uint64_t remaining_bytes;
};

/* Move the cursor to the end of its entry of `span` bytes, or to the end of the range. */
static inline void table_cursor_advance(struct table_cursor *cursor, uint64_t span)
{
    uint64_t bytes = span - (cursor->virtual.value & (span - 1));
    if (bytes > cursor->remaining_bytes)
        bytes = cursor->remaining_bytes;
    cursor->virtual = virt_addr_add(cursor->virtual, bytes);
    cursor->remaining_bytes -= bytes;
}

/* Return the first address of the entry of `span` bytes that translates this address. */
static inline struct virt_addr table_tree_align_down(struct virt_addr virtual, uint64_t span)
{
    return virt_addr(virtual.value & ~(span - 1));
}

/* Return how many low bits of an address are translated in one half of the address space. */
static inline unsigned table_tree_half_bits(unsigned levels)
{
    return PAGE_SHIFT + PAGE_ENTRY_INDEX_BITS * levels - (page_entry_has_two_roots() ? 0 : 1);
}

/* page_table_is_canonical() as an inline function, since every request calls it twice. */
static inline bool table_tree_is_canonical(unsigned levels, struct virt_addr virtual)
{
    /* All bits above those of one half must be equal: they select the half. */
    unsigned half_bits = table_tree_half_bits(levels);
    uint64_t upper = virtual.value >> half_bits;
    return upper == 0 || upper == UINT64_MAX >> half_bits;
}

/* Return UNALIGNED, EMPTY or NON_CANONICAL if no tables can map this range. */
static inline enum page_table_status table_tree_check_virtual(const struct page_table *table,
                                                              struct virt_addr start,
                                                              uint64_t size_bytes)
{
    if (!page_is_aligned(start.value) || !page_is_aligned(size_bytes))
        return PAGE_TABLE_UNALIGNED;
    if (size_bytes == 0)
        return PAGE_TABLE_EMPTY;

    struct virt_addr last = virt_addr_add(start, size_bytes - 1);
    bool same_half = (start.value >> 63) == (last.value >> 63);
    unsigned levels = table->features.levels;
    if (last.value < start.value || !same_half || !table_tree_is_canonical(levels, start) ||
        !table_tree_is_canonical(levels, last))
        return PAGE_TABLE_NON_CANONICAL;
    return PAGE_TABLE_OK;
}

/* Return UNALIGNED or PHYSICAL_TOO_HIGH if no entries can refer to this range. */
static inline enum page_table_status table_tree_check_physical(const struct page_table *table,
                                                               struct phys_addr start,
                                                               uint64_t size_bytes)
{
    if (!page_is_aligned(start.value))
        return PAGE_TABLE_UNALIGNED;
    uint64_t limit = UINT64_C(1) << table->features.physical_bits;
    if (start.value >= limit || size_bytes > limit - start.value)
        return PAGE_TABLE_PHYSICAL_TOO_HIGH;
    return PAGE_TABLE_OK;
}

/* Unmap all pages of the range, invalidate them, and then free the tables that became empty.
 * Precondition: no page lies only partly in the range. */
void table_tree_remove(struct page_table *table, struct virt_addr start, uint64_t size_bytes);

#endif
