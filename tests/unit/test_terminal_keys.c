#include "tests/unit/support/cmocka.h"

#include "kernel/input/terminal_keys.h"

/* Feed all bytes, and return the only key that they give; KEY_NONE for none. */
static key_code read_all(struct terminal_keys *reader, const char *bytes)
{
    key_code found = KEY_NONE;
    for (; *bytes != '\0'; bytes++) {
        key_code key = terminal_keys_read(reader, (uint8_t)*bytes);
        if (key != KEY_NONE) {
            assert_int_equal(found, KEY_NONE);
            found = key;
        }
    }
    return found;
}

static key_code read_fresh(const char *bytes)
{
    struct terminal_keys reader = {0};
    return read_all(&reader, bytes);
}

static void test_characters(void **state)
{
    (void)state;
    for (char character = ' '; character <= '~'; character++)
        assert_int_equal(read_fresh((const char[]){character, '\0'}), character);
    assert_int_equal(read_fresh("\t"), '\t');
    assert_int_equal(read_fresh("\b"), '\b');
    assert_int_equal(read_fresh("\x7f"), '\b'); /* Backspace of most terminals */
    assert_int_equal(read_fresh("\x03"), KEY_CONTROL('c'));
}

static void test_sequences(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        key_code key;
    } keys[] = {
        {"\033[A", KEY_UP},        {"\033[B", KEY_DOWN},    {"\033[C", KEY_RIGHT},
        {"\033[D", KEY_LEFT},      {"\033[H", KEY_HOME},    {"\033[F", KEY_END},
        {"\033OH", KEY_HOME},      {"\033OF", KEY_END},     {"\033OA", KEY_UP},
        {"\033[1~", KEY_HOME},     {"\033[7~", KEY_HOME},   {"\033[4~", KEY_END},
        {"\033[8~", KEY_END},      {"\033[3~", KEY_DELETE}, {"\033[1;5C", KEY_RIGHT},
        {"\033[3;2~", KEY_DELETE}, {"\033OP", KEY_F1},      {"\033[11~", KEY_F1},
        {"\033[[A", KEY_F1},
    };
    for (unsigned i = 0; i < sizeof keys / sizeof keys[0]; i++)
        assert_int_equal(read_fresh(keys[i].bytes), keys[i].key);
}

static void test_unknown_sequences_are_no_keys(void **state)
{
    (void)state;
    static const char *const unknown[] = {"\033[Z",
                                          "\033[2~",
                                          "\033[15~",
                                          "\033[200~",
                                          "\033OQ",
                                          "\033[[B",
                                          "\033[99999999999999999999~",
                                          "\033[?25h",
                                          "\033[1;1;1x"};
    for (unsigned i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        struct terminal_keys reader = {0};
        assert_int_equal(read_all(&reader, unknown[i]), KEY_NONE);
        assert_int_equal(read_all(&reader, "x"), 'x');
    }
}

static void test_enter_is_one_key(void **state)
{
    (void)state;
    struct terminal_keys reader = {0};
    assert_int_equal(read_all(&reader, "\r\n"), '\n');
    assert_int_equal(read_all(&reader, "\n"), '\n');
    assert_int_equal(read_all(&reader, "\r"), '\n');
    assert_int_equal(read_all(&reader, "\r"), '\n');
}

static void test_escape_swallows_nothing(void **state)
{
    (void)state;
    assert_int_equal(read_fresh("\033h"), 'h');
    assert_int_equal(read_fresh("\033\033[A"), KEY_UP);
    assert_int_equal(read_fresh("\033[\r"), '\n'); /* a control character ends the sequence */
    assert_int_equal(read_fresh("\033[1\x03"), KEY_CONTROL('c'));
}

static void test_bytes_outside_of_ascii_are_noise(void **state)
{
    (void)state;
    struct terminal_keys reader = {0};
    for (unsigned byte = 0x80; byte < 0x100; byte++)
        assert_int_equal(terminal_keys_read(&reader, (uint8_t)byte), KEY_NONE);
    assert_int_equal(terminal_keys_read(&reader, 0), KEY_NONE);
    assert_int_equal(terminal_keys_read(&reader, 'a'), 'a');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_characters),
        cmocka_unit_test(test_sequences),
        cmocka_unit_test(test_unknown_sequences_are_no_keys),
        cmocka_unit_test(test_enter_is_one_key),
        cmocka_unit_test(test_escape_swallows_nothing),
        cmocka_unit_test(test_bytes_outside_of_ascii_are_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
