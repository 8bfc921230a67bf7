#include "tests/unit/support/cmocka.h"

#include <string.h>

#include "shared/text/piece.h"

static struct piece piece(const char *text)
{
    return (struct piece){text, strlen(text)};
}

static void test_equals(void **state)
{
    (void)state;
    assert_true(piece_equals(piece("key"), "key"));
    assert_true(piece_equals(piece(""), ""));
    assert_false(piece_equals(piece("key"), "keys"));
    assert_false(piece_equals(piece("keys"), "key"));
    assert_false(piece_equals(piece(""), "key"));
    assert_false(piece_equals(piece("key"), ""));
    const char text[] = {'k', 'e', 'y'}; /* the byte after the piece is not read */
    assert_true(piece_equals((struct piece){text, 3}, "key"));
    assert_true(piece_equals((struct piece){text, 2}, "ke"));
}

static void test_split_at_the_first_separator(void **state)
{
    (void)state;
    struct piece before;
    struct piece after;
    assert_true(piece_split(piece("a=b=c"), '=', &before, &after));
    assert_true(piece_equals(before, "a"));
    assert_true(piece_equals(after, "b=c"));
    assert_true(piece_split(piece("="), '=', &before, &after));
    assert_int_equal(before.length, 0);
    assert_int_equal(after.length, 0);
}

static void test_split_without_a_separator_writes_nothing(void **state)
{
    (void)state;
    struct piece before = piece("before");
    struct piece after = piece("after");
    assert_false(piece_split(piece("no separator"), '=', &before, &after));
    assert_false(piece_split(piece(""), '=', &before, &after));
    assert_true(piece_equals(before, "before"));
    assert_true(piece_equals(after, "after"));
}

static void test_blanks(void **state)
{
    (void)state;
    for (int character = 0; character < 128; character++)
        assert_int_equal(piece_is_blank((char)character), character == ' ' || character == '\t');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equals),
        cmocka_unit_test(test_split_at_the_first_separator),
        cmocka_unit_test(test_split_without_a_separator_writes_nothing),
        cmocka_unit_test(test_blanks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
