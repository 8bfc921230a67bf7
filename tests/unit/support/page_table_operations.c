#include "tests/unit/support/page_table_operations.h"

#include <stdlib.h>
#include <string.h>

#include "shared/page_table.h"
#include "tests/unit/support/byte_stream.h"
#include "tests/unit/support/fake_memory.h"

#define TABLE_PAGE_COUNT 32
#define ENTRY_COUNT      512

/* --- The oracle: ranges of mapped addresses, sorted, disjoint and maximal --- */

struct extent {
    uint64_t virtual;
    uint64_t last; /* inclusive: the address space ends at 2^64 */
    uint64_t physical;
    struct page_permissions permissions;
};

#define EXTENT_LIMIT 1024

struct oracle {
    struct extent extents[EXTENT_LIMIT];
    unsigned count;
};

static bool same_permissions(struct page_permissions a, struct page_permissions b)
{
    return a.write == b.write && a.execute == b.execute && a.global == b.global &&
           a.memory_type == b.memory_type;
}

/* Append at the end, joined to the last extent if it continues it. */
static void oracle_append(struct oracle *oracle, struct extent extent)
{
    if (oracle->count > 0) {
        struct extent *last = &oracle->extents[oracle->count - 1];
        if (last->last + 1 == extent.virtual &&
            last->physical + (extent.virtual - last->virtual) == extent.physical &&
            same_permissions(last->permissions, extent.permissions)) {
            last->last = extent.last;
            return;
        }
    }
    if (oracle->count == EXTENT_LIMIT)
        abort();
    oracle->extents[oracle->count++] = extent;
}

static uint64_t oracle_mapped_bytes(const struct oracle *oracle, uint64_t virtual, uint64_t last)
{
    uint64_t bytes = 0;
    for (unsigned i = 0; i < oracle->count; i++) {
        const struct extent *extent = &oracle->extents[i];
        uint64_t from = extent->virtual > virtual ? extent->virtual : virtual;
        uint64_t to = extent->last < last ? extent->last : last;
        if (from <= to)
            bytes += to - from + 1;
    }
    return bytes;
}

static void oracle_map(struct oracle *oracle, struct extent extent)
{
    struct oracle old = *oracle;
    unsigned next = 0;
    oracle->count = 0;
    while (next < old.count && old.extents[next].virtual < extent.virtual)
        oracle_append(oracle, old.extents[next++]);
    oracle_append(oracle, extent);
    while (next < old.count)
        oracle_append(oracle, old.extents[next++]);
}

static struct extent extent_from(struct extent extent, uint64_t virtual)
{
    if (extent.virtual < virtual) {
        extent.physical += virtual - extent.virtual;
        extent.virtual = virtual;
    }
    return extent;
}

static struct extent extent_to(struct extent extent, uint64_t last)
{
    if (extent.last > last)
        extent.last = last;
    return extent;
}

/* Unmap [virtual, last], or give it the new permissions if there are any. */
static void oracle_change(struct oracle *oracle, uint64_t virtual, uint64_t last,
                          const struct page_permissions *permissions)
{
    struct oracle old = *oracle;
    oracle->count = 0;
    for (unsigned i = 0; i < old.count; i++) {
        struct extent extent = old.extents[i];
        if (extent.last < virtual || extent.virtual > last) {
            oracle_append(oracle, extent);
            continue;
        }
        if (extent.virtual < virtual)
            oracle_append(oracle, extent_to(extent, virtual - 1));
        if (permissions != NULL) {
            struct extent changed = extent_to(extent_from(extent, virtual), last);
            changed.permissions = *permissions;
            oracle_append(oracle, changed);
        }
        if (extent.last > last)
            oracle_append(oracle, extent_from(extent, last + 1));
    }
}

/* --- One run --- */

struct run {
    struct byte_stream stream;
    struct fake_memory memory;
    struct page_table table;
    struct oracle oracle;
    struct fake_memory before;                /* the memory as it was before the request */
    const struct page_table_witness *witness; /* NULL for none */
    uint64_t table_count_before;
};

static void remember(struct run *run)
{
    for (uint64_t i = 0; i < TABLE_PAGE_COUNT; i++) {
        run->before.used[i] = run->memory.used[i];
        if (run->memory.used[i])
            memcpy(run->before.bytes + i * PAGE_SIZE_BYTES, run->memory.bytes + i * PAGE_SIZE_BYTES,
                   PAGE_SIZE_BYTES);
    }
    run->before.refused_count = run->memory.refused_count;
    run->table_count_before = run->table.table_count;
}

