#include "tests/unit/support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/arch/x86_64/page_entry.h"
#include "shared/page_table.h"
#include "tests/unit/support/fake_memory.h"
#include "tests/unit/support/page_table_operations.h"
#include "tests/unit/support/random.h"

#define UPPER UINT64_C(0xffff800000000000)

static const struct page_permissions READ_ONLY = {0};
static const struct page_permissions READ_WRITE = {.write = true};
static const struct page_permissions READ_EXECUTE = {.execute = true};

static const struct page_table_features MODERN = {.levels = 4,
                                                  .physical_bits = 46,
                                                  .no_execute = true,
                                                  .largest_leaf_level = 3,
                                                  .write_combining = true};

/* --- One address space over fake memory, and a copy of its state --- */

struct space {
    struct fake_memory memory;
    struct page_table table;
};

static void space_create(struct space *space, struct page_table_features features,
                         uint64_t page_count)
{
    fake_memory_create(&space->memory, page_count);
    struct page_table_memory callbacks = fake_memory_callbacks(&space->memory);
    assert_int_equal(page_table_create(&features, &callbacks, &space->table), PAGE_TABLE_OK);
}

static void space_destroy(struct space *space)
{
    page_table_destroy(&space->table);
    assert_int_equal(space->table.table_count, 0);
    assert_int_equal(space->memory.used_count, 0);
    fake_memory_destroy(&space->memory);
}

static enum page_table_status map(struct space *space, uint64_t virtual, uint64_t physical,
                                  uint64_t size_bytes, struct page_permissions permissions)
{
    return page_table_map(&space->table, virt_addr(virtual), phys_addr(physical), size_bytes,
                          permissions, true);
}

static enum page_table_status unmap(struct space *space, uint64_t virtual, uint64_t size_bytes)
{
    return page_table_unmap(&space->table, virt_addr(virtual), size_bytes);
}

static enum page_table_status lookup(struct space *space, uint64_t virtual,
                                     struct page_mapping *ret)
{
    return page_table_lookup(&space->table, virt_addr(virtual), ret);
}

struct snapshot {
    uint8_t *bytes;
    bool *used;
    uint64_t table_count;
};

static struct snapshot snapshot_take(const struct space *space)
{
    uint64_t count = space->memory.page_count;
    struct snapshot snapshot = {.bytes = malloc(count * PAGE_SIZE_BYTES),
                                .used = malloc(count * sizeof(bool)),
                                .table_count = space->table.table_count};
    assert_non_null(snapshot.bytes);
    assert_non_null(snapshot.used);
    memcpy(snapshot.bytes, space->memory.bytes, count * PAGE_SIZE_BYTES);
    memcpy(snapshot.used, space->memory.used, count * sizeof(bool));
    return snapshot;
}

/* Check that every table page is unchanged, bit by bit, and that no other page is in use. */
static void snapshot_assert_unchanged(struct snapshot snapshot, const struct space *space)
{
    assert_int_equal(space->table.table_count, snapshot.table_count);
    for (uint64_t i = 0; i < space->memory.page_count; i++) {
        assert_int_equal(space->memory.used[i], snapshot.used[i]);
        if (snapshot.used[i])
            assert_memory_equal(space->memory.bytes + i * PAGE_SIZE_BYTES,
                                snapshot.bytes + i * PAGE_SIZE_BYTES, PAGE_SIZE_BYTES);
    }
}

static void snapshot_drop(struct snapshot snapshot)
{
    free(snapshot.bytes);
    free(snapshot.used);
}

/* --- Entries --- */

static void test_entry_bits(void **state)
{
    (void)state;
    const uint64_t NX = UINT64_C(1) << 63;
    struct phys_addr page = phys_addr(0x40000000);
    struct page_table_features without_nx = MODERN;
    without_nx.no_execute = false;
    assert_int_equal(page_entry_for_page(page, 1, READ_ONLY, &MODERN), 0x40000001 | NX);
    assert_int_equal(page_entry_for_page(page, 1, READ_WRITE, &MODERN), 0x40000003 | NX);
    assert_int_equal(page_entry_for_page(page, 1, READ_EXECUTE, &MODERN), 0x40000001);
    assert_int_equal(page_entry_for_page(page, 1, READ_ONLY, &without_nx), 0x40000001);
    assert_int_equal(page_entry_for_page(page, 2, READ_WRITE, &MODERN), 0x40000083 | NX);
    assert_int_equal(page_entry_for_page(page, 3, READ_WRITE, &MODERN), 0x40000083 | NX);
    struct page_permissions global = {.execute = true, .global = true};
    assert_int_equal(page_entry_for_page(page, 1, global, &MODERN), 0x40000101);
    assert_int_equal(page_entry_for_table(phys_addr(0x1000)), 0x1003);
}

static void test_P14_memory_type_bits(void **state)
{
    (void)state;
    struct phys_addr page = phys_addr(0x40000000);
    struct page_table_features without_wc = MODERN;
    without_wc.write_combining = false;
    struct page_permissions type = {.execute = true, .memory_type = PAGE_MEMORY_UNCACHED};
    assert_int_equal(page_entry_for_page(page, 1, type, &MODERN), 0x40000019);
    assert_int_equal(page_entry_for_page(page, 2, type, &MODERN), 0x40000099);
    type.memory_type = PAGE_MEMORY_WRITE_COMBINING; /* PAT is bit 7, or bit 12 in a large page */
    assert_int_equal(page_entry_for_page(page, 1, type, &MODERN), 0x40000089);
    assert_int_equal(page_entry_for_page(page, 2, type, &MODERN), 0x40001089);
    assert_int_equal(page_entry_for_page(page, 3, type, &MODERN), 0x40001089);
    assert_int_equal(page_entry_for_page(page, 2, type, &without_wc), 0x40000099);
    for (unsigned level = 1; level <= 3; level++) {
        for (int t = PAGE_MEMORY_WRITE_BACK; t <= PAGE_MEMORY_UNCACHED; t++) {
            type.memory_type = (enum page_memory_type)t;
            uint64_t entry = page_entry_for_page(page, level, type, &MODERN);
            assert_int_equal(page_entry_memory_type(entry, level), t);
            assert_int_equal(page_entry_address(entry, level).value, page.value);
        }
    }
}

static void test_pat_value_agrees_with_the_entries(void **state)
{
    (void)state;
    static const uint8_t EXPECTED[8] = {6, 4, 7, 0,
                                        6, 1, 7, 0}; /* SDM: 6 WB 4 WT 7 UC- 0 UC 1 WC */
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal((PAGE_ENTRY_PAT_MSR_VALUE >> (8 * i)) & 0xff, EXPECTED[i]);
}

static void test_P1_canonical_addresses(void **state)
{
    (void)state;
    static const struct {
        uint64_t address;
        bool with_4_levels;
        bool with_5_levels;
    } CASES[] = {
        {0, true, true},
        {UINT64_C(0x00007fffffffffff), true, true},
        {UINT64_C(0x0000800000000000), false, true},
        {UINT64_C(0x00ffffffffffffff), false, true},
        {UINT64_C(0x0100000000000000), false, false},
        {UINT64_C(0x8000000000000000), false, false},
        {UINT64_C(0xfeffffffffffffff), false, false},
        {UINT64_C(0xff00000000000000), false, true},
        {UINT64_C(0xffff7fffffffffff), false, true},
        {UINT64_C(0xffff800000000000), true, true},
        {UINT64_MAX, true, true},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct virt_addr address = virt_addr(CASES[i].address);
        assert_int_equal(page_table_is_canonical(4, address), CASES[i].with_4_levels);
        assert_int_equal(page_table_is_canonical(5, address), CASES[i].with_5_levels);
    }
}

/* --- Refusals --- */

static void assert_map_refused(struct space *space, uint64_t virtual, uint64_t physical,
                               uint64_t size_bytes, struct page_permissions permissions,
                               enum page_table_status expected)
{
    struct snapshot before = snapshot_take(space);
    assert_int_equal(map(space, virtual, physical, size_bytes, permissions), expected);
    snapshot_assert_unchanged(before, space);
    snapshot_drop(before);
}

static void assert_unmap_refused(struct space *space, uint64_t virtual, uint64_t size_bytes,
                                 enum page_table_status expected)
{
    struct snapshot before = snapshot_take(space);
    assert_int_equal(unmap(space, virtual, size_bytes), expected);
    snapshot_assert_unchanged(before, space);
    snapshot_drop(before);
}

