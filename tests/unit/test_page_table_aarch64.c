/*
 * The page tables of loader and kernel, compiled with the entry format of a second CPU. In every
 * test a walker checks the changes by the Arm ARM's rules for live tables.
 */
#include "tests/unit/support/cmocka.h"

#include <string.h>

#include "shared/page_entry.h"
#include "shared/page_table.h"
#include "tests/unit/support/aarch64_walker.h"
#include "tests/unit/support/fake_memory.h"
#include "tests/unit/support/page_table_operations.h"
#include "tests/unit/support/random.h"

#define UPPER UINT64_C(0xffff000000000000) /* where the second root begins */

static const struct page_permissions READ_ONLY = {0};
static const struct page_permissions READ_WRITE = {.write = true};
static const struct page_permissions READ_EXECUTE = {.execute = true};
static const struct page_permissions DEVICE = {.write = true, .memory_type = PAGE_MEMORY_UNCACHED};

static const struct page_table_features FEATURES = {.levels = 4,
                                                    .physical_bits = 44,
                                                    .largest_leaf_level = 3,
                                                    .no_execute = true,
                                                    .write_combining = true};

struct space {
    struct fake_memory memory;
    struct page_table table;
    struct aarch64_walker walker;
};

static struct space the_space;

static struct space *space_create(uint64_t page_count)
{
    struct space *space = &the_space;
    fake_memory_create(&space->memory, page_count);
    struct page_table_memory callbacks = fake_memory_callbacks(&space->memory);
    assert_int_equal(page_table_create(&FEATURES, &callbacks, &space->table), PAGE_TABLE_OK);
    aarch64_walker_attach(&space->walker, &space->memory, &space->table);
    return space;
}

static void assert_no_problem(struct space *space)
{
    const char *problem = aarch64_walker_problem(&space->walker);
    if (problem != NULL)
        fail_msg("%s", problem);
}

static void space_destroy(struct space *space)
{
    assert_no_problem(space);
    space->memory.observe = NULL; /* no longer live */
    page_table_destroy(&space->table);
    assert_int_equal(space->table.table_count, 0);
    assert_int_equal(space->memory.used_count, 0);
    fake_memory_destroy(&space->memory);
}

static void map(struct space *space, uint64_t virtual, uint64_t physical, uint64_t size_bytes,
                struct page_permissions permissions)
{
    assert_int_equal(page_table_map(&space->table, virt_addr(virtual), phys_addr(physical),
                                    size_bytes, permissions, true),
                     PAGE_TABLE_OK);
    assert_no_problem(space);
}

static void unmap(struct space *space, uint64_t virtual, uint64_t size_bytes)
{
    assert_int_equal(page_table_unmap(&space->table, virt_addr(virtual), size_bytes),
                     PAGE_TABLE_OK);
    assert_no_problem(space);
}

static void protect(struct space *space, uint64_t virtual, uint64_t size_bytes,
                    struct page_permissions permissions)
{
    assert_int_equal(page_table_protect(&space->table, virt_addr(virtual), size_bytes, permissions),
                     PAGE_TABLE_OK);
    assert_no_problem(space);
}

static uint64_t merge(struct space *space, uint64_t virtual, uint64_t size_bytes)
{
    uint64_t table_count = 0;
    assert_int_equal(page_table_merge(&space->table, virt_addr(virtual), size_bytes, &table_count),
                     PAGE_TABLE_OK);
    assert_no_problem(space);
    return table_count;
}

static void assert_mapping(const struct space *space, uint64_t virtual, uint64_t physical,
                           uint64_t page_size_bytes, struct page_permissions permissions)
{
    struct page_mapping mapping;
    assert_int_equal(page_table_lookup(&space->table, virt_addr(virtual), &mapping), PAGE_TABLE_OK);
    assert_int_equal(mapping.physical.value + (virtual - mapping.virtual.value), physical);
    assert_int_equal(mapping.page_size_bytes, page_size_bytes);
    assert_int_equal(mapping.permissions.write, permissions.write);
    assert_int_equal(mapping.permissions.execute, permissions.execute);
    assert_int_equal(mapping.permissions.global, permissions.global);
    assert_int_equal(mapping.permissions.memory_type, permissions.memory_type);
    assert_false(mapping.user);
}

