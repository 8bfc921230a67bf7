#include "tests/unit/support/cmocka.h"

#include <string.h>

#include "kernel/diagnostics/monitor/command_help.h"
#include "kernel/diagnostics/monitor/command_run.h"
#include "kernel/diagnostics/monitor/completion.h"
#include "tests/unit/support/log_stub.h"

/* --- Commands that only record how they were called --- */

static unsigned call_count;
static struct arguments last_arguments;

static void record(struct monitor_state *monitor, const struct arguments *arguments)
{
    (void)monitor;
    call_count++;
    last_arguments = *arguments;
}

static void read_number(struct monitor_state *monitor, const struct arguments *arguments)
{
    uint64_t number;
    if (monitor_number(monitor, arguments->words[0], "ADDRESS", &number))
        monitor_say("number %llx", (unsigned long long)number);
}

static const char *const choices[] = {"stats", "picture", "pieces", NULL};
static const struct command commands[] = {
    {"help", "[COMMAND]", "explain", "help heap", NULL, 0, 1, false, command_help},
    {"heap", "[stats|picture|pieces]", "the heap", "heap stats", choices, 0, 1, true, record},
    {"peek", "ADDRESS", "read", "peek 4K", NULL, 1, 1, false, read_number},
    {"poke", "ADDRESS BYTE", "write", "poke 4K 1", NULL, 2, 2, false, record},
    {NULL, NULL, NULL, NULL, NULL, 0, 0, false, NULL},
};

/* Run a line, and return what it printed. */
static const char *answer(const char *line)
{
    struct monitor_state monitor = {.commands = commands};
    log_stub_clear();
    call_count = 0;
    command_run(&monitor, (struct piece){line, strlen(line)});
    assert_int_equal(monitor.action, MONITOR_STAY);
    return log_stub.text;
}

static void expect_call(const char *line, size_t argument_count, bool is_kv)
{
    assert_string_equal(answer(line), "");
    assert_int_equal(call_count, 1);
    assert_int_equal(last_arguments.count, argument_count);
    assert_int_equal(last_arguments.is_kv, is_kv);
}

static void expect_error(const char *line, const char *first, const char *second)
{
    const char *text = answer(line);
    assert_int_equal(call_count, 0);
    assert_non_null(strstr(text, first));
    if (second != NULL)
        assert_non_null(strstr(text, second));
}

static void test_good_lines_run(void **state)
{
    (void)state;
    expect_call("heap", 0, false);
    expect_call("  \t heap   stats \t ", 1, false);
    assert_true(monitor_argument_is(&last_arguments, 0, "stats"));
    assert_false(monitor_argument_is(&last_arguments, 1, "stats"));
    expect_call("heap format=kv stats", 1, true);
    expect_call("poke 1 2", 2, false);
}

static void test_empty_lines_do_nothing(void **state)
{
    (void)state;
    assert_string_equal(answer(""), "");
    assert_string_equal(answer("  \t "), "");
    assert_int_equal(call_count, 0);
}

static void test_unknown_command_is_answered_with_the_nearest(void **state)
{
    (void)state;
    expect_error("hepa", "\"hepa\" is not a command: did you mean \"heap\"?", NULL);
    expect_error("HEAP", "did you mean \"heap\"?", NULL);
    expect_error("xyzzy", "help lists all commands", NULL);
    expect_error("h\x01\xff", "\"h??\" is not a command", NULL);
    expect_error("a-word-that-is-much-longer-than-any-command-of-the-monitor",
                 "\"a-word-that-is-much-longer-than-...\"", NULL);
}

static void test_wrong_arguments_are_answered_with_the_usage(void **state)
{
    (void)state;
    expect_error("peek", "peek: ADDRESS is missing\n", "Usage: peek ADDRESS. For example: peek 4K");
    expect_error("poke 1", "poke: BYTE is missing\n", NULL);
    expect_error("poke 1 2 3", "\"3\" is not expected", "Usage: poke");
    expect_error("poke 1 2 3 4 5 6 7", "\"3\" is not expected", NULL);
    expect_error("heap pictre", "did you mean \"picture\"?", "Usage: heap [stats|");
    expect_error("heap 7", "heap: \"7\" is not known\n", NULL);
    expect_error("poke 1 2 format=kv", "format=kv is not possible here", NULL);
}

static void test_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *text;
    } cases[] = {
        {"peek 4096", "number 1000\n"},
        {"peek 0xfFfF", "number ffff\n"},
        {"peek 4K", "number 1000\n"},
        {"peek 2m", "number 200000\n"},
        {"peek 1G", "number 40000000\n"},
        {"peek 0xffffffffffffffff", "number ffffffffffffffff\n"},
        {"peek 0x10000000000000000", "peek: ADDRESS must be a number"},
        {"peek 99999999999G", "peek: ADDRESS must be a number"},
        {"peek -1", "and not \"-1\""},
        {"peek 0x", "peek: ADDRESS must be a number"},
        {"peek 4KK", "and not \"4KK\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_non_null(strstr(answer(cases[i].line), cases[i].text));
}

static void test_help(void **state)
{
    (void)state;
    const char *text = answer("help");
    for (const struct command *command = commands; command->name != NULL; command++)
        assert_non_null(strstr(text, command->name));
    assert_non_null(strstr(answer("help heap"), "example: heap stats"));
    assert_non_null(strstr(log_stub.text, "format=kv"));
    assert_null(strstr(answer("help peek"), "format=kv"));
    assert_non_null(strstr(answer("help pek"), "did you mean \"peek\"?"));
    assert_non_null(strstr(answer("help words"), "[help] word=\"once\""));
}

static void test_list_of_commands(void **state)
{
    (void)state;
    const char *text = "heap; frames;;map";
    struct piece list = {text, strlen(text)};
    struct piece command;
    static const char *const expected[] = {"heap", " frames", "", "map"};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        assert_true(arguments_next_command(&list, &command));
        assert_true(piece_equals(command, expected[i]));
    }
    assert_false(arguments_next_command(&list, &command));
}

/* --- completion.h --- */

static void expect_completion(const char *line, const char *text, size_t count)
{
    struct completion completion = completion_find(commands, (struct piece){line, strlen(line)});
    assert_int_equal(completion.count, count);
    assert_true(piece_equals((struct piece){completion.text, completion.length}, text));
}

static void test_completion(void **state)
{
    (void)state;
    expect_completion("", "", 4);
    expect_completion("h", "e", 2);
    expect_completion("he", "", 2);
    expect_completion("hea", "p ", 1);
    expect_completion("heap", " ", 1);
    expect_completion("x", "", 0);
    expect_completion("heap ", "", 3);
    expect_completion("heap p", "i", 2);
    expect_completion("heap pic", "ture ", 1);
    expect_completion("heap stats p", "", 0);
    expect_completion("peek ", "", 0);
    expect_completion("nonsense p", "", 0);
    expect_completion("help pe", "ek ", 1);
    expect_completion("heap; pe", "ek ", 1);
    expect_completion("heap;", "", 4);
}

static void test_completion_lists_the_words(void **state)
{
    (void)state;
    log_stub_clear();
    completion_list(commands, (struct piece){"heap p", 6});
    assert_string_equal(log_stub.text, "picture  pieces  \n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_lines_run),
        cmocka_unit_test(test_empty_lines_do_nothing),
        cmocka_unit_test(test_unknown_command_is_answered_with_the_nearest),
        cmocka_unit_test(test_wrong_arguments_are_answered_with_the_usage),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_list_of_commands),
        cmocka_unit_test(test_completion),
        cmocka_unit_test(test_completion_lists_the_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
