/*
 * page_table_validate.c - compare the tables of another program with a request.
 */
#include "shared/page_table.h"

#include "shared/page_entry.h"
#include "shared/table_rights.h"
#include "shared/table_tree.h"

/* The rest of a request. It advances through the tables in order of address. */
struct validation {
    struct table_cursor cursor;
    struct phys_addr physical;
    struct page_permissions permissions;
};

/* Return the number of bytes to the end of the current page of `span` bytes, or of the range. */
static void validation_advance(struct validation *validation, uint64_t span)
{
    uint64_t before_bytes = validation->cursor.remaining_bytes;
    table_cursor_advance(&validation->cursor, span);
    validation->physical.value += before_bytes - validation->cursor.remaining_bytes;
}

static enum page_table_status check_page(const struct page_table *table, uint64_t leaf,
                                         unsigned level, struct table_rights rights,
                                         struct validation *validation)
{
    uint64_t span = page_entry_span_bytes(level);
    uint64_t offset = validation->cursor.virtual.value & (span - 1);
    struct page_permissions found = page_entry_permissions(leaf, level);
    if (page_entry_address(leaf, level).value + offset != validation->physical.value)
        return PAGE_TABLE_OTHER_PAGE;
    if (rights.user || rights.write != validation->permissions.write ||
        (table->features.no_execute && rights.execute != validation->permissions.execute) ||
        found.memory_type != validation->permissions.memory_type)
        return PAGE_TABLE_OTHER_PERMISSIONS;
    validation_advance(validation, span);
    return PAGE_TABLE_OK;
}

/* The entries behind a valid page that differ from it only by the next address are valid, too.
 * These are most entries of a table. Return the first other entry. */
static unsigned skip_alike(const uint64_t *entries, unsigned index, unsigned level,
                           struct validation *validation)
{
    uint64_t span = page_entry_span_bytes(level);
    uint64_t expected = page_entry_without_use(entries[index]);
    while (++index < PAGE_ENTRY_COUNT && validation->cursor.remaining_bytes > 0) {
        expected = page_entry_for_next_page(expected, level);
        if (page_entry_without_use(entries[index]) != expected)
            break;
        validation_advance(validation, span);
    }
    return index;
}

static enum page_table_status check_in_table(const struct page_table *table, struct phys_addr page,
                                             unsigned level, struct table_rights above,
                                             struct validation *validation)
{
    const uint64_t *entries = table_tree_entries(table, page);
    if (entries == NULL)
        return PAGE_TABLE_FOREIGN_TABLE;
    unsigned index = page_entry_index(validation->cursor.virtual, level);
    while (index < PAGE_ENTRY_COUNT && validation->cursor.remaining_bytes > 0) {
        uint64_t entry = entries[index];
        if (!page_entry_is_present(entry) ||
            !page_entry_is_accepted(entry, level, &table->features))
            return PAGE_TABLE_NOT_MAPPED;
        struct table_rights rights = table_rights_below(above, entry, level);
        bool is_leaf = page_entry_is_leaf(entry, level);
        enum page_table_status status =
            is_leaf ? check_page(table, entry, level, rights, validation)
                    : check_in_table(table, page_entry_address(entry, level), level - 1, rights,
                                     validation);
        if (status != PAGE_TABLE_OK)
            return status;
        index = is_leaf ? skip_alike(entries, index, level, validation) : index + 1;
    }
    return PAGE_TABLE_OK;
}

enum page_table_status page_table_validate(const struct page_table *table, struct virt_addr virtual,
                                           struct phys_addr physical, uint64_t size_bytes,
                                           struct page_permissions permissions)
{
    enum page_table_status status = table_tree_check_virtual(table, virtual, size_bytes);
    if (status == PAGE_TABLE_OK)
        status = table_tree_check_physical(table, physical, size_bytes);
    if (status != PAGE_TABLE_OK)
        return status;
    struct validation validation = {{virtual, size_bytes}, physical, permissions};
    return check_in_table(table, table_tree_root(table, virtual), table->features.levels,
                          TABLE_RIGHTS_ALL, &validation);
}
