#include "tests/unit/support/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "kernel/core/command_words.h"
#include "kernel/core/nearest.h"

#define SENTENCE_LIMIT 32

struct sentences {
    char text[SENTENCE_LIMIT][256];
    unsigned count;
};

static void collect(void *context, const char *sentence)
{
    struct sentences *sentences = context;
    assert_true(sentences->count < SENTENCE_LIMIT);
    (void)snprintf(sentences->text[sentences->count++], sizeof sentences->text[0], "%s", sentence);
}

static struct sentences check(const char *line)
{
    struct sentences sentences = {.count = 0};
    command_words_check(line, collect, &sentences);
    return sentences;
}

/* Expect exactly one problem, with this sentence. */
static void assert_told(const char *line, const char *sentence)
{
    struct sentences sentences = check(line);
    assert_int_equal(sentences.count, 1);
    assert_string_equal(sentences.text[0], sentence);
}

static void test_good_lines_are_silent(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",
        "  \t ",
        "once unattended debug-exit=0xf4",
        "heap=first-fit heap_window=16M heap_limit=\"64M\" heap_aslr=off heap_guard=off",
        "heap_sample=0 heap_debug=on paging=5 self-test=interrupts measure print-heap print-leaks",
        "print-memory print-map print-regions print-help provoke=divide",
        "once once", /* the same word twice is not a problem */
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        assert_int_equal(check(lines[i]).count, 0);
}

static void test_every_word_of_the_table_is_accepted(void **state)
{
    (void)state;
    for (const struct command_word *word = command_words; word->name != NULL; word++) {
        char line[80];
        const char *value = word->choices != NULL ? word->choices[0] : "1M";
        (void)snprintf(line, sizeof line, "%s%s%s", word->name, word->value != NULL ? "=" : "",
                       word->value != NULL ? value : "");
        assert_int_equal(check(line).count, 0);
        assert_true(strlen(word->name) <= NEAREST_LENGTH_LIMIT);
    }
}

static void test_unknown_words_get_the_nearest(void **state)
{
    (void)state;
    assert_told("temp=1", "\"temp=1\" is not known, and ignored: did you mean \"heap=\"?");
    assert_told("print-haep",
                "\"print-haep\" is not known, and ignored: did you mean \"print-heap\"?");
    assert_told("ONCE", "\"ONCE\" is not known, and ignored: did you mean \"once\"?");
    assert_told("heap-debug=on",
                "\"heap-debug=on\" is not known, and ignored: did you mean \"heap_debug=\"?");
    assert_told("once \"measure\"",
                "\"\"measure\"\" is not known, and ignored: did you mean \"measure\"?");
    struct sentences far = check("nonsense");
    assert_int_equal(far.count, 1);
    assert_non_null(
        strstr(far.text[0], "\"nonsense\" is not known, and ignored: the nearest word is"));
    assert_non_null(strstr(far.text[0], "print-help"));
}

static void test_keys_of_the_other_file_are_recognised(void **state)
{
    (void)state;
    assert_told("temp_heap=2M",
                "\"temp_heap\" is a key of handoff.conf, and ignored on the command line");
}

static void test_values_are_named(void **state)
{
    (void)state;
    assert_told(
        "heap=slow",
        "heap=slow is ignored: the value must be bump, first-fit, best-fit, fast or strict");
    assert_told("heap=fats", "heap=fats is ignored: the value must be bump, first-fit, best-fit, "
                             "fast or strict; did you mean heap=fast?");
    assert_told("heap=",
                "heap= is ignored: the value must be bump, first-fit, best-fit, fast or strict");
    assert_told("self-test=all",
                "self-test=all is ignored: the value must be interrupts or heap-pages");
}

static void test_wrong_forms(void **state)
{
    (void)state;
    assert_told("once=1", "\"once=1\" is ignored: write \"once\", without a value");
    assert_told("heap", "\"heap\" is ignored: write \"heap=POLICY\"");
}

static void test_a_key_with_two_values_is_reported_with_both(void **state)
{
    (void)state;
    assert_told("heap=fast once heap=bump",
                "\"heap=fast\" and later \"heap=bump\": the later one counts");
    struct sentences thrice = check("provoke=a provoke=b provoke=a");
    assert_int_equal(thrice.count, 2);
    assert_string_equal(thrice.text[0],
                        "\"provoke=a\" and later \"provoke=b\": the later one counts");
    assert_string_equal(thrice.text[1],
                        "\"provoke=b\" and later \"provoke=a\": the later one counts");
}

static void test_an_open_quote_is_reported(void **state)
{
    (void)state;
    struct sentences sentences = check("a=\"b once");
    assert_int_equal(sentences.count, 2);
    assert_string_equal(sentences.text[0],
                        "a quote is never closed: blanks behind it separate words");
}