static bool is_as_remembered(const struct run *run)
{
    for (uint64_t i = 0; i < TABLE_PAGE_COUNT; i++) {
        if (run->before.used[i] != run->memory.used[i])
            return false;
        if (run->memory.used[i] &&
            memcmp(run->before.bytes + i * PAGE_SIZE_BYTES, run->memory.bytes + i * PAGE_SIZE_BYTES,
                   PAGE_SIZE_BYTES) != 0)
            return false;
    }
    return run->table_count_before == run->table.table_count;
}

struct mapping_check {
    const struct oracle *oracle;
    struct oracle actual;
    const char *problem;
};

static bool collect_mapping(void *context, const struct page_mapping *mapping)
{
    struct mapping_check *check = context;
    uint64_t offset_mask = mapping->page_size_bytes - 1;
    if (mapping->user)
        check->problem = "a page that user programs may use";
    if (((mapping->virtual.value | mapping->physical.value) & offset_mask) != 0)
        check->problem = "a page that is not aligned to its size";
    oracle_append(&check->actual,
                  (struct extent){mapping->virtual.value, mapping->virtual.value + offset_mask,
                                  mapping->physical.value, mapping->permissions});
    return true;
}

static const char *mappings_problem(const struct run *run)
{
    static struct mapping_check check;
    check.actual.count = 0;
    check.problem = NULL;
    page_table_walk(&run->table, collect_mapping, &check);
    if (check.problem != NULL)
        return check.problem;
    if (check.actual.count != run->oracle.count)
        return "more or fewer addresses are mapped than should be";
    for (unsigned i = 0; i < check.actual.count; i++) {
        const struct extent *actual = &check.actual.extents[i];
        const struct extent *expected = &run->oracle.extents[i];
        if (actual->virtual != expected->virtual || actual->last != expected->last)
            return "other addresses are mapped than should be";
        if (actual->physical != expected->physical)
            return "an address is mapped to the wrong place";
        if (!same_permissions(actual->permissions, expected->permissions))
            return "a page has the wrong permissions";
    }
    return NULL;
}

struct census {
    struct run *run;
    uint64_t table_count;
    const char *problem;
};

static bool take_census(void *context, struct phys_addr page, unsigned level)
{
    struct census *census = context;
    const uint64_t *entries = fake_memory_at(&census->run->memory, page);
    bool empty = true;
    for (unsigned i = 0; i < ENTRY_COUNT; i++)
        empty = empty && entries[i] == 0;
    if (empty && level != census->run->table.features.levels)
        census->problem = "an empty table";
    census->table_count++;
    return true;
}

static const char *tables_problem(struct run *run)
{
    struct census census = {.run = run};
    page_table_walk_tables(&run->table, take_census, &census);
    if (census.problem == NULL && census.table_count != run->table.table_count)
        return "table_count is wrong";
    if (census.problem == NULL && census.table_count != run->memory.used_count)
        return "a table page is lost";
    return census.problem;
}

static uint64_t below(struct run *run, uint64_t limit)
{
    return byte_stream_next(&run->stream, limit > 256 ? 4 : 1) % limit;
}

/* The size of each half of the address space with four levels. */
static uint64_t half_bytes(void)
{
    uint64_t bytes = PAGE_SIZE_BYTES;
    while (page_table_is_canonical(4, virt_addr(bytes)))
        bytes *= 2;
    return bytes;
}

/* Return addresses near each other, and near the borders of the halves and of tables of every
 * level. */
static uint64_t choose_address(struct run *run)
{
    const uint64_t WINDOWS[] = {0, half_bytes() - 2 * GIB, 0 - half_bytes(),
                                0 - half_bytes() + 511 * GIB, 0 - 2 * GIB};
    static const uint64_t GRANULES[] = {4 * KIB, 4 * KIB, 2 * MIB, 2 * MIB, GIB};
    uint64_t window = WINDOWS[below(run, 5)];
    uint64_t granule = GRANULES[below(run, 5)];
    uint64_t offset = granule * below(run, granule == 4 * KIB ? 1536 : 2 * GIB / granule);
    return window + offset;
}

static uint64_t choose_size(struct run *run)
{
    static const uint64_t UNITS[] = {4 * KIB, 4 * KIB, 2 * MIB, GIB};
    uint64_t unit = UNITS[below(run, 4)];
    uint64_t choice = below(run, 12);
    return unit * (1 + choice % 3) + (choice < 3 ? 4 * KIB : 0);
}

