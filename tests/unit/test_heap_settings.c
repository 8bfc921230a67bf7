/* The heap's window from the command line, the machine and the seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "kernel/mm/heap_settings.h"
#include "kernel/mm/layout.h"
#include "shared/address.h"
#include "shared/page_table.h"

struct choice {
    struct heap_settings settings;
    struct heap_settings_warnings warnings;
};

static struct choice choose(const char *command_line, uint64_t ram_bytes, const uint64_t *random)
{
    struct choice choice;
    heap_settings_choose(command_line, ram_bytes, random, &choice.settings, &choice.warnings);
    return choice;
}

static void assert_sizes(const char *command_line, uint64_t ram_bytes, uint64_t window_bytes,
                         uint64_t limit_bytes)
{
    struct choice choice = choose(command_line, ram_bytes, NULL);
    assert_int_equal(choice.settings.window_bytes, window_bytes);
    assert_int_equal(choice.settings.limit_bytes, limit_bytes);
    assert_null(choice.warnings.window);
    assert_null(choice.warnings.limit);
    assert_null(choice.warnings.aslr);
    assert_null(choice.warnings.guard);
    assert_null(choice.warnings.sample);
}

static void test_sizes_follow_the_machine(void **state)
{
    (void)state;
    assert_sizes("", 0, 16 * MIB, 16 * MIB);
    assert_sizes("", 48 * MIB, 16 * MIB, 16 * MIB);
    assert_sizes("", 511 * MIB, 16 * MIB, 112 * MIB);
    assert_sizes("", 3 * GIB, 16 * MIB, 768 * MIB);
    assert_sizes("", 64 * TIB, 16 * MIB, GIB);
}

static void test_sizes_follow_the_command_line(void **state)
{
    (void)state;
    assert_sizes("heap_window=1M", 512 * MIB, MIB, 128 * MIB);
    assert_sizes("heap_limit=64M", 512 * MIB, 16 * MIB, 64 * MIB);
    assert_sizes("heap_window=1M heap_limit=1M", 512 * MIB, MIB, MIB);
    assert_sizes("heap_limit=1028K", 512 * MIB, 1028 << 10, 1028 << 10);
    assert_sizes("heap_window=32G heap_limit=32G", 512 * MIB, 32 * GIB, 32 * GIB);
}

static void test_impossible_sizes_are_warned_of(void **state)
{
    (void)state;
    static const char *const BAD[] = {"0",  "1",   "4097", "1020K", "33G", "99999999999999999999",
                                      "-1", "16X", "",     "16 M"};
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        char line[64];
        (void)snprintf(line, sizeof line, "heap_window=%s", BAD[i]);
        struct choice choice = choose(line, 512 * MIB, NULL);
        assert_non_null(choice.warnings.window);
        assert_null(choice.warnings.limit);
        assert_int_equal(choice.settings.window_bytes, 16 * MIB);
        (void)snprintf(line, sizeof line, "heap_limit=%s", BAD[i]);
        choice = choose(line, 512 * MIB, NULL);
        assert_non_null(choice.warnings.limit);
        assert_int_equal(choice.settings.limit_bytes, 128 * MIB);
    }
    assert_non_null(choose("heap_window", 512 * MIB, NULL).warnings.window);
    const char *too_long = "heap_window=1111111111111111111111111111111111111111111111111111111111";
    assert_non_null(choose(too_long, 512 * MIB, NULL).warnings.window);
}

static void assert_inside(const struct heap_settings *settings)
{
    assert_true(settings->base.value >= LAYOUT_HEAP_WINDOW_BASE + PAGE_SIZE_BYTES);
    assert_true(settings->base.value + settings->limit_bytes + PAGE_SIZE_BYTES <=
                LAYOUT_HEAP_WINDOW_END);
    assert_int_equal(settings->base.value % (2 * MIB), 0);
    assert_true(settings->is_randomised);
}

static void test_base_is_random_and_inside(void **state)
{
    (void)state;
    static const uint64_t RANDOM[] = {0, 1, 2, UINT64_MAX, UINT64_MAX / 2, 0x123456789abcdef0};
    for (size_t i = 0; i < sizeof(RANDOM) / sizeof(RANDOM[0]); i++) {
        struct choice small = choose("heap_limit=1M", 0, &RANDOM[i]);
        struct choice large = choose("heap_limit=32G", 0, &RANDOM[i]);
        assert_inside(&small.settings);
        assert_inside(&large.settings);
    }
    struct choice one = choose("", 0, &RANDOM[1]), two = choose("", 0, &RANDOM[2]);
    assert_int_not_equal(one.settings.base.value, two.settings.base.value);
}

static void test_every_place_is_reached(void **state)
{
    (void)state;
    uint64_t places = (LAYOUT_HEAP_WINDOW_END - LAYOUT_HEAP_WINDOW_BASE - 32 * GIB) / (2 * MIB) - 1;
    uint64_t last = places - 1;
    struct choice choice = choose("heap_limit=32G", 0, &last);
    assert_inside(&choice.settings);
    assert_int_equal(choice.settings.base.value + 32 * GIB + 2 * MIB, LAYOUT_HEAP_WINDOW_END);
    choice = choose("heap_limit=32G", 0, &places);
    assert_int_equal(choice.settings.base.value, LAYOUT_HEAP_WINDOW_BASE + 2 * MIB);
}

static void test_base_is_fixed_on_request_or_without_seed(void **state)
{
    (void)state;
    const uint64_t random = 12345;
    struct choice choice = choose("heap_aslr=off", 0, &random);
    assert_int_equal(choice.settings.base.value, LAYOUT_HEAP_WINDOW_BASE);
    assert_false(choice.settings.is_randomised);
    choice = choose("heap_aslr=on", 0, NULL);
    assert_int_equal(choice.settings.base.value, LAYOUT_HEAP_WINDOW_BASE);
    assert_false(choice.settings.is_randomised);
    assert_null(choice.warnings.aslr);
    choice = choose("heap_aslr=maybe", 0, &random);
    assert_true(choice.settings.is_randomised);
    assert_non_null(choice.warnings.aslr);
}

static void test_guarded_base_is_random_and_inside(void **state)
{
    (void)state;
    static const uint64_t RANDOM[] = {0, UINT64_MAX, UINT64_C(0x8000000000000000),
                                      UINT64_C(0x123456789abcdef0)};
    for (size_t i = 0; i < sizeof(RANDOM) / sizeof(RANDOM[0]); i++) {
        struct heap_settings settings = choose("", 0, &RANDOM[i]).settings;
        assert_true(settings.guarded_base.value >= LAYOUT_GUARDED_HEAP_BASE + PAGE_SIZE_BYTES);
        assert_true(settings.guarded_base.value + settings.guarded_bytes + PAGE_SIZE_BYTES <=
                    LAYOUT_GUARDED_HEAP_END);
        assert_int_equal(settings.guarded_base.value % (2 * MIB), 0);
    }
    /* Two seeds that give one window the same place give the other window different places. */
    const uint64_t seed = UINT64_C(0x1122334455667788);
    uint64_t places = (LAYOUT_HEAP_WINDOW_END - LAYOUT_HEAP_WINDOW_BASE - 16 * MIB) / (2 * MIB) - 1;
    const uint64_t other = seed + (places << 20);
    struct heap_settings one = choose("", 0, &seed).settings;
    struct heap_settings two = choose("", 0, &other).settings;
    assert_int_equal(one.base.value, two.base.value);
    assert_int_not_equal(one.guarded_base.value, two.guarded_base.value);
    assert_int_equal(choose("heap_aslr=off", 0, &seed).settings.guarded_base.value,
                     LAYOUT_GUARDED_HEAP_BASE);
}

