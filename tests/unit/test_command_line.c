#include "tests/unit/support/cmocka.h"

#include <string.h>

#include "shared/text/command_line.h"

static void assert_value(const char *line, const char *key, const char *expected)
{
    char value[64];
    if (!command_line_value(line, key, value, sizeof(value)))
        fail_msg("no %s in: %s", key, line);
    assert_string_equal(value, expected);
}

static void assert_no_value(const char *line, const char *key)
{
    char value[64] = "untouched";
    if (command_line_value(line, key, value, sizeof(value)))
        fail_msg("%s is in: %s", key, line);
    assert_string_equal(value, "untouched");
}

static void test_bare_words(void **state)
{
    (void)state;
    assert_true(command_line_has("once", "once"));
    assert_true(command_line_has("  a\tonce  b ", "once"));
    assert_true(command_line_has("once=1 once", "once"));
    assert_false(command_line_has("", "once"));
    assert_false(command_line_has("   ", "once"));
    assert_false(command_line_has("once=1", "once"));
    assert_false(command_line_has("oncemore", "once"));
    assert_false(command_line_has("on", "once"));
    assert_false(command_line_has("ONCE", "once"));
    assert_false(command_line_has("x=\"a once b\"", "once"));
}

static void test_word_has_this_value(void **state)
{
    (void)state;
    assert_true(command_line_is("colour=off colour=on", "colour", "on"));
    assert_true(command_line_is("colour=\"on\"", "colour", "on"));
    assert_false(command_line_is("colour=on colour=off", "colour", "on"));
    assert_false(command_line_is("colour=on2 colours=on", "colour", "on"));
    assert_false(command_line_is("colour", "colour", ""));
    assert_true(command_line_is("colour=", "colour", ""));
    assert_false(command_line_is("", "colour", "on"));
}

static void test_values(void **state)
{
    (void)state;
    assert_value("heap=strict", "heap", "strict");
    assert_value("a b heap=strict c", "heap", "strict");
    assert_value("heap=", "heap", "");
    assert_value("heap=a=b", "heap", "a=b");
    assert_value("heapx=1 xheap=2 heap=3", "heap", "3");
    assert_value("heap heap=4", "heap", "4");
    assert_no_value("", "heap");
    assert_no_value("heap", "heap");
    assert_no_value("heapx=1", "heap");
    assert_no_value("=1", "heap");
}

static void test_last_value_counts(void **state)
{
    (void)state;
    assert_value("k=1 k=2", "k", "2");
    assert_value("k=1 x k=\"a b\" k", "k", "a b");
    uint64_t number;
    assert_true(command_line_number("k=x k=2", "k", &number));
    assert_int_equal(number, 2);
    assert_false(command_line_number("k=2 k=x", "k", &number));
}

static void test_quotes(void **state)
{
    (void)state;
    assert_value("title=\"two words\" next", "title", "two words");
    assert_value("title=\"\"", "title", "");
    assert_value("title=a\"b c\"d", "title", "a\"b c\"d");
    assert_value("x=\"k=1\" k=2", "k", "2");
    assert_no_value("x=\"a k=1\"", "k");
}

/* An open quote is a normal character. Words that a script appends are still found. */
static void test_open_quote_swallows_nothing(void **state)
{
    (void)state;
    const char *line = "a=\"b debug-exit=0xf4 once";
    assert_value(line, "a", "\"b");
    assert_value(line, "debug-exit", "0xf4");
    assert_true(command_line_has(line, "once"));
    assert_value("title=\"never closed", "title", "\"never");
    assert_value("title=\"", "title", "\"");
    assert_value("t=\"a b\"\" k=1", "k", "1");
    assert_true(command_line_has("\" once", "once"));
    assert_true(command_line_has("once\" once", "once"));
}

static void test_open_quote_is_noticed(void **state)
{
    (void)state;
    assert_false(command_line_has_open_quote(""));
    assert_false(command_line_has_open_quote("a=b once"));
    assert_false(command_line_has_open_quote("a=\"b\" \"\""));
    assert_true(command_line_has_open_quote("\""));
    assert_true(command_line_has_open_quote("a=\"b once"));
    assert_true(command_line_has_open_quote("a=\"b\" c=\""));
}

static void test_words_one_by_one(void **state)
{
    (void)state;
    const char *line = " once\ta=\"b c\" d= ";
    struct command_line_word word;
    assert_true(command_line_next(&line, &word));
    assert_true(piece_equals(word.text, "once") && piece_equals(word.name, "once"));
    assert_false(word.has_value);
    assert_true(command_line_next(&line, &word));
    assert_true(piece_equals(word.text, "a=\"b c\"") && piece_equals(word.name, "a"));
    assert_true(word.has_value && piece_equals(word.value, "b c"));
    assert_true(command_line_next(&line, &word));
    assert_true(word.has_value && piece_equals(word.value, ""));
    assert_false(command_line_next(&line, &word));
}

static void test_truncation_is_refused(void **state)
{
    (void)state;
    char value[4] = "###";
    assert_false(command_line_value("k=abcd", "k", value, sizeof(value)));
    assert_memory_equal(value, "###", 4);
    assert_true(command_line_value("k=abc", "k", value, sizeof(value)));
    assert_string_equal(value, "abc");
    assert_false(command_line_value("k=", "k", value, 0));
    assert_true(command_line_value("k=", "k", value, 1));
    assert_string_equal(value, "");
}

static void test_numbers(void **state)
{
    (void)state;
    uint64_t number = 7;
    assert_true(command_line_number("debug-exit=0xf4", "debug-exit", &number));
    assert_int_equal(number, 0xf4);
    assert_true(command_line_number("size=\"64M\"", "size", &number));
    assert_int_equal(number, 64 << 20);
    number = 7;
    assert_false(command_line_number("size=-1", "size", &number));
    assert_false(command_line_number("size=18446744073709551616", "size", &number));
    assert_false(command_line_number("size=16EB", "size", &number));
    assert_false(command_line_number("size=", "size", &number));
    assert_false(command_line_number("size", "size", &number));
    assert_int_equal(number, 7);
}

static void test_mentioned_in_any_form(void **state)
{
    (void)state;
    assert_true(command_line_mentions("a size b", "size"));
    assert_true(command_line_mentions("size=", "size"));
    assert_true(command_line_mentions("x size=\"a value that is too long for anybody\"", "size"));
    assert_false(command_line_mentions("sizes=1 asize size.x", "size"));
    assert_false(command_line_mentions("", "size"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bare_words),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_word_has_this_value),
        cmocka_unit_test(test_last_value_counts),
        cmocka_unit_test(test_quotes),
        cmocka_unit_test(test_open_quote_swallows_nothing),
        cmocka_unit_test(test_open_quote_is_noticed),
        cmocka_unit_test(test_words_one_by_one),
        cmocka_unit_test(test_truncation_is_refused),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_mentioned_in_any_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