static void test_P1_unaligned_empty_or_non_canonical(void **state)
{
    (void)state;
    struct space space;
    space_create(&space, MODERN, 32);
    const struct page_permissions rw = READ_WRITE;
    assert_map_refused(&space, UPPER + 1, 0x1000, 0x1000, rw, PAGE_TABLE_UNALIGNED);
    assert_map_refused(&space, UPPER, 0x1800, 0x1000, rw, PAGE_TABLE_UNALIGNED);
    assert_map_refused(&space, UPPER, 0x1000, 0x1001, rw, PAGE_TABLE_UNALIGNED);
    assert_map_refused(&space, UPPER, 0x1000, 0, rw, PAGE_TABLE_EMPTY);
    assert_map_refused(&space, UPPER - 0x1000, 0x1000, 0x1000, rw, PAGE_TABLE_NON_CANONICAL);
    assert_map_refused(&space, 0x7ffffffff000, 0x1000, 0x2000, rw, PAGE_TABLE_NON_CANONICAL);
    assert_map_refused(&space, 0x7ffffffff000, 0, UPPER, rw, PAGE_TABLE_NON_CANONICAL);
    assert_map_refused(&space, UINT64_MAX - 0xfff, 0x1000, 0x2000, rw, PAGE_TABLE_NON_CANONICAL);
    assert_map_refused(&space, 0x1000, 0x1000, UINT64_MAX - 0xfff, rw, PAGE_TABLE_NON_CANONICAL);
    /* Wraps and ends in the same half. */
    assert_map_refused(&space, UPPER + 2 * GIB, 0x1000, 0 - GIB, rw, PAGE_TABLE_NON_CANONICAL);
    assert_unmap_refused(&space, UPPER + 2 * GIB, 0 - GIB, PAGE_TABLE_NON_CANONICAL);
    assert_unmap_refused(&space, UPPER + 8, 0x1000, PAGE_TABLE_UNALIGNED);
    assert_unmap_refused(&space, UPPER, 0x10, PAGE_TABLE_UNALIGNED);
    assert_unmap_refused(&space, UPPER, 0, PAGE_TABLE_EMPTY);
    assert_unmap_refused(&space, 0x800000000000, 0x1000, PAGE_TABLE_NON_CANONICAL);

    struct page_mapping mapping;
    assert_int_equal(lookup(&space, 0x800000000000, &mapping), PAGE_TABLE_NON_CANONICAL);
    assert_int_equal(space.memory.invalidate_count, 0);
    space_destroy(&space);
}

static void test_the_last_page_of_the_address_space(void **state)
{
    (void)state;
    struct space space;
    struct page_mapping mapping;
    space_create(&space, MODERN, 32);
    assert_int_equal(map(&space, UINT64_MAX - 0x1fff, 0x5000, 0x2000, READ_WRITE), PAGE_TABLE_OK);
    assert_int_equal(lookup(&space, UINT64_MAX, &mapping), PAGE_TABLE_OK);
    assert_int_equal(mapping.physical.value, 0x6000);
    assert_int_equal(unmap(&space, UINT64_MAX - 0x1fff, 0x2000), PAGE_TABLE_OK);
    assert_int_equal(space.table.table_count, 1);
    space_destroy(&space);
}

static void test_P2_already_mapped(void **state)
{
    (void)state;
    struct space space;
    space_create(&space, MODERN, 32);
    assert_int_equal(map(&space, UPPER + 0x5000, 0x5000, 0x3000, READ_WRITE), PAGE_TABLE_OK);
    const enum page_table_status refused = PAGE_TABLE_ALREADY_MAPPED;
    assert_map_refused(&space, UPPER + 0x5000, 0x5000, 0x3000, READ_WRITE, refused);
    assert_map_refused(&space, UPPER + 0x6000, 0x9000, 0x1000, READ_WRITE, refused);
    assert_map_refused(&space, UPPER + 0x4000, 0x9000, 0x2000, READ_WRITE, refused);
    assert_map_refused(&space, UPPER + 0x7000, 0x9000, 0x2000, READ_WRITE, refused);
    assert_map_refused(&space, UPPER, 0, GIB, READ_WRITE, refused);
    assert_int_equal(map(&space, UPPER + GIB, GIB, GIB, READ_WRITE), PAGE_TABLE_OK);
    assert_map_refused(&space, UPPER + GIB + 0x1000, 0x9000, 0x1000, READ_WRITE, refused);
    space_destroy(&space);
}

static void test_P3_unmap_of_nothing(void **state)
{
    (void)state;
    struct space space;
    space_create(&space, MODERN, 32);
    assert_unmap_refused(&space, UPPER, 0x1000, PAGE_TABLE_NOT_MAPPED);
    assert_int_equal(map(&space, UPPER + 0x5000, 0x5000, 0x3000, READ_WRITE), PAGE_TABLE_OK);
    assert_unmap_refused(&space, UPPER + 0x4000, 0x1000, PAGE_TABLE_NOT_MAPPED);
    assert_unmap_refused(&space, UPPER + 0x4000, 0x2000, PAGE_TABLE_NOT_MAPPED);
    assert_unmap_refused(&space, UPPER + 0x7000, 0x2000, PAGE_TABLE_NOT_MAPPED);
    assert_unmap_refused(&space, UPPER + 0x8000, 0x1000, PAGE_TABLE_NOT_MAPPED);
    struct page_mapping mapping;
    assert_int_equal(lookup(&space, UPPER + 0x4fff, &mapping), PAGE_TABLE_NOT_MAPPED);
    space_destroy(&space);
}

static void test_P5_writable_and_executable(void **state)
{
    (void)state;
    struct space space;
    space_create(&space, MODERN, 32);
    struct page_permissions both = {.write = true, .execute = true};
    assert_map_refused(&space, UPPER, 0x1000, 0x1000, both, PAGE_TABLE_WRITABLE_EXECUTABLE);
    space.table.allow_writable_executable = true;
    assert_int_equal(map(&space, UPPER, 0x1000, 0x1000, both), PAGE_TABLE_OK);
    space_destroy(&space);
}

static void test_P10_physical_address_above_the_limit(void **state)
{
    (void)state;
    for (unsigned bits = 32; bits <= 52; bits += 4) {
        struct space space;
        struct page_table_features features = MODERN;
        features.physical_bits = bits;
        space_create(&space, features, 32);
        const uint64_t limit = UINT64_C(1) << bits;
        const enum page_table_status refused = PAGE_TABLE_PHYSICAL_TOO_HIGH;
        assert_map_refused(&space, UPPER, limit, 0x1000, READ_WRITE, refused);
        assert_map_refused(&space, UPPER, limit - 0x1000, 0x2000, READ_WRITE, refused);
        assert_map_refused(&space, UPPER, UINT64_MAX - 0xfff, 0x1000, READ_WRITE, refused);
        assert_map_refused(&space, UPPER, UINT64_MAX - 0xfff, 0x2000, READ_WRITE, refused);
        assert_int_equal(map(&space, UPPER, limit - 0x1000, 0x1000, READ_WRITE), PAGE_TABLE_OK);
        struct page_mapping mapping;
        assert_int_equal(lookup(&space, UPPER + 0x123, &mapping), PAGE_TABLE_OK);
        assert_int_equal(mapping.physical.value, limit - 0x1000);
        space_destroy(&space);
    }
}

/* --- Mapping and unmapping --- */

static void assert_mapping(struct space *space, uint64_t virtual, uint64_t page_base,
                           uint64_t physical, uint64_t page_size_bytes,
                           struct page_permissions permissions)
{
    struct page_mapping mapping;
    assert_int_equal(lookup(space, virtual, &mapping), PAGE_TABLE_OK);
    assert_int_equal(mapping.virtual.value, page_base);
    assert_int_equal(mapping.physical.value, physical);
    assert_int_equal(mapping.page_size_bytes, page_size_bytes);
    assert_int_equal(mapping.permissions.write, permissions.write);
    assert_int_equal(mapping.permissions.execute, permissions.execute);
    assert_int_equal(mapping.permissions.global, permissions.global);
    assert_int_equal(mapping.permissions.memory_type, permissions.memory_type);
    assert_false(mapping.user);
}

static void test_largest_pages_that_fit(void **state)
{
    (void)state;
    struct space space;
    space_create(&space, MODERN, 64);
    /* 4 KiB, 2 MiB, then 1 GiB pages up, and down again. */
    const uint64_t start = GIB - 2 * MIB - 0x1000;
    const uint64_t size = 0x1000 + 2 * MIB + GIB + 2 * MIB + 0x1000;
    assert_int_equal(map(&space, UPPER + start, start, size, READ_WRITE), PAGE_TABLE_OK);
    assert_mapping(&space, UPPER + start, UPPER + start, start, 4 * KIB, READ_WRITE);
    assert_mapping(&space, UPPER + GIB - 1, UPPER + GIB - 2 * MIB, GIB - 2 * MIB, 2 * MIB,
                   READ_WRITE);
    assert_mapping(&space, UPPER + GIB + 5, UPPER + GIB, GIB, GIB, READ_WRITE);
    assert_mapping(&space, UPPER + 2 * GIB + 5, UPPER + 2 * GIB, 2 * GIB, 2 * MIB, READ_WRITE);
    assert_mapping(&space, UPPER + start + size - 1, UPPER + start + size - 0x1000,
                   start + size - 0x1000, 4 * KIB, READ_WRITE);
    assert_int_equal(space.table.table_count, 6); /* root, PDPT, 2 PD, 2 PT */
    space_destroy(&space);
}