/* The entry of a table that translates an address, from its root down. */
static uint64_t *entry_at(struct space *space, uint64_t virtual, unsigned level)
{
    struct phys_addr page = virtual >= UPPER ? space->table.upper_root : space->table.root;
    for (unsigned above = FEATURES.levels;; above--) {
        uint64_t *entries = fake_memory_at(&space->memory, page);
        uint64_t *entry = &entries[page_entry_index(virt_addr(virtual), above)];
        if (above == level)
            return entry;
        page = page_entry_address(*entry, above);
    }
}

/* --- Descriptors --- */

/* Written out from the Arm ARM, D8.3: UXN 54, PXN 53, nG 11, AF 10, SH 9:8, AP 7:6, AttrIndx 4:2.
 */
static void test_descriptors(void **state)
{
    (void)state;
    struct phys_addr page = phys_addr(0x40000000);
    const uint64_t base = 0x40000000 | UINT64_C(1) << 54 | 0x400;
    const uint64_t pxn = UINT64_C(1) << 53;
    const struct page_permissions global = {.execute = true, .global = true};
    const struct page_permissions wc = {.write = true, .memory_type = PAGE_MEMORY_WRITE_COMBINING};
    assert_int_equal(page_entry_for_page(page, 1, READ_ONLY, &FEATURES), base | pxn | 0xb83);
    assert_int_equal(page_entry_for_page(page, 1, READ_WRITE, &FEATURES), base | pxn | 0xb03);
    assert_int_equal(page_entry_for_page(page, 1, READ_EXECUTE, &FEATURES), base | 0xb83);
    assert_int_equal(page_entry_for_page(page, 1, global, &FEATURES), base | 0x383);
    assert_int_equal(page_entry_for_page(page, 2, READ_WRITE, &FEATURES), base | pxn | 0xb01);
    assert_int_equal(page_entry_for_page(page, 3, READ_WRITE, &FEATURES), base | pxn | 0xb01);
    assert_int_equal(page_entry_for_page(page, 1, wc, &FEATURES), base | pxn | 0x807);
    assert_int_equal(page_entry_for_page(page, 1, DEVICE, &FEATURES), base | pxn | 0x80b);
    assert_int_equal(page_entry_for_table(phys_addr(0x1000)), 0x1003);
}

