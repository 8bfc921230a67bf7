/*
 * page_table.c - x86-64's four and five levels of tables (Intel SDM Vol. 3A, 4.5).
 *
 * Invariant: no table but the root is ever empty. page_table_unmap() frees what it empties, and a
 * map that fails takes back all it added; so "remove everything in this range" is also the exact
 * undo of a half-finished map, which stops at the first page that it finds mapped.
 *
 * Recursion goes down one level a call, so it is at most five deep.
 */
#include "shared/page_table.h"

#include "shared/arch/x86_64/page_entry.h"
#include "shared/memory.h"

const char *page_table_status_name(enum page_table_status status)
{
    switch (status) {
    case PAGE_TABLE_OK:
        return "ok";
    case PAGE_TABLE_UNALIGNED:
        return "unaligned";
    case PAGE_TABLE_EMPTY:
        return "empty range";
    case PAGE_TABLE_NON_CANONICAL:
        return "non-canonical";
    case PAGE_TABLE_PHYSICAL_TOO_HIGH:
        return "physical address too high";
    case PAGE_TABLE_ALREADY_MAPPED:
        return "already mapped";
    case PAGE_TABLE_NOT_MAPPED:
        return "not mapped";
    case PAGE_TABLE_WRITABLE_EXECUTABLE:
        return "writable and executable";
    case PAGE_TABLE_NO_MEMORY:
        return "no memory for a table";
    case PAGE_TABLE_FOREIGN_TABLE:
        return "a table outside of its memory";
    case PAGE_TABLE_OTHER_PAGE:
        return "mapped to another place";
    case PAGE_TABLE_OTHER_PERMISSIONS:
        return "mapped with other permissions";
    case PAGE_TABLE_NULL_PAGE:
        return "page 0";
    case PAGE_TABLE_MEMORY_TYPE:
        return "memory type";
    }
    return "unknown status";
}

bool page_table_is_canonical(unsigned levels, struct virt_addr virtual)
{
    /* The bits that the tables do not translate, and the highest one that they do, are equal. */
    unsigned translated_bits = PAGE_SHIFT + 9 * levels;
    uint64_t upper = virtual.value >> (translated_bits - 1);
    return upper == 0 || upper == UINT64_MAX >> (translated_bits - 1);
}

static bool is_multiple_of(uint64_t value, uint64_t power_of_two)
{
    return (value & (power_of_two - 1)) == 0;
}

static struct virt_addr sign_extend(unsigned levels, uint64_t value)
{
    unsigned translated_bits = PAGE_SHIFT + 9 * levels;
    bool upper_half = (value >> (translated_bits - 1)) != 0;
    return virt_addr(upper_half ? value | (UINT64_MAX << translated_bits) : value);
}

/* --- Table pages --- */

static uint64_t *entries_of(const struct page_table *table, struct phys_addr page)
{
    return table->memory.access_table(table->memory.context, page);
}

static bool allocate_table(struct page_table *table, struct phys_addr *ret_page)
{
    if (!table->memory.allocate_table(table->memory.context, ret_page))
        return false;
    memset(entries_of(table, *ret_page), 0, PAGE_SIZE_BYTES);
    table->table_count++;
    return true;
}

static void free_table(struct page_table *table, struct phys_addr page)
{
    table->memory.free_table(table->memory.context, page);
    table->table_count--;
}

/* An entry that maps a page of the level's size, as this CPU can have it. */
static uint64_t leaf_for(const struct page_table *table, struct phys_addr page, unsigned level,
                         struct page_permissions permissions)
{
    return page_entry_for_page(page, level, permissions, table->no_execute, table->write_combining);
}

static bool table_is_empty(const struct page_table *table, struct phys_addr page)
{
    const uint64_t *entries = entries_of(table, page);
    for (unsigned i = 0; i < PAGE_ENTRY_COUNT; i++) {
        if (page_entry_is_present(entries[i]))
            return false;
    }
    return true;
}

static void invalidate(struct page_table *table, struct virt_addr start, uint64_t size_bytes)
{
    if (table->memory.invalidate != NULL)
        table->memory.invalidate(table->memory.context, start, size_bytes);
}