static void test_P2_add_keeps_the_part_before_the_failure(void **state)
{
    (void)state;
    struct space space;
    space_create(&space, MODERN, 64);
    assert_int_equal(map(&space, UPPER + 0x2000, 0x9000, 0x1000, READ_WRITE), PAGE_TABLE_OK);
    assert_int_equal(
        page_table_add(&space.table, virt_addr(UPPER), phys_addr(0), 0x3000, READ_WRITE, true),
        PAGE_TABLE_ALREADY_MAPPED);
    assert_mapping(&space, UPPER + 0x1000, UPPER + 0x1000, 0x1000, 4 * KIB, READ_WRITE);
    assert_mapping(&space, UPPER + 0x2000, UPPER + 0x2000, 0x9000, 4 * KIB, READ_WRITE);
    assert_int_equal(page_table_add(&space.table, virt_addr(UPPER + 0x800), phys_addr(0), 0x1000,
                                    READ_WRITE, true),
                     PAGE_TABLE_UNALIGNED);
    space_destroy(&space);
}

static void test_small_pages_on_request_and_where_incongruent(void **state)
{
    (void)state;
    struct space space;
    space_create(&space, MODERN, 64);
    assert_int_equal(
        page_table_map(&space.table, virt_addr(UPPER), phys_addr(0), 2 * MIB, READ_WRITE, false),
        PAGE_TABLE_OK);
    assert_mapping(&space, UPPER + 0x1234, UPPER + 0x1000, 0x1000, 4 * KIB, READ_WRITE);
    assert_int_equal(map(&space, UPPER + 4 * MIB, 6 * MIB + 0x1000, 2 * MIB, READ_WRITE),
                     PAGE_TABLE_OK);
    assert_mapping(&space, UPPER + 4 * MIB, UPPER + 4 * MIB, 6 * MIB + 0x1000, 4 * KIB, READ_WRITE);
    space_destroy(&space);
}

static void test_P12_without_1gib_pages(void **state)
{
    (void)state;
    struct space space;
    struct page_table_features features = MODERN;
    features.largest_leaf_level = 2;
    space_create(&space, features, 64);
    assert_int_equal(map(&space, UPPER + GIB, GIB, GIB, READ_WRITE), PAGE_TABLE_OK);
    assert_mapping(&space, UPPER + GIB + 5 * MIB, UPPER + GIB + 4 * MIB, GIB + 4 * MIB, 2 * MIB,
                   READ_WRITE);
    space_destroy(&space);
}

static bool has_no_bit_63(void *context, struct phys_addr page, unsigned level)
{
    (void)level;
    const uint64_t *entries = fake_memory_at(context, page);
    for (unsigned i = 0; i < PAGE_ENTRY_COUNT; i++) {
        if (entries[i] >> 63 != 0)
            return false;
    }
    return true;
}

static void test_P12_without_nx(void **state)
{
    (void)state;
    struct space space;
    struct page_table_features features = MODERN;
    features.no_execute = false;
    space_create(&space, features, 64);
    assert_int_equal(map(&space, UPPER, 0, GIB + 2 * MIB + 0x1000, READ_WRITE), PAGE_TABLE_OK);
    assert_int_equal(unmap(&space, UPPER + 0x1000, 0x1000), PAGE_TABLE_OK);
    assert_true(page_table_walk_tables(&space.table, has_no_bit_63, &space.memory));
    /* All pages count as executable. */
    struct page_permissions effective = {.write = true, .execute = true};
    assert_mapping(&space, UPPER, UPPER, 0, 4 * KIB, effective);
    space_destroy(&space);
}

static void test_P11_five_levels(void **state)
{
    (void)state;
    struct space space;
    struct page_table_features features = MODERN;
    features.levels = 5;
    space_create(&space, features, 64);
    const uint64_t low = UINT64_C(0xff00000000000000);
    assert_int_equal(map(&space, low, 0x1000, 0x1000, READ_WRITE), PAGE_TABLE_OK);
    assert_int_equal(map(&space, UPPER, 0x2000, 0x1000, READ_EXECUTE), PAGE_TABLE_OK);
    assert_int_equal(map(&space, 0x800000000000, 0x3000, 0x1000, READ_ONLY), PAGE_TABLE_OK);
    assert_mapping(&space, low, low, 0x1000, 4 * KIB, READ_WRITE);
    assert_mapping(&space, UPPER, UPPER, 0x2000, 4 * KIB, READ_EXECUTE);
    assert_mapping(&space, 0x800000000000, 0x800000000000, 0x3000, 4 * KIB, READ_ONLY);
    assert_int_equal(space.table.table_count, 1 + 3 * 4);
    assert_int_equal(unmap(&space, low, 0x1000), PAGE_TABLE_OK);
    assert_int_equal(unmap(&space, UPPER, 0x1000), PAGE_TABLE_OK);
    assert_int_equal(unmap(&space, 0x800000000000, 0x1000), PAGE_TABLE_OK);
    assert_int_equal(space.table.table_count, 1);
    space_destroy(&space);
}

static void test_P14_memory_types_are_kept(void **state)
{
    (void)state;
    struct space space;
    space_create(&space, MODERN, 64);
    const struct page_permissions wc = {.write = true, .memory_type = PAGE_MEMORY_WRITE_COMBINING};
    const struct page_permissions uc = {.write = true, .memory_type = PAGE_MEMORY_UNCACHED};
    const struct page_permissions global = {.execute = true, .global = true};
    assert_int_equal(map(&space, UPPER, 2 * MIB, 4 * MIB, wc), PAGE_TABLE_OK);
    assert_int_equal(map(&space, UPPER + GIB, 0xfee00000, 0x1000, uc), PAGE_TABLE_OK);
    assert_int_equal(map(&space, UPPER + 2 * GIB, GIB, GIB, global), PAGE_TABLE_OK);
    assert_mapping(&space, UPPER + 2 * MIB, UPPER + 2 * MIB, 4 * MIB, 2 * MIB, wc);
    assert_mapping(&space, UPPER + GIB, UPPER + GIB, 0xfee00000, 4 * KIB, uc);
    /* Also when a large page is split: PAT moves from bit 12 to bit 7. */
    assert_int_equal(unmap(&space, UPPER + 2 * MIB, 0x1000), PAGE_TABLE_OK);
    assert_mapping(&space, UPPER + 2 * MIB + 0x1000, UPPER + 2 * MIB + 0x1000, 4 * MIB + 0x1000,
                   4 * KIB, wc);
    assert_int_equal(unmap(&space, UPPER + 2 * GIB + 0x1000, 0x1000), PAGE_TABLE_OK);
    assert_mapping(&space, UPPER + 2 * GIB, UPPER + 2 * GIB, GIB, 4 * KIB, global);
    assert_mapping(&space, UPPER + 3 * GIB - 1, UPPER + 3 * GIB - 2 * MIB, 2 * GIB - 2 * MIB,
                   2 * MIB, global);
    space_destroy(&space);
}

static void test_P14_write_combining_falls_back_to_uncached(void **state)
{
    (void)state;
    struct space space;
    struct page_table_features features = MODERN;
    features.write_combining = false;
    space_create(&space, features, 64);
    const struct page_permissions wc = {.write = true, .memory_type = PAGE_MEMORY_WRITE_COMBINING};
    const struct page_permissions uc = {.write = true, .memory_type = PAGE_MEMORY_UNCACHED};
    assert_int_equal(map(&space, UPPER, 2 * MIB, 2 * MIB, wc), PAGE_TABLE_OK);
    assert_mapping(&space, UPPER, UPPER, 2 * MIB, 2 * MIB, uc);
    space_destroy(&space);
}

static void test_P7_page_0_is_not_mapped(void **state)
{
    (void)state;
    struct space space;
    struct page_mapping mapping;
    space_create(&space, MODERN, 64);
    assert_int_equal(map(&space, 0x1000, 0x1000, 0x1000, READ_WRITE), PAGE_TABLE_OK);
    assert_int_equal(lookup(&space, 0, &mapping), PAGE_TABLE_NOT_MAPPED);
    assert_int_equal(lookup(&space, 0xfff, &mapping), PAGE_TABLE_NOT_MAPPED);
    space_destroy(&space);
}

