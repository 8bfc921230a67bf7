/*
 * test_load_options.c - the command line in the load options (catalogue CM5, CM6).
 */
#include "tests/unit/support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "bootloader/pure/load_options.h"

#define CAPACITY_BYTES 1024

static char text[CAPACITY_BYTES];

/* The bytes are in a block of their exact size, so ASan finds an access beside it. */
static enum load_options_status parse_bytes(const void *bytes, size_t size_bytes,
                                            bool has_program_name)
{
    void *copy = malloc(size_bytes);
    assert_true(copy != NULL || size_bytes == 0);
    if (size_bytes != 0)
        memcpy(copy, bytes, size_bytes);
    memset(text, 'x', sizeof(text));
    enum load_options_status status =
        load_options_parse(copy, size_bytes, has_program_name, text, sizeof(text));
    free(copy);
    return status;
}

/* Parse the text in UCS-2, with `zeros` characters of 0 behind it, and without the last `missing`
 * bytes. */
static enum load_options_status parse_wide(const char *given, size_t zeros, size_t missing,
                                           bool has_program_name)
{
    size_t length = strlen(given) + zeros;
    unsigned char wide[4096] = {0};
    assert_true(length * 2 <= sizeof(wide));
    for (size_t i = 0; given[i] != '\0'; i++)
        wide[2 * i] = (unsigned char)given[i];
    return parse_bytes(wide, length * 2 - missing, has_program_name);
}

static void expect(enum load_options_status status, const char *wanted)
{
    assert_int_equal(status, wanted[0] == '\0' ? LOAD_OPTIONS_NONE : LOAD_OPTIONS_TEXT);
    assert_string_equal(text, wanted);
}

/* In every form that boot programs use. */
static void expect_in_each_form(const char *given, bool has_program_name, const char *wanted)
{
    for (size_t zeros = 0; zeros < 3; zeros++) {
        char padded[1100] = {0};
        assert_true(strlen(given) + zeros < sizeof(padded));
        strcpy(padded, given);
        expect(parse_wide(given, zeros, 0, has_program_name), wanted);
        expect(parse_bytes(padded, strlen(given) + zeros, has_program_name), wanted);
    }
    if (given[0] != '\0' && given[1] != '\0')
        expect(parse_wide(given, 0, 1, has_program_name), wanted);
    expect(parse_wide(given, 1, 1, has_program_name), wanted);
}

static void test_text(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {
        "q", "ab", "abc", "once unattended", "debug-exit=0xf4 title=\"two words\"", "a\tb", "~ !",
    };
    for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++)
        expect_in_each_form(TEXTS[i], false, TEXTS[i]);
    expect_in_each_form(" \tquiet once ", false, "quiet once ");
}

static void test_no_text(void **state)
{
    (void)state;
    expect_in_each_form("", false, "");
    expect_in_each_form(" ", false, "");
    expect_in_each_form(" \t  ", false, "");
    expect(parse_bytes("\0\0\0\0\0", 5, false), "");
    expect(parse_bytes("\0", 1, true), "");
}

static void test_CM6_program_name_is_dropped(void **state)
{
    (void)state;
    expect_in_each_form("BOOTX64.EFI", false, "");
    expect_in_each_form("bootx64.efi once", false, "once");
    expect_in_each_form("FS0:\\EFI\\BOOT\\BOOTX64.EFI  once quiet", false, "once quiet");
    expect_in_each_form(" \"fs0:\\my files\\loader.Efi\" once", false, "once");
    expect_in_each_form("fs0:\"\\my files\"\\loader.efi once", false, "once");
    expect_in_each_form(".efi once", false, "once");
    expect_in_each_form("bootx64 once", true, "once");
    expect_in_each_form("bootx64", true, "");
    expect_in_each_form("", true, "");
}

static void test_CM6_other_first_words_stay(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {
        "bootx64 once",     "efi",    "xefi",    "a.ef", "a.efi2 x", "a.efi=1",
        "once bootx64.efi", "\"\" b", "\"efi\"",
    };
    for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++)
        expect_in_each_form(TEXTS[i], false, TEXTS[i]);
}

static void expect_binary(const void *bytes, size_t size_bytes)
{
    assert_int_equal(parse_bytes(bytes, size_bytes, false), LOAD_OPTIONS_BINARY);
    assert_string_equal(text, "");
    assert_int_equal(parse_bytes(bytes, size_bytes, true), LOAD_OPTIONS_BINARY);
}

