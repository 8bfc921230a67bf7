#include "tests/unit/support/cmocka.h"

#include "kernel/arch/x86_64/scancode.h"
#include "kernel/boot/ready_keys.h"

/* --- scancode.h --- */

static char press(uint8_t code)
{
    struct scancode_reader reader = {0};
    return scancode_read(&reader, code);
}

static void test_letters_and_digits(void **state)
{
    (void)state;
    /* The rows of an American keyboard, by the code of their first key. */
    static const struct {
        uint8_t first;
        const char *keys;
    } rows[] = {{0x02, "1234567890"}, {0x10, "qwertyuiop"}, {0x1e, "asdfghjkl"}, {0x2c, "zxcvbnm"}};
    for (unsigned row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        for (uint8_t key = 0; rows[row].keys[key] != '\0'; key++)
            assert_int_equal(press((uint8_t)(rows[row].first + key)), rows[row].keys[key]);
    }
    assert_int_equal(press(0x1c), '\n');
    assert_int_equal(press(0x39), ' ');
}

static void test_keys_that_are_no_characters(void **state)
{
    (void)state;
    assert_int_equal(press(0x3b), SCANCODE_OTHER_KEY); /* F1 */
    assert_int_equal(press(0x01), SCANCODE_OTHER_KEY); /* Escape */
    assert_int_equal(press(0x58), SCANCODE_OTHER_KEY); /* F12 */
}

static void test_other_codes_are_not_keys(void **state)
{
    (void)state;
    static const uint8_t silent[] = {0x00, 0x1d, 0x2a, 0x36, 0x38, 0x3a, 0x45,
                                     0x46, 0x99, 0xfa, 0xfe, 0xaa, 0xff, 0xe0};
    for (unsigned i = 0; i < sizeof silent; i++)
        assert_int_equal(press(silent[i]), '\0');
}

static void test_extended_keys(void **state)
{
    (void)state;
    struct scancode_reader reader = {0};
    assert_int_equal(scancode_read(&reader, 0xe0), '\0');
    assert_int_equal(scancode_read(&reader, 0x1c), '\n'); /* Enter of the keypad */
    assert_int_equal(scancode_read(&reader, 0xe0), '\0');
    assert_int_equal(scancode_read(&reader, 0x35), SCANCODE_OTHER_KEY); /* `/` without 0xe0 */
    assert_int_equal(scancode_read(&reader, 0xe0), '\0');
    assert_int_equal(scancode_read(&reader, 0xc8), '\0'); /* released */
    assert_int_equal(scancode_read(&reader, 0xe0), '\0');
    assert_int_equal(scancode_read(&reader, 0x1d), '\0'); /* right Ctrl */
    assert_int_equal(scancode_read(&reader, 0x19), 'p');  /* the next key is normal again */
}

static void test_no_byte_leads_astray(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 256; first++) {
        struct scancode_reader reader = {0};
        (void)scancode_read(&reader, (uint8_t)first);
        for (unsigned byte = 0; byte < 256; byte++)
            (void)scancode_read(&reader, (uint8_t)byte);
        (void)scancode_read(&reader, 0x99);
        assert_int_equal(scancode_read(&reader, 0x19), 'p');
    }
}

/* --- ready_keys.h --- */

static void test_known_keys(void **state)
{
    (void)state;
    struct ready_keys keys = {0};
    assert_int_equal(ready_keys_decide(&keys, 'h'), READY_HELP);
    assert_int_equal(ready_keys_decide(&keys, 'r'), READY_RESTART);
    assert_int_equal(ready_keys_decide(&keys, 'p'), READY_POWER_OFF);
}

static void test_nonsense_is_worth_one_hint(void **state)
{
    (void)state;
    struct ready_keys keys = {0};
    assert_int_equal(ready_keys_decide(&keys, 'x'), READY_HINT);
    assert_int_equal(ready_keys_decide(&keys, 'y'), READY_NOTHING);
    assert_int_equal(ready_keys_decide(&keys, '?'), READY_NOTHING);
    assert_int_equal(ready_keys_decide(&keys, '\r'), READY_NOTHING);
    assert_int_equal(ready_keys_decide(&keys, 'x'), READY_HINT); /* the next line */
    assert_int_equal(ready_keys_decide(&keys, 'h'), READY_HELP);
    assert_int_equal(ready_keys_decide(&keys, 'x'), READY_HINT);
    keys = (struct ready_keys){0};
    assert_int_equal(ready_keys_decide(&keys, '\n'), READY_HINT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_letters_and_digits),
        cmocka_unit_test(test_keys_that_are_no_characters),
        cmocka_unit_test(test_other_codes_are_not_keys),
        cmocka_unit_test(test_extended_keys),
        cmocka_unit_test(test_no_byte_leads_astray),
        cmocka_unit_test(test_known_keys),
        cmocka_unit_test(test_nonsense_is_worth_one_hint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
