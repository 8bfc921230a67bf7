/*
 * test_entry_name.c - the file names of entries, with boot counters, and the IDs in EFI variables.
 */
#include "tests/unit/support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "bootloader/pure/entry_name.h"

static bool parse(const char *file_name, struct entry_name *name)
{
    return entry_name_parse((struct piece){file_name, strlen(file_name)}, name);
}

static void expect_plain(const char *file_name, const char *id)
{
    struct entry_name name = {.has_counter = true};
    if (!parse(file_name, &name))
        fail_msg("%s is refused", file_name);
    assert_string_equal(name.id, id);
    assert_false(name.has_counter);
}

static void expect_counter(const char *file_name, const char *id, unsigned left, unsigned done)
{
    struct entry_name name = {.has_counter = false};
    if (!parse(file_name, &name))
        fail_msg("%s is refused", file_name);
    assert_string_equal(name.id, id);
    assert_true(name.has_counter);
    assert_int_equal(name.tries_left, left);
    assert_int_equal(name.tries_done, done);
}

static void test_names(void **state)
{
    (void)state;
    expect_plain("a.conf", "a");
    expect_plain("linux-6.1.conf", "linux-6.1");
    expect_plain("A_b.conf.conf", "A_b.conf");
    expect_plain("a.CoNf", "a");
    expect_counter("a+3.conf", "a", 3, 0);
    expect_counter("a+0.conf", "a", 0, 0);
    expect_counter("a-1+2-3.CONF", "a-1", 2, 3);
    expect_counter("a+003-01.conf", "a", 3, 1);
    expect_counter("a+4294967295-4294967295.conf", "a", 4294967295u, 4294967295u);
}

static void test_names_that_are_refused(void **state)
{
    (void)state;
    static const char *const NAMES[] = {
        "",
        ".conf",
        "conf",
        "a",
        "a.con",
        "a.conf~",
        "a.config",
        "+3.conf",
        "a+.conf",
        "a+-1.conf",
        "a+1-.conf",
        "a+1-2-3.conf",
        "a+x.conf",
        "a+1+2.conf",
        "a+ 1.conf",
        "a b.conf",
        "a+0x1.conf",
        "a+1K.conf",
        "a\\b.conf",
        "a/b.conf",
        "a\xc3.conf",
        "a+-.conf",
        "a+4294967296.conf",
        "a+1-4294967296.conf",
        "a+99999999999999999999999.conf",
        "a+18446744073709551617.conf",
        "[.conf",
        "@.conf",
        "a`.conf",
        "{.conf",
        ":.conf",
    };
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
        struct entry_name name;
        if (parse(NAMES[i], &name))
            fail_msg("%s is accepted", NAMES[i]);
    }
}

static void test_lengths(void **state)
{
    (void)state;
    char file_name[100];
    struct entry_name name;
    memset(file_name, 'i', sizeof(file_name));
    strcpy(file_name + 63, "+4294967295-4294967295.conf");
    assert_true(parse(file_name, &name));
    assert_int_equal(strlen(name.id), 63);
    char text[ENTRY_NAME_CAPACITY];
    entry_name_format(&name, text, sizeof(text));
    assert_string_equal(text, file_name);

    memset(file_name, 'i', sizeof(file_name));
    strcpy(file_name + 64, ".conf");
    assert_false(parse(file_name, &name));
}

static void expect_next(const char *file_name, const char *wanted)
{
    struct entry_name name;
    char text[ENTRY_NAME_CAPACITY];
    assert_true(parse(file_name, &name));
    entry_name_use_try(&name);
    entry_name_format(&name, text, sizeof(text));
    assert_string_equal(text, wanted);
}

static void test_tries(void **state)
{
    (void)state;
    expect_next("a+3.conf", "a+2-1.conf");
    expect_next("a+2-1.conf", "a+1-2.conf");
    expect_next("a+1-2.CONF", "a+0-3.conf");
    expect_next("a+0-3.conf", "a+0-4.conf");
    expect_next("a+0010.conf", "a+9-1.conf");
    expect_next("a+1-4294967295.conf", "a+0-4294967295.conf");
}

static void test_a_name_without_a_counter_stays(void **state)
{
    (void)state;
    struct entry_name name;
    char text[ENTRY_NAME_CAPACITY];
    assert_true(parse("b.CONF", &name));
    entry_name_format(&name, text, sizeof(text));
    assert_string_equal(text, "b.conf");
}

/* --- EFI variables --- */

static bool read_wide(const void *bytes, size_t size_bytes, char id[CONFIG_ID_CAPACITY])
{
    void *copy = malloc(size_bytes);
    assert_true(copy != NULL || size_bytes == 0);
    if (size_bytes != 0)
        memcpy(copy, bytes, size_bytes);
    bool is_id = entry_id_copy_wide(copy, size_bytes, id);
    free(copy);
    return is_id;
}

static void test_ids_in_variables(void **state)
{
    (void)state;
    char id[CONFIG_ID_CAPACITY] = "";
    assert_true(read_wide("a\0b\0", 4, id));
    assert_string_equal(id, "ab");
    assert_true(read_wide("c\0d\0\0\0", 6, id));
    assert_string_equal(id, "cd");
    assert_true(read_wide("e\0\0\0x\0", 6, id));
    assert_string_equal(id, "e");
    assert_true(read_wide("f\0g", 3, id));
    assert_string_equal(id, "f");

    char longest[CONFIG_ID_CAPACITY * 2] = {0};
    for (size_t i = 0; i < CONFIG_ID_CAPACITY - 1; i++)
        longest[2 * i] = 'l';
    assert_true(read_wide(longest, sizeof(longest), id));
    assert_int_equal(strlen(id), CONFIG_ID_CAPACITY - 1);
    assert_true(read_wide(longest, sizeof(longest) - 2, id));
}

/* The ID is then empty. */
static void assert_no_id(const char *bytes, size_t size_bytes)
{
    char id[CONFIG_ID_CAPACITY] = "before";
    assert_false(read_wide(bytes, size_bytes, id));
    assert_string_equal(id, "");
}

static void test_variables_that_are_no_ids(void **state)
{
    (void)state;
    char too_long[CONFIG_ID_CAPACITY * 2] = {0};
    for (size_t i = 0; i < CONFIG_ID_CAPACITY; i++)
        too_long[2 * i] = 'l';
    assert_no_id(too_long, sizeof(too_long));
    assert_no_id("", 0);
    assert_no_id("a", 1);
    assert_no_id("\0\0a\0", 4);
    assert_no_id("a\0 \0", 4);
    assert_no_id("a\0b\1", 4);
    assert_no_id("\0\1", 2);
    assert_no_id("ab", 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_names_that_are_refused),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_tries),
        cmocka_unit_test(test_a_name_without_a_counter_stays),
        cmocka_unit_test(test_ids_in_variables),
        cmocka_unit_test(test_variables_that_are_no_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