static void test_P1_each_half_has_48_bits(void **state)
{
    (void)state;
    static const struct {
        uint64_t address;
        bool is_canonical;
    } cases[] = {{0, true},
                 {UINT64_C(0x0000ffffffffffff), true},
                 {UINT64_C(0x0001000000000000), false},
                 {UPPER - 1, false},
                 {UPPER, true},
                 {UINT64_MAX, true}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(page_table_is_canonical(4, virt_addr(cases[i].address)),
                         cases[i].is_canonical);
    assert_true(page_table_is_canonical(3, virt_addr(UINT64_C(0x7fffffffff)))); /* 39 bits */
    assert_false(page_table_is_canonical(3, virt_addr(UINT64_C(0x8000000000))));
}

/* --- Two roots --- */

struct pages {
    unsigned count;
    uint64_t virtual[8];
};

static bool collect(void *context, const struct page_mapping *mapping)
{
    struct pages *pages = context;
    assert_true(pages->count < 8);
    pages->virtual[pages->count++] = mapping->virtual.value;
    return true;
}

static bool count_table(void *context, struct phys_addr page, unsigned level)
{
    (void)page;
    (void)level;
    ++*(unsigned *)context;
    return true;
}

static void test_each_half_has_a_root(void **state)
{
    (void)state;
    struct space *space = space_create(32);
    assert_int_not_equal(space->table.root.value, space->table.upper_root.value);
    assert_int_equal(space->table.table_count, 2);
    const uint64_t ends[] = {0x1000, UINT64_C(0xfffffffff000), UPPER, UINT64_MAX - 0xfff};
    for (uint64_t i = 0; i < 4; i++)
        map(space, ends[i], 0x10000 + i * PAGE_SIZE_BYTES, PAGE_SIZE_BYTES, READ_WRITE);
    for (uint64_t i = 0; i < 4; i++)
        assert_mapping(space, ends[i], 0x10000 + i * PAGE_SIZE_BYTES, PAGE_SIZE_BYTES, READ_WRITE);

    struct pages pages = {0};
    assert_true(page_table_walk(&space->table, collect, &pages));
    assert_int_equal(pages.count, 4);
    assert_memory_equal(pages.virtual, ends, sizeof(ends)); /* in order of address */
    unsigned table_count = 0;
    assert_true(page_table_walk_tables(&space->table, count_table, &table_count));
    assert_int_equal(table_count, space->table.table_count);

    for (unsigned i = 0; i < 4; i++)
        unmap(space, ends[i], PAGE_SIZE_BYTES);
    assert_int_equal(space->table.table_count, 2); /* the roots stay */
    space_destroy(space);
}

static void test_borrowed_upper_half_is_the_owners_root(void **state)
{
    (void)state;
    struct space *space = space_create(32);
    map(space, UPPER, 0x1000, 0x3000, READ_WRITE);
    struct page_table second;
    assert_int_equal(page_table_create(&FEATURES, &space->table.memory, &second), PAGE_TABLE_OK);
    assert_int_equal(page_table_map(&second, virt_addr(0x5000), phys_addr(0x5000), PAGE_SIZE_BYTES,
                                    READ_EXECUTE, false),
                     PAGE_TABLE_OK);
    for (unsigned i = 0; i < 2; i++) {
        page_table_borrow_upper_half(&second, &space->table);
        assert_int_equal(second.upper_root.value, space->table.upper_root.value);
        assert_int_equal(second.table_count, 4); /* one root and three below */
        unsigned table_count = 0;
        assert_true(page_table_walk_tables(&second, count_table, &table_count));
        assert_int_equal(table_count, 4);
    }
    struct pages pages = {0};
    assert_true(page_table_walk(&second, collect, &pages));
    assert_int_equal(pages.count, 4);
    map(space, UPPER + TIB, 0x7000, PAGE_SIZE_BYTES, READ_ONLY); /* seen at once */
    struct page_mapping mapping;
    assert_int_equal(page_table_lookup(&second, virt_addr(UPPER + TIB), &mapping), PAGE_TABLE_OK);
    page_table_destroy(&second);
    assert_int_equal(space->memory.used_count, space->table.table_count);
    space_destroy(space);
}

static void test_P4_create_needs_both_roots(void **state)
{
    (void)state;
    struct fake_memory memory;
    fake_memory_create(&memory, 4);
    struct page_table_memory callbacks = fake_memory_callbacks(&memory);
    struct page_table table;
    for (uint64_t n = 1; n <= 2; n++) {
        fake_memory_fail_allocation(&memory, n);
        assert_int_equal(page_table_create(&FEATURES, &callbacks, &table), PAGE_TABLE_NO_MEMORY);
        assert_int_equal(memory.used_count, 0);
    }
    fake_memory_destroy(&memory);
}

/* --- Mapping --- */

static void test_largest_pages_that_fit(void **state)
{
    (void)state;
    struct space *space = space_create(32);
    const uint64_t start = GIB - 2 * MIB - PAGE_SIZE_BYTES;
    const uint64_t size = PAGE_SIZE_BYTES + 2 * MIB + GIB + 2 * MIB + PAGE_SIZE_BYTES;
    map(space, UPPER + start, start, size, READ_WRITE);
    assert_mapping(space, UPPER + start, start, 4 * KIB, READ_WRITE);
    assert_mapping(space, UPPER + GIB - 1, GIB - 1, 2 * MIB, READ_WRITE);
    assert_mapping(space, UPPER + GIB, GIB, GIB, READ_WRITE);
    assert_mapping(space, UPPER + start + size - 1, start + size - 1, 4 * KIB, READ_WRITE);
    unmap(space, UPPER + start, size);
    assert_int_equal(space->table.table_count, 2);
    space_destroy(space);
}

/* A barrier before each new table is linked, and one behind the pages. */
static void test_a_map_publishes_new_entries(void **state)
{
    (void)state;
    struct space *space = space_create(32);
    space->memory.publish_count = 0;
    map(space, UPPER, 0x1000, PAGE_SIZE_BYTES, READ_WRITE);
    assert_int_equal(space->memory.publish_count, 4); /* three tables, one page */
    map(space, UPPER + PAGE_SIZE_BYTES, 0x5000, PAGE_SIZE_BYTES, READ_WRITE);
    assert_int_equal(space->memory.publish_count, 5);
    assert_int_equal(space->memory.invalidate_count, 0); /* nothing was valid before */
    space_destroy(space);
}

static void test_P4_a_failed_map_leaves_nothing(void **state)
{
    (void)state;
    struct space *space = space_create(32);
    for (uint64_t n = 1; n <= 6; n++) {
        fake_memory_fail_allocation(&space->memory, n);
        uint64_t start = 512 * GIB - GIB - 2 * MIB - PAGE_SIZE_BYTES;
        assert_int_equal(page_table_map(&space->table, virt_addr(UPPER + start), phys_addr(start),
                                        2 * GIB + 4 * MIB + 2 * PAGE_SIZE_BYTES, READ_WRITE, true),
                         PAGE_TABLE_NO_MEMORY);
        assert_int_equal(space->table.table_count, 2);
        assert_no_problem(space);
    }
    space_destroy(space);
}

/* --- Break before make --- */

static void test_permissions_change_without_a_break(void **state)
{
    (void)state;
    struct space *space = space_create(32);
    map(space, UPPER, 0, 2 * MIB, READ_WRITE);
    map(space, UPPER + 2 * MIB, 2 * MIB, 4 * PAGE_SIZE_BYTES, READ_WRITE);
    protect(space, UPPER, 2 * MIB + 4 * PAGE_SIZE_BYTES, READ_EXECUTE);
    assert_int_equal(space->memory.invalidate_count, 1); /* the whole range at the end */
    assert_int_equal(space->memory.invalidated_size_bytes, 2 * MIB + 4 * PAGE_SIZE_BYTES);
    assert_mapping(space, UPPER, 0, 2 * MIB, READ_EXECUTE);
    space_destroy(space);
}

static void test_P14_a_memory_type_changes_with_a_break(void **state)
{
    (void)state;
    struct space *space = space_create(32);
    map(space, UPPER, 0, 4 * PAGE_SIZE_BYTES, READ_WRITE);
    protect(space, UPPER, 4 * PAGE_SIZE_BYTES, DEVICE);
    assert_int_equal(space->memory.invalidate_count, 5); /* each page, then the range */
    assert_mapping(space, UPPER, 0, PAGE_SIZE_BYTES, DEVICE);
    const struct page_permissions global = {
        .write = true, .global = true, .memory_type = PAGE_MEMORY_UNCACHED};
    protect(space, UPPER, PAGE_SIZE_BYTES, global);
    assert_int_equal(space->memory.invalidate_count, 7);
    space_destroy(space);
}

/* The values of one entry, one for each event. */
struct history {
    const struct space *space;
    const uint64_t *entry;
    unsigned count;
    enum fake_memory_event_kind kinds[16];
    uint64_t values[16];
};

static void note_entry(void *context, const struct fake_memory_event *event)
{
    struct history *history = context;
    assert_true(history->count < 16);
    history->kinds[history->count] = event->kind;
    history->values[history->count++] = *history->entry;
}

static void test_a_split_breaks_before_it_makes(void **state)
{
    (void)state;
    struct space *space = space_create(32);
    map(space, UPPER, 0, 2 * MIB, READ_WRITE);
    uint64_t *entry = entry_at(space, UPPER, 2);
    uint64_t block = *entry;
    struct history history = {.space = space, .entry = entry};
    space->memory.observe = note_entry;
    space->memory.observe_context = &history;
    assert_int_equal(page_table_unmap(&space->table, virt_addr(UPPER + 0x3000), PAGE_SIZE_BYTES),
                     PAGE_TABLE_OK);
    /* The new table is filled, the block is broken, the table is linked; then the page goes. */
    static const enum fake_memory_event_kind kinds[] = {
        FAKE_MEMORY_ALLOCATED, FAKE_MEMORY_PUBLISHED, FAKE_MEMORY_INVALIDATED,
        FAKE_MEMORY_PUBLISHED, FAKE_MEMORY_INVALIDATED};
    const uint64_t values[] = {block, block, 0, *entry, *entry};
    assert_int_equal(history.count, 5);
    assert_memory_equal(history.kinds, kinds, sizeof(kinds));
    assert_memory_equal(history.values, values, sizeof(values));
    assert_false(page_entry_is_leaf(*entry, 2));
    space->memory.observe = NULL;
    page_table_destroy(&space->table);
    fake_memory_destroy(&space->memory);
}

static void test_splits_and_merges(void **state)
{
    (void)state;
    struct space *space = space_create(32);
    map(space, UPPER, 0, GIB, READ_WRITE);
    protect(space, UPPER + 3 * MIB, 4 * MIB, READ_ONLY);
    assert_int_equal(space->table.table_count, 2 + 1 + 3);
    assert_mapping(space, UPPER + 3 * MIB, 3 * MIB, 4 * KIB, READ_ONLY);
    assert_mapping(space, UPPER + 4 * MIB, 4 * MIB, 2 * MIB, READ_ONLY);
    assert_mapping(space, UPPER + 7 * MIB, 7 * MIB, 4 * KIB, READ_WRITE);
    assert_int_equal(merge(space, UPPER, GIB), 0);
    protect(space, UPPER + 3 * MIB, 4 * MIB, READ_WRITE);
    space->memory.invalidate_count = 0;
    assert_int_equal(merge(space, UPPER, GIB), 3);
    assert_int_equal(space->memory.invalidate_count, 3); /* only the break of each */
    assert_mapping(space, UPPER, 0, GIB, READ_WRITE);
    space_destroy(space);
}

static void test_P4_a_failed_split_is_undone_with_breaks(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= 4; n++) {
        struct space *space = space_create(32);
        map(space, UPPER, 0, 3 * GIB, READ_WRITE);
        fake_memory_fail_allocation(&space->memory, n);
        assert_int_equal(page_table_unmap(&space->table, virt_addr(UPPER + PAGE_SIZE_BYTES),
                                          3 * GIB - 2 * PAGE_SIZE_BYTES),
                         PAGE_TABLE_NO_MEMORY);
        assert_no_problem(space);
        assert_mapping(space, UPPER, 0, GIB, READ_WRITE);
        assert_mapping(space, UPPER + 3 * GIB - 1, 3 * GIB - 1, GIB, READ_WRITE);
        space_destroy(space);
    }
}

