/* Region list: the stride, the rules of a normalised list, and coverage across rows that touch. */
#include "tests/unit/support/cmocka.h"

#include "kernel/mm/region_list.h"
#include "shared/region.h"

#define ROWS(rows)                                                                                 \
    ((struct region_list){(rows), sizeof(rows) / sizeof((rows)[0]), sizeof((rows)[0])})

static void test_rows_are_reached_by_the_stride(void **state)
{
    struct {
        struct handoff_region region;
        uint64_t appended_by_a_newer_loader;
    } rows[] = {{region_make(0x1000, 0x1000, 1, 7, 0xf), 1},
                {region_make(0x5000, 0x2000, 2, 4, 0xf), 2}};
    struct region_list list = ROWS(rows);
    (void)state;
    assert_int_equal(region_list_at(&list, 1)->base, 0x5000);
    assert_int_equal(region_list_range(&list, 1).end.value, 0x7000);
    assert_true(region_list_is_normalised(&list));
}

static bool pair_is_normalised(uint64_t first_base, uint64_t first_size_bytes, uint64_t second_base,
                               uint64_t second_size_bytes)
{
    struct handoff_region rows[] = {
        region_make(first_base, first_size_bytes, HANDOFF_REGION_USABLE, 7, 0xf),
        region_make(second_base, second_size_bytes, HANDOFF_REGION_USABLE, 7, 0xf)};
    struct region_list list = ROWS(rows);
    return region_list_is_normalised(&list);
}

static void test_normalised(void **state)
{
    const uint64_t limit = REGION_LIST_PHYSICAL_LIMIT;
    (void)state;
    assert_true(pair_is_normalised(0, 0x1000, 0x1000, 0x1000));
    assert_true(pair_is_normalised(0, 0x1000, limit - 0x1000, 0x1000));
    assert_false(pair_is_normalised(0x1000, 0x1000, 0, 0x1000));               /* M2 unsorted */
    assert_false(pair_is_normalised(0, 0x1000, 0x1000, 0));                    /* M3 empty */
    assert_false(pair_is_normalised(0, 0x1000, 0x1800, 0x1000));               /* M4 unaligned */
    assert_false(pair_is_normalised(0, 0x1000, 0x1000, 0x800));                /* M4 unaligned */
    assert_false(pair_is_normalised(0, 0x1000, 0x2000, UINT64_MAX));           /* M5 wraps */
    assert_false(pair_is_normalised(0, 0x1000, 0 - UINT64_C(0x1000), 0x1000)); /* M5 wraps */
    assert_false(pair_is_normalised(0, 0x2000, 0x1000, 0x2000));               /* M7 overlap */
    assert_false(pair_is_normalised(0, 0x1000, 0, 0x1000));                    /* M8 duplicate */
    assert_false(pair_is_normalised(0, 0x1000, limit, 0x1000)); /* M17 above 52 bits */
    assert_false(pair_is_normalised(0, 0x1000, limit - 0x1000, 0x2000));
}

static void test_coverage(void **state)
{
    struct handoff_region rows[] = {
        region_make(0x1000, 0x1000, 8, 2, 0xf), region_make(0x2000, 0x1000, 8, 2, 0x1),
        region_make(0x3000, 0x1000, 9, 2, 0xf), region_make(0x5000, 0x1000, 9, 2, 0xf)};
    struct region_list list = ROWS(rows);
    (void)state;
    assert_true(region_list_covers(&list, phys_range(0x1000, 0x3000), 8));
    assert_true(region_list_covers(&list, phys_range(0x1234, 0x2345), 8));
    assert_false(region_list_covers(&list, phys_range(0x1000, 0x3001), 8)); /* another type */
    assert_false(region_list_covers(&list, phys_range(0x0fff, 0x2000), 8)); /* before it */
    assert_false(region_list_covers(&list, phys_range(0x3000, 0x6000), 9)); /* a hole */
    assert_false(region_list_covers(&list, phys_range(0x5000, 0x7000), 9)); /* behind it */
    assert_false(region_list_covers(&list, phys_range(0x1000, 0x1000), 8)); /* empty */
}

static void test_ram(void **state)
{
    struct handoff_region rows[] = {
        region_make(0x1000, 0x1000, HANDOFF_REGION_USABLE, 7, 0xf),
        region_make(0x2000, 0x1000, HANDOFF_REGION_RUNTIME_DATA, 6, 0xf),
        region_make(0x3000, 0x1000, HANDOFF_REGION_RESERVED, 0, 0xf),
        region_make(0x5000, 0x1000, 99, 2, 0xf)};
    struct region_list list = ROWS(rows);
    (void)state;
    assert_true(region_list_is_ram(&list, phys_range(0x1ff8, 0x2008))); /* two kinds of it */
    assert_false(region_list_is_ram(&list, phys_range(0x2ff8, 0x3008)));
    assert_false(region_list_is_ram(&list, phys_range(0x4000, 0x4001))); /* unknown memory */
    assert_false(region_list_is_ram(&list, phys_range(0x5000, 0x5001))); /* unknown type */
    assert_false(region_list_is_ram(&list, phys_range(0x1000, 0x1000)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_reached_by_the_stride),
        cmocka_unit_test(test_normalised),
        cmocka_unit_test(test_coverage),
        cmocka_unit_test(test_ram),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