static struct page_permissions choose_permissions(struct run *run)
{
    uint64_t choice = below(run, 256);
    return (struct page_permissions){
        .write = choice % 2 == 0,
        .execute = choice % 4 == 1,
        .global = choice / 4 % 4 == 0,
        .memory_type = (enum page_memory_type)(choice / 16 % 3),
    };
}

static bool is_possible_range(const struct run *run, uint64_t virtual, uint64_t last)
{
    return last > virtual && last >> 63 == virtual >> 63 &&
           page_table_is_canonical(run->table.features.levels, virt_addr(virtual)) &&
           page_table_is_canonical(run->table.features.levels, virt_addr(last));
}

/* Return the mistake in the status of a request, or NULL. NO_MEMORY is correct if an allocation
 * failed: the memory may end before the map comes to the page that is mapped. */
static const char *status_problem(const struct run *run, enum page_table_status status,
                                  enum page_table_status expected)
{
    if (status == expected)
        return NULL;
    bool ran_out = run->memory.refused_count != run->before.refused_count;
    bool might_have_run_out = expected == PAGE_TABLE_OK || expected == PAGE_TABLE_ALREADY_MAPPED;
    if (might_have_run_out && status == PAGE_TABLE_NO_MEMORY && ran_out)
        return NULL;
    return "a request has the wrong status";
}

static const char *run_map(struct run *run)
{
    uint64_t virtual = choose_address(run);
    uint64_t last = virtual + choose_size(run) - 1;
    uint64_t choice = below(run, 8);
    uint64_t physical = (virtual & (64 * GIB - 1)) + (choice % 2) * GIB;
    if (choice / 2 == 0) /* most are congruent to large pages */
        physical += 4 * KIB;
    struct page_permissions permissions = choose_permissions(run);
    bool large_pages = below(run, 4) != 0;

    enum page_table_status expected = PAGE_TABLE_OK;
    if (!is_possible_range(run, virtual, last))
        expected = PAGE_TABLE_NON_CANONICAL;
    else if (oracle_mapped_bytes(&run->oracle, virtual, last) > 0)
        expected = PAGE_TABLE_ALREADY_MAPPED;
    enum page_table_status status =
        page_table_map(&run->table, virt_addr(virtual), phys_addr(physical), last - virtual + 1,
                       permissions, large_pages);
    if (status == PAGE_TABLE_OK)
        oracle_map(&run->oracle, (struct extent){virtual, last, physical, permissions});
    else if (!is_as_remembered(run))
        return "a map that failed changed something";
    return status_problem(run, status, expected);
}

/* Return a range of addresses, most often of mapped addresses. */
static struct extent choose_target(struct run *run)
{
    uint64_t virtual = choose_address(run);
    uint64_t size_bytes = choose_size(run);
    uint64_t aim = below(run, 4);
    if (run->oracle.count == 0 || aim == 0)
        return (struct extent){.virtual = virtual, .last = virtual + size_bytes - 1};

    struct extent target = run->oracle.extents[below(run, run->oracle.count)];
    uint64_t page_count = (target.last - target.virtual) / PAGE_SIZE_BYTES + 1;
    if (aim >= 2)
        target.virtual += below(run, page_count) * PAGE_SIZE_BYTES;
    if (aim != 3)
        target.last = target.virtual + size_bytes - 1;
    return target;
}

static enum page_table_status expected_of_change(const struct run *run, struct extent target)
{
    uint64_t size_bytes = target.last - target.virtual + 1;
    if (!is_possible_range(run, target.virtual, target.last))
        return PAGE_TABLE_NON_CANONICAL;
    if (oracle_mapped_bytes(&run->oracle, target.virtual, target.last) != size_bytes)
        return PAGE_TABLE_NOT_MAPPED;
    return PAGE_TABLE_OK;
}

static const char *run_unmap(struct run *run)
{
    struct extent target = choose_target(run);
    enum page_table_status expected = expected_of_change(run, target);
    enum page_table_status status =
        page_table_unmap(&run->table, virt_addr(target.virtual), target.last - target.virtual + 1);
    if (status == PAGE_TABLE_OK)
        oracle_change(&run->oracle, target.virtual, target.last, NULL);
    else if (!is_as_remembered(run))
        return "an unmap that failed changed something";
    return status_problem(run, status, expected);
}