static void test_rights_are_those_of_all_levels(void **state)
{
    (void)state;
    struct space space;
    struct page_mapping mapping;
    space_create(&space, MODERN, 64);
    assert_int_equal(map(&space, UPPER, 0x1000, 0x1000, READ_WRITE), PAGE_TABLE_OK);
    uint64_t *root = fake_memory_at(&space.memory, space.table.root);
    root[256] &= ~PAGE_ENTRY_WRITE;
    assert_int_equal(lookup(&space, UPPER, &mapping), PAGE_TABLE_OK);
    assert_false(mapping.permissions.write);
    root[256] |= PAGE_ENTRY_WRITE | PAGE_ENTRY_USER;
    assert_int_equal(lookup(&space, UPPER, &mapping), PAGE_TABLE_OK);
    assert_true(mapping.permissions.write);
    assert_false(mapping.user); /* the lower levels do not grant it */
    space_destroy(&space);
}

static void test_P6_unmap_invalidates_before_it_frees_tables(void **state)
{
    (void)state;
    struct space space;
    space_create(&space, MODERN, 64);
    assert_int_equal(map(&space, UPPER + 0x3000, 0x1000, 0x2000, READ_WRITE), PAGE_TABLE_OK);
    assert_int_equal(space.memory.invalidate_count, 0); /* nothing was present before */
    assert_int_equal(space.memory.used_count, 4);
    assert_int_equal(unmap(&space, UPPER + 0x3000, 0x2000), PAGE_TABLE_OK);
    assert_int_equal(space.memory.invalidate_count, 1);
    assert_int_equal(space.memory.invalidated_start, UPPER + 0x3000);
    assert_int_equal(space.memory.invalidated_size_bytes, 0x2000);
    assert_int_equal(space.memory.used_count_at_invalidate, 4);
    assert_int_equal(space.memory.used_count, 1);
    /* The same addresses again, with another meaning. */
    assert_int_equal(map(&space, UPPER + 0x3000, 0x9000, 0x1000, READ_EXECUTE), PAGE_TABLE_OK);
    assert_mapping(&space, UPPER + 0x3000, UPPER + 0x3000, 0x9000, 4 * KIB, READ_EXECUTE);
    space_destroy(&space);
}

static void test_no_invalidate_callback_while_not_live(void **state)
{
    (void)state;
    struct space space;
    space_create(&space, MODERN, 64);
    space.table.memory.invalidate = NULL;
    assert_int_equal(map(&space, UPPER, GIB, GIB, READ_WRITE), PAGE_TABLE_OK);
    assert_int_equal(unmap(&space, UPPER + 0x1000, 0x1000), PAGE_TABLE_OK);
    space_destroy(&space);
}

static void test_unmap_splits_large_pages(void **state)
{
    (void)state;
    struct space space;
    struct page_mapping mapping;
    space_create(&space, MODERN, 64);
    assert_int_equal(map(&space, UPPER, 0, GIB, READ_WRITE), PAGE_TABLE_OK);
    assert_int_equal(space.table.table_count, 2);
    assert_int_equal(unmap(&space, UPPER + 3 * MIB, 0x1000), PAGE_TABLE_OK);
    assert_int_equal(space.table.table_count, 4);
    assert_int_equal(lookup(&space, UPPER + 3 * MIB, &mapping), PAGE_TABLE_NOT_MAPPED);
    assert_mapping(&space, UPPER + 3 * MIB - 1, UPPER + 3 * MIB - 0x1000, 3 * MIB - 0x1000, 4 * KIB,
                   READ_WRITE);
    assert_mapping(&space, UPPER, UPPER, 0, 2 * MIB, READ_WRITE);
    assert_int_equal(unmap(&space, UPPER, 2 * MIB), PAGE_TABLE_OK);
    assert_int_equal(unmap(&space, UPPER + 2 * MIB, MIB), PAGE_TABLE_OK);
    assert_int_equal(unmap(&space, UPPER + 3 * MIB + 0x1000, GIB - 3 * MIB - 0x1000),
                     PAGE_TABLE_OK);
    assert_int_equal(space.table.table_count, 1);
    space_destroy(&space);
}

/* --- Protecting and merging --- */

static enum page_table_status protect(struct space *space, uint64_t virtual, uint64_t size_bytes,
                                      struct page_permissions permissions)
{
    return page_table_protect(&space->table, virt_addr(virtual), size_bytes, permissions);
}

static uint64_t merge(struct space *space, uint64_t virtual, uint64_t size_bytes)
{
    uint64_t table_count = 77;
    assert_int_equal(page_table_merge(&space->table, virt_addr(virtual), size_bytes, &table_count),
                     PAGE_TABLE_OK);
    return table_count;
}

static void test_protect_changes_whole_pages_in_place(void **state)
{
    (void)state;
    struct space space;
    space_create(&space, MODERN, 64);
    const uint64_t start = GIB - 2 * MIB - 0x1000;
    const uint64_t size = 0x1000 + 2 * MIB + GIB + 2 * MIB + 0x1000;
    assert_int_equal(map(&space, UPPER + start, start, size, READ_WRITE), PAGE_TABLE_OK);
    uint64_t table_count = space.table.table_count;
    assert_int_equal(protect(&space, UPPER + start, size, READ_EXECUTE), PAGE_TABLE_OK);
    assert_int_equal(space.table.table_count, table_count);
    assert_int_equal(space.memory.invalidate_count, 1);
    assert_int_equal(space.memory.invalidated_start, UPPER + start);
    assert_int_equal(space.memory.invalidated_size_bytes, size);
    assert_mapping(&space, UPPER + start, UPPER + start, start, 4 * KIB, READ_EXECUTE);
    assert_mapping(&space, UPPER + GIB - 1, UPPER + GIB - 2 * MIB, GIB - 2 * MIB, 2 * MIB,
                   READ_EXECUTE);
    assert_mapping(&space, UPPER + GIB, UPPER + GIB, GIB, GIB, READ_EXECUTE);
    assert_mapping(&space, UPPER + start + size - 1, UPPER + start + size - 0x1000,
                   start + size - 0x1000, 4 * KIB, READ_EXECUTE);
    space_destroy(&space);
}

static void test_P14_protect_changes_the_memory_type_too(void **state)
{
    (void)state;
    struct space space;
    space_create(&space, MODERN, 64);
    const struct page_permissions wc = {
        .write = true, .global = true, .memory_type = PAGE_MEMORY_WRITE_COMBINING};
    assert_int_equal(map(&space, UPPER, 0, 2 * MIB + 0x1000, READ_WRITE), PAGE_TABLE_OK);
    assert_int_equal(protect(&space, UPPER, 2 * MIB + 0x1000, wc), PAGE_TABLE_OK);
    assert_mapping(&space, UPPER, UPPER, 0, 2 * MIB, wc);
    assert_mapping(&space, UPPER + 2 * MIB, UPPER + 2 * MIB, 2 * MIB, 4 * KIB, wc);
    assert_int_equal(protect(&space, UPPER, 2 * MIB + 0x1000, READ_ONLY), PAGE_TABLE_OK);
    assert_mapping(&space, UPPER, UPPER, 0, 2 * MIB, READ_ONLY);
    space_destroy(&space);
}

static void test_protect_splits_large_pages_at_its_ends(void **state)
{
    (void)state;
    struct space space;
    space_create(&space, MODERN, 64);
    assert_int_equal(map(&space, UPPER, 0, GIB, READ_WRITE), PAGE_TABLE_OK);
    assert_int_equal(protect(&space, UPPER + 3 * MIB, 4 * MIB, READ_ONLY), PAGE_TABLE_OK);
    assert_int_equal(space.table.table_count, 5); /* one PD, and a PT at each end */
    assert_mapping(&space, UPPER, UPPER, 0, 2 * MIB, READ_WRITE);
    assert_mapping(&space, UPPER + 3 * MIB - 1, UPPER + 3 * MIB - 0x1000, 3 * MIB - 0x1000, 4 * KIB,
                   READ_WRITE);
    assert_mapping(&space, UPPER + 3 * MIB, UPPER + 3 * MIB, 3 * MIB, 4 * KIB, READ_ONLY);
    assert_mapping(&space, UPPER + 4 * MIB, UPPER + 4 * MIB, 4 * MIB, 2 * MIB, READ_ONLY);
    assert_mapping(&space, UPPER + 7 * MIB - 1, UPPER + 7 * MIB - 0x1000, 7 * MIB - 0x1000, 4 * KIB,
                   READ_ONLY);
    assert_mapping(&space, UPPER + 7 * MIB, UPPER + 7 * MIB, 7 * MIB, 4 * KIB, READ_WRITE);
    assert_mapping(&space, UPPER + GIB - 1, UPPER + GIB - 2 * MIB, GIB - 2 * MIB, 2 * MIB,
                   READ_WRITE);
    space_destroy(&space);
}