/* A quoted word must not control a terminal, and a long line must not fill the log. */
static void test_quoted_words_are_printable_and_short(void **state)
{
    (void)state;
    char line[600];
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\0';
    memcpy(line, "\x1b[2J\xff", 5);
    struct sentences sentences = check(line);
    assert_int_equal(sentences.count, 1);
    assert_true(strlen(sentences.text[0]) < 200);
    assert_non_null(strstr(sentences.text[0], "\"?[2J?xx"));
    assert_non_null(strstr(sentences.text[0], "xx...\""));
}

static void test_many_problems_are_counted(void **state)
{
    (void)state;
    struct sentences sentences = check("a b c d e f g h i j k");
    assert_int_equal(sentences.count, COMMAND_WORDS_REPORT_LIMIT + 1);
    assert_string_equal(sentences.text[COMMAND_WORDS_REPORT_LIMIT],
                        "3 more problems are not shown");
    assert_string_equal(check("a b c d e f g h i").text[COMMAND_WORDS_REPORT_LIMIT],
                        "1 more problem is not shown");
    assert_int_equal(check("a b c d e f g h").count, COMMAND_WORDS_REPORT_LIMIT);
}

/* --- nearest.h --- */

static size_t distance(const char *typed, const char *name)
{
    return nearest_distance((struct piece){typed, strlen(typed)}, name);
}

static void test_distances(void **state)
{
    (void)state;
    assert_int_equal(distance("heap", "heap"), 0);
    assert_int_equal(distance("Heap", "hEAP"), 0);
    assert_int_equal(distance("heep", "heap"), 1);
    assert_int_equal(distance("hea", "heaq"), 1);
    assert_int_equal(distance("haep", "heap"), 1);
    assert_int_equal(distance("temp", "heap"), 2);
    assert_int_equal(distance("", "heap"), 4);
    assert_int_equal(distance("heap", ""), 4);
    assert_int_equal(distance("kitten", "sitting"), 3);
    assert_int_equal(distance("ca", "abc"), 3); /* the distance is the restricted one */
    assert_int_equal(distance("timeline", "print-timeline"), 2);
    assert_int_equal(distance("my-print-map", "print-map"), 2);
    assert_int_equal(distance("on", "once"), 2); /* too short to count as a part */
}

static void test_a_long_text_is_far(void **state)
{
    (void)state;
    char typed[1000];
    memset(typed, 'z', sizeof typed);
    struct nearest nearest = nearest_begin((struct piece){typed, sizeof typed});
    assert_false(nearest_is_close(&nearest));
    nearest_consider(&nearest, "heap");
    assert_int_equal(nearest.distance, sizeof typed);
    assert_false(nearest_is_close(&nearest));
}

static void test_the_first_of_the_nearest_is_kept(void **state)
{
    (void)state;
    struct nearest nearest = nearest_begin((struct piece){"bat", 3});
    nearest_consider(&nearest, "zzz");
    nearest_consider(&nearest, "cat");
    nearest_consider(&nearest, "hat");
    assert_string_equal(nearest.name, "cat");
    assert_true(nearest_is_close(&nearest));
}

static void test_half_of_the_characters_must_be_right(void **state)
{
    (void)state;
    struct nearest nearest = nearest_begin((struct piece){"ab", 2});
    nearest_consider(&nearest, "cd");
    assert_false(nearest_is_close(&nearest));
    nearest = nearest_begin((struct piece){"abcdefgh", 8});
    nearest_consider(&nearest, "abcdwxyz");
    assert_false(nearest_is_close(&nearest));
    nearest_consider(&nearest, "abcdexyz");
    assert_true(nearest_is_close(&nearest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_lines_are_silent),
        cmocka_unit_test(test_every_word_of_the_table_is_accepted),
        cmocka_unit_test(test_unknown_words_get_the_nearest),
        cmocka_unit_test(test_keys_of_the_other_file_are_recognised),
        cmocka_unit_test(test_values_are_named),
        cmocka_unit_test(test_wrong_forms),
        cmocka_unit_test(test_a_key_with_two_values_is_reported_with_both),
        cmocka_unit_test(test_an_open_quote_is_reported),
        cmocka_unit_test(test_quoted_words_are_printable_and_short),
        cmocka_unit_test(test_many_problems_are_counted),
        cmocka_unit_test(test_distances),
        cmocka_unit_test(test_a_long_text_is_far),
        cmocka_unit_test(test_the_first_of_the_nearest_is_kept),
        cmocka_unit_test(test_half_of_the_characters_must_be_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