/* Empty tables that are out of the tree but not yet free: the CPU may hold references to them until
 * their translations have been invalidated, and walk them as soon as they are somebody else's. They
 * are linked through their first entries; an address with a clear present bit translates nothing.
 */
struct detached_tables {
    struct phys_addr newest;
    uint64_t count;
};

static void detach_table(struct page_table *table, uint64_t *entry, struct phys_addr page,
                         struct detached_tables *detached)
{
    *entry = 0;
    entries_of(table, page)[0] = detached->newest.value;
    detached->newest = page;
    detached->count++;
}

static void free_detached(struct page_table *table, struct detached_tables *detached)
{
    for (; detached->count > 0; detached->count--) {
        struct phys_addr page = detached->newest;
        detached->newest = phys_addr(entries_of(table, page)[0]);
        free_table(table, page);
    }
}

/* --- Create and destroy --- */

enum page_table_status page_table_create(const struct page_table_features *features,
                                         const struct page_table_memory *memory,
                                         struct page_table *ret)
{
    struct page_table table = {
        .levels = features->levels,
        .physical_bits = features->physical_bits,
        .no_execute = features->no_execute,
        .pages_1gib = features->pages_1gib,
        .write_combining = features->write_combining,
        .memory = *memory,
    };
    if (!allocate_table(&table, &table.root))
        return PAGE_TABLE_NO_MEMORY;
    *ret = table;
    return PAGE_TABLE_OK;
}

/* An entry that refers to a table of our own. */
static bool refers_to_own_table(uint64_t entry, unsigned level)
{
    return page_entry_is_present(entry) && !page_entry_is_leaf(entry, level) &&
           !page_entry_is_borrowed(entry);
}

static void destroy_tree(struct page_table *table, struct phys_addr page, unsigned level)
{
    const uint64_t *entries = entries_of(table, page);
    for (unsigned i = 0; level > PAGE_LEVEL_4KIB && i < PAGE_ENTRY_COUNT; i++) {
        if (refers_to_own_table(entries[i], level))
            destroy_tree(table, page_entry_address(entries[i], level), level - 1);
    }
    free_table(table, page);
}

void page_table_destroy(struct page_table *table)
{
    destroy_tree(table, table->root, table->levels);
}

void page_table_borrow_upper_half(struct page_table *table, const struct page_table *owner)
{
    uint64_t *entries = entries_of(table, table->root);
    const uint64_t *lent = entries_of(owner, owner->root);
    for (unsigned i = PAGE_ENTRY_COUNT / 2; i < PAGE_ENTRY_COUNT; i++)
        entries[i] = page_entry_is_present(lent[i]) ? page_entry_borrow(lent[i]) : 0;
}

/* --- Finding --- */

/* The entry at which the walk for an address ends: a leaf, or one that is not present. */
struct walk_end {
    uint64_t *entry;
    unsigned level;
};

static struct walk_end walk_to(const struct page_table *table, struct virt_addr virtual)
{
    struct phys_addr page = table->root;
    for (unsigned level = table->levels;; level--) {
        uint64_t *entry = &entries_of(table, page)[page_entry_index(virtual, level)];
        if (!page_entry_is_present(*entry) || page_entry_is_leaf(*entry, level))
            return (struct walk_end){entry, level};
        page = page_entry_address(*entry, level);
    }
}

static enum page_table_status judge_virtual_range(const struct page_table *table,
                                                  struct virt_addr start, uint64_t size_bytes)
{
    if (!page_is_aligned(start.value) || !page_is_aligned(size_bytes))
        return PAGE_TABLE_UNALIGNED;
    if (size_bytes == 0)
        return PAGE_TABLE_EMPTY;

    struct virt_addr last = virt_addr_add(start, size_bytes - 1);
    bool same_half = (start.value >> 63) == (last.value >> 63);
    if (last.value < start.value || !same_half || !page_table_is_canonical(table->levels, start) ||
        !page_table_is_canonical(table->levels, last))
        return PAGE_TABLE_NON_CANONICAL;
    return PAGE_TABLE_OK;
}

