#include "tests/unit/support/cmocka.h"

#include "kernel/input/scancode.h"

static key_code press(uint8_t code)
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
    } rows[] = {{0x02, "1234567890-=\b\t"},
                {0x10, "qwertyuiop[]\n"},
                {0x1e, "asdfghjkl;'`"},
                {0x2b, "\\zxcvbnm,./"}};
    for (unsigned row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        for (uint8_t key = 0; rows[row].keys[key] != '\0'; key++)
            assert_int_equal(press((uint8_t)(rows[row].first + key)), rows[row].keys[key]);
    }
    assert_int_equal(press(0x39), ' ');
}

static void test_shift_and_caps_lock(void **state)
{
    (void)state;
    struct scancode_reader reader = {0};
    assert_int_equal(scancode_read(&reader, 0x2a), KEY_NONE);
    assert_int_equal(scancode_read(&reader, 0x1e), 'A');
    assert_int_equal(scancode_read(&reader, 0x03), '@');
    assert_int_equal(scancode_read(&reader, 0x3a),
                     KEY_NONE); /* Caps Lock: Shift gives small letters */
    assert_int_equal(scancode_read(&reader, 0x1e), 'a');
    assert_int_equal(scancode_read(&reader, 0xaa), KEY_NONE); /* Shift is released */
    assert_int_equal(scancode_read(&reader, 0x1e), 'A');
    assert_int_equal(scancode_read(&reader, 0x03), '2'); /* no letter: Caps Lock changes nothing */
    assert_int_equal(scancode_read(&reader, 0xba), KEY_NONE);
    assert_int_equal(scancode_read(&reader, 0x3a), KEY_NONE);
    assert_int_equal(scancode_read(&reader, 0x1e), 'a');
    assert_int_equal(scancode_read(&reader, 0x36), KEY_NONE);
    assert_int_equal(scancode_read(&reader, 0x35), '?');
}

static void test_control(void **state)
{
    (void)state;
    struct scancode_reader reader = {0};
    assert_int_equal(scancode_read(&reader, 0x1d), KEY_NONE);
    assert_int_equal(scancode_read(&reader, 0x2e), KEY_CONTROL('c'));
    assert_int_equal(scancode_read(&reader, 0x9d), KEY_NONE);
    assert_int_equal(scancode_read(&reader, 0x2e), 'c');
    assert_int_equal(scancode_read(&reader, 0xe0), KEY_NONE);
    assert_int_equal(scancode_read(&reader, 0x1d), KEY_NONE); /* the right one */
    assert_int_equal(scancode_read(&reader, 0x1e), KEY_CONTROL('a'));
    assert_int_equal(scancode_read(&reader, 0x9d), KEY_NONE); /* the left one is released */
    assert_int_equal(scancode_read(&reader, 0x1e), KEY_CONTROL('a'));
}

static void test_keys_between_letters_and_pad(void **state)
{
    (void)state;
    static const struct {
        uint8_t code;
        key_code key;
    } keys[] = {{0x48, KEY_UP},   {0x50, KEY_DOWN}, {0x4b, KEY_LEFT},   {0x4d, KEY_RIGHT},
                {0x47, KEY_HOME}, {0x4f, KEY_END},  {0x53, KEY_DELETE}, {0x1c, '\n'},
                {0x35, '/'},      {0x49, KEY_NONE}, {0x5b, KEY_NONE},   {0x10, KEY_NONE},
                {0xc8, KEY_NONE}};
    struct scancode_reader reader = {0};
    for (unsigned i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        assert_int_equal(scancode_read(&reader, 0xe0), KEY_NONE);
        assert_int_equal(scancode_read(&reader, keys[i].code), keys[i].key);
    }
    assert_int_equal(scancode_read(&reader, 0x19), 'p'); /* the next key is normal again */
}

/* Keyboards send 0xe0 0x2a before a cursor key. It is not Shift. */
static void test_false_shift(void **state)
{
    (void)state;
    struct scancode_reader reader = {0};
    (void)scancode_read(&reader, 0xe0);
    assert_int_equal(scancode_read(&reader, 0x2a), KEY_NONE);
    assert_int_equal(scancode_read(&reader, 0x1e), 'a');
    (void)scancode_read(&reader, 0x36);
    (void)scancode_read(&reader, 0xe0);
    assert_int_equal(scancode_read(&reader, 0xb6), KEY_NONE);
    assert_int_equal(scancode_read(&reader, 0x1e), 'A');
}

static void test_number_pad(void **state)
{
    (void)state;
    struct scancode_reader reader = {0};
    for (unsigned i = 0; i < 13; i++)
        assert_int_equal(scancode_read(&reader, (uint8_t)(0x47 + i)), "789-456+1230."[i]);
    assert_int_equal(scancode_read(&reader, 0x45), KEY_NONE); /* Num Lock */
    assert_int_equal(scancode_read(&reader, 0x48), KEY_UP);
    assert_int_equal(scancode_read(&reader, 0x4c), KEY_NONE);
    assert_int_equal(scancode_read(&reader, 0x37), '*');
}

static void test_pause_is_no_key(void **state)
{
    (void)state;
    struct scancode_reader reader = {0};
    static const uint8_t bytes[] = {0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5};
    for (unsigned i = 0; i < sizeof bytes; i++)
        assert_int_equal(scancode_read(&reader, bytes[i]), KEY_NONE);
    assert_int_equal(scancode_read(&reader, 0x1e), 'a');
    assert_int_equal(scancode_read(&reader, 0x48), '8');
}

static void test_F1(void **state)
{
    (void)state;
    struct scancode_reader reader = {.left_shift = true};
    assert_int_equal(press(0x3b), KEY_F1);
    assert_int_equal(scancode_read(&reader, 0x3b), KEY_F1);
    assert_int_equal(scancode_read(&reader, 0xbb), KEY_NONE); /* released */
    assert_int_equal(scancode_read(&reader, 0xe0), KEY_NONE);
    assert_int_equal(scancode_read(&reader, 0x3b), KEY_NONE);
}

static void test_other_codes_are_not_keys(void **state)
{
    (void)state;
    static const uint8_t silent[] = {0x00, 0x01, 0x38, 0x3c, 0x46, 0x54, 0x58, 0x5b,
                                     0x7f, 0x99, 0xfa, 0xfe, 0xaa, 0xff, 0xee};
    for (unsigned i = 0; i < sizeof silent; i++)
        assert_int_equal(press(silent[i]), KEY_NONE);
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
        (void)scancode_read(&reader, 0x99);
        assert_int_equal(scancode_read(&reader, 0x39), ' ');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_letters_and_digits),
        cmocka_unit_test(test_shift_and_caps_lock),
        cmocka_unit_test(test_control),
        cmocka_unit_test(test_keys_between_letters_and_pad),
        cmocka_unit_test(test_false_shift),
        cmocka_unit_test(test_number_pad),
        cmocka_unit_test(test_pause_is_no_key),
        cmocka_unit_test(test_F1),
        cmocka_unit_test(test_other_codes_are_not_keys),
        cmocka_unit_test(test_no_byte_leads_astray),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
