#include "tests/unit/support/cmocka.h"

#include "shared/arch/x86_64/address_width.h"

static void test_stated_widths_are_taken(void **state)
{
    (void)state;
    for (unsigned bits = 32; bits <= 52; bits++)
        assert_int_equal(address_width_bits(bits), bits);
    assert_int_equal(address_width_bits(UINT32_C(0x00303030)), 48); /* only the low byte counts */
}

static void test_absent_and_impossible_widths(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 32; bits++)
        assert_int_equal(address_width_bits(bits), 36);
    for (unsigned bits = 53; bits <= 255; bits++)
        assert_int_equal(address_width_bits(bits), 52);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stated_widths_are_taken),
        cmocka_unit_test(test_absent_and_impossible_widths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
