/*
 * test_enrolment.c - the list of files that a signed loader accepts.
 */
#include "tests/unit/support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "bootloader/pure/enrolment.h"

#define FIRST  "1111111111111111111111111111111111111111111111111111111111111111"
#define SECOND "22222222222222222222222222222222222222222222222222222222222222aB"
#define THIRD  "3333333333333333333333333333333333333333333333333333333333333333"

static struct sha256 hash_of_digits(const char *digits)
{
    struct sha256 hash;
    assert_true(sha256_parse((struct piece){digits, strlen(digits)}, &hash));
    return hash;
}

static bool has(const char *list, const char *digits)
{
    struct sha256 hash = hash_of_digits(digits);
    size_t length = strlen(list);
    char *copy = malloc(length + 1);
    assert_non_null(copy);
    memcpy(copy + 1, list, length); /* the end of the block is the end of the list, for ASan */
    bool is_there = enrolment_has((struct piece){copy + 1, length}, &hash);
    free(copy);
    return is_there;
}

static const char *digits_of_path(const char *list, const char *path, char text[])
{
    struct sha256 hash;
    if (!enrolment_find((struct piece){list, strlen(list)}, path, &hash))
        return "none";
    sha256_format(&hash, text);
    return text;
}

static void assert_path_has(const char *list, const char *path, const char *expected)
{
    char text[SHA256_TEXT_CAPACITY];
    assert_string_equal(digits_of_path(list, path, text), expected);
}

static const char two_files[] = FIRST "  kernel.elf\n" SECOND " *boot/Initrd.img\n";

static void test_hashes_of_the_list(void **state)
{
    (void)state;
    assert_true(has(two_files, FIRST));
    assert_true(has(two_files, SECOND));
    assert_false(has(two_files, THIRD));
    assert_false(has("", FIRST));
}

static void test_last_line_without_its_end(void **state)
{
    (void)state;
    assert_true(has(FIRST "  a\n" SECOND "  b", SECOND));
}

static void test_lines_of_another_form_have_no_hash(void **state)
{
    (void)state;
    assert_false(has(FIRST, FIRST));
    assert_false(has(FIRST "\n", FIRST));
    assert_false(has(FIRST "  \n", FIRST));
    assert_false(has(" " FIRST "  kernel.elf\n", FIRST));
    assert_false(has("x" FIRST "  kernel.elf\n", FIRST));
    assert_true(has("# a remark\n\n" FIRST "  kernel.elf\n", FIRST));
    assert_true(has("\n" FIRST "  x\n", FIRST));
}

static void test_the_hash_of_a_path(void **state)
{
    (void)state;
    assert_path_has(two_files, "\\kernel.elf", FIRST);
    assert_path_has(two_files, "kernel.elf", FIRST);
    assert_path_has(two_files, "\\KERNEL.ELF", FIRST);
    assert_path_has(two_files, "\\boot\\initrd.IMG",
                    "22222222222222222222222222222222222222222222222222222222222222ab");
    assert_path_has(two_files, "\\kernel.el", "none");
    assert_path_has(two_files, "\\kernel.elf2", "none");
    assert_path_has(two_files, "\\boot", "none");
    assert_path_has(two_files, "\\", "none");
    assert_path_has(two_files, "", "none");
    assert_path_has("", "\\kernel.elf", "none");
}

static void test_the_first_line_of_a_path_counts(void **state)
{
    (void)state;
    assert_path_has(FIRST "  a\n" THIRD "  a\n", "\\a", FIRST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hashes_of_the_list),
        cmocka_unit_test(test_last_line_without_its_end),
        cmocka_unit_test(test_lines_of_another_form_have_no_hash),
        cmocka_unit_test(test_the_hash_of_a_path),
        cmocka_unit_test(test_the_first_line_of_a_path_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
