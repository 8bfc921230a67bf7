#include "tests/unit/support/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "kernel/diagnostics/monitor/line_editor.h"
#include "tests/unit/support/terminal.h"

#define PROMPT_LENGTH (sizeof LINE_EDITOR_PROMPT - 1)

struct desk {
    struct line_history history;
    struct line_editor editor;
    struct terminal terminal;
};

/* The terminal ends the test if a line reaches its last column. */
static void begin_on(struct desk *desk, size_t columns)
{
    memset(desk, 0, sizeof *desk);
    desk->terminal.column_limit = columns;
    line_editor_initialise(&desk->editor, &desk->history, columns, terminal_write, &desk->terminal);
    line_editor_begin(&desk->editor);
}

static void begin(struct desk *desk)
{
    begin_on(desk, TERMINAL_COLUMNS);
}

/* The row of the terminal must show the part of the line around the cursor. */
static void check_shown(const struct desk *desk)
{
    const struct line_editor *editor = &desk->editor;
    char expected[TERMINAL_COLUMNS + 1];
    size_t shown = editor->length - editor->shown_from;
    shown = shown < editor->shown_limit ? shown : editor->shown_limit;
    (void)snprintf(expected, sizeof expected, "%s%.*s", LINE_EDITOR_PROMPT, (int)shown,
                   editor->text + editor->shown_from);
    for (size_t end = strlen(expected); end > 0 && expected[end - 1] == ' '; end--)
        expected[end - 1] = '\0';
    assert_string_equal(desk->terminal.row, expected);
    assert_int_equal(desk->terminal.column, PROMPT_LENGTH + editor->cursor - editor->shown_from);
    assert_int_equal(strlen(editor->text), editor->length);
}

static enum line_editor_event take(struct desk *desk, key_code key)
{
    enum line_editor_event event = line_editor_take(&desk->editor, key);
    if (event == LINE_EDITOR_GOES_ON)
        check_shown(desk);
    return event;
}

static void type(struct desk *desk, const char *text)
{
    for (; *text != '\0'; text++)
        assert_int_equal(take(desk, (key_code)*text), LINE_EDITOR_GOES_ON);
}

/* Type a text, then keys; compare the line, in which '|' is the cursor. */
static void expect_line(const char *text, const key_code *keys, size_t key_count,
                        const char *expected)
{
    struct desk desk;
    char line[LINE_LIMIT + 2];
    begin(&desk);
    type(&desk, text);
    for (size_t i = 0; i < key_count; i++)
        assert_int_equal(take(&desk, keys[i]), LINE_EDITOR_GOES_ON);
    (void)snprintf(line, sizeof line, "%.*s|%s", (int)desk.editor.cursor, desk.editor.text,
                   desk.editor.text + desk.editor.cursor);
    assert_string_equal(line, expected);
}
#define expect(text, expected, ...)                                                                \
    expect_line(text, (const key_code[]){__VA_ARGS__},                                             \
                sizeof((const key_code[]){__VA_ARGS__}) / sizeof(key_code), expected)

static void test_moving_and_inserting(void **state)
{
    (void)state;
    expect("heap", "heap|", KEY_NONE);
    expect("heap", "he|ap", KEY_LEFT, KEY_LEFT);
    expect("hap", "he|ap", KEY_LEFT, KEY_CONTROL('b'), 'e');
    expect("heap", "|heap", KEY_HOME, KEY_LEFT);
    expect("heap", "x|heap", KEY_CONTROL('a'), 'x');
    expect("heap", "heap|", KEY_HOME, KEY_END, KEY_RIGHT);
    expect("heap", "h|eap", KEY_HOME, KEY_CONTROL('f'));
    expect("heap", "heap|", KEY_HOME, KEY_CONTROL('e'));
}