/* --- Reading tables of another program --- */

static void test_rights_are_those_of_all_levels(void **state)
{
    (void)state;
    struct space *space = space_create(32);
    struct page_mapping mapping;
    map(space, UPPER, 0x1000, PAGE_SIZE_BYTES, READ_WRITE);
    space->memory.observe = NULL; /* the test changes the entries */
    *entry_at(space, UPPER, 3) |= AARCH64_TABLE_READ_ONLY;
    assert_int_equal(page_table_lookup(&space->table, virt_addr(UPPER), &mapping), PAGE_TABLE_OK);
    assert_false(mapping.permissions.write);
    *entry_at(space, UPPER, 1) |= AARCH64_USER;
    assert_int_equal(page_table_lookup(&space->table, virt_addr(UPPER), &mapping), PAGE_TABLE_OK);
    assert_true(mapping.user);
    *entry_at(space, UPPER, 2) |= AARCH64_TABLE_NO_USER;
    assert_int_equal(page_table_lookup(&space->table, virt_addr(UPPER), &mapping), PAGE_TABLE_OK);
    assert_false(mapping.user);
    page_table_destroy(&space->table);
    fake_memory_destroy(&space->memory);
}

static enum page_table_status validate(const struct space *space,
                                       struct page_permissions permissions)
{
    return page_table_validate(&space->table, virt_addr(UPPER), phys_addr(0), 3 * PAGE_SIZE_BYTES,
                               permissions);
}

