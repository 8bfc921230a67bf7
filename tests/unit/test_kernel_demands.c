/*
 * test_kernel_demands.c - demands that loader and machine meet, and demands that they do not meet.
 */
#include "tests/unit/support/cmocka.h"

#include <string.h>

#include "bootloader/pure/kernel_demands.h"
#include "shared/address.h"
#include "shared/handoff.h"

static struct kernel_demands no_demands(void)
{
    struct kernel_demands demands;
    kernel_demands_set_defaults(&demands);
    return demands;
}

static void assert_fits_loader(const struct kernel_demands *demands)
{
    char text[KERNEL_DEMANDS_TEXT_CAPACITY_BYTES] = "untouched";
    assert_true(kernel_demands_fit_loader(demands, text, sizeof(text)));
    assert_string_equal(text, "untouched");
}

static void assert_refused(const struct kernel_demands *demands, const char *expected)
{
    char text[KERNEL_DEMANDS_TEXT_CAPACITY_BYTES] = "";
    assert_false(kernel_demands_fit_loader(demands, text, sizeof(text)));
    assert_string_equal(text, expected);
}

static void test_kernel_without_demands_fits(void **state)
{
    (void)state;
    struct kernel_demands demands = no_demands();
    assert_fits_loader(&demands);
}

static void test_L6_version(void **state)
{
    (void)state;
    struct kernel_demands demands = no_demands();
    demands.stated = 1u << HANDOFF_NOTE_VERSION;
    demands.version_major = HANDOFF_VERSION_MAJOR;
    demands.version_minor = HANDOFF_VERSION_MINOR;
    assert_fits_loader(&demands);
    demands.version_minor = 65535;
    assert_refused(&demands, "handoff version 2.65535; this loader has 2.1");
    demands.version_minor = 0;
    demands.version_major = 1;
    assert_refused(&demands, "handoff version 1.0; this loader has 2.1");
    demands.version_major = 3;
    assert_refused(&demands, "handoff version 3.0; this loader has 2.1");
}

static void test_L6_levels_that_no_loader_has(void **state)
{
    (void)state;
    struct kernel_demands demands = no_demands();
    demands.levels = HANDOFF_LEVELS_FIVE | 8;
    assert_fits_loader(&demands);
    demands.levels = 8;
    assert_refused(&demands, "page tables of neither four nor five levels (levels 0x8)");
}

static void test_L6_stack(void **state)
{
    (void)state;
    struct kernel_demands demands = no_demands();
    demands.stack_size_bytes = 16 << 20;
    assert_fits_loader(&demands);
    demands.stack_size_bytes++;
    assert_refused(&demands, "a stack of 16777217 bytes; the limit is 16777216");
    demands.stack_size_bytes = UINT64_MAX;
    assert_refused(&demands, "a stack of 18446744073709551615 bytes; the limit is 16777216");
}

static void test_L6_direct_map(void **state)
{
    (void)state;
    struct kernel_demands demands = no_demands();
    demands.direct_map_limit = 4 * GIB;
    assert_fits_loader(&demands);
    demands.direct_map_limit--;
    assert_refused(&demands, "a direct map below 0xffffffff; the loader needs 4 GiB");
    demands.direct_map_limit = 0;
    assert_refused(&demands, "a direct map below 0x0; the loader needs 4 GiB");
}

/* A kernel cannot run without what it needs, so an unknown need is not ignored. */
static void test_L6_unknown_need(void **state)
{
    (void)state;
    struct kernel_demands demands = no_demands();
    demands.needs = HANDOFF_NEEDS_SCREEN | HANDOFF_NEEDS_NO_EXECUTE;
    assert_fits_loader(&demands);
    demands.needs = UINT64_C(1) << 63;
    assert_refused(&demands, "something that this loader does not know (needs 0x8000000000000000)");
}

static void test_L6_every_machine_for_every_kernel(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 256; bits++) {
        char text[KERNEL_DEMANDS_TEXT_CAPACITY_BYTES] = "";
        struct kernel_demands demands = no_demands();
        const struct kernel_supplies supplies = {
            .levels = (bits & 3) << 4,
            .has_screen = (bits & 4) != 0,
            .has_no_execute = (bits & 8) != 0,
        };
        demands.levels = (bits >> 4 & 3) << 4;
        demands.needs = bits >> 6 & 3;
        bool fits_levels = (supplies.levels & demands.levels) != 0;
        bool fits_screen = supplies.has_screen || (demands.needs & HANDOFF_NEEDS_SCREEN) == 0;
        bool fits_nx = supplies.has_no_execute || (demands.needs & HANDOFF_NEEDS_NO_EXECUTE) == 0;
        assert_int_equal(kernel_demands_fit_machine(&demands, &supplies, text, sizeof(text)),
                         fits_levels && fits_screen && fits_nx);
        const char *word = !fits_levels   ? " levels of page tables; "
                           : !fits_screen ? "a screen; "
                           : !fits_nx     ? "no-execute"
                                          : "";
        assert_non_null(strstr(text, word));
        assert_int_equal(strlen(text) == 0, fits_levels && fits_screen && fits_nx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kernel_without_demands_fits),
        cmocka_unit_test(test_L6_version),
        cmocka_unit_test(test_L6_levels_that_no_loader_has),
        cmocka_unit_test(test_L6_stack),
        cmocka_unit_test(test_L6_direct_map),
        cmocka_unit_test(test_L6_unknown_need),
        cmocka_unit_test(test_L6_every_machine_for_every_kernel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