static enum page_table_status judge_physical_range(const struct page_table *table,
                                                   struct phys_addr start, uint64_t size_bytes)
{
    if (!page_is_aligned(start.value))
        return PAGE_TABLE_UNALIGNED;
    uint64_t limit = UINT64_C(1) << table->physical_bits;
    if (start.value >= limit || size_bytes > limit - start.value)
        return PAGE_TABLE_PHYSICAL_TOO_HIGH;
    return PAGE_TABLE_OK;
}

/* What is left of a range; goes through the tables in order of address. */
struct cursor {
    struct virt_addr virtual;
    uint64_t remaining_bytes;
};

/* To the end of the entry of `span` bytes in which the cursor stands, or of the range. */
static void cursor_advance(struct cursor *cursor, uint64_t span)
{
    uint64_t bytes = span - (cursor->virtual.value & (span - 1));
    if (bytes > cursor->remaining_bytes)
        bytes = cursor->remaining_bytes;
    cursor->virtual = virt_addr_add(cursor->virtual, bytes);
    cursor->remaining_bytes -= bytes;
}

/* True if every page of the range that this table translates is mapped. */
static bool table_has_all(const struct page_table *table, struct phys_addr page, unsigned level,
                          struct cursor *cursor)
{
    const uint64_t *entries = entries_of(table, page);
    unsigned index = page_entry_index(cursor->virtual, level);
    for (; index < PAGE_ENTRY_COUNT && cursor->remaining_bytes > 0; index++) {
        uint64_t entry = entries[index];
        if (!page_entry_is_present(entry))
            return false;
        if (page_entry_is_leaf(entry, level))
            cursor_advance(cursor, page_entry_span_bytes(level));
        else if (!table_has_all(table, page_entry_address(entry, level), level - 1, cursor))
            return false;
    }
    return true;
}

/* --- Removing --- */

/* Clear what is mapped of the range in this table, and detach the tables below that become empty.
 * Precondition: no page lies only partly in the range. */
static void remove_in_table(struct page_table *table, struct phys_addr page, unsigned level,
                            struct cursor *cursor, struct detached_tables *detached)
{
    uint64_t *entries = entries_of(table, page);
    unsigned index = page_entry_index(cursor->virtual, level);
    for (; index < PAGE_ENTRY_COUNT && cursor->remaining_bytes > 0; index++) {
        uint64_t *entry = &entries[index];
        if (!page_entry_is_present(*entry) || page_entry_is_leaf(*entry, level)) {
            *entry = 0;
            cursor_advance(cursor, page_entry_span_bytes(level));
            continue;
        }
        struct phys_addr below = page_entry_address(*entry, level);
        remove_in_table(table, below, level - 1, cursor, detached);
        if (table_is_empty(table, below))
            detach_table(table, entry, below, detached);
    }
}

static void remove_range(struct page_table *table, struct virt_addr start, uint64_t size_bytes)
{
    struct cursor cursor = {start, size_bytes};
    struct detached_tables detached = {.count = 0};
    remove_in_table(table, table->root, table->levels, &cursor, &detached);
    invalidate(table, start, size_bytes);
    free_detached(table, &detached);
}

/* --- Mapping --- */

/* What is still to be mapped; advances through the tables in order of address. */
struct mapping_job {
    struct virt_addr virtual;
    struct phys_addr physical;
    uint64_t remaining_bytes;
    struct page_permissions permissions;
    unsigned largest_level; /* of a page */
};

static unsigned largest_page_level(const struct page_table *table, bool large_pages)
{
    if (!large_pages)
        return PAGE_LEVEL_4KIB;
    return table->pages_1gib ? PAGE_LEVEL_1GIB : PAGE_LEVEL_2MIB;
}

/* True if the next page to map can be one of this level's size. */
static bool page_fits(const struct mapping_job *job, unsigned level)
{
    uint64_t span = page_entry_span_bytes(level);
    return level <= job->largest_level && job->remaining_bytes >= span &&
           is_multiple_of(job->virtual.value | job->physical.value, span);
}

/* Map pages of this level's size from entry `index` on, as many as the job and the table have, up
 * to the first that is present. Returns the first entry that is not one of them. Precondition:
 * the first is not present, and page_fits(), which then holds for all of them. */
