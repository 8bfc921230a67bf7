/* The page tables in force, as the handoff describes them. Catalogue group H. */
#include "kernel/mm/layout.h"
#include "shared/address.h"
#include "shared/direct_map.h"
#include "tests/unit/support/handoff_expect.h"

static void test_H4_direct_map_must_be_where_the_kernel_has_it(void **state)
{
    struct handoff_sample *sample = *state;
    assert_field_gives(sample, direct_map_base, LAYOUT_DIRECT_MAP_BASE + 4096,
                       HANDOFF_CHECK_DIRECT_MAP);
    assert_field_gives(sample, direct_map_base, DIRECT_MAP_BASE_5_LEVELS, HANDOFF_CHECK_DIRECT_MAP);
    assert_field_gives(sample, direct_map_size_bytes, LAYOUT_DIRECT_MAP_LIMIT_BYTES + 4096,
                       HANDOFF_CHECK_DIRECT_MAP);
    assert_field_gives(sample, direct_map_size_bytes, SAMPLE_DATA_BASE + SAMPLE_DATA_SIZE - 4096,
                       HANDOFF_CHECK_DATA_BLOCK);
    assert_field_gives(sample, direct_map_size_bytes,
                       SAMPLE_USABLE_BASE + SAMPLE_USABLE_SIZE - 4096,
                       HANDOFF_CHECK_REGIONS_OUTSIDE_DIRECT_MAP);
}

static void test_page_tables_that_are_not_in_use_are_refused(void **state)
{
    struct handoff_sample *sample = *state;
    enum handoff_check_status expected = HANDOFF_CHECK_PAGE_TABLE_ROOT;
    const uint64_t roots[] = {0,
                              SAMPLE_TABLES_BASE + 0x8, /* flags of CR3 */
                              SAMPLE_TABLES_BASE + 0x18,
                              SAMPLE_TABLES_BASE + 0x1000, /* a table, but not the root */
                              SAMPLE_TABLES_BASE - 0x1000,
                              SAMPLE_TABLES_BASE + SAMPLE_TABLES_SIZE,
                              SAMPLE_TABLES_BASE | UINT64_C(1) << 46, /* beyond the width */
                              SAMPLE_TABLES_BASE | UINT64_C(1) << 63,
                              UINT64_MAX};
    for (unsigned i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
        assert_field_gives(sample, arch.x86_64.page_table_root, roots[i], expected);
    assert_state_gives(sample, page_table_root, phys_addr(SAMPLE_TABLES_BASE + 0x1000), expected);
    /* No CPU has such a root, so only the check of the width can refuse it. */
    sample->state.page_table_root = phys_addr(UINT64_C(1) << 46);
    sample->handoff->arch.x86_64.page_table_root = UINT64_C(1) << 46;
    handoff_expect_status(sample, expected);
}

static void test_block_of_page_tables_must_hold_them(void **state)
{
    struct handoff_sample *sample = *state;
    enum handoff_check_status expected = HANDOFF_CHECK_PAGE_TABLES;
    const uint64_t bases[] = {
        0,          SAMPLE_TABLES_BASE + 1,       SAMPLE_TABLES_BASE + 0x1000, SAMPLE_DATA_BASE,
        ~PAGE_MASK, LAYOUT_DIRECT_MAP_LIMIT_BYTES};
    const uint64_t sizes[] = {0, 1, 0xfff, ~PAGE_MASK, UINT64_MAX, UINT64_C(1) << 45};
    for (unsigned i = 0; i < sizeof(bases) / sizeof(bases[0]); i++)
        assert_field_gives(sample, page_tables_base, bases[i], expected);
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        assert_field_gives(sample, page_tables_size_bytes, sizes[i], expected);
    /* The block does not have all tables. The walk must not leave the block. */
    assert_field_gives(sample, page_tables_size_bytes, PAGE_SIZE_BYTES,
                       HANDOFF_CHECK_PAGE_TABLES_NOT_MAPPED);
}

static void test_flags_must_agree_with_the_cpu(void **state)
{
    struct handoff_sample *sample = *state;
    for (unsigned bit = 0; bit < 3; bit++)
        assert_field_gives(sample, arch.x86_64.flags,
                           sample->handoff->arch.x86_64.flags ^ 1U << bit, HANDOFF_CHECK_FLAGS);
    assert_state_gives(sample, features.no_execute, false, HANDOFF_CHECK_FLAGS);
    assert_state_gives(sample, features.largest_leaf_level, 2, HANDOFF_CHECK_FLAGS);
}

static void test_tables_with_entries_that_the_cpu_refuses_are_refused(void **state)
{
    struct handoff_sample *sample = *state;
    /* Entry 256 of the root: the first 512 GiB of the direct map. */
    uint64_t *entry = (uint64_t *)sample->memory + 256;
    const uint64_t good = *entry;
    const uint64_t bad[] = {good & ~UINT64_C(1),      good | UINT64_C(1) << 7,
                            good | UINT64_C(1) << 46, good | UINT64_C(1) << 51,
                            good ^ UINT64_C(1) << 24, 0};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        *entry = bad[i];
        handoff_expect_status(sample, HANDOFF_CHECK_PAGE_TABLES_NOT_MAPPED);
    }
    *entry = SAMPLE_TABLES_BASE | 3; /* the root again */
    handoff_expect_status(sample, HANDOFF_CHECK_PAGE_TABLES_NOT_MAPPED);
    *entry = good;
    handoff_expect_status(sample, HANDOFF_CHECK_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HANDOFF_TEST(test_H4_direct_map_must_be_where_the_kernel_has_it),
        HANDOFF_TEST(test_page_tables_that_are_not_in_use_are_refused),
        HANDOFF_TEST(test_block_of_page_tables_must_hold_them),
        HANDOFF_TEST(test_flags_must_agree_with_the_cpu),
        HANDOFF_TEST(test_tables_with_entries_that_the_cpu_refuses_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
