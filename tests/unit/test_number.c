#include "tests/unit/support/cmocka.h"

#include <stdbool.h>
#include <string.h>

#include "shared/text/number.h"

#define UNTOUCHED UINT64_C(0x1122334455667788)

static void assert_value(const char *text, uint64_t expected)
{
    uint64_t value = UNTOUCHED;
    if (!number_parse(text, strlen(text), &value))
        fail_msg("refused: %s", text);
    assert_int_equal(value, expected);
}

static void assert_refused(const char *text)
{
    uint64_t value = UNTOUCHED;
    if (number_parse(text, strlen(text), &value))
        fail_msg("accepted: %s", text);
    assert_int_equal(value, UNTOUCHED);
}

static void test_accepted(void **state)
{
    (void)state;
    assert_value("0", 0);
    assert_value("00", 0);
    assert_value("1048576", 1048576);
    assert_value("0x10", 16);
    assert_value("0XaBcD", 0xabcd);
    assert_value("1K", 1024);
    assert_value("1k", 1024);
    assert_value("64M", UINT64_C(64) << 20);
    assert_value("2g", UINT64_C(2) << 30);
    assert_value("0x10K", 16384);
    assert_value("0G", 0);
}

static void test_CF7_overflow_is_refused(void **state)
{
    (void)state;
    assert_value("18446744073709551615", UINT64_MAX);
    assert_value("0xffffffffffffffff", UINT64_MAX);
    assert_value("18014398509481983K", UINT64_C(18014398509481983) << 10);
    assert_value("17179869183G", UINT64_C(17179869183) << 30);
    assert_refused("18446744073709551616");
    assert_refused("18446744073709551620");
    assert_refused("99999999999999999999999999");
    assert_refused("0x10000000000000000");
    assert_refused("18014398509481984K");
    assert_refused("17179869184G");
}

static void test_CF7_sign_and_junk_are_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {"",    "-1",  "+1",  " 1",  "1 ",   "1_000", "1.5M", "K",
                                      "0x",  "0xK", "x10", "1KB", "1MM",  "1T",    "12a",  "0xg",
                                      "1e3", "M1",  "1 M", "--",  "0x 1", "1\n",   "1,5"};
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        assert_refused(BAD[i]);
}

static void test_reads_only_its_length(void **state)
{
    (void)state;
    uint64_t value;
    assert_true(number_parse("12345", 2, &value));
    assert_int_equal(value, 12);
    assert_false(number_parse("1", 0, &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_CF7_overflow_is_refused),
        cmocka_unit_test(test_CF7_sign_and_junk_are_refused),
        cmocka_unit_test(test_reads_only_its_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