static void assert_protect_refused(struct space *space, uint64_t virtual, uint64_t size_bytes,
                                   struct page_permissions permissions,
                                   enum page_table_status expected)
{
    struct snapshot before = snapshot_take(space);
    assert_int_equal(protect(space, virtual, size_bytes, permissions), expected);
    snapshot_assert_unchanged(before, space);
    snapshot_drop(before);
}

static void test_P1_P3_P5_protect_refuses(void **state)
{
    (void)state;
    struct space space;
    space_create(&space, MODERN, 32);
    const struct page_permissions both = {.write = true, .execute = true};
    assert_int_equal(map(&space, UPPER + 0x5000, 0x5000, 0x3000, READ_WRITE), PAGE_TABLE_OK);
    assert_int_equal(map(&space, UPPER + 0xa000, 0x5000, 0x3000, READ_WRITE), PAGE_TABLE_OK);
    const uint64_t page = UPPER + 0x5000;
    assert_protect_refused(&space, page, 0x1000, both, PAGE_TABLE_WRITABLE_EXECUTABLE);
    assert_protect_refused(&space, page, 0, READ_ONLY, PAGE_TABLE_EMPTY);
    assert_protect_refused(&space, page, 0x800, READ_ONLY, PAGE_TABLE_UNALIGNED);
    assert_protect_refused(&space, page + 1, 0x1000, READ_ONLY, PAGE_TABLE_UNALIGNED);
    assert_protect_refused(&space, page - 0x1000, 0x1000, READ_ONLY, PAGE_TABLE_NOT_MAPPED);
    assert_protect_refused(&space, page, 0x4000, READ_ONLY, PAGE_TABLE_NOT_MAPPED);
    assert_protect_refused(&space, page, 0x8000, READ_ONLY, PAGE_TABLE_NOT_MAPPED); /* a hole */
    assert_protect_refused(&space, 0x800000000000, 0x1000, READ_ONLY, PAGE_TABLE_NON_CANONICAL);
    assert_protect_refused(&space, page, 0 - GIB, READ_ONLY, PAGE_TABLE_NON_CANONICAL);
    assert_int_equal(space.memory.invalidate_count, 0);
    space.table.allow_writable_executable = true;
    assert_int_equal(protect(&space, page, 0x1000, both), PAGE_TABLE_OK);
    space_destroy(&space);
}

static void test_protect_of_the_last_page_of_the_address_space(void **state)
{
    (void)state;
    struct space space;
    space_create(&space, MODERN, 32);
    const uint64_t base = UINT64_MAX - (2 * MIB - 1);
    assert_int_equal(map(&space, base, 0, 2 * MIB, READ_WRITE), PAGE_TABLE_OK);
    assert_int_equal(protect(&space, UINT64_MAX - 0xfff, 0x1000, READ_ONLY), PAGE_TABLE_OK);
    assert_mapping(&space, UINT64_MAX, UINT64_MAX - 0xfff, 2 * MIB - 0x1000, 4 * KIB, READ_ONLY);
    assert_mapping(&space, base, base, 0, 4 * KIB, READ_WRITE);
    assert_int_equal(protect(&space, UINT64_MAX - 0xfff, 0x1000, READ_WRITE), PAGE_TABLE_OK);
    assert_int_equal(merge(&space, UINT64_MAX - 0xfff, 0x1000), 1);
    assert_mapping(&space, UINT64_MAX, base, 0, 2 * MIB, READ_WRITE);
    space_destroy(&space);
}

static void test_merge_undoes_splits(void **state)
{
    (void)state;
    struct space space;
    space_create(&space, MODERN, 64);
    const struct page_permissions wc = {
        .write = true, .global = true, .memory_type = PAGE_MEMORY_WRITE_COMBINING};
    assert_int_equal(map(&space, UPPER, 0, GIB, wc), PAGE_TABLE_OK);
    struct snapshot before = snapshot_take(&space);
    assert_int_equal(protect(&space, UPPER + 3 * MIB, 4 * MIB, READ_ONLY), PAGE_TABLE_OK);
    assert_int_equal(merge(&space, UPPER, GIB), 0); /* nothing is alike */
    assert_int_equal(protect(&space, UPPER + 3 * MIB, 4 * MIB, wc), PAGE_TABLE_OK);
    space.memory.invalidate_count = 0;
    assert_int_equal(merge(&space, UPPER, GIB), 3);
    snapshot_assert_unchanged(before, &space);
    snapshot_drop(before);
    assert_int_equal(space.memory.invalidate_count, 3);
    assert_int_equal(space.memory.invalidated_start, UPPER); /* the last: the 1 GiB page */
    assert_int_equal(space.memory.invalidated_size_bytes, GIB);
    space_destroy(&space);
}

static void test_P6_merge_invalidates_before_it_frees_a_table(void **state)
{
    (void)state;
    struct space space;
    space_create(&space, MODERN, 64);
    assert_int_equal(
        page_table_map(&space.table, virt_addr(UPPER), phys_addr(0), 2 * MIB, READ_WRITE, false),
        PAGE_TABLE_OK);
    assert_int_equal(space.memory.used_count, 4);
    assert_int_equal(merge(&space, UPPER + MIB, 0x1000), 1); /* a part of it is enough */
    assert_int_equal(space.memory.used_count_at_invalidate, 4);
    assert_int_equal(space.memory.used_count, 3);
    assert_mapping(&space, UPPER, UPPER, 0, 2 * MIB, READ_WRITE);
    space_destroy(&space);
}

/* One of 512 pages has one difference: nothing is merged. */
static void test_merge_needs_512_equal_pages(void **state)
{
    (void)state;
    static const struct page_permissions others[] = {
        {.write = false},
        {.write = false, .execute = true},
        {.write = true, .global = true},
        {.write = true, .memory_type = PAGE_MEMORY_UNCACHED},
    };
    struct space space;
    space_create(&space, MODERN, 64);
    assert_int_equal(
        page_table_map(&space.table, virt_addr(UPPER), phys_addr(0), 2 * MIB, READ_WRITE, false),
        PAGE_TABLE_OK);
    const uint64_t pages[] = {UPPER, UPPER + MIB, UPPER + 2 * MIB - 0x1000};
    for (unsigned i = 0; i < 3; i++) {
        for (unsigned j = 0; j < 4; j++) {
            assert_int_equal(protect(&space, pages[i], 0x1000, others[j]), PAGE_TABLE_OK);
            assert_int_equal(merge(&space, UPPER, 2 * MIB), 0);
        }
        assert_int_equal(unmap(&space, pages[i], 0x1000), PAGE_TABLE_OK);
        assert_int_equal(merge(&space, UPPER, 2 * MIB), 0);
        assert_int_equal(map(&space, pages[i], GIB, 0x1000, READ_WRITE), PAGE_TABLE_OK);
        assert_int_equal(merge(&space, UPPER, 2 * MIB), 0);
        assert_int_equal(unmap(&space, pages[i], 0x1000), PAGE_TABLE_OK);
        assert_int_equal(map(&space, pages[i], pages[i] - UPPER, 0x1000, READ_WRITE),
                         PAGE_TABLE_OK);
    }
    assert_int_equal(merge(&space, UPPER, 2 * MIB), 1);
    /* Equal pages, but not at the alignment of a large page. */
    assert_int_equal(page_table_map(&space.table, virt_addr(UPPER + 4 * MIB), phys_addr(MIB),
                                    2 * MIB, READ_WRITE, false),
                     PAGE_TABLE_OK);
    assert_int_equal(merge(&space, UPPER, 6 * MIB), 0);
    space_destroy(&space);
}

/* The CPU sets "accessed" and "dirty" in an entry when it uses it. */
/* The entry for 4 KiB that translates an address. */
static uint64_t *entry_of(struct space *space, uint64_t virtual)
{
    struct phys_addr table = space->table.root;
    for (unsigned level = 4;; level--) {
        uint64_t *entries = fake_memory_at(&space->memory, table);
        uint64_t *entry = &entries[page_entry_index(virt_addr(virtual), level)];
        if (level == 1)
            return entry;
        table = page_entry_address(*entry, level);
    }
}

static void test_merge_ignores_the_bits_that_the_cpu_writes(void **state)
{
    (void)state;
    struct space space;
    space_create(&space, MODERN, 64);
    assert_int_equal(
        page_table_map(&space.table, virt_addr(UPPER), phys_addr(0), 2 * MIB, READ_WRITE, false),
        PAGE_TABLE_OK);
    *entry_of(&space, UPPER) |= PAGE_ENTRY_ACCESSED;
    *entry_of(&space, UPPER + UINT64_C(300) * 4 * KIB) |= PAGE_ENTRY_ACCESSED | PAGE_ENTRY_DIRTY;
    assert_int_equal(merge(&space, UPPER, 2 * MIB), 1);
    assert_mapping(&space, UPPER, UPPER, 0, 2 * MIB, READ_WRITE);
    space_destroy(&space);
}

