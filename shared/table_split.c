#include "shared/table_split.h"

#include "shared/page_entry.h"
#include "shared/table_tree.h"

/* The splits of one request, so that they can be undone. At each end of the range, splits may go
 * from the highest of five levels to the lowest. */
#define SPLIT_LIMIT (2 * (5 - 1))

struct split {
    uint64_t *entry;
    uint64_t large_page;         /* the old value of the entry */
    unsigned level;              /* of the entry */
    struct phys_addr table_page; /* the new table */
    struct virt_addr virtual;    /* of the large page's first byte */
};

struct split_list {
    struct split splits[SPLIT_LIMIT];
    unsigned count;
};

/* Fill a table with pages of its level that together have the meaning of the large page. */
static void fill_from_page(struct page_table *table, struct phys_addr page, uint64_t large_page,
                           unsigned large_level)
{
    unsigned level = large_level - 1;
    uint64_t *entries = table_tree_entries(table, page);
    uint64_t entry = table_tree_leaf(table, page_entry_address(large_page, large_level), level,
                                     page_entry_permissions(large_page, large_level));
    for (unsigned i = 0; i < PAGE_ENTRY_COUNT; i++) {
        entries[i] = entry;
        entry = page_entry_for_next_page(entry, level);
    }
}

/* Replace a large page by a table of the next smaller ones with the same meaning. Unless the CPU
 * requires it, nothing is invalidated here: the CPU's translation of the large page stays
 * correct. */
static bool split_page(struct page_table *table, struct table_tree_end at, struct virt_addr virtual,
                       struct split_list *list)
{
    struct phys_addr page;
    if (!table_tree_allocate(table, &page))
        return false;
    fill_from_page(table, page, *at.entry, at.level);
    struct virt_addr start = table_tree_align_down(virtual, page_entry_span_bytes(at.level));
    list->splits[list->count++] = (struct split){at.entry, *at.entry, at.level, page, start};
    (void)table_tree_replace(table, at.entry, page_entry_for_table(page), at.level, start);
    return true;
}

/* Split until no page extends across the boundary. */
static bool split_at(struct page_table *table, struct virt_addr boundary, struct split_list *list)
{
    for (;;) {
        struct table_tree_end at = table_tree_walk_to(table, boundary);
        bool crosses = page_entry_is_present(*at.entry) &&
                       !table_tree_is_multiple_of(boundary.value, page_entry_span_bytes(at.level));
        if (!crosses)
            return true;
        if (!split_page(table, at, boundary, list))
            return false;
    }
}

static void undo_splits(struct page_table *table, const struct split_list *list)
{
    for (unsigned i = list->count; i > 0; i--) {
        const struct split *split = &list->splits[i - 1];
        if (!table_tree_replace(table, split->entry, split->large_page, split->level,
                                split->virtual))
            table_tree_invalidate(table, split->virtual, page_entry_span_bytes(split->level));
        table_tree_free(table, split->table_page);
    }
}

/* Return true if every page of the range that this table translates is mapped. */
static bool table_has_all(const struct page_table *table, struct phys_addr page, unsigned level,
                          struct table_cursor *cursor)
{
    const uint64_t *entries = table_tree_entries(table, page);
    unsigned index = page_entry_index(cursor->virtual, level);
    for (; index < PAGE_ENTRY_COUNT && cursor->remaining_bytes > 0; index++) {
        uint64_t entry = entries[index];
        if (!page_entry_is_present(entry))
            return false;
        if (page_entry_is_leaf(entry, level))
            table_cursor_advance(cursor, page_entry_span_bytes(level));
        else if (!table_has_all(table, page_entry_address(entry, level), level - 1, cursor))
            return false;
    }
    return true;
}

enum page_table_status table_split_ends(struct page_table *table, struct virt_addr virtual,
                                        uint64_t size_bytes)
{
    struct table_cursor cursor = {virtual, size_bytes};
    if (!table_has_all(table, table_tree_root(table, virtual), table->features.levels, &cursor))
        return PAGE_TABLE_NOT_MAPPED;

    struct split_list splits = {.count = 0};
    if (!split_at(table, virtual, &splits) ||
        !split_at(table, virt_addr_add(virtual, size_bytes), &splits)) {
        undo_splits(table, &splits);
        return PAGE_TABLE_NO_MEMORY;
    }
    return PAGE_TABLE_OK;
}