static void assert_guarded(const char *command_line, uint64_t large_bytes, uint64_t interval,
                           uint64_t guarded_bytes)
{
    struct choice choice = choose(command_line, 512 * MIB, NULL);
    assert_int_equal(choice.settings.large_bytes, large_bytes);
    assert_int_equal(choice.settings.sample_interval, interval);
    assert_int_equal(choice.settings.guarded_bytes, guarded_bytes);
    assert_null(choice.warnings.guard);
    assert_null(choice.warnings.sample);
}

static void test_which_blocks_are_guarded(void **state)
{
    (void)state;
    assert_guarded("", 65536, 5000, TIB);
    assert_guarded("heap_guard=off", UINT64_MAX, 5000, TIB);
    assert_guarded("heap_guard=4K heap_sample=1", 4096, 1, TIB);
    assert_guarded("heap_guard=1M heap_sample=0", MIB, 0, TIB);
    assert_guarded("heap_sample=0 heap_guard=off", UINT64_MAX, 0, 0);
    assert_guarded("heap_sample=1000000000", 65536, 1000000000, TIB);
    static const char *const BAD_GUARD[] = {"heap_guard=4095", "heap_guard=0", "heap_guard=on",
                                            "heap_guard=",     "heap_guard",   "heap_guard=offf"};
    static const char *const BAD_SAMPLE[] = {"heap_sample=off", "heap_sample=1000000001",
                                             "heap_sample=", "heap_sample", "heap_sample=-1"};
    for (size_t i = 0; i < sizeof BAD_GUARD / sizeof BAD_GUARD[0]; i++) {
        struct choice choice = choose(BAD_GUARD[i], 512 * MIB, NULL);
        assert_non_null(choice.warnings.guard);
        assert_int_equal(choice.settings.large_bytes, 65536);
    }
    for (size_t i = 0; i < sizeof BAD_SAMPLE / sizeof BAD_SAMPLE[0]; i++) {
        struct choice choice = choose(BAD_SAMPLE[i], 512 * MIB, NULL);
        assert_non_null(choice.warnings.sample);
        assert_int_equal(choice.settings.sample_interval, 5000);
    }
}