static void test_P12_validate_refuses_the_same_entries_as_the_cpu(void **state)
{
    (void)state;
    struct space *space = space_create(32);
    map(space, UPPER, 0, 3 * PAGE_SIZE_BYTES, READ_WRITE);
    space->memory.observe = NULL; /* the entries change by hand */
    assert_int_equal(validate(space, READ_WRITE), PAGE_TABLE_OK);
    assert_int_equal(validate(space, READ_ONLY), PAGE_TABLE_OTHER_PERMISSIONS);
    assert_int_equal(validate(space, DEVICE), PAGE_TABLE_OTHER_PERMISSIONS);
    const struct {
        uint64_t bits;
        enum page_table_status expected;
    } changes[] = {
        {AARCH64_VALID, PAGE_TABLE_NOT_MAPPED},
        {AARCH64_TABLE_OR_PAGE, PAGE_TABLE_NOT_MAPPED}, /* reserved */
        {AARCH64_ACCESSED, PAGE_TABLE_NOT_MAPPED},      /* an access flag fault */
        {UINT64_C(1) << 44, PAGE_TABLE_NOT_MAPPED},     /* beyond the CPU's width */
        {UINT64_C(1) << 43, PAGE_TABLE_OTHER_PAGE},
        {AARCH64_USER, PAGE_TABLE_OTHER_PERMISSIONS},
        {AARCH64_NOT_GLOBAL, PAGE_TABLE_OK},
    };
    for (uint64_t page = 0; page < 3; page++) {
        uint64_t *entry = entry_at(space, UPPER + page * PAGE_SIZE_BYTES, 1);
        for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
            *entry ^= changes[i].bits;
            assert_int_equal(validate(space, READ_WRITE), changes[i].expected);
            *entry ^= changes[i].bits;
        }
    }
    page_table_destroy(&space->table);
    fake_memory_destroy(&space->memory);
}