static unsigned map_pages(const struct page_table *table, struct mapping_job *job, unsigned level,
                          uint64_t *entries, unsigned index)
{
    uint64_t span = page_entry_span_bytes(level);
    uint64_t entry = leaf_for(table, job->physical, level, job->permissions);
    do {
        entries[index] = entry;
        entry += span;
        job->virtual.value += span;
        job->physical.value += span;
        job->remaining_bytes -= span;
    } while (++index < PAGE_ENTRY_COUNT && job->remaining_bytes >= span &&
             !page_entry_is_present(entries[index]));
    return index;
}

static bool add_table(struct page_table *table, uint64_t *entry)
{
    struct phys_addr page;
    if (!allocate_table(table, &page))
        return false;
    *entry = page_entry_for_table(page);
    return true;
}

/* ALREADY_MAPPED or NO_MEMORY: the job then stands where it stopped. A table that is there is not
 * empty, so a large page in its place would hide something. */
static enum page_table_status map_in_table(struct page_table *table, struct phys_addr page,
                                           unsigned level, struct mapping_job *job)
{
    uint64_t *entries = entries_of(table, page);
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

enum page_table_status page_table_map(struct page_table *table, struct virt_addr virtual,
                                      struct phys_addr physical, uint64_t size_bytes,
                                      struct page_permissions permissions, bool large_pages)
{
    enum page_table_status status = judge_virtual_range(table, virtual, size_bytes);
    if (status == PAGE_TABLE_OK)
        status = judge_physical_range(table, physical, size_bytes);
    if (status != PAGE_TABLE_OK)
        return status;
    if (permissions.write && permissions.execute && !table->allow_writable_executable)
        return PAGE_TABLE_WRITABLE_EXECUTABLE;
    /* Most requests are for one page whose table is there. */
    struct walk_end end = walk_to(table, virtual);
    if (size_bytes == PAGE_SIZE_BYTES && end.level == PAGE_LEVEL_4KIB &&
        !page_entry_is_present(*end.entry)) {
        *end.entry = leaf_for(table, physical, end.level, permissions);
        return PAGE_TABLE_OK;
    }

    struct mapping_job job = {
        .virtual = virtual,
        .physical = physical,
        .remaining_bytes = size_bytes,
        .permissions = permissions,
        .largest_level = largest_page_level(table, large_pages),
    };
    status = map_in_table(table, table->root, table->levels, &job);
    uint64_t begun_bytes = size_bytes - job.remaining_bytes;
    if (status == PAGE_TABLE_NO_MEMORY)
        begun_bytes += PAGE_SIZE_BYTES; /* the tables of the next page may have been begun */
    if (status != PAGE_TABLE_OK && begun_bytes > 0)
        remove_range(table, virtual, begun_bytes);
    return status;
}

/* --- Splitting --- */

/* The splits of one request, so that they can be taken back: at each end of the range a 1 GiB page
 * can fall to 2 MiB pages and one of those to 4 KiB pages. */
#define SPLIT_LIMIT 4

struct split {
    uint64_t *entry;
    uint64_t large_page;         /* what the entry was */
    struct phys_addr table_page; /* what it refers to now */
    struct virt_addr virtual;    /* of the large page's first byte */
    uint64_t size_bytes;
};

struct split_list {
    struct split splits[SPLIT_LIMIT];
    unsigned count;
};

/* Replace a large page by a table of the next smaller ones with the same meaning. Nothing is
 * invalidated here: what the CPU remembers of the large page stays true. */
static bool split_page(struct page_table *table, struct walk_end at, struct virt_addr virtual,
                       struct split_list *list)
{
    struct phys_addr page;
    if (!allocate_table(table, &page))
        return false;

    uint64_t large_page = *at.entry;
    struct phys_addr physical = page_entry_address(large_page, at.level);
    struct page_permissions permissions = page_entry_permissions(large_page, at.level);
    unsigned level = at.level - 1;
    uint64_t *entries = entries_of(table, page);
    for (unsigned i = 0; i < PAGE_ENTRY_COUNT; i++) {
        entries[i] = leaf_for(table, phys_addr_add(physical, i * page_entry_span_bytes(level)),
                              level, permissions);
    }

    uint64_t size_bytes = page_entry_span_bytes(at.level);
    struct virt_addr start = virt_addr(virtual.value & ~(size_bytes - 1));
    list->splits[list->count++] = (struct split){at.entry, large_page, page, start, size_bytes};
    *at.entry = page_entry_for_table(page);
    return true;
}

/* Split until no page extends across the boundary. */
static bool split_at(struct page_table *table, struct virt_addr boundary, struct split_list *list)
{
    for (;;) {
        struct walk_end at = walk_to(table, boundary);
        bool crosses = page_entry_is_present(*at.entry) &&
                       !is_multiple_of(boundary.value, page_entry_span_bytes(at.level));
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
        *split->entry = split->large_page;
        invalidate(table, split->virtual, split->size_bytes);
        free_table(table, split->table_page);
    }
}

/* Make every page of the range lie wholly in it: the part of unmap and protect that can fail.
 * On failure the tables are as they were. Precondition: the range is a possible one. */
static enum page_table_status split_ends(struct page_table *table, struct virt_addr virtual,
                                         uint64_t size_bytes)
{
    struct cursor cursor = {virtual, size_bytes};
    if (!table_has_all(table, table->root, table->levels, &cursor))
        return PAGE_TABLE_NOT_MAPPED;

    struct split_list splits = {.count = 0};
    if (!split_at(table, virtual, &splits) ||
        !split_at(table, virt_addr_add(virtual, size_bytes), &splits)) {
        undo_splits(table, &splits);
        return PAGE_TABLE_NO_MEMORY;
    }
    return PAGE_TABLE_OK;
}

/* --- Unmapping and protecting --- */

/* One page with a neighbour, so that its table stays: most requests. False, and nothing changed, if
 * it is another. */
static bool unmap_beside_neighbour(struct page_table *table, struct virt_addr virtual)
{
    struct walk_end end = walk_to(table, virtual);
    if (end.level != PAGE_LEVEL_4KIB || !page_entry_is_present(*end.entry))
        return false;
    unsigned index = page_entry_index(virtual, end.level);
    bool stays = (index > 0 && page_entry_is_present(end.entry[-1])) ||
                 (index < PAGE_ENTRY_COUNT - 1 && page_entry_is_present(end.entry[1]));
    if (!stays)
        return false;
    *end.entry = 0;
    invalidate(table, virtual, PAGE_SIZE_BYTES);
    return true;
}

enum page_table_status page_table_unmap(struct page_table *table, struct virt_addr virtual,
                                        uint64_t size_bytes)
{
    enum page_table_status status = judge_virtual_range(table, virtual, size_bytes);
    if (status == PAGE_TABLE_OK && size_bytes == PAGE_SIZE_BYTES &&
        unmap_beside_neighbour(table, virtual))
        return PAGE_TABLE_OK;
    if (status == PAGE_TABLE_OK)
        status = split_ends(table, virtual, size_bytes);
    if (status == PAGE_TABLE_OK)
        remove_range(table, virtual, size_bytes);
    return status;
}

/* Precondition: every page of the range is mapped and lies wholly in it. */
static void protect_in_table(struct page_table *table, struct phys_addr page, unsigned level,
                             struct cursor *cursor, struct page_permissions permissions)
{
    uint64_t *entries = entries_of(table, page);
    unsigned index = page_entry_index(cursor->virtual, level);
    for (; index < PAGE_ENTRY_COUNT && cursor->remaining_bytes > 0; index++) {
        struct phys_addr address = page_entry_address(entries[index], level);
        if (!page_entry_is_leaf(entries[index], level)) {
            protect_in_table(table, address, level - 1, cursor, permissions);
            continue;
        }
        entries[index] = leaf_for(table, address, level, permissions);
        cursor_advance(cursor, page_entry_span_bytes(level));
    }
}

enum page_table_status page_table_protect(struct page_table *table, struct virt_addr virtual,
                                          uint64_t size_bytes, struct page_permissions permissions)
{
    if (permissions.write && permissions.execute && !table->allow_writable_executable)
        return PAGE_TABLE_WRITABLE_EXECUTABLE;
    enum page_table_status status = judge_virtual_range(table, virtual, size_bytes);
    if (status == PAGE_TABLE_OK)
        status = split_ends(table, virtual, size_bytes);
    if (status != PAGE_TABLE_OK)
        return status;
    struct cursor cursor = {virtual, size_bytes};
    protect_in_table(table, table->root, table->levels, &cursor, permissions);
    invalidate(table, virtual, size_bytes);
    return PAGE_TABLE_OK;
}

/* --- Merging --- */

/* The page of the next larger size that means what this table of pages means. False if there is
 * none: the pages are not one aligned piece of memory with the same permissions. The CPU notes in
 * each entry by itself whether its page was used, so those bits do not count. */
static bool table_as_page(const struct page_table *table, struct phys_addr page, unsigned level,
                          uint64_t *ret_entry)
{
    const uint64_t *entries = entries_of(table, page);
    if (!page_entry_is_present(entries[0]) || !page_entry_is_leaf(entries[0], level))
        return false;
    struct phys_addr start = page_entry_address(entries[0], level);
    if (!is_multiple_of(start.value, page_entry_span_bytes(level + 1)))
        return false;

    struct page_permissions permissions = page_entry_permissions(entries[0], level);
    for (unsigned i = 0; i < PAGE_ENTRY_COUNT; i++) {
        struct phys_addr expected = phys_addr_add(start, i * page_entry_span_bytes(level));
        if (page_entry_without_use(entries[i]) != leaf_for(table, expected, level, permissions))
            return false;
    }
    *ret_entry = leaf_for(table, start, level + 1, permissions);
    return true;
}

/* One store replaces the table by the page, and both mean the same, so no address is without a
 * translation at any time. The table must not be touched while the CPU may still walk it. */
static void merge_table(struct page_table *table, uint64_t *entry, uint64_t large_page,
                        unsigned level, struct virt_addr virtual)
{
    struct phys_addr page = page_entry_address(*entry, level);
    uint64_t span = page_entry_span_bytes(level);
    *entry = large_page;
    invalidate(table, virt_addr(virtual.value & ~(span - 1)), span);
    free_table(table, page);
}

/* From the bottom up: 2 MiB pages that come about may be one 1 GiB page. */
static uint64_t merge_in_table(struct page_table *table, struct phys_addr page, unsigned level,
                               struct cursor *cursor)
{
    uint64_t merged_count = 0;
    uint64_t *entries = entries_of(table, page);
    unsigned index = page_entry_index(cursor->virtual, level);
    for (; index < PAGE_ENTRY_COUNT && cursor->remaining_bytes > 0; index++) {
        uint64_t *entry = &entries[index];
        struct virt_addr virtual = cursor->virtual;
        uint64_t large_page;
        if (!page_entry_is_present(*entry) || page_entry_is_leaf(*entry, level)) {
            cursor_advance(cursor, page_entry_span_bytes(level));
            continue;
        }
        struct phys_addr below = page_entry_address(*entry, level);
        merged_count += merge_in_table(table, below, level - 1, cursor);
        if (level <= largest_page_level(table, true) &&
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
    enum page_table_status status = judge_virtual_range(table, virtual, size_bytes);
    if (status != PAGE_TABLE_OK)
        return status;
    struct cursor cursor = {virtual, size_bytes};
    *ret_table_count = merge_in_table(table, table->root, table->levels, &cursor);
    return PAGE_TABLE_OK;
}

/* --- Reading --- */

/* What the entries from the root down to a page allow together: a right is had only if every level
 * grants it (Intel SDM Vol. 3A, 4.6). */
struct rights {
    bool write;
    bool execute;
    bool user;
};

static const struct rights ALL_RIGHTS = {.write = true, .execute = true, .user = true};

static struct rights rights_below(struct rights above, uint64_t entry)
{
    return (struct rights){
        .write = above.write && page_entry_allows_write(entry),
        .execute = above.execute && page_entry_allows_execute(entry),
        .user = above.user && page_entry_allows_user(entry),
    };
}

static struct page_mapping mapping_of(uint64_t leaf, unsigned level, struct virt_addr virtual,
                                      struct rights rights)
{
    struct page_mapping mapping = {
        .virtual = virtual,
        .physical = page_entry_address(leaf, level),
        .page_size_bytes = page_entry_span_bytes(level),
        .permissions = page_entry_permissions(leaf, level),
        .user = rights.user,
    };
    mapping.permissions.write = rights.write;
    mapping.permissions.execute = rights.execute;
    return mapping;
}

enum page_table_status page_table_lookup(const struct page_table *table, struct virt_addr virtual,
                                         struct page_mapping *ret)
{
    if (!page_table_is_canonical(table->levels, virtual))
        return PAGE_TABLE_NON_CANONICAL;

    struct rights rights = ALL_RIGHTS;
    struct phys_addr page = table->root;
    for (unsigned level = table->levels;; level--) {
        uint64_t entry = entries_of(table, page)[page_entry_index(virtual, level)];
        if (!page_entry_is_present(entry))
            return PAGE_TABLE_NOT_MAPPED;
        rights = rights_below(rights, entry);
        if (page_entry_is_leaf(entry, level)) {
            uint64_t span = page_entry_span_bytes(level);
            *ret = mapping_of(entry, level, virt_addr(virtual.value & ~(span - 1)), rights);
            return PAGE_TABLE_OK;
        }
        page = page_entry_address(entry, level);
    }
}

/* True if the CPU translates through this entry. One with a reserved bit set faults (Intel SDM
 * Vol. 3A, 4.7, "RSVD flag"). Precondition: the entry is present. */
static bool cpu_accepts(const struct page_table *table, uint64_t entry, unsigned level)
{
    uint64_t address = entry & PAGE_ENTRY_ADDRESS_MASK;
    if ((address >> table->physical_bits) != 0)
        return false;
    if (!table->no_execute && !page_entry_allows_execute(entry))
        return false;
    if (level == PAGE_LEVEL_4KIB || !page_entry_is_leaf(entry, level))
        return true;
    return level <= largest_page_level(table, true) &&
           is_multiple_of(address & ~PAGE_ENTRY_PAT_LARGE, page_entry_span_bytes(level));
}

/* What is still to be proven; advances through the tables in order of address. */
struct proof {
    struct cursor cursor;
    struct phys_addr physical;
    struct page_permissions permissions;
};

/* To the end of the page of `span` bytes in which the proof stands, or of the range. */
static void proof_advance(struct proof *proof, uint64_t span)
{
    uint64_t before_bytes = proof->cursor.remaining_bytes;
    cursor_advance(&proof->cursor, span);
    proof->physical.value += before_bytes - proof->cursor.remaining_bytes;
}

static enum page_table_status prove_page(const struct page_table *table, uint64_t leaf,
                                         unsigned level, struct rights rights, struct proof *proof)
{
    uint64_t span = page_entry_span_bytes(level);
    uint64_t offset = proof->cursor.virtual.value & (span - 1);
    struct page_permissions found = page_entry_permissions(leaf, level);
    if (page_entry_address(leaf, level).value + offset != proof->physical.value)
        return PAGE_TABLE_OTHER_PAGE;
    if (rights.user || rights.write != proof->permissions.write ||
        (table->no_execute && rights.execute != proof->permissions.execute) ||
        found.memory_type != proof->permissions.memory_type)
        return PAGE_TABLE_OTHER_PERMISSIONS;
    proof_advance(proof, span);
    return PAGE_TABLE_OK;
}

/* What follows a proven page and differs from it by the next address only is proven, too: most of a
 * table. Returns the first entry that is not. */
static unsigned skip_alike(const uint64_t *entries, unsigned index, unsigned level,
                           struct proof *proof)
{
    uint64_t span = page_entry_span_bytes(level);
    uint64_t expected = page_entry_without_use(entries[index]);
    while (++index < PAGE_ENTRY_COUNT && proof->cursor.remaining_bytes > 0 &&
           page_entry_without_use(entries[index]) == (expected += span))
        proof_advance(proof, span);
    return index;
}

static enum page_table_status prove_in_table(const struct page_table *table, struct phys_addr page,
                                             unsigned level, struct rights above,
                                             struct proof *proof)
{
    const uint64_t *entries = entries_of(table, page);
    if (entries == NULL)
        return PAGE_TABLE_FOREIGN_TABLE;
    unsigned index = page_entry_index(proof->cursor.virtual, level);
    while (index < PAGE_ENTRY_COUNT && proof->cursor.remaining_bytes > 0) {
        uint64_t entry = entries[index];
        if (!page_entry_is_present(entry) || !cpu_accepts(table, entry, level))
            return PAGE_TABLE_NOT_MAPPED;
        struct rights rights = rights_below(above, entry);
        bool is_leaf = page_entry_is_leaf(entry, level);
        enum page_table_status status =
            is_leaf
                ? prove_page(table, entry, level, rights, proof)
                : prove_in_table(table, page_entry_address(entry, level), level - 1, rights, proof);
        if (status != PAGE_TABLE_OK)
            return status;
        index = is_leaf ? skip_alike(entries, index, level, proof) : index + 1;
    }
    return PAGE_TABLE_OK;
}

enum page_table_status page_table_prove(const struct page_table *table, struct virt_addr virtual,
                                        struct phys_addr physical, uint64_t size_bytes,
                                        struct page_permissions permissions)
{
    enum page_table_status status = judge_virtual_range(table, virtual, size_bytes);
    if (status == PAGE_TABLE_OK)
        status = judge_physical_range(table, physical, size_bytes);
    if (status != PAGE_TABLE_OK)
        return status;
    struct proof proof = {{virtual, size_bytes}, physical, permissions};
    return prove_in_table(table, table->root, table->levels, ALL_RIGHTS, &proof);
}

struct walk {
    const struct page_table *table;
    bool (*visit)(void *context, const struct page_mapping *first, uint64_t page_count);
    void *context;
};

/* How many pages from entry `first` on are one piece of memory with the same permissions. The CPU
 * notes in each entry by itself whether its page was used, so those bits do not count. */
static unsigned stretch_length(const uint64_t *entries, unsigned first, unsigned level)
{
    uint64_t span = page_entry_span_bytes(level);
    uint64_t expected = page_entry_without_use(entries[first]);
    unsigned end = first + 1;
    while (end < PAGE_ENTRY_COUNT && page_entry_without_use(entries[end]) == (expected += span))
        end++;
    return end - first;
}

/* `start`: the first address that this table translates, not yet sign-extended. */
static bool walk_pages(const struct walk *walk, struct phys_addr page, unsigned level,
                       uint64_t start, struct rights above)
{
    const uint64_t *entries = entries_of(walk->table, page);
    unsigned length = 1;
    for (unsigned i = 0; i < PAGE_ENTRY_COUNT; i += length) {
        uint64_t entry = entries[i];
        length = 1;
        if (!page_entry_is_present(entry))
            continue;
        uint64_t position = start + i * page_entry_span_bytes(level);
        struct rights rights = rights_below(above, entry);
        if (page_entry_is_leaf(entry, level)) {
            struct virt_addr virtual = sign_extend(walk->table->levels, position);
            struct page_mapping mapping = mapping_of(entry, level, virtual, rights);
            length = stretch_length(entries, i, level);
            if (!walk->visit(walk->context, &mapping, length))
                return false;
        } else if (!walk_pages(walk, page_entry_address(entry, level), level - 1, position,
                               rights)) {
            return false;
        }
    }
    return true;
}

bool page_table_walk_stretches(const struct page_table *table,
                               bool (*visit)(void *context, const struct page_mapping *first,
                                             uint64_t page_count),
                               void *context)
{
    struct walk walk = {table, visit, context};
    return walk_pages(&walk, table->root, table->levels, 0, ALL_RIGHTS);
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
    return page_table_walk_stretches(table, visit_each, &walk);
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
    if (level == PAGE_LEVEL_4KIB)
        return true;
    const uint64_t *entries = entries_of(walk->table, page);
    for (unsigned i = 0; i < PAGE_ENTRY_COUNT; i++) {
        if (refers_to_own_table(entries[i], level) &&
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
    return walk_own_tables(&walk, table->root, table->levels);
}
