/* Runs of RAM, which loader and kernel map as one. */
#include "tests/unit/support/cmocka.h"

#include "shared/address.h"
#include <string.h>

#include "shared/region.h"
#include "tests/unit/support/region_types.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct handoff_region region(uint64_t base, uint64_t end, enum handoff_region_type type)
{
    return region_make(base, end - base, (uint32_t)type, 0, 0);
}

/* Compare all runs below `limit` with the expected ones. */
static void assert_runs(const struct handoff_region *regions, size_t region_count, uint64_t limit,
                        const struct phys_range *expected, size_t expected_count)
{
    struct phys_range run = phys_range(1, 2);
    size_t index = 0;
    for (size_t i = 0; i < expected_count; i++) {
        assert_true(region_next_ram_run(regions, region_count, phys_addr(limit), &index, &run));
        assert_int_equal(run.start.value, expected[i].start.value);
        assert_int_equal(run.end.value, expected[i].end.value);
    }
    struct phys_range last = run;
    assert_false(region_next_ram_run(regions, region_count, phys_addr(limit), &index, &run));
    assert_memory_equal(&run, &last, sizeof(run));
}

#define RAM_FACTS (HANDOFF_FACT_RAM | HANDOFF_FACT_MAPPED | HANDOFF_FACT_WRITABLE)

/*   |usable|loader|reserved|usable|   |nvs|runtime|mmio|   */
static const struct handoff_region REGIONS[] = {
    {0x1000, 0x1000, .type = HANDOFF_REGION_USABLE, .facts = RAM_FACTS},
    {0x2000, 0x2000, .type = HANDOFF_REGION_LOADER, .facts = RAM_FACTS},
    {0x4000, 0x1000, .type = HANDOFF_REGION_RESERVED},
    {0x5000, 0x1000, .type = HANDOFF_REGION_USABLE, .facts = RAM_FACTS},
    {0x8000, 0x1000, .type = HANDOFF_REGION_ACPI_NVS, .facts = RAM_FACTS},
    {0x9000, 0x2000, .type = HANDOFF_REGION_RUNTIME_CODE, .facts = RAM_FACTS},
    {0xb000, 0x1000, .type = HANDOFF_REGION_MMIO},
};

static void test_rows_that_touch_are_one_run(void **state)
{
    (void)state;
    const struct phys_range expected[] = {
        {{0x1000}, {0x4000}}, {{0x5000}, {0x6000}}, {{0x8000}, {0xb000}}};
    assert_runs(REGIONS, COUNT(REGIONS), 64 * TIB, expected, COUNT(expected));
    assert_runs(REGIONS, 0, 64 * TIB, NULL, 0);
}

/* A type of a newer minor version may be RAM that the loader did not map, or not for writing. */
static void test_ram_that_is_not_mapped_is_in_no_run(void **state)
{
    (void)state;
    const uint32_t facts[] = {HANDOFF_FACT_RAM, HANDOFF_FACT_RAM | HANDOFF_FACT_MAPPED,
                              HANDOFF_FACT_MAPPED | HANDOFF_FACT_WRITABLE};
    const struct phys_range expected[] = {{{0x1000}, {0x2000}}, {{0x3000}, {0x4000}}};
    for (size_t i = 0; i < COUNT(facts); i++) {
        const struct handoff_region regions[] = {
            {0x1000, 0x1000, .type = 0x777, .facts = RAM_FACTS},
            {0x2000, 0x1000, .type = 0x778, .facts = facts[i]},
            {0x3000, 0x1000, .type = 0x777, .facts = RAM_FACTS},
            {0x5000, 0x1000, .type = 0x778, .facts = facts[i]},
        };
        assert_runs(regions, COUNT(regions), 64 * TIB, expected, COUNT(expected));
        assert_int_equal(region_is_ram(&regions[1]), (facts[i] & HANDOFF_FACT_RAM) != 0);
    }
}

static void test_nothing_reaches_beyond_the_limit(void **state)
{
    (void)state;
    const struct phys_range cut[] = {
        {{0x1000}, {0x4000}}, {{0x5000}, {0x6000}}, {{0x8000}, {0x9000}}};
    assert_runs(REGIONS, COUNT(REGIONS), 0x9000, cut, 3);
    assert_runs(REGIONS, COUNT(REGIONS), 0x8000, cut, 2);
    const struct phys_range first[] = {{{0x1000}, {0x3000}}};
    assert_runs(REGIONS, COUNT(REGIONS), 0x3000, first, 1);
    assert_runs(REGIONS, COUNT(REGIONS), 0x1000, NULL, 0);
}

/* Each has a name and a precedence of its own, and facts that fit together. */
static void test_every_type_has_a_meaning(void **state)
{
    const uint32_t usable = HANDOFF_FACT_RAM | HANDOFF_FACT_MAPPED | HANDOFF_FACT_WRITABLE;
    (void)state;
    for (size_t i = 0; i < REGION_TYPE_COUNT; i++) {
        uint32_t facts = region_type_facts(REGION_TYPES[i]);
        assert_string_not_equal(region_type_name(REGION_TYPES[i]), "unknown");
        assert_null(strchr(region_type_name(REGION_TYPES[i]), ' '));
        assert_true(region_type_precedence(REGION_TYPES[i]) != 0);
        assert_true((facts & HANDOFF_FACT_WRITABLE) == 0 || (facts & HANDOFF_FACT_MAPPED) != 0);
        assert_true(region_type_reuse(REGION_TYPES[i]) == HANDOFF_REUSE_NEVER ||
                    (facts & usable) == usable);
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(region_type_name(REGION_TYPES[i]),
                                    region_type_name(REGION_TYPES[j]));
            assert_true(region_type_precedence(REGION_TYPES[i]) !=
                        region_type_precedence(REGION_TYPES[j]));
        }
    }
}

