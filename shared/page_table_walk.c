/*
 * page_table_walk.c - visit all pages or all tables of an address space.
 */
#include "shared/page_table.h"

#include "shared/page_entry.h"
#include "shared/table_rights.h"
#include "shared/table_tree.h"

/* Convert a position in the tables, counted from the first address of the lower half, to an
 * address. */
static struct virt_addr address_at(unsigned levels, uint64_t position)
{
    unsigned half_bits = table_tree_half_bits(levels);
    bool is_upper = (position >> half_bits) != 0;
    return virt_addr(is_upper ? position | (UINT64_MAX << half_bits) : position);
}

struct walk {
    const struct page_table *table;
    bool (*visit)(void *context, const struct page_mapping *first, uint64_t page_count);
    void *context;
};

/* Return how many pages from entry `first` on are one range of memory with equal permissions. The
 * bits with which the CPU records the use of a page do not count. */
static unsigned range_length(const uint64_t *entries, unsigned first, unsigned level)
{
    uint64_t expected = page_entry_without_use(entries[first]);
    unsigned end = first;
    do {
        expected = page_entry_for_next_page(expected, level);
    } while (++end < PAGE_ENTRY_COUNT && page_entry_without_use(entries[end]) == expected);
    return end - first;
}

/* `start` is the position of the first address that this table translates. */
static bool walk_pages(const struct walk *walk, struct phys_addr page, unsigned level,
                       uint64_t start, struct table_rights above)
{
    const uint64_t *entries = table_tree_entries(walk->table, page);
    unsigned length = 1;
    for (unsigned i = 0; i < PAGE_ENTRY_COUNT; i += length) {
        uint64_t entry = entries[i];
        length = 1;
        if (!page_entry_is_present(entry))
            continue;
        uint64_t position = start + i * page_entry_span_bytes(level);
        struct table_rights rights = table_rights_below(above, entry, level);
        if (page_entry_is_leaf(entry, level)) {
            struct virt_addr virtual = address_at(walk->table->features.levels, position);
            struct page_mapping mapping = table_rights_mapping(entry, level, virtual, rights);
            length = range_length(entries, i, level);
            if (!walk->visit(walk->context, &mapping, length))
                return false;
        } else if (!walk_pages(walk, page_entry_address(entry, level), level - 1, position,
                               rights)) {
            return false;
        }
    }
    return true;
}

bool page_table_walk_ranges(const struct page_table *table,
                            bool (*visit)(void *context, const struct page_mapping *first,
                                          uint64_t page_count),
                            void *context)
{
    struct walk walk = {table, visit, context};
    unsigned levels = table->features.levels;
    if (!walk_pages(&walk, table->root, levels, 0, TABLE_RIGHTS_ALL))
        return false;
    uint64_t upper = UINT64_C(1) << table_tree_half_bits(levels);
    return !page_entry_has_two_roots() ||
           walk_pages(&walk, table->upper_root, levels, upper, TABLE_RIGHTS_ALL);
}

struct single_walk {
    bool (*visit)(void *context, const struct page_mapping *mapping);
    void *context;
};

static bool visit_each(void *context, const struct page_mapping *first, uint64_t page_count)
{
    const struct single_walk *walk = context;
    struct page_mapping page = *first;
    for (uint64_t i = 0; i < page_count; i++) {
        if (!walk->visit(walk->context, &page))
            return false;
        page.virtual = virt_addr_add(page.virtual, page.page_size_bytes);
        page.physical = phys_addr_add(page.physical, page.page_size_bytes);
    }
    return true;
}

bool page_table_walk(const struct page_table *table,
                     bool (*visit)(void *context, const struct page_mapping *mapping),
                     void *context)
{
    struct single_walk walk = {visit, context};
    return page_table_walk_ranges(table, visit_each, &walk);
}

struct table_walk {
    const struct page_table *table;
    bool (*visit)(void *context, struct phys_addr page, unsigned level);
    void *context;
};

static bool walk_own_tables(const struct table_walk *walk, struct phys_addr page, unsigned level)
{
    if (!walk->visit(walk->context, page, level))
        return false;
    if (level == PAGE_LEVEL_SMALLEST)
        return true;
    const uint64_t *entries = table_tree_entries(walk->table, page);
    unsigned count = table_tree_own_count(walk->table, level);
    for (unsigned i = 0; i < count; i++) {
        if (table_tree_refers_to_table(entries[i], level) &&
            !walk_own_tables(walk, page_entry_address(entries[i], level), level - 1))
            return false;
    }
    return true;
}

bool page_table_walk_tables(const struct page_table *table,
                            bool (*visit)(void *context, struct phys_addr page, unsigned level),
                            void *context)
{
    struct table_walk walk = {table, visit, context};
    unsigned levels = table->features.levels;
    return walk_own_tables(&walk, table->root, levels) &&
           (!table_tree_owns_upper_root(table) ||
            walk_own_tables(&walk, table->upper_root, levels));
}