static void test_deleting(void **state)
{
    (void)state;
    expect("heap", "hea|", '\b');
    expect("", "|", '\b', KEY_DELETE, KEY_CONTROL('w'));
    expect("heap", "|eap", KEY_HOME, KEY_DELETE, '\b');
    expect("heap", "he|p", KEY_LEFT, KEY_LEFT, KEY_CONTROL('d'));
    expect("heap", "h|", KEY_HOME, KEY_RIGHT, KEY_CONTROL('k'));
    expect("heap", "|p", KEY_LEFT, KEY_CONTROL('u'));
    expect("peek 0x10  ", "peek |", KEY_CONTROL('w'));
    expect("peek 0x10", "|", KEY_CONTROL('w'), KEY_CONTROL('w'));
}

static void test_noise_changes_nothing(void **state)
{
    (void)state;
    for (unsigned key = 0; key < 0x400; key++) {
        static const char acting[] = "\b\t\n\1\2\3\4\5\6\13\14\16\20\25\27";
        if ((key >= ' ' && key <= '~') || (key < 0x20 && key != 0 && strchr(acting, (int)key)) ||
            (key >= KEY_UP && key <= KEY_DELETE))
            continue;
        expect("heap", "hea|p", KEY_LEFT, (key_code)key);
    }
}

/* A line that is longer than the screen, and edits in all of it. */
static void test_narrow_screens(void **state)
{
    (void)state;
    static const size_t columns[] = {11, 12, 40, 79, 80};
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        struct desk desk;
        begin_on(&desk, columns[i]);
        for (unsigned letter = 0; letter < 100; letter++)
            (void)take(&desk, (key_code)('a' + letter % 26));
        for (unsigned step = 0; step < 60; step++)
            (void)take(&desk, KEY_LEFT);
        type(&desk, "inserted");
        (void)take(&desk, KEY_HOME);
        (void)take(&desk, KEY_DELETE);
        (void)take(&desk, KEY_END);
        assert_int_equal(desk.editor.length, 107);
        assert_int_equal(desk.editor.shown_limit,
                         columns[i] == 80 ? LINE_EDITOR_SHOWN_COLUMNS : columns[i] - 10);
    }
}

/* There is no room for the prompt, and a person cannot read the line. It is still edited. */
static void test_screen_without_room(void **state)
{
    (void)state;
    for (size_t columns = 0; columns <= 10; columns++) {
        struct desk desk;
        begin_on(&desk, TERMINAL_COLUMNS);
        line_editor_initialise(&desk.editor, &desk.history, columns, terminal_write,
                               &desk.terminal);
        assert_int_equal(desk.editor.shown_limit, 1);
    }
}

static void test_history(void **state)
{
    (void)state;
    struct desk desk;
    begin(&desk);
    line_history_add(&desk.history, "frames");
    line_history_add(&desk.history, "heap");
    line_history_add(&desk.history, "heap"); /* twice the same */
    line_history_add(&desk.history, "");
    type(&desk, "ma");
    (void)take(&desk, KEY_UP);
    assert_string_equal(desk.editor.text, "heap");
    (void)take(&desk, KEY_CONTROL('p'));
    assert_string_equal(desk.editor.text, "frames");
    (void)take(&desk, KEY_UP); /* there is no older one */
    type(&desk, "x");
    assert_string_equal(desk.editor.text, "framesx");
    (void)take(&desk, KEY_DOWN);
    assert_string_equal(desk.editor.text, "heap");
    (void)take(&desk, KEY_CONTROL('n'));
    (void)take(&desk, KEY_DOWN);
    assert_string_equal(desk.editor.text, "ma"); /* the line that was not finished */
}

static void test_history_forgets_the_oldest(void **state)
{
    (void)state;
    struct line_history history = {.count = 0};
    char line[16];
    for (unsigned i = 0; i < LINE_HISTORY_LIMIT + 3; i++) {
        (void)snprintf(line, sizeof line, "line %u", i);
        line_history_add(&history, line);
    }
    assert_string_equal(line_history_at(&history, 1), "line 18");
    assert_string_equal(line_history_at(&history, LINE_HISTORY_LIMIT), "line 3");
    assert_null(line_history_at(&history, LINE_HISTORY_LIMIT + 1));
    assert_null(line_history_at(&history, 0));
}