static void test_debug_is_a_switch(void **state)
{
    (void)state;
    assert_false(choose("", 0, NULL).settings.debug);
    assert_false(choose("heap_debug=off", 0, NULL).settings.debug);
    struct choice choice = choose("heap_debug=on", 0, NULL);
    assert_true(choice.settings.debug);
    assert_null(choice.warnings.debug);
    choice = choose("heap_debug=maybe", 0, NULL);
    assert_false(choice.settings.debug);
    assert_non_null(choice.warnings.debug);
}

static void test_policy_is_chosen_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *command_line;
        const struct heap_policy *policy;
        uint64_t guarded_bytes;
    } CASES[] = {
        {"", &heap_policy_fast, TIB},
        {"heap=fast", &heap_policy_fast, TIB},
        {"heap=best-fit", &heap_policy_best_fit, TIB},
        {"heap=first-fit", &heap_policy_first_fit, TIB},
        {"heap=bump", &heap_policy_bump, 0}, /* it frees the newest block only */
        {"heap=strict", &heap_policy_fast, TIB},
        {"heap=faster", &heap_policy_fast, TIB},
        {"heap=a-name-that-is-longer-than-any-policy", &heap_policy_fast, TIB},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct choice choice = choose(CASES[i].command_line, 512 * MIB, NULL);
        assert_ptr_equal(choice.settings.policy, CASES[i].policy);
        assert_int_equal(choice.settings.guarded_bytes, CASES[i].guarded_bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes_follow_the_machine),
        cmocka_unit_test(test_sizes_follow_the_command_line),
        cmocka_unit_test(test_impossible_sizes_are_warned_of),
        cmocka_unit_test(test_base_is_random_and_inside),
        cmocka_unit_test(test_every_place_is_reached),
        cmocka_unit_test(test_base_is_fixed_on_request_or_without_seed),
        cmocka_unit_test(test_debug_is_a_switch),
        cmocka_unit_test(test_guarded_base_is_random_and_inside),
        cmocka_unit_test(test_which_blocks_are_guarded),
        cmocka_unit_test(test_policy_is_chosen_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
