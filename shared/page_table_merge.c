/*
 * page_table_merge.c - replace tables by large pages with the same meaning.
 */
#include "shared/page_table.h"

#include "shared/page_entry.h"
#include "shared/table_tree.h"

/* Return the page of the next larger size with the meaning of this table of pages. Return false if
 * the pages are not one aligned range of memory with equal permissions. The bits with which the CPU
 * records the use of a page do not count. */
static bool table_as_page(const struct page_table *table, struct phys_addr page, unsigned level,
                          uint64_t *ret_entry)
{
    const uint64_t *entries = table_tree_entries(table, page);
    if (!page_entry_is_present(entries[0]) || !page_entry_is_leaf(entries[0], level))
        return false;
    struct phys_addr start = page_entry_address(entries[0], level);
    if (!table_tree_is_multiple_of(start.value, page_entry_span_bytes(level + 1)))
        return false;

    struct page_permissions permissions = page_entry_permissions(entries[0], level);
    uint64_t expected = table_tree_leaf(table, start, level, permissions);
    for (unsigned i = 0; i < PAGE_ENTRY_COUNT; i++) {
        if (page_entry_without_use(entries[i]) != expected)
            return false;
        expected = page_entry_for_next_page(expected, level);
    }
    *ret_entry = table_tree_leaf(table, start, level + 1, permissions);
    return true;
}

/* Both have the same meaning. So one store replaces the table by the page, unless the CPU requires
 * a break, and every address keeps a translation. The table must not be changed while the CPU may
 * still walk it. */
static void merge_table(struct page_table *table, uint64_t *entry, uint64_t large_page,
                        unsigned level, struct virt_addr virtual)
{
    struct phys_addr page = page_entry_address(*entry, level);
    uint64_t span = page_entry_span_bytes(level);
    struct virt_addr start = table_tree_align_down(virtual, span);
    if (!table_tree_replace(table, entry, large_page, level, start))
        table_tree_invalidate(table, start, span);
    table_tree_free(table, page);
}

/* It works from the bottom up, since new large pages may merge into a page of the next size. */
static uint64_t merge_in_table(struct page_table *table, struct phys_addr page, unsigned level,
                               struct table_cursor *cursor)
{
    uint64_t merged_count = 0;
    uint64_t *entries = table_tree_entries(table, page);
    unsigned index = page_entry_index(cursor->virtual, level);
    for (; index < PAGE_ENTRY_COUNT && cursor->remaining_bytes > 0; index++) {
        uint64_t *entry = &entries[index];
        struct virt_addr virtual = cursor->virtual;
        uint64_t large_page;
        if (!page_entry_is_present(*entry) || page_entry_is_leaf(*entry, level)) {
            table_cursor_advance(cursor, page_entry_span_bytes(level));
            continue;
        }
        struct phys_addr below = page_entry_address(*entry, level);
        merged_count += merge_in_table(table, below, level - 1, cursor);
        if (level <= table_tree_largest_level(table, true) &&
            table_as_page(table, below, level - 1, &large_page)) {
            merge_table(table, entry, large_page, level, virtual);
            merged_count++;
        }
    }
    return merged_count;
}

enum page_table_status page_table_merge(struct page_table *table, struct virt_addr virtual,
                                        uint64_t size_bytes, uint64_t *ret_table_count)
{
    enum page_table_status status = table_tree_check_virtual(table, virtual, size_bytes);
    if (status != PAGE_TABLE_OK)
        return status;
    struct table_cursor cursor = {virtual, size_bytes};
    *ret_table_count =
        merge_in_table(table, table_tree_root(table, virtual), table->features.levels, &cursor);
    return PAGE_TABLE_OK;
}