/* --- The walker finds each mistake --- */

static void expect_problem(struct space *space, const char *problem)
{
    const char *found = aarch64_walker_problem(&space->walker);
    assert_non_null(found);
    assert_string_equal(found, problem);
    aarch64_walker_attach(&space->walker, &space->memory, &space->table);
    space->memory.observe = NULL;
    page_table_destroy(&space->table);
    fake_memory_destroy(&space->memory);
}

static struct space *space_with_a_block(void)
{
    struct space *space = space_create(8);
    map(space, UPPER, 0, 2 * MIB, READ_WRITE);
    return space;
}

static void test_the_walker_sees_a_missing_break(void **state)
{
    (void)state;
    struct space *space = space_with_a_block();
    *entry_at(space, UPPER, 2) ^= 2 * MIB;
    space->table.memory.publish(&space->memory);
    expect_problem(space, "a descriptor is replaced without a break");

    space = space_with_a_block();
    uint64_t *entry = entry_at(space, UPPER, 2);
    uint64_t block = *entry;
    *entry = 0;
    space->table.memory.publish(&space->memory); /* no invalidation */
    *entry = block;
    expect_problem(space, "a descriptor is valid again before its old translation is dropped");
}

static void test_the_walker_finds_translations_that_are_not_dropped(void **state)
{
    (void)state;
    struct space *space = space_with_a_block();
    *entry_at(space, UPPER, 2) = 0;
    space->table.memory.invalidate(&space->memory, virt_addr(UPPER), MIB); /* half of it */
    expect_problem(space, "an old translation is not dropped at the end of a request");

    space = space_with_a_block();
    *entry_at(space, UPPER, 2) |= AARCH64_READ_ONLY;
    expect_problem(space, "an old translation is not dropped at the end of a request");
}

