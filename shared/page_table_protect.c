/*
 * page_table_protect.c - change the permissions of pages.
 */
#include "shared/page_table.h"

#include "shared/page_entry.h"
#include "shared/table_split.h"
#include "shared/table_tree.h"

/* The caller invalidates the whole range at the end. This is enough if only a permission
 * changes. */
static void change_leaf(struct page_table *table, uint64_t *entry, uint64_t leaf, unsigned level,
                        struct virt_addr virtual)
{
    if (page_entry_needs_break(*entry, leaf, level))
        (void)table_tree_replace(table, entry, leaf, level, virtual);
    else
        *entry = leaf;
}

/* Precondition: every page of the range is mapped, and lies completely in the range. */
static void protect_in_table(struct page_table *table, struct phys_addr page, unsigned level,
                             struct table_cursor *cursor, struct page_permissions permissions)
{
    uint64_t *entries = table_tree_entries(table, page);
    unsigned index = page_entry_index(cursor->virtual, level);
    for (; index < PAGE_ENTRY_COUNT && cursor->remaining_bytes > 0; index++) {
        struct phys_addr address = page_entry_address(entries[index], level);
        if (!page_entry_is_leaf(entries[index], level)) {
            protect_in_table(table, address, level - 1, cursor, permissions);
            continue;
        }
        uint64_t leaf = table_tree_leaf(table, address, level, permissions);
        change_leaf(table, &entries[index], leaf, level, cursor->virtual);
        table_cursor_advance(cursor, page_entry_span_bytes(level));
    }
}

enum page_table_status page_table_protect(struct page_table *table, struct virt_addr virtual,
                                          uint64_t size_bytes, struct page_permissions permissions)
{
    if (permissions.write && permissions.execute && !table->allow_writable_executable)
        return PAGE_TABLE_WRITABLE_EXECUTABLE;
    enum page_table_status status = table_tree_check_virtual(table, virtual, size_bytes);
    if (status == PAGE_TABLE_OK)
        status = table_split_ends(table, virtual, size_bytes);
    if (status != PAGE_TABLE_OK)
        return status;
    struct table_cursor cursor = {virtual, size_bytes};
    protect_in_table(table, table_tree_root(table, virtual), table->features.levels, &cursor,
                     permissions);
    table_tree_invalidate(table, virtual, size_bytes);
    return PAGE_TABLE_OK;
}
