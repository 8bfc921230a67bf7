#include "tests/unit/support/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "kernel/core/backtrace_fold.h"

static char printed[4000];

static void append(const char *format, unsigned number, uint64_t address)
{
    size_t length = strlen(printed);
    assert_true(length + 40 < sizeof printed);
    (void)snprintf(printed + length, sizeof printed - length, format, number,
                   (unsigned long long)address);
}

static void print_frame(unsigned index, struct virt_addr return_address)
{
    append("#%u %llx\n", index, return_address.value);
}

static void print_more(unsigned count, struct virt_addr return_address)
{
    append("+%u %llx\n", count, return_address.value);
}

static void start(struct backtrace_fold *fold)
{
    printed[0] = '\0';
    *fold = (struct backtrace_fold){.print_frame = print_frame, .print_more = print_more};
}

static void assert_folded(const uint64_t *addresses, unsigned count, const char *expected)
{
    struct backtrace_fold fold;
    start(&fold);
    for (unsigned i = 0; i < count; i++)
        backtrace_fold_add(&fold, virt_addr(addresses[i]));
    backtrace_fold_finish(&fold);
    assert_string_equal(printed, expected);
}

static void test_frames_of_their_own(void **state)
{
    (void)state;
    assert_folded(NULL, 0, "");
    assert_folded((const uint64_t[]){0x0, 0xb}, 2, "#0 0\n#1 b\n");
    assert_folded((const uint64_t[]){0xa, 0xb, 0xa}, 3, "#0 a\n#1 b\n#2 a\n");
}

static void test_repeated_frames_are_counted(void **state)
{
    (void)state;
    assert_folded((const uint64_t[]){0xa, 0xa}, 2, "#0 a\n+1 a\n");
    assert_folded((const uint64_t[]){0xc, 0xa, 0xa, 0xa, 0xb}, 5, "#0 c\n#1 a\n+2 a\n#4 b\n");
}

/* A recursion is one line, so the function that began it is seen. */
static void test_X5_endless_recursion_is_two_lines(void **state)
{
    (void)state;
    struct backtrace_fold fold;
    start(&fold);
    for (unsigned i = 0; i < 3000; i++)
        backtrace_fold_add(&fold, virt_addr(0xa));
    backtrace_fold_add(&fold, virt_addr(0xb));
    backtrace_fold_finish(&fold);
    assert_string_equal(printed, "#0 a\n+2999 a\n#3000 b\n");
}

static void test_lines_are_limited_and_the_rest_counted(void **state)
{
    (void)state;
    struct backtrace_fold fold;
    start(&fold);
    for (unsigned i = 0; i < 100; i++)
        backtrace_fold_add(&fold, virt_addr(0x100 + i % 2));
    backtrace_fold_finish(&fold);
    assert_non_null(strstr(printed, "#31 101\n+68 0\n"));
    assert_null(strstr(printed, "#32"));
}

static void test_a_full_page_is_not_cut(void **state)
{
    (void)state;
    struct backtrace_fold fold;
    start(&fold);
    for (unsigned i = 0; i < BACKTRACE_LINE_LIMIT; i++)
        backtrace_fold_add(&fold, virt_addr(i + 1));
    backtrace_fold_add(&fold, virt_addr(BACKTRACE_LINE_LIMIT));
    backtrace_fold_finish(&fold);
    assert_non_null(strstr(printed, "#31 20\n+1 20\n"));
    assert_null(strstr(printed, "+1 0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames_of_their_own),
        cmocka_unit_test(test_repeated_frames_are_counted),
        cmocka_unit_test(test_X5_endless_recursion_is_two_lines),
        cmocka_unit_test(test_lines_are_limited_and_the_rest_counted),
        cmocka_unit_test(test_a_full_page_is_not_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