static void test_P12_merge_makes_no_1gib_page_without_the_feature(void **state)
{
    (void)state;
    struct space space;
    struct page_table_features features = MODERN;
    features.largest_leaf_level = 2;
    space_create(&space, features, 64);
    assert_int_equal(map(&space, UPPER, 0, GIB, READ_WRITE), PAGE_TABLE_OK);
    assert_int_equal(protect(&space, UPPER, 0x1000, READ_ONLY), PAGE_TABLE_OK);
    assert_int_equal(protect(&space, UPPER, 0x1000, READ_WRITE), PAGE_TABLE_OK);
    assert_int_equal(merge(&space, UPPER, GIB), 1);
    assert_mapping(&space, UPPER, UPPER, 0, 2 * MIB, READ_WRITE);
    space_destroy(&space);
}

static void test_P1_merge_refuses(void **state)
{
    (void)state;
    struct space space;
    uint64_t count = 77;
    space_create(&space, MODERN, 32);
    assert_int_equal(page_table_merge(&space.table, virt_addr(UPPER), 0, &count), PAGE_TABLE_EMPTY);
    assert_int_equal(page_table_merge(&space.table, virt_addr(UPPER + 1), 0x1000, &count),
                     PAGE_TABLE_UNALIGNED);
    assert_int_equal(page_table_merge(&space.table, virt_addr(UPPER - 0x1000), 0x1000, &count),
                     PAGE_TABLE_NON_CANONICAL);
    assert_int_equal(count, 77);
    assert_int_equal(merge(&space, UPPER, 0 - UPPER), 0); /* nothing is mapped */
    space_destroy(&space);
}

/* --- P4: the n-th table allocation fails --- */

static void test_P4_create_without_memory(void **state)
{
    (void)state;
    struct fake_memory memory;
    fake_memory_create(&memory, 1);
    fake_memory_fail_allocation(&memory, 1);
    struct page_table_memory callbacks = fake_memory_callbacks(&memory);
    struct page_table table = {.table_count = 77};
    assert_int_equal(page_table_create(&MODERN, &callbacks, &table), PAGE_TABLE_NO_MEMORY);
    assert_int_equal(table.table_count, 77);
    fake_memory_destroy(&memory);
}

/* Let every n-th allocation of the request fail until it succeeds; returns how many it needs. */
static unsigned sweep(struct space *space, enum page_table_status (*request)(struct space *))
{
    struct snapshot before = snapshot_take(space);
    for (unsigned n = 1;; n++) {
        fake_memory_fail_allocation(&space->memory, n);
        enum page_table_status status = request(space);
        if (status == PAGE_TABLE_OK) {
            snapshot_drop(before);
            return n - 1;
        }
        assert_int_equal(status, PAGE_TABLE_NO_MEMORY);
        snapshot_assert_unchanged(before, space);
    }
}

/* Needs tables of every level, at both ends and in two top-level entries. */
static enum page_table_status request_wide_map(struct space *space)
{
    const uint64_t start = 512 * GIB - GIB - 2 * MIB - 0x1000;
    return map(space, UPPER + start, start, 2 * GIB + 4 * MIB + 0x2000, READ_WRITE);
}

static enum page_table_status request_map_beside(struct space *space)
{
    return map(space, UPPER + 0x1000, 0x1000, 3 * MIB, READ_WRITE);
}

static enum page_table_status request_unmap_with_splits_apart(struct space *space)
{
    return unmap(space, UPPER + 0x1000, 3 * GIB - 0x2000);
}

static enum page_table_status request_unmap_with_splits_together(struct space *space)
{
    return unmap(space, UPPER + 0x1000, 4 * MIB);
}

static void test_P4_map_fails_midway(void **state)
{
    (void)state;
    struct space space;
    space_create(&space, MODERN, 64);
    assert_int_equal(sweep(&space, request_wide_map), 6); /* PDPT, PD and PT at each end */
    space_destroy(&space);

    space_create(&space, MODERN, 64);
    assert_int_equal(map(&space, UPPER, 0, 0x1000, READ_ONLY), PAGE_TABLE_OK);
    assert_int_equal(sweep(&space, request_map_beside), 1);
    space_destroy(&space);
}

static void test_P4_failed_map_of_live_tables_invalidates(void **state)
{
    (void)state;
    struct space space;
    space_create(&space, MODERN, 64);
    fake_memory_fail_allocation(&space.memory, 5);
    assert_int_equal(request_wide_map(&space), PAGE_TABLE_NO_MEMORY);
    assert_int_equal(space.memory.invalidate_count, 1);
    assert_int_equal(space.memory.used_count_at_invalidate, 5);
    assert_int_equal(space.memory.used_count, 1);
    space_destroy(&space);
}

static void test_P4_unmap_fails_in_a_split(void **state)
{
    (void)state;
    struct space space;
    space_create(&space, MODERN, 64);
    assert_int_equal(map(&space, UPPER, 0, 3 * GIB, READ_WRITE), PAGE_TABLE_OK);
    assert_int_equal(sweep(&space, request_unmap_with_splits_apart), 4);
    assert_mapping(&space, UPPER, UPPER, 0, 4 * KIB, READ_WRITE);
    assert_mapping(&space, UPPER + 3 * GIB - 1, UPPER + 3 * GIB - 0x1000, 3 * GIB - 0x1000, 4 * KIB,
                   READ_WRITE);
    space_destroy(&space);

    space_create(&space, MODERN, 64);
    assert_int_equal(map(&space, UPPER, 0, GIB, READ_WRITE), PAGE_TABLE_OK);
    assert_int_equal(sweep(&space, request_unmap_with_splits_together), 3);
    space_destroy(&space);
}

static enum page_table_status request_protect_with_splits_apart(struct space *space)
{
    return protect(space, UPPER + 0x1000, 3 * GIB - 0x2000, READ_ONLY);
}

static void test_P4_protect_fails_in_a_split(void **state)
{
    (void)state;
    struct space space;
    space_create(&space, MODERN, 64);
    assert_int_equal(map(&space, UPPER, 0, 3 * GIB, READ_WRITE), PAGE_TABLE_OK);
    assert_int_equal(sweep(&space, request_protect_with_splits_apart), 4);
    assert_mapping(&space, UPPER, UPPER, 0, 4 * KIB, READ_WRITE);
    assert_mapping(&space, UPPER + GIB, UPPER + GIB, GIB, GIB, READ_ONLY);
    space_destroy(&space);
}

/* --- A borrowed upper half --- */

static bool count_page(void *context, const struct page_mapping *mapping)
{
    (void)mapping;
    ++*(unsigned *)context;
    return true;
}

static bool count_table(void *context, struct phys_addr page, unsigned level)
{
    (void)page;
    (void)level;
    ++*(unsigned *)context;
    return true;
}

static void test_borrowed_upper_half_stays_the_owners(void **state)
{
    (void)state;
    struct space space;
    space_create(&space, MODERN, 64);
    assert_int_equal(map(&space, UPPER, 0x1000, 0x3000, READ_WRITE), PAGE_TABLE_OK);
    struct page_table second;
    struct page_table_memory callbacks = fake_memory_callbacks(&space.memory);
    assert_int_equal(page_table_create(&MODERN, &callbacks, &second), PAGE_TABLE_OK);
    assert_int_equal(
        page_table_map(&second, virt_addr(0x5000), phys_addr(0x5000), 0x1000, READ_EXECUTE, false),
        PAGE_TABLE_OK);
    page_table_borrow_upper_half(&second, &space.table);

    struct page_mapping mapping;
    assert_int_equal(page_table_lookup(&second, virt_addr(UPPER + 0x1000), &mapping),
                     PAGE_TABLE_OK);
    assert_int_equal(mapping.physical.value, 0x2000);
    assert_true(mapping.permissions.write);
    unsigned page_count = 0;
    assert_true(page_table_walk(&second, count_page, &page_count));
    assert_int_equal(page_count, 4);
    unsigned table_count = 0;
    assert_true(page_table_walk_tables(&second, count_table, &table_count));
    assert_int_equal(table_count, 4);
    assert_int_equal(second.table_count, 4);

    /* The owner frees a top-level entry and adds another; borrowing again follows. */
    assert_int_equal(unmap(&space, UPPER, 0x3000), PAGE_TABLE_OK);
    assert_int_equal(map(&space, UPPER + TIB, 0x7000, 0x1000, READ_ONLY), PAGE_TABLE_OK);
    page_table_borrow_upper_half(&second, &space.table);
    assert_int_equal(page_table_lookup(&second, virt_addr(UPPER), &mapping), PAGE_TABLE_NOT_MAPPED);
    assert_int_equal(page_table_lookup(&second, virt_addr(UPPER + TIB), &mapping), PAGE_TABLE_OK);

    page_table_destroy(&second);
    assert_int_equal(space.memory.used_count, space.table.table_count);
    assert_mapping(&space, UPPER + TIB, UPPER + TIB, 0x7000, 4 * KIB, READ_ONLY);
    space_destroy(&space);
}

