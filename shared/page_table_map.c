/*
 * page_table_map.c - map ranges with the largest pages that fit.
 */
#include "shared/page_table.h"

#include "shared/page_entry.h"
#include "shared/table_tree.h"

/* The rest of a request. It advances through the tables in order of address. */
struct mapping_job {
    struct virt_addr virtual;
    struct phys_addr physical;
    uint64_t remaining_bytes;
    struct page_permissions permissions;
    unsigned largest_level; /* of a page */
};

/* Return true if the next page to map can have this level's size. */
static bool page_fits(const struct mapping_job *job, unsigned level)
{
    uint64_t span = page_entry_span_bytes(level);
    return level <= job->largest_level && job->remaining_bytes >= span &&
           table_tree_is_multiple_of(job->virtual.value | job->physical.value, span);
}

/* Map pages of this level's size from entry `index` on. Stop at the end of the job or of the table,
 * or before the first present entry. Return the first entry that was not written. Precondition: the
 * first is not present, and page_fits(), which then holds for all of them. */
static unsigned map_pages(const struct page_table *table, struct mapping_job *job, unsigned level,
                          uint64_t *entries, unsigned index)
{
    uint64_t span = page_entry_span_bytes(level);
    uint64_t entry = table_tree_leaf(table, job->physical, level, job->permissions);
    do {
        entries[index] = entry;
        entry = page_entry_for_next_page(entry, level);
        job->virtual.value += span;
        job->physical.value += span;
        job->remaining_bytes -= span;
    } while (++index < PAGE_ENTRY_COUNT && job->remaining_bytes >= span &&
             !page_entry_is_present(entries[index]));
    return index;
}

/* Precondition: the entry is not present. */
static bool add_table(struct page_table *table, uint64_t *entry)
{
    struct phys_addr page;
    if (!table_tree_allocate(table, &page))
        return false;
    table_tree_publish(table);
    *entry = page_entry_for_table(page);
    return true;
}

/* On ALREADY_MAPPED and NO_MEMORY, the job's position is that of the failure. An existing table is
 * not empty, so a large page must not replace it. */
static enum page_table_status map_in_table(struct page_table *table, struct phys_addr page,
                                           unsigned level, struct mapping_job *job)
{
    uint64_t *entries = table_tree_entries(table, page);
    unsigned index = page_entry_index(job->virtual, level);
    while (index < PAGE_ENTRY_COUNT && job->remaining_bytes > 0) {
        uint64_t *entry = &entries[index];
        bool fits = page_fits(job, level);
        bool is_present = page_entry_is_present(*entry);
        if (is_present && (fits || page_entry_is_leaf(*entry, level)))
            return PAGE_TABLE_ALREADY_MAPPED;
        if (fits) {
            index = map_pages(table, job, level, entries, index);
            continue;
        }
        if (!is_present && !add_table(table, entry))
            return PAGE_TABLE_NO_MEMORY;
        enum page_table_status status =
            map_in_table(table, page_entry_address(*entry, level), level - 1, job);
        if (status != PAGE_TABLE_OK)
            return status;
        index++;
    }
    return PAGE_TABLE_OK;
}

/* The general case: any size, and tables may be missing. */
static enum page_table_status map_range(struct page_table *table, struct mapping_job job)
{
    struct virt_addr start = job.virtual;
    uint64_t size_bytes = job.remaining_bytes;
    enum page_table_status status =
        map_in_table(table, table_tree_root(table, start), table->features.levels, &job);
    if (status == PAGE_TABLE_OK) {
        table_tree_publish(table);
        return status;
    }
    uint64_t begun_bytes = size_bytes - job.remaining_bytes;
    if (status == PAGE_TABLE_NO_MEMORY)
        begun_bytes += PAGE_SIZE_BYTES; /* some tables of the next page may have been added */
    if (begun_bytes > 0)
        table_tree_remove(table, start, begun_bytes);
    return status;
}

static enum page_table_status check(const struct page_table *table, struct virt_addr virtual,
                                    struct phys_addr physical, uint64_t size_bytes,
                                    struct page_permissions permissions)
{
    enum page_table_status status = table_tree_check_virtual(table, virtual, size_bytes);
    if (status == PAGE_TABLE_OK)
        status = table_tree_check_physical(table, physical, size_bytes);
    if (status == PAGE_TABLE_OK && permissions.write && permissions.execute &&
        !table->allow_writable_executable)
        status = PAGE_TABLE_WRITABLE_EXECUTABLE;
    return status;
}

static struct mapping_job job_for(const struct page_table *table, struct virt_addr virtual,
                                  struct phys_addr physical, uint64_t size_bytes,
                                  struct page_permissions permissions, bool large_pages)
{
    return (struct mapping_job){
        .virtual = virtual,
        .physical = physical,
        .remaining_bytes = size_bytes,
        .permissions = permissions,
        .largest_level = table_tree_largest_level(table, large_pages),
    };
}

enum page_table_status page_table_map(struct page_table *table, struct virt_addr virtual,
                                      struct phys_addr physical, uint64_t size_bytes,
                                      struct page_permissions permissions, bool large_pages)
{
    enum page_table_status status = check(table, virtual, physical, size_bytes, permissions);
    if (status != PAGE_TABLE_OK)
        return status;
    /* Most requests are for one page whose table exists. */
    struct table_tree_end end = table_tree_walk_to(table, virtual);
    if (size_bytes == PAGE_SIZE_BYTES && end.level == PAGE_LEVEL_SMALLEST &&
        !page_entry_is_present(*end.entry)) {
        *end.entry = table_tree_leaf(table, physical, end.level, permissions);
        table_tree_publish(table);
        return PAGE_TABLE_OK;
    }
    return map_range(table,
                     job_for(table, virtual, physical, size_bytes, permissions, large_pages));
}

enum page_table_status page_table_add(struct page_table *table, struct virt_addr virtual,
                                      struct phys_addr physical, uint64_t size_bytes,
                                      struct page_permissions permissions, bool large_pages)
{
    enum page_table_status status = check(table, virtual, physical, size_bytes, permissions);
    if (status != PAGE_TABLE_OK)
        return status;
    struct mapping_job job =
        job_for(table, virtual, physical, size_bytes, permissions, large_pages);
    status = map_in_table(table, table_tree_root(table, virtual), table->features.levels, &job);
    table_tree_publish(table);
    return status;
}
