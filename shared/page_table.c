/*
 * page_table.c - a whole address space: create it, destroy it, share its upper half, look up a
 * page.
 */
#include "shared/page_table.h"

#include "shared/page_entry.h"
#include "shared/table_rights.h"
#include "shared/table_tree.h"
#include "shared/text/packed_text.h"

static const char names[][30] PACKED_SECTION = {
    [PAGE_TABLE_OK] = "ok",
    [PAGE_TABLE_UNALIGNED] = "unaligned",
    [PAGE_TABLE_EMPTY] = "empty range",
    [PAGE_TABLE_NON_CANONICAL] = "non-canonical",
    [PAGE_TABLE_PHYSICAL_TOO_HIGH] = "physical address too high",
    [PAGE_TABLE_ALREADY_MAPPED] = "already mapped",
    [PAGE_TABLE_NOT_MAPPED] = "not mapped",
    [PAGE_TABLE_WRITABLE_EXECUTABLE] = "writable and executable",
    [PAGE_TABLE_NO_MEMORY] = "no memory for a table",
    [PAGE_TABLE_FOREIGN_TABLE] = "a table outside of its memory",
    [PAGE_TABLE_OTHER_PAGE] = "mapped to another place",
    [PAGE_TABLE_OTHER_PERMISSIONS] = "mapped with other permissions",
    [PAGE_TABLE_NULL_PAGE] = "page 0",
    [PAGE_TABLE_MEMORY_TYPE] = "memory type",
};

const char *page_table_status_name(enum page_table_status status)
{
    bool is_known = (size_t)status < sizeof(names) / sizeof(names[0]);
    return is_known ? packed_text_read(names[status]) : "unknown status";
}

bool page_table_is_canonical(unsigned levels, struct virt_addr virtual)
{
    return table_tree_is_canonical(levels, virtual);
}

/* --- Create and destroy --- */

enum page_table_status page_table_create(const struct page_table_features *features,
                                         const struct page_table_memory *memory,
                                         struct page_table *ret)
{
    struct page_table table = {.features = *features, .memory = *memory};
    if (!table_tree_allocate(&table, &table.root))
        return PAGE_TABLE_NO_MEMORY;
    table.upper_root = table.root;
    if (page_entry_has_two_roots() && !table_tree_allocate(&table, &table.upper_root)) {
        table_tree_free(&table, table.root);
        return PAGE_TABLE_NO_MEMORY;
    }
    table_tree_publish(&table);
    *ret = table;
    return PAGE_TABLE_OK;
}

static void destroy_tree(struct page_table *table, struct phys_addr page, unsigned level)
{
    const uint64_t *entries = table_tree_entries(table, page);
    unsigned count = level > PAGE_LEVEL_SMALLEST ? table_tree_own_count(table, level) : 0;
    for (unsigned i = 0; i < count; i++) {
        if (table_tree_refers_to_table(entries[i], level))
            destroy_tree(table, page_entry_address(entries[i], level), level - 1);
    }
    table_tree_free(table, page);
}

void page_table_destroy(struct page_table *table)
{
    destroy_tree(table, table->root, table->features.levels);
    if (table_tree_owns_upper_root(table))
        destroy_tree(table, table->upper_root, table->features.levels);
}

static void copy_upper_half(struct page_table *table, const struct page_table *owner)
{
    uint64_t *entries = table_tree_entries(table, table->root);
    const uint64_t *lent = table_tree_entries(owner, owner->root);
    for (unsigned i = PAGE_ENTRY_COUNT / 2; i < PAGE_ENTRY_COUNT; i++)
        entries[i] = lent[i];
    table_tree_publish(table);
}

void page_table_borrow_upper_half(struct page_table *table, const struct page_table *owner)
{
    if (!page_entry_has_two_roots()) {
        copy_upper_half(table, owner);
    } else {
        if (!table->upper_half_is_borrowed)
            table_tree_free(table, table->upper_root);
        table->upper_root = owner->upper_root;
    }
    table->upper_half_is_borrowed = true;
}

/* --- Look up --- */

enum page_table_status page_table_lookup(const struct page_table *table, struct virt_addr virtual,
                                         struct page_mapping *ret)
{
    if (!table_tree_is_canonical(table->features.levels, virtual))
        return PAGE_TABLE_NON_CANONICAL;

    struct table_rights rights = TABLE_RIGHTS_ALL;
    struct phys_addr page = table_tree_root(table, virtual);
    for (unsigned level = table->features.levels;; level--) {
        uint64_t entry = table_tree_entries(table, page)[page_entry_index(virtual, level)];
        if (!page_entry_is_present(entry))
            return PAGE_TABLE_NOT_MAPPED;
        rights = table_rights_below(rights, entry, level);
        if (page_entry_is_leaf(entry, level)) {
            struct virt_addr start = virt_addr(virtual.value & ~(page_entry_span_bytes(level) - 1));
            *ret = table_rights_mapping(entry, level, start, rights);
            return PAGE_TABLE_OK;
        }
        page = page_entry_address(entry, level);
    }
}
