#include "tests/unit/support/cmocka.h"

#include <string.h>

#include "kernel/core/timeline_summary.h"

/* Return phases with these ticks, then "ready". The first `loader_count` are the loader's. */
static struct timeline timeline_of(const uint64_t *ticks, unsigned count, unsigned loader_count)
{
    struct timeline timeline = {.count = count + 1, .loader_count = loader_count};
    uint64_t now = 1000;
    for (unsigned i = 0; i < count; i++) {
        timeline.moments[i].ticks = now;
        timeline.moments[i].name[0] = (char)('a' + i);
        now += ticks[i];
    }
    timeline.moments[count].ticks = now;
    memcpy(timeline.moments[count].name, "ready", sizeof "ready");
    return timeline;
}

static void assert_slowest(const struct timeline *timeline, const char *expected)
{
    char text[100];
    struct timeline_summary summary = timeline_summarise(timeline);
    timeline_format_slowest(timeline, &summary, text, sizeof text);
    assert_string_equal(text, expected);
}

static void test_sums(void **state)
{
    (void)state;
    struct timeline timeline = timeline_of((const uint64_t[]){10, 20, 30, 40}, 4, 2);
    struct timeline_summary summary = timeline_summarise(&timeline);
    assert_int_equal(summary.total_ticks, 100);
    assert_int_equal(summary.loader_ticks, 30);
    assert_int_equal(summary.kernel_ticks, 70);
}

static void test_slowest_first(void **state)
{
    (void)state;
    struct timeline timeline = timeline_of((const uint64_t[]){5, 50, 10, 35}, 4, 2);
    assert_slowest(&timeline, "b 50 %, d 35 %, c 10 %");
    timeline = timeline_of((const uint64_t[]){10, 10, 10, 70}, 4, 0);
    assert_slowest(&timeline, "d 70 %, a 10 %, b 10 %");
    timeline = timeline_of((const uint64_t[]){1, 2}, 2, 0);
    assert_slowest(&timeline, "b 67 %, a 33 %");
}

static void test_nothing_has_happened(void **state)
{
    (void)state;
    struct timeline timeline = timeline_of(NULL, 0, 0);
    assert_slowest(&timeline, "");
    timeline = timeline_of((const uint64_t[]){0, 0}, 2, 1);
    assert_slowest(&timeline, "");
    timeline.count = 0;
    assert_slowest(&timeline, "");
}

/* The loader's moments are input, and can be wrong. */
static void test_moments_that_go_back_take_no_time(void **state)
{
    (void)state;
    struct timeline timeline = timeline_of((const uint64_t[]){10, 20, 30}, 3, 3);
    timeline.moments[1].ticks = 5;
    struct timeline_summary summary = timeline_summarise(&timeline);
    assert_int_equal(summary.total_ticks, 1030 - 5 + 30);
    assert_slowest(&timeline, "b 97 %, c 3 %, a 0 %");
}

static void test_huge_numbers_do_not_overflow(void **state)
{
    (void)state;
    struct timeline timeline = timeline_of((const uint64_t[]){1}, 1, 0);
    timeline.moments[0].ticks = 0;
    timeline.moments[1].ticks = UINT64_MAX;
    assert_slowest(&timeline, "a 100 %");
}

static void test_text_is_cut_where_there_is_no_room(void **state)
{
    (void)state;
    char text[9];
    struct timeline timeline = timeline_of((const uint64_t[]){5, 50, 10, 35}, 4, 2);
    struct timeline_summary summary = timeline_summarise(&timeline);
    timeline_format_slowest(&timeline, &summary, text, sizeof text);
    assert_string_equal(text, "b 50 %, ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_slowest_first),
        cmocka_unit_test(test_nothing_has_happened),
        cmocka_unit_test(test_moments_that_go_back_take_no_time),
        cmocka_unit_test(test_huge_numbers_do_not_overflow),
        cmocka_unit_test(test_text_is_cut_where_there_is_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
