/* Runs of RAM: what loader and kernel map as one. */
#include "tests/unit/support/cmocka.h"

#include "shared/address.h"
#include "shared/region.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct handoff_region region(uint64_t base, uint64_t end, enum handoff_region_type type)
{
    return (struct handoff_region){.base = base, .size_bytes = end - base, .type = (uint32_t)type};
}

/* Compare all runs below `limit_bytes` with the expected ones. */
static void assert_runs(const struct handoff_region *regions, size_t region_count,
                        uint64_t limit_bytes, const struct range *expected, size_t expected_count)
{
    struct range run = {1, 2};
    size_t index = 0;
    for (size_t i = 0; i < expected_count; i++) {
        assert_true(region_next_ram_run(regions, region_count, limit_bytes, &index, &run));
        assert_int_equal(run.start, expected[i].start);
        assert_int_equal(run.end, expected[i].end);
    }
    struct range last = run;
    assert_false(region_next_ram_run(regions, region_count, limit_bytes, &index, &run));
    assert_memory_equal(&run, &last, sizeof(run));
}

/*   |usable|loader|reserved|usable|   |nvs|runtime|mmio|   */
static const struct handoff_region REGIONS[] = {
    {0x1000, 0x1000, HANDOFF_REGION_USABLE, 7, 0xf},
    {0x2000, 0x2000, HANDOFF_REGION_LOADER, 2, 0xf},
    {0x4000, 0x1000, HANDOFF_REGION_RESERVED, 0, 0xf},
    {0x5000, 0x1000, HANDOFF_REGION_USABLE, 7, 0xf},
    {0x8000, 0x1000, HANDOFF_REGION_ACPI_NVS, 10, 0xf},
    {0x9000, 0x2000, HANDOFF_REGION_RUNTIME_CODE, 5, 0xf},
    {0xb000, 0x1000, HANDOFF_REGION_MMIO, 11, 0x1},
};

static void test_rows_that_touch_are_one_run(void **state)
{
    (void)state;
    const struct range expected[] = {{0x1000, 0x4000}, {0x5000, 0x6000}, {0x8000, 0xb000}};
    assert_runs(REGIONS, COUNT(REGIONS), 64 * TIB, expected, COUNT(expected));
    assert_runs(REGIONS, 0, 64 * TIB, NULL, 0);
}

static void test_nothing_reaches_beyond_the_limit(void **state)
{
    (void)state;
    const struct range cut[] = {{0x1000, 0x4000}, {0x5000, 0x6000}, {0x8000, 0x9000}};
    assert_runs(REGIONS, COUNT(REGIONS), 0x9000, cut, 3);
    assert_runs(REGIONS, COUNT(REGIONS), 0x8000, cut, 2);
    const struct range first[] = {{0x1000, 0x3000}};
    assert_runs(REGIONS, COUNT(REGIONS), 0x3000, first, 1);
    assert_runs(REGIONS, COUNT(REGIONS), 0x1000, NULL, 0);
}

static void test_only_ram_is_ram(void **state)
{
    (void)state;
    for (uint32_t type = 0; type < 32; type++) {
        const struct handoff_region one = region(0x1000, 0x2000, (enum handoff_region_type)type);
        const struct range expected = {0x1000, 0x2000};
        assert_runs(&one, 1, 64 * TIB, &expected, region_type_is_ram(type) ? 1 : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_that_touch_are_one_run),
        cmocka_unit_test(test_nothing_reaches_beyond_the_limit),
        cmocka_unit_test(test_only_ram_is_ram),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