#define EXPECT_BINARY(bytes) expect_binary(bytes, sizeof(bytes) - 1)

/* The second one is how Windows begins its options, the third one a whole boot entry, as some
 * firmware gives it. */
static void test_CM5_binary(void **state)
{
    (void)state;
    EXPECT_BINARY("\x01");
    EXPECT_BINARY("WINDOWS\0\x01\0\0\0\x88\0\0\0x\0");
    EXPECT_BINARY("\x01\0\0\0\x74\0h\0a\0n\0d\0");
    EXPECT_BINARY("once\x7f");
    EXPECT_BINARY("once\n");
    EXPECT_BINARY("once\0quiet");
    EXPECT_BINARY("caf\xc3\xa9");
    EXPECT_BINARY("o\0n\0\0\0c\0");
    EXPECT_BINARY("o\0n\0\x20\x20");
    EXPECT_BINARY("o\0n\0c\x01");
    EXPECT_BINARY("o\0n\x0a");
    EXPECT_BINARY("\0\0\0\x01");
    EXPECT_BINARY("\0o");
    EXPECT_BINARY("\xff\xfeo\0n\0");
}

/* Each single byte, in a text of each form. */
static void test_CM5_every_character(void **state)
{
    (void)state;
    for (unsigned value = 1; value < 256; value++) {
        unsigned char narrow[] = {'a', (unsigned char)value, 'b'};
        unsigned char wide[] = {'a', 0, (unsigned char)value, 0, 'b', 0};
        bool is_text = (value >= 0x20 && value < 0x7f) || value == '\t';
        enum load_options_status wanted = !is_text       ? LOAD_OPTIONS_BINARY
                                          : value == '"' ? LOAD_OPTIONS_OPEN_QUOTE
                                                         : LOAD_OPTIONS_TEXT;
        assert_int_equal(parse_bytes(narrow, sizeof(narrow), false), wanted);
        assert_int_equal(parse_bytes(wide, sizeof(wide), false), wanted);
        wide[3] = (unsigned char)value;
        assert_int_equal(parse_bytes(wide, sizeof(wide), false), LOAD_OPTIONS_BINARY);
    }
}

static void test_lengths(void **state)
{
    (void)state;
    static const char PROGRAM[] = "\\EFI\\BOOT\\BOOTX64.EFI ";
    char longest[1100];
    memset(longest, 'w', sizeof(longest));
    longest[1023] = '\0';
    expect_in_each_form(longest, false, longest);

    memcpy(longest, PROGRAM, sizeof(PROGRAM) - 1);
    expect_in_each_form(longest, false, longest + sizeof(PROGRAM) - 1);

    longest[1023] = 'w';
    longest[1024] = '\0';
    assert_int_equal(parse_wide(longest, 1, 0, false), LOAD_OPTIONS_TOO_LONG);
    assert_string_equal(text, "");
    assert_int_equal(parse_bytes(longest, 1024, false), LOAD_OPTIONS_TOO_LONG);
}

static void test_open_quote(void **state)
{
    (void)state;
    assert_int_equal(parse_wide("title=\"never closed", 1, 0, false), LOAD_OPTIONS_OPEN_QUOTE);
    assert_string_equal(text, "");
    assert_int_equal(parse_wide("\"fs0:\\a b.efi once", 1, 0, false), LOAD_OPTIONS_OPEN_QUOTE);
}

static void test_obstacles(void **state)
{
    (void)state;
    assert_null(load_options_obstacle(LOAD_OPTIONS_TEXT));
    assert_null(load_options_obstacle(LOAD_OPTIONS_NONE));
    assert_string_equal(load_options_obstacle(LOAD_OPTIONS_BINARY),
                        "they are not printable ASCII text");
    assert_string_equal(load_options_obstacle(LOAD_OPTIONS_TOO_LONG),
                        "they are longer than 1023 bytes");
    assert_string_equal(load_options_obstacle(LOAD_OPTIONS_OPEN_QUOTE),
                        "a quote in them is never closed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_no_text),
        cmocka_unit_test(test_CM6_program_name_is_dropped),
        cmocka_unit_test(test_CM6_other_first_words_stay),
        cmocka_unit_test(test_CM5_binary),
        cmocka_unit_test(test_CM5_every_character),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_open_quote),
        cmocka_unit_test(test_obstacles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
