#include "tests/unit/support/cmocka.h"

#include <string.h>

#include "bootloader/pure/boot_record_text.h"

static struct post_mortem record_of(enum post_mortem_stage stage, const char *log,
                                    const char *report)
{
    return (struct post_mortem){
        .stage = stage,
        .code = 0x1e,
        .log = log,
        .log_size_bytes = strlen(log),
        .report = report,
        .report_size_bytes = strlen(report),
    };
}

static void assert_described(struct post_mortem record, const char *expected)
{
    char text[400];
    assert_int_equal(boot_record_describe(&record, text, sizeof(text)), strlen(expected));
    assert_string_equal(text, expected);
}

static void test_panic_is_a_paragraph(void **state)
{
    (void)state;
    assert_described(record_of(POST_MORTEM_PANIC, "[heap] a\n", "\n[panic] b\n[panic] c"),
                     "the last boot ended in a panic, code 0x1e. Its record:\n"
                     "  | [heap] a\n"
                     "  | [panic] b\n"
                     "  | [panic] c\n"
                     "This was the record of the last boot.\n");
}

static void test_bytes_that_are_not_printable_are_hidden(void **state)
{
    (void)state;
    assert_described(record_of(POST_MORTEM_PANIC, "\x1b[2J\r\x7f\xff\n", ""),
                     "the last boot ended in a panic, code 0x1e. Its record:\n"
                     "  | ?[2J???\n"
                     "This was the record of the last boot.\n");
}

static void test_unfinished_boot_is_a_warning(void **state)
{
    (void)state;
    assert_described(record_of(POST_MORTEM_READY, "", ""),
                     "warning: the last boot did not end. At the reset: the kernel was ready.\n");
}

static void test_error_of_the_loader_has_its_number(void **state)
{
    (void)state;
    struct post_mortem record = record_of(POST_MORTEM_LOADER, "", "\nHL-16: A cause.\n");
    record.code = 16;
    assert_described(record, "the last boot ended in the loader's error HL-16. Its record:\n"
                             "  | HL-16: A cause.\n"
                             "This was the record of the last boot.\n");
    record.code = 0;
    assert_described(record, "warning: the last boot did not end. At the reset: "
                             "the loader ran, and had not entered the kernel.\n");
}

static void test_ended_boot_says_nothing(void **state)
{
    (void)state;
    assert_described(record_of(POST_MORTEM_ENDED, "a\n", "b\n"), "");
}

static void test_small_room_cuts_the_text(void **state)
{
    (void)state;
    struct post_mortem record = record_of(POST_MORTEM_PANIC, "[heap] a\n", "[panic] b\n");
    char whole[400];
    size_t length = boot_record_describe(&record, whole, sizeof(whole));
    for (size_t capacity = 1; capacity <= length + 1; capacity++) {
        char text[400];
        memset(text, 'x', sizeof(text));
        assert_int_equal(boot_record_describe(&record, text, capacity), capacity - 1);
        assert_memory_equal(text, whole, capacity - 1);
        assert_int_equal(text[capacity - 1], '\0');
        assert_int_equal(text[capacity], 'x');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_panic_is_a_paragraph),
        cmocka_unit_test(test_bytes_that_are_not_printable_are_hidden),
        cmocka_unit_test(test_unfinished_boot_is_a_warning),
        cmocka_unit_test(test_error_of_the_loader_has_its_number),
        cmocka_unit_test(test_ended_boot_says_nothing),
        cmocka_unit_test(test_small_room_cuts_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
