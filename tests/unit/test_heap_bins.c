/* The bins of the fast policy's core, by size. */
#include "tests/unit/support/cmocka.h"

#include "kernel/mm/heap/policies/fast_bin.h"

#define MOST_UNITS ((size_t)UINT32_MAX)

static void check_size(size_t units)
{
    unsigned bin = fast_bin_of(units);
    unsigned above = fast_bin_above(units);
    assert_in_range(bin, 1, FAST_BIN_COUNT - 1);
    assert_in_range(fast_bin_least(bin), units - units / 8, units);
    assert_int_equal(fast_bin_of(fast_bin_least(bin)), bin);
    /* All blocks of the bin above are long enough, and not all of the one before it. */
    assert_in_range(above, bin, bin + 1);
    if (above < FAST_BIN_COUNT)
        assert_true(fast_bin_least(above) >= units);
    assert_true(above == bin ? fast_bin_least(bin) == units : fast_bin_least(bin) < units);
}

static void test_each_size_has_its_bin(void **state)
{
    (void)state;
    for (size_t units = 1; units < 4096; units++)
        check_size(units);
    for (unsigned bin = fast_bin_of(4096); bin < FAST_BIN_COUNT; bin++) {
        check_size(fast_bin_least(bin) - 1);
        check_size(fast_bin_least(bin));
        check_size(fast_bin_least(bin) + 1);
    }
    check_size(MOST_UNITS);
    assert_int_equal(fast_bin_of(MOST_UNITS), FAST_BIN_COUNT - 1);
}

static void check_pair(size_t units, size_t more_units)
{
    assert_int_equal(fast_bin_is_same(units, more_units),
                     fast_bin_of(units) == fast_bin_of(more_units));
}

static void test_two_sizes_have_the_same_bin(void **state)
{
    (void)state;
    for (size_t units = 1; units < 256; units++) {
        for (size_t more_units = units; more_units < 600; more_units++)
            check_pair(units, more_units);
    }
    for (unsigned bin = fast_bin_of(256); bin < FAST_BIN_COUNT - 1; bin++) {
        size_t next = fast_bin_least(bin + 1);
        check_pair(fast_bin_least(bin), next - 1);
        check_pair(fast_bin_least(bin), next);
        check_pair(next - 1, next);
        check_pair(next - 1, MOST_UNITS);
    }
}

static void test_the_next_bin_that_is_not_empty_is_found(void **state)
{
    static struct fast_core core;
    unsigned found = 0;
    (void)state;
    for (unsigned full = 0; full < FAST_BIN_COUNT; full++) {
        core.bin_bits[full / 64] |= UINT64_C(1) << full % 64;
        for (unsigned bin = 0; bin <= FAST_BIN_COUNT; bin++) {
            assert_int_equal(fast_bin_find(&core, bin, &found), bin <= full);
            assert_true(bin > full || found == full);
            assert_int_equal(fast_bin_not_empty(&core, bin), bin <= full ? full : FAST_BIN_COUNT);
        }
        core.bin_bits[full / 64] = 0;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_size_has_its_bin),
        cmocka_unit_test(test_two_sizes_have_the_same_bin),
        cmocka_unit_test(test_the_next_bin_that_is_not_empty_is_found),
    };
    return cmocka_run_group_tests_name("heap bins", tests, NULL, NULL);
}