static const char *run_protect(struct run *run)
{
    struct extent target = choose_target(run);
    struct page_permissions permissions = choose_permissions(run);
    enum page_table_status expected = expected_of_change(run, target);
    enum page_table_status status = page_table_protect(
        &run->table, virt_addr(target.virtual), target.last - target.virtual + 1, permissions);
    if (status == PAGE_TABLE_OK)
        oracle_change(&run->oracle, target.virtual, target.last, &permissions);
    else if (!is_as_remembered(run))
        return "a protect that failed changed something";
    return status_problem(run, status, expected);
}

/* The oracle knows no page sizes: all mappings stay, and a second merge finds nothing more. */
static const char *run_merge(struct run *run)
{
    struct extent target = choose_target(run);
    struct virt_addr virtual = virt_addr(target.virtual);
    uint64_t size_bytes = target.last - target.virtual + 1;
    uint64_t merged_count;
    uint64_t again_count;
    if (!is_possible_range(run, target.virtual, target.last))
        return page_table_merge(&run->table, virtual, size_bytes, &merged_count) ==
                       PAGE_TABLE_NON_CANONICAL
                   ? NULL
                   : "a request has the wrong status";
    if (page_table_merge(&run->table, virtual, size_bytes, &merged_count) != PAGE_TABLE_OK ||
        page_table_merge(&run->table, virtual, size_bytes, &again_count) != PAGE_TABLE_OK)
        return "a merge fails";
    if (run->table.table_count + merged_count != run->table_count_before)
        return "a merge frees other tables than it says";
    return again_count == 0 ? NULL : "a merge leaves something to merge";
}

static const char *run_request(struct run *run, uint64_t choice)
{
    if (choice % 2 == 0)
        return run_map(run);
    if (choice < 128)
        return run_unmap(run);
    return choice < 208 ? run_protect(run) : run_merge(run);
}

static const char *run_requests(struct run *run)
{
    while (!byte_stream_is_empty(&run->stream)) {
        uint64_t choice = below(run, 256);
        run->memory.failing_call = 0;
        if (choice / 2 % 4 == 0)
            fake_memory_fail_allocation(&run->memory, 1 + choice / 8 % 6);
        remember(run);
        const char *problem = run_request(run, choice);
        if (problem == NULL)
            problem = mappings_problem(run);
        if (problem == NULL)
            problem = tables_problem(run);
        if (problem == NULL && run->witness != NULL)
            problem = run->witness->problem(run->witness->context);
        if (problem != NULL)
            return problem;
    }
    return NULL;
}

static const char *unmap_everything(struct run *run)
{
    run->memory.failing_call = 0;
    while (run->oracle.count > 0) {
        uint64_t virtual = run->oracle.extents[0].virtual;
        uint64_t last = run->oracle.extents[0].last;
        if (page_table_unmap(&run->table, virt_addr(virtual), last - virtual + 1) != PAGE_TABLE_OK)
            return "a mapped range cannot be unmapped";
        oracle_change(&run->oracle, virtual, last, NULL);
    }
    uint64_t root_count = run->table.root.value == run->table.upper_root.value ? 1 : 2;
    return run->table.table_count == root_count ? tables_problem(run) : "tables are left over";
}

const char *page_table_operations_run(const uint8_t *bytes, size_t size_bytes)
{
    return page_table_operations_run_before(NULL, bytes, size_bytes);
}

const char *page_table_operations_run_before(const struct page_table_witness *witness,
                                             const uint8_t *bytes, size_t size_bytes)
{
    static struct run run;
    run = (struct run){.stream = {.bytes = bytes, .size_bytes = size_bytes}, .witness = witness};
    uint64_t choice = below(&run, 256);
    unsigned levels = choice % 2 == 0 ? 4 : 5;
    const struct page_table_features features = {
        .levels = witness != NULL ? witness->levels : levels,
        .physical_bits = 46,
        .no_execute = true,
        .largest_leaf_level = choice / 2 % 2 == 0 ? 3 : 2,
        .write_combining = true,
    };
    fake_memory_create(&run.memory, TABLE_PAGE_COUNT);
    fake_memory_create(&run.before, TABLE_PAGE_COUNT);
    struct page_table_memory callbacks = fake_memory_callbacks(&run.memory);
    const char *problem = "the root cannot be made";
    if (page_table_create(&features, &callbacks, &run.table) == PAGE_TABLE_OK) {
        if (witness != NULL)
            witness->attach(witness->context, &run.memory, &run.table);
        problem = run_requests(&run);
        if (problem == NULL)
            problem = unmap_everything(&run);
        run.memory.observe = NULL; /* the tables are no longer live */
        page_table_destroy(&run.table);
    }
    fake_memory_destroy(&run.memory);
    fake_memory_destroy(&run.before);
    return problem;
}