/* The table of docs/HANDOFF.md in numbers, a second time. Facts: 1 RAM, 2 MAPPED, 4 WRITABLE, 8
 * LOADER_PLACED. */
static void test_facts_reuse_and_precedence_are_the_documents(void **state)
{
    (void)state;
    static const struct {
        uint32_t type;
        unsigned precedence;
        uint32_t facts;
        uint32_t reuse;
    } DOCUMENT[] = {
        {0x100, 1, 7, 1},   {0x110, 2, 7, 1},   {0x120, 3, 7, 2},   {0x130, 4, 7, 4},
        {0x140, 5, 7, 0},   {0x200, 6, 15, 5},  {0x210, 7, 15, 2},  {0x220, 8, 15, 2},
        {0x230, 9, 15, 3},  {0x240, 10, 15, 0}, {0x250, 11, 15, 0}, {0x260, 12, 15, 0},
        {0x270, 13, 15, 6}, {0x280, 14, 15, 7}, {0x290, 15, 15, 3}, {0x300, 20, 7, 0},
        {0x310, 21, 7, 0},  {0x320, 22, 7, 0},  {0x400, 30, 0, 0},  {0x410, 31, 0, 0},
        {0x420, 32, 0, 0},  {0x430, 33, 0, 0},  {0x440, 34, 0, 0},  {0x450, 35, 2, 0},
        {0x460, 36, 6, 0},
    };
    assert_int_equal(COUNT(DOCUMENT), REGION_TYPE_COUNT);
    for (size_t i = 0; i < COUNT(DOCUMENT); i++) {
        struct handoff_region made = region_make(0x1000, 0x2000, DOCUMENT[i].type, 3, 5);
        assert_int_equal(region_type_precedence(DOCUMENT[i].type), DOCUMENT[i].precedence);
        assert_int_equal(made.facts, DOCUMENT[i].facts);
        assert_int_equal(made.reuse, DOCUMENT[i].reuse);
        assert_int_equal(region_type_facts(DOCUMENT[i].type), DOCUMENT[i].facts);
        assert_int_equal(region_type_reuse(DOCUMENT[i].type), DOCUMENT[i].reuse);
    }
}

static void test_unknown_types_promise_nothing(void **state)
{
    const uint32_t unknown[] = {0, 1, 18, 99, 0x777, UINT32_MAX};
    (void)state;
    for (size_t i = 0; i < COUNT(unknown); i++) {
        assert_string_equal(region_type_name(unknown[i]), "unknown");
        assert_int_equal(region_type_facts(unknown[i]), 0);
        assert_int_equal(region_type_reuse(unknown[i]), HANDOFF_REUSE_NEVER);
        assert_int_equal(region_type_precedence(unknown[i]), 0);
    }
}

/* The facts count, not the type. */
static void test_only_ram_is_ram(void **state)
{
    const struct phys_range expected = {{0x1000}, {0x2000}};
    (void)state;
    for (size_t i = 0; i < REGION_TYPE_COUNT; i++) {
        struct handoff_region one =
            region(0x1000, 0x2000, (enum handoff_region_type)REGION_TYPES[i]);
        bool is_ram = (region_type_facts(REGION_TYPES[i]) & HANDOFF_FACT_RAM) != 0;
        assert_runs(&one, 1, 64 * TIB, &expected, is_ram ? 1 : 0);
        one.facts = is_ram ? one.facts & ~HANDOFF_FACT_RAM : RAM_FACTS;
        assert_runs(&one, 1, 64 * TIB, &expected, is_ram ? 0 : 1);
    }
}

static void test_unknown_reuse_is_never(void **state)
{
    struct handoff_region one = region(0x1000, 0x2000, HANDOFF_REGION_LOADER);
    (void)state;
    assert_int_equal(region_reuse(&one), HANDOFF_REUSE_AFTER_LOADER);
    one.reuse = HANDOFF_REUSE_AFTER_PARKING + 1;
    assert_int_equal(region_reuse(&one), HANDOFF_REUSE_NEVER);
    one.reuse = UINT32_MAX;
    assert_int_equal(region_reuse(&one), HANDOFF_REUSE_NEVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_that_touch_are_one_run),
        cmocka_unit_test(test_ram_that_is_not_mapped_is_in_no_run),
        cmocka_unit_test(test_nothing_reaches_beyond_the_limit),
        cmocka_unit_test(test_every_type_has_a_meaning),
        cmocka_unit_test(test_facts_reuse_and_precedence_are_the_documents),
        cmocka_unit_test(test_unknown_types_promise_nothing),
        cmocka_unit_test(test_only_ram_is_ram),
        cmocka_unit_test(test_unknown_reuse_is_never),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