static void test_long_line_is_shown_in_part(void **state)
{
    (void)state;
    struct desk desk;
    begin(&desk);
    for (unsigned i = 0; i < LINE_LIMIT; i++)
        type(&desk, (const char[]){(char)('a' + i % 26), '\0'});
    assert_int_equal(desk.editor.length, LINE_LIMIT);
    for (unsigned i = 0; i < LINE_LIMIT; i++)
        (void)take(&desk, KEY_LEFT);
    (void)take(&desk, KEY_DELETE);
    (void)take(&desk, KEY_END);
    for (unsigned i = 0; i < LINE_LIMIT; i++)
        (void)take(&desk, '\b');
    assert_int_equal(desk.editor.length, 0);
}

static void test_line_with_too_many_characters_is_refused(void **state)
{
    (void)state;
    struct desk desk;
    begin(&desk);
    for (unsigned i = 0; i < 10000; i++)
        type(&desk, "x");
    assert_int_equal(desk.editor.length, LINE_LIMIT);
    assert_int_equal(take(&desk, '\t'), LINE_EDITOR_GOES_ON);
    assert_int_equal(take(&desk, '\n'), LINE_EDITOR_TOO_LONG);
    assert_int_equal(desk.editor.excess_count, 10000 - LINE_LIMIT);
    line_editor_begin(&desk.editor);
    type(&desk, "heap");
    assert_int_equal(take(&desk, '\n'), LINE_EDITOR_COMPLETE);
    assert_string_equal(desk.editor.text, "heap");
}

static void test_excess_can_be_removed(void **state)
{
    (void)state;
    struct desk desk;
    begin(&desk);
    for (unsigned i = 0; i < LINE_LIMIT + 2; i++)
        type(&desk, "x");
    (void)take(&desk, KEY_LEFT); /* nothing moves while characters are missing */
    (void)take(&desk, '\b');
    (void)take(&desk, '\b');
    assert_int_equal(desk.editor.length, LINE_LIMIT);
    assert_int_equal(take(&desk, '\n'), LINE_EDITOR_COMPLETE);
    line_editor_begin(&desk.editor);
    for (unsigned i = 0; i < LINE_LIMIT + 2; i++)
        type(&desk, "x");
    (void)take(&desk, KEY_CONTROL('u'));
    assert_int_equal(desk.editor.length + desk.editor.excess_count, 0);
}

static void test_events(void **state)
{
    (void)state;
    struct desk desk;
    begin(&desk);
    type(&desk, "heap");
    (void)take(&desk, KEY_LEFT);
    assert_int_equal(take(&desk, '\t'), LINE_EDITOR_TAB);
    assert_int_equal(take(&desk, KEY_CONTROL('l')), LINE_EDITOR_CLEAR);
    assert_int_equal(take(&desk, '\n'), LINE_EDITOR_COMPLETE);
    assert_int_equal(desk.terminal.line_count, 1);
    line_editor_begin(&desk.editor);
    type(&desk, "x");
    assert_int_equal(take(&desk, KEY_CONTROL('c')), LINE_EDITOR_DROPPED);
    line_editor_begin(&desk.editor);
    assert_int_equal(desk.editor.length, 0);
    check_shown(&desk);
}

static void test_text_is_inserted_before_the_cursor(void **state)
{
    (void)state;
    struct desk desk;
    begin(&desk);
    type(&desk, "hp");
    (void)take(&desk, KEY_LEFT);
    line_editor_insert(&desk.editor, (struct piece){"eaXX", 2});
    check_shown(&desk);
    assert_string_equal(desk.editor.text, "heap");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moving_and_inserting),
        cmocka_unit_test(test_deleting),
        cmocka_unit_test(test_noise_changes_nothing),
        cmocka_unit_test(test_narrow_screens),
        cmocka_unit_test(test_screen_without_room),
        cmocka_unit_test(test_history),
        cmocka_unit_test(test_history_forgets_the_oldest),
        cmocka_unit_test(test_long_line_is_shown_in_part),
        cmocka_unit_test(test_line_with_too_many_characters_is_refused),
        cmocka_unit_test(test_excess_can_be_removed),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_text_is_inserted_before_the_cursor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