static bool stop_at_second(void *context, const struct page_mapping *mapping)
{
    (void)mapping;
    return ++*(unsigned *)context < 2;
}

static bool stop_at_second_table(void *context, struct phys_addr page, unsigned level)
{
    (void)page;
    (void)level;
    return ++*(unsigned *)context < 2;
}

static void test_walks_can_be_stopped(void **state)
{
    (void)state;
    struct space space;
    space_create(&space, MODERN, 64);
    assert_int_equal(map(&space, UPPER, 0x1000, 0x3000, READ_WRITE), PAGE_TABLE_OK);
    unsigned count = 0;
    assert_false(page_table_walk(&space.table, stop_at_second, &count));
    assert_int_equal(count, 2);
    count = 0;
    assert_false(page_table_walk_tables(&space.table, stop_at_second_table, &count));
    assert_int_equal(count, 2);
    space_destroy(&space);
}

struct page_ranges {
    unsigned count;
    uint64_t page_counts[8];
};

static bool collect_range(void *context, const struct page_mapping *first, uint64_t page_count)
{
    struct page_ranges *ranges = context;
    assert_true(ranges->count < 8);
    assert_int_equal(first->page_size_bytes, 4 * KIB);
    ranges->page_counts[ranges->count++] = page_count;
    return true;
}

/* The permissions, the place in memory and the end of a table each end a range. The use of a page
 * does not. */
static void test_ranges_are_equal_pages(void **state)
{
    (void)state;
    struct space space;
    space_create(&space, MODERN, 64);
    uint64_t base = UPPER + 2 * MIB - UINT64_C(5) * 4 * KIB;
    assert_int_equal(map(&space, base, 0x101000, 7 * 4 * KIB, READ_WRITE), PAGE_TABLE_OK);
    assert_int_equal(map(&space, base + 7 * 4 * KIB, 0x108000, 2 * 4 * KIB, READ_ONLY),
                     PAGE_TABLE_OK);
    assert_int_equal(map(&space, base + 9 * 4 * KIB, 0x10b000, 4 * KIB, READ_ONLY), PAGE_TABLE_OK);
    assert_int_equal(map(&space, base + 11 * 4 * KIB, 0x10d000, 4 * KIB, READ_ONLY), PAGE_TABLE_OK);
    *entry_of(&space, base + 4 * KIB) |= PAGE_ENTRY_ACCESSED | PAGE_ENTRY_DIRTY;

    struct page_ranges found = {0};
    assert_true(page_table_walk_ranges(&space.table, collect_range, &found));
    const uint64_t expected[] = {5, 2, 2, 1, 1};
    assert_int_equal(found.count, 5);
    assert_memory_equal(found.page_counts, expected, sizeof expected);
    space_destroy(&space);
}

/* --- Random requests against an oracle --- */

/* --- Validating tables of another program --- */

static enum page_table_status validate(struct space *space, uint64_t virtual, uint64_t physical,
                                       uint64_t size_bytes, struct page_permissions permissions)
{
    return page_table_validate(&space->table, virt_addr(virtual), phys_addr(physical), size_bytes,
                               permissions);
}

/* The entry of a table that translates an address, from the root down. */
static uint64_t *entry_at(struct space *space, uint64_t virtual, unsigned level)
{
    struct phys_addr page = space->table.root;
    for (unsigned above = space->table.features.levels;; above--) {
        uint64_t *entries = fake_memory_at(&space->memory, page);
        uint64_t *entry = &entries[page_entry_index(virt_addr(virtual), above)];
        if (above == level)
            return entry;
        page = page_entry_address(*entry, above);
    }
}

static void test_validate_finds_mapped_pages(void **state)
{
    (void)state;
    struct space space;
    space_create(&space, MODERN, 64);
    /* 4 KiB, 2 MiB and 1 GiB pages in one range, which begins and ends in the middle of tables. */
    uint64_t virtual = UPPER + GIB - 4 * MIB - 3 * PAGE_SIZE_BYTES;
    uint64_t physical = 5 * GIB - 4 * MIB - 3 * PAGE_SIZE_BYTES;
    uint64_t size_bytes = GIB + 6 * MIB + 7 * PAGE_SIZE_BYTES;
    assert_int_equal(map(&space, virtual, physical, size_bytes, READ_WRITE), PAGE_TABLE_OK);
    const uint64_t offsets[] = {0, PAGE_SIZE_BYTES, 3 * PAGE_SIZE_BYTES, 4 * MIB, GIB, GIB + MIB};
    for (unsigned i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
        uint64_t from = virtual + offsets[i];
        uint64_t to = physical + offsets[i];
        uint64_t rest_bytes = size_bytes - offsets[i];
        assert_int_equal(validate(&space, from, to, rest_bytes, READ_WRITE), PAGE_TABLE_OK);
        assert_int_equal(validate(&space, from, to, PAGE_SIZE_BYTES, READ_WRITE), PAGE_TABLE_OK);
        assert_int_equal(validate(&space, from, to + PAGE_SIZE_BYTES, rest_bytes, READ_WRITE),
                         PAGE_TABLE_OTHER_PAGE);
        assert_int_equal(validate(&space, from, to, rest_bytes, READ_ONLY),
                         PAGE_TABLE_OTHER_PERMISSIONS);
        assert_int_equal(validate(&space, from, to, rest_bytes + PAGE_SIZE_BYTES, READ_WRITE),
                         PAGE_TABLE_NOT_MAPPED);
    }
    assert_int_equal(validate(&space, virtual - PAGE_SIZE_BYTES, physical - PAGE_SIZE_BYTES,
                              PAGE_SIZE_BYTES, READ_WRITE),
                     PAGE_TABLE_NOT_MAPPED);
    space_destroy(&space);
}

static void test_P1_P10_validate_checks_the_range(void **state)
{
    (void)state;
    struct space space;
    space_create(&space, MODERN, 8);
    assert_int_equal(validate(&space, UPPER + 1, 0, 4096, READ_ONLY), PAGE_TABLE_UNALIGNED);
    assert_int_equal(validate(&space, UPPER, 1, 4096, READ_ONLY), PAGE_TABLE_UNALIGNED);
    assert_int_equal(validate(&space, UPPER, 0, 4095, READ_ONLY), PAGE_TABLE_UNALIGNED);
    assert_int_equal(validate(&space, UPPER, 0, 0, READ_ONLY), PAGE_TABLE_EMPTY);
    assert_int_equal(validate(&space, UPPER - 4096, 0, 4096, READ_ONLY), PAGE_TABLE_NON_CANONICAL);
    assert_int_equal(validate(&space, UINT64_C(0) - 4096, 0, 8192, READ_ONLY),
                     PAGE_TABLE_NON_CANONICAL);
    assert_int_equal(validate(&space, UPPER, UINT64_C(1) << 46, 4096, READ_ONLY),
                     PAGE_TABLE_PHYSICAL_TOO_HIGH);
    assert_int_equal(validate(&space, UPPER, (UINT64_C(1) << 46) - 4096, 8192, READ_ONLY),
                     PAGE_TABLE_PHYSICAL_TOO_HIGH);
    space_destroy(&space);
}