static void test_the_walker_sees_a_missing_barrier(void **state)
{
    (void)state;
    struct space *space = space_with_a_block();
    uint64_t *entry = entry_at(space, UPPER, 2);
    entry[1] = *entry + 2 * MIB;
    expect_problem(space, "a new descriptor is not published at the end of a request");

    space = space_with_a_block();
    struct phys_addr page;
    assert_true(space->table.memory.allocate_table(&space->memory, &page));
    memset(fake_memory_at(&space->memory, page), 0, PAGE_SIZE_BYTES);
    entry_at(space, UPPER, 2)[1] = page_entry_for_table(page);
    space->table.memory.publish(&space->memory);
    expect_problem(space, "a table is linked before a barrier completed the stores to it");
}

static void test_the_walker_sees_a_table_that_is_freed_too_early(void **state)
{
    (void)state;
    struct space *space = space_with_a_block();
    uint64_t *entry = entry_at(space, UPPER, 3);
    struct phys_addr table = page_entry_address(*entry, 3);
    *entry = 0;
    space->table.memory.free_table(&space->memory, table);
    space->table.memory.invalidate(&space->memory, virt_addr(UPPER), 2 * MIB);
    expect_problem(space, "a table is freed while the TLB may refer to it");
}

/* --- Random requests with an oracle and the walker --- */

static void test_random_requests(void **state)
{
    (void)state;
    const struct page_table_witness witness = aarch64_walker_witness(&the_space.walker);
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct random random = {.state = seed};
        uint8_t bytes[2048];
        bytes[0] = (uint8_t)seed; /* the features */
        for (size_t i = 1; i < sizeof(bytes); i++)
            bytes[i] = (uint8_t)random_below(&random, 256);
        const char *problem = page_table_operations_run_before(&witness, bytes, sizeof(bytes));
        if (problem != NULL)
            fail_msg("seed %u: %s", (unsigned)seed, problem);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_descriptors),
        cmocka_unit_test(test_P1_each_half_has_48_bits),
        cmocka_unit_test(test_each_half_has_a_root),
        cmocka_unit_test(test_borrowed_upper_half_is_the_owners_root),
        cmocka_unit_test(test_P4_create_needs_both_roots),
        cmocka_unit_test(test_largest_pages_that_fit),
        cmocka_unit_test(test_a_map_publishes_new_entries),
        cmocka_unit_test(test_P4_a_failed_map_leaves_nothing),
        cmocka_unit_test(test_permissions_change_without_a_break),
        cmocka_unit_test(test_P14_a_memory_type_changes_with_a_break),
        cmocka_unit_test(test_a_split_breaks_before_it_makes),
        cmocka_unit_test(test_splits_and_merges),
        cmocka_unit_test(test_P4_a_failed_split_is_undone_with_breaks),
        cmocka_unit_test(test_rights_are_those_of_all_levels),
        cmocka_unit_test(test_P12_validate_refuses_the_same_entries_as_the_cpu),
        cmocka_unit_test(test_the_walker_sees_a_missing_break),
        cmocka_unit_test(test_the_walker_finds_translations_that_are_not_dropped),
        cmocka_unit_test(test_the_walker_sees_a_missing_barrier),
        cmocka_unit_test(test_the_walker_sees_a_table_that_is_freed_too_early),
        cmocka_unit_test(test_random_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
