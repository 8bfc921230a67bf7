/*
 * page_table_unmap.c - unmap ranges.
 */
#include "shared/page_table.h"

#include "shared/page_entry.h"
#include "shared/table_split.h"
#include "shared/table_tree.h"

/* The usual request: one page whose table stays, since it has another page. For any other request
 * return false, and change nothing. */
static bool unmap_beside_neighbour(struct page_table *table, struct virt_addr virtual)
{
    struct table_tree_end end = table_tree_walk_to(table, virtual);
    if (end.level != PAGE_LEVEL_SMALLEST || !page_entry_is_present(*end.entry))
        return false;
    unsigned index = page_entry_index(virtual, end.level);
    bool stays = (index > 0 && page_entry_is_present(end.entry[-1])) ||
                 (index < PAGE_ENTRY_COUNT - 1 && page_entry_is_present(end.entry[1]));
    if (!stays)
        return false;
    *end.entry = 0;
    table_tree_invalidate(table, virtual, PAGE_SIZE_BYTES);
    return true;
}

enum page_table_status page_table_unmap(struct page_table *table, struct virt_addr virtual,
                                        uint64_t size_bytes)
{
    enum page_table_status status = table_tree_check_virtual(table, virtual, size_bytes);
    if (status == PAGE_TABLE_OK && size_bytes == PAGE_SIZE_BYTES &&
        unmap_beside_neighbour(table, virtual))
        return PAGE_TABLE_OK;
    if (status == PAGE_TABLE_OK)
        status = table_split_ends(table, virtual, size_bytes);
    if (status == PAGE_TABLE_OK)
        table_tree_remove(table, virtual, size_bytes);
    return status;
}