/* One page among many equal pages. */
static void test_validate_looks_at_every_page(void **state)
{
    (void)state;
    struct space space;
    space_create(&space, MODERN, 8);
    assert_int_equal(page_table_map(&space.table, virt_addr(UPPER), phys_addr(0x200000), 0x100000,
                                    READ_WRITE, false),
                     PAGE_TABLE_OK);
    const struct {
        uint64_t bits;
        enum page_table_status expected;
    } changes[] = {
        {PAGE_ENTRY_PRESENT, PAGE_TABLE_NOT_MAPPED},
        {PAGE_ENTRY_WRITE, PAGE_TABLE_OTHER_PERMISSIONS},
        {PAGE_ENTRY_NO_EXECUTE, PAGE_TABLE_OTHER_PERMISSIONS},
        {PAGE_ENTRY_CACHE_DISABLE, PAGE_TABLE_OTHER_PERMISSIONS},
        {PAGE_ENTRY_WRITE_THROUGH, PAGE_TABLE_OTHER_PERMISSIONS},
        {UINT64_C(0x1000), PAGE_TABLE_OTHER_PAGE},
        {UINT64_C(1) << 45, PAGE_TABLE_OTHER_PAGE},
        {UINT64_C(1) << 46, PAGE_TABLE_NOT_MAPPED}, /* reserved: beyond the CPU's width */
        {UINT64_C(1) << 51, PAGE_TABLE_NOT_MAPPED},
        {PAGE_ENTRY_ACCESSED, PAGE_TABLE_OK},
        {PAGE_ENTRY_DIRTY, PAGE_TABLE_OK},
        {PAGE_ENTRY_GLOBAL, PAGE_TABLE_OK},
    };
    for (uint64_t page = 0; page < 0x100000; page += 4096) {
        uint64_t *entry = entry_at(&space, UPPER + page, PAGE_LEVEL_SMALLEST);
        for (unsigned i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
            *entry ^= changes[i].bits;
            assert_int_equal(validate(&space, UPPER, 0x200000, 0x100000, READ_WRITE),
                             changes[i].expected);
            *entry ^= changes[i].bits;
        }
    }
    /* User programs can use a page only if every level allows it. */
    *entry_at(&space, UPPER, PAGE_LEVEL_SMALLEST) |= PAGE_ENTRY_USER;
    assert_int_equal(validate(&space, UPPER, 0x200000, 0x100000, READ_WRITE), PAGE_TABLE_OK);
    for (unsigned level = PAGE_LEVEL_2MIB; level <= 4; level++)
        *entry_at(&space, UPPER, level) |= PAGE_ENTRY_USER;
    assert_int_equal(validate(&space, UPPER, 0x200000, 0x100000, READ_WRITE),
                     PAGE_TABLE_OTHER_PERMISSIONS);
    space_destroy(&space);
}

/* An entry with a reserved bit faults, so it translates nothing. */
static void test_P12_validate_refuses_the_same_entries_as_the_cpu(void **state)
{
    (void)state;
    struct space space;
    space_create(&space, MODERN, 8);
    assert_int_equal(map(&space, UPPER, 0, GIB, READ_WRITE), PAGE_TABLE_OK);
    assert_int_equal(map(&space, UPPER + GIB, GIB, 2 * MIB, READ_WRITE), PAGE_TABLE_OK);
    assert_int_equal(validate(&space, UPPER, 0, GIB + 2 * MIB, READ_WRITE), PAGE_TABLE_OK);
    *entry_at(&space, UPPER + GIB, PAGE_LEVEL_2MIB) |= 0x2000; /* between PAT and the address */
    assert_int_equal(validate(&space, UPPER + GIB, GIB, 2 * MIB, READ_WRITE),
                     PAGE_TABLE_NOT_MAPPED);
    space.table.features.largest_leaf_level = 2;
    assert_int_equal(validate(&space, UPPER, 0, GIB, READ_WRITE), PAGE_TABLE_NOT_MAPPED);
    space.table.features.largest_leaf_level = 3;
    space.table.features.no_execute = false;
    assert_int_equal(validate(&space, UPPER, 0, GIB, READ_WRITE), PAGE_TABLE_NOT_MAPPED);
    *entry_at(&space, UPPER, PAGE_LEVEL_1GIB) &= ~PAGE_ENTRY_NO_EXECUTE;
    assert_int_equal(validate(&space, UPPER, 0, GIB, READ_WRITE), PAGE_TABLE_OK);
    *entry_at(&space, UPPER, 4) |= PAGE_ENTRY_LARGE; /* there are no pages of 512 GiB */
    assert_int_equal(validate(&space, UPPER, 0, GIB, READ_WRITE), PAGE_TABLE_NOT_MAPPED);
    *entry_at(&space, UPPER, 4) &= ~PAGE_ENTRY_LARGE;
    *entry_at(&space, UPPER + GIB, PAGE_LEVEL_2MIB) &= ~UINT64_C(0x2000);
    space_destroy(&space);
}

static uint64_t *access_root_only(void *context, struct phys_addr table)
{
    struct space *space = context;
    return table.value == space->table.root.value ? fake_memory_at(&space->memory, table) : NULL;
}

static void test_validate_reads_no_table_that_it_must_not(void **state)
{
    (void)state;
    struct space space;
    space_create(&space, MODERN, 8);
    assert_int_equal(map(&space, UPPER, 0, 4096, READ_WRITE), PAGE_TABLE_OK);
    struct page_table foreign = space.table;
    foreign.memory.context = &space;
    foreign.memory.access_table = access_root_only;
    assert_int_equal(
        page_table_validate(&foreign, virt_addr(UPPER), phys_addr(0), 4096, READ_WRITE),
        PAGE_TABLE_FOREIGN_TABLE);
    assert_int_equal(page_table_validate(&foreign, virt_addr(4096), phys_addr(0), 4096, READ_WRITE),
                     PAGE_TABLE_NOT_MAPPED);
    space_destroy(&space);
}

static void test_random_requests(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct random random = {.state = seed};
        uint8_t bytes[4096];      /* some 300 requests */
        bytes[0] = (uint8_t)seed; /* the features */
        for (size_t i = 1; i < sizeof(bytes); i++)
            bytes[i] = (uint8_t)random_below(&random, 256);
        const char *problem = page_table_operations_run(bytes, sizeof(bytes));
        if (problem != NULL)
            fail_msg("seed %u: %s", (unsigned)seed, problem);
    }
}

static void test_every_status_has_a_name(void **state)
{
    (void)state;
    for (int status = PAGE_TABLE_OK; status <= PAGE_TABLE_MEMORY_TYPE; status++)
        assert_string_not_equal(page_table_status_name((enum page_table_status)status),
                                "unknown status");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entry_bits),
        cmocka_unit_test(test_P14_memory_type_bits),
        cmocka_unit_test(test_pat_value_agrees_with_the_entries),
        cmocka_unit_test(test_P1_canonical_addresses),
        cmocka_unit_test(test_P1_unaligned_empty_or_non_canonical),
        cmocka_unit_test(test_the_last_page_of_the_address_space),
        cmocka_unit_test(test_P2_already_mapped),
        cmocka_unit_test(test_P3_unmap_of_nothing),
        cmocka_unit_test(test_P5_writable_and_executable),
        cmocka_unit_test(test_P10_physical_address_above_the_limit),
        cmocka_unit_test(test_largest_pages_that_fit),
        cmocka_unit_test(test_P2_add_keeps_the_part_before_the_failure),
        cmocka_unit_test(test_small_pages_on_request_and_where_incongruent),
        cmocka_unit_test(test_P12_without_1gib_pages),
        cmocka_unit_test(test_P12_without_nx),
        cmocka_unit_test(test_P11_five_levels),
        cmocka_unit_test(test_P14_memory_types_are_kept),
        cmocka_unit_test(test_P14_write_combining_falls_back_to_uncached),
        cmocka_unit_test(test_P7_page_0_is_not_mapped),
        cmocka_unit_test(test_rights_are_those_of_all_levels),
        cmocka_unit_test(test_P6_unmap_invalidates_before_it_frees_tables),
        cmocka_unit_test(test_no_invalidate_callback_while_not_live),
        cmocka_unit_test(test_unmap_splits_large_pages),
        cmocka_unit_test(test_protect_changes_whole_pages_in_place),
        cmocka_unit_test(test_P14_protect_changes_the_memory_type_too),
        cmocka_unit_test(test_protect_splits_large_pages_at_its_ends),
        cmocka_unit_test(test_P1_P3_P5_protect_refuses),
        cmocka_unit_test(test_protect_of_the_last_page_of_the_address_space),
        cmocka_unit_test(test_merge_undoes_splits),
        cmocka_unit_test(test_P6_merge_invalidates_before_it_frees_a_table),
        cmocka_unit_test(test_merge_needs_512_equal_pages),
        cmocka_unit_test(test_merge_ignores_the_bits_that_the_cpu_writes),
        cmocka_unit_test(test_P12_merge_makes_no_1gib_page_without_the_feature),
        cmocka_unit_test(test_P1_merge_refuses),
        cmocka_unit_test(test_P4_create_without_memory),
        cmocka_unit_test(test_P4_map_fails_midway),
        cmocka_unit_test(test_P4_failed_map_of_live_tables_invalidates),
        cmocka_unit_test(test_P4_unmap_fails_in_a_split),
        cmocka_unit_test(test_P4_protect_fails_in_a_split),
        cmocka_unit_test(test_borrowed_upper_half_stays_the_owners),
        cmocka_unit_test(test_walks_can_be_stopped),
        cmocka_unit_test(test_ranges_are_equal_pages),
        cmocka_unit_test(test_validate_finds_mapped_pages),
        cmocka_unit_test(test_P1_P10_validate_checks_the_range),
        cmocka_unit_test(test_validate_looks_at_every_page),
        cmocka_unit_test(test_P12_validate_refuses_the_same_entries_as_the_cpu),
        cmocka_unit_test(test_validate_reads_no_table_that_it_must_not),
        cmocka_unit_test(test_random_requests),
        cmocka_unit_test(test_every_status_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
