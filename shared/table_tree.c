#include "shared/table_tree.h"

/* Empty tables that are removed from the tree but not yet free. Until the translations are
 * invalidated, the CPU may still walk them, so they must not get other data. They are linked
 * through their first entries. The address of a page has a clear present bit, so such an entry is
 * not present. */
struct detached_tables {
    struct phys_addr newest;
    uint64_t count;
};

static void detach_table(struct page_table *table, uint64_t *entry, struct phys_addr page,
                         struct detached_tables *detached)
{
    *entry = 0;
    table_tree_entries(table, page)[0] = detached->newest.value;
    detached->newest = page;
    detached->count++;
}

static void free_detached(struct page_table *table, struct detached_tables *detached)
{
    for (; detached->count > 0; detached->count--) {
        struct phys_addr page = detached->newest;
        detached->newest = phys_addr(table_tree_entries(table, page)[0]);
        table_tree_free(table, page);
    }
}

static bool table_is_empty(const struct page_table *table, struct phys_addr page)
{
    const uint64_t *entries = table_tree_entries(table, page);
    for (unsigned i = 0; i < PAGE_ENTRY_COUNT; i++) {
        if (page_entry_is_present(entries[i]))
            return false;
    }
    return true;
}

/* Clear the entries of the range in this table, and remove the tables below that become empty.
 * Precondition: no page lies only partly in the range. */
static void remove_in_table(struct page_table *table, struct phys_addr page, unsigned level,
                            struct table_cursor *cursor, struct detached_tables *detached)
{
    uint64_t *entries = table_tree_entries(table, page);
    unsigned index = page_entry_index(cursor->virtual, level);
    for (; index < PAGE_ENTRY_COUNT && cursor->remaining_bytes > 0; index++) {
        uint64_t *entry = &entries[index];
        if (!page_entry_is_present(*entry) || page_entry_is_leaf(*entry, level)) {
            *entry = 0;
            table_cursor_advance(cursor, page_entry_span_bytes(level));
            continue;
        }
        struct phys_addr below = page_entry_address(*entry, level);
        remove_in_table(table, below, level - 1, cursor, detached);
        if (table_is_empty(table, below))
            detach_table(table, entry, below, detached);
    }
}

void table_tree_remove(struct page_table *table, struct virt_addr start, uint64_t size_bytes)
{
    struct table_cursor cursor = {start, size_bytes};
    struct detached_tables detached = {.count = 0};
    struct phys_addr root = table_tree_root(table, start);
    remove_in_table(table, root, table->features.levels, &cursor, &detached);
    table_tree_invalidate(table, start, size_bytes);
    free_detached(table, &detached);
}
