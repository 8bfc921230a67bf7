/*
 * test_loader_log.c - the lines and phases that the loader keeps for the kernel.
 */
#include "tests/unit/support/cmocka.h"

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "bootloader/pure/loader_log.h"
#include "bootloader/pure/timeline.h"

static void line(struct loader_log *log, const char *prefix, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void line(struct loader_log *log, const char *prefix, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    loader_log_line(log, prefix, format, arguments);
    va_end(arguments);
}

static void assert_log(const struct loader_log *log, const char *expected)
{
    assert_int_equal(log->size_bytes, strlen(expected));
    assert_memory_equal(log->text, expected, log->size_bytes);
}

static void test_lines_follow_each_other(void **state)
{
    (void)state;
    static struct loader_log log;
    line(&log, "", "kernel at %x", 0x1000);
    line(&log, "warning: ", "%s", "something");
    loader_log_append(&log, "as it is", 8);
    assert_log(&log, "kernel at 1000\nwarning: something\nas it is");
}

static void test_long_line_is_cut(void **state)
{
    (void)state;
    static struct loader_log log;
    char text[500];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    line(&log, "warning: ", "%s", text);
    assert_true(log.size_bytes <= 400);
    assert_int_equal(log.text[log.size_bytes - 1], '\n');
    assert_int_equal(log.text[log.size_bytes - 2], 'x');
    assert_memory_equal(log.text, "warning: xxx", 12);
}

static size_t count(const struct loader_log *log, const char *word)
{
    size_t found = 0;
    for (size_t i = 0; i + strlen(word) <= log->size_bytes; i++)
        found += memcmp(log->text + i, word, strlen(word)) == 0;
    return found;
}

static void test_full_log_says_so_once(void **state)
{
    (void)state;
    static struct {
        struct loader_log log;
        char behind[8];
    } room;
    for (unsigned i = 0; i < 2000; i++)
        line(&room.log, "", "line %u", i);
    assert_true(room.log.size_bytes <= LOADER_LOG_CAPACITY_BYTES);
    assert_int_equal(count(&room.log, "(log full)\n"), 1);
    assert_memory_equal(room.log.text + room.log.size_bytes - 11, "(log full)\n", 11);
    assert_int_equal(room.behind[0], 0);
}

/* All sizes around the last one that fits. */
static void test_nothing_is_written_behind_the_end(void **state)
{
    (void)state;
    static struct loader_log log;
    static const char filler[LOADER_LOG_CAPACITY_BYTES];
    for (size_t size = LOADER_LOG_CAPACITY_BYTES - 13; size <= LOADER_LOG_CAPACITY_BYTES; size++) {
        log.size_bytes = 0;
        loader_log_append(&log, filler, size);
        bool fits = size <= LOADER_LOG_CAPACITY_BYTES - 11;
        assert_int_equal(log.size_bytes, fits ? size : 11);
        loader_log_append(&log, "more", 4);
        assert_true(log.size_bytes <= LOADER_LOG_CAPACITY_BYTES);
    }
}

static void test_phases(void **state)
{
    (void)state;
    struct timeline timeline = {0};
    timeline_mark(&timeline, 11, "one");
    timeline_mark(&timeline, 12, "a name of more than 23 characters");
    assert_int_equal(timeline.count, 2);
    assert_int_equal(timeline.moments[0].ticks, 11);
    assert_string_equal(timeline.moments[0].name, "one");
    assert_string_equal(timeline.moments[1].name, "a name of more than 23 ");
    for (unsigned i = 0; i < 2 * TIMELINE_CAPACITY; i++)
        timeline_mark(&timeline, 100 + i, "more");
    assert_int_equal(timeline.count, TIMELINE_CAPACITY);
    assert_int_equal(timeline.moments[TIMELINE_CAPACITY - 1].ticks, 100 + TIMELINE_CAPACITY - 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_follow_each_other),
        cmocka_unit_test(test_long_line_is_cut),
        cmocka_unit_test(test_full_log_says_so_once),
        cmocka_unit_test(test_nothing_is_written_behind_the_end),
        cmocka_unit_test(test_phases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
