#include "kernel/diagnostics/monitor/line_editor.h"

#include <stdbool.h>

#include "shared/memory.h"
#include "shared/text/text.h"

/* --- The terminal --- */

static void put(const struct line_editor *editor, const char *text, size_t length_bytes)
{
    if (length_bytes > 0)
        editor->write(editor->context, text, length_bytes);
}

/* Precondition: count <= LINE_EDITOR_SHOWN_COLUMNS. */
static void put_many(const struct line_editor *editor, char character, size_t count)
{
    char text[LINE_EDITOR_SHOWN_COLUMNS];
    memset(text, character, count);
    put(editor, text, count);
}

/* Move the part that is shown, if the cursor is not in it: by half of a row, so that the next keys
 * move nothing. */
static void scroll(struct line_editor *editor)
{
    size_t half = editor->shown_limit / 2;
    bool is_before = editor->cursor < editor->shown_from;
    bool is_behind = editor->cursor > editor->shown_from + editor->shown_limit;
    if (is_before || is_behind)
        editor->shown_from = editor->cursor > half ? editor->cursor - half : 0;
}

/* Write the shown part again. Blanks cover the rest of a longer text. */
static void redraw(struct line_editor *editor)
{
    scroll(editor);
    size_t length = editor->length - editor->shown_from;
    if (length > editor->shown_limit)
        length = editor->shown_limit;
    size_t rest = editor->shown_length > length ? editor->shown_length - length : 0;
    size_t cursor = editor->cursor - editor->shown_from;
    put_many(editor, '\b', editor->shown_cursor);
    put(editor, editor->text + editor->shown_from, length);
    put_many(editor, ' ', rest);
    put_many(editor, '\b', length + rest - cursor);
    editor->shown_length = length;
    editor->shown_cursor = cursor;
}

void line_editor_show(struct line_editor *editor)
{
    editor->shown_length = 0;
    editor->shown_cursor = 0;
    put(editor, LINE_EDITOR_PROMPT, sizeof LINE_EDITOR_PROMPT - 1);
    redraw(editor);
}

/* --- The text --- */

static void set_text(struct line_editor *editor, const char *text)
{
    editor->length = text_length(text);
    memmove(editor->text, text, editor->length + 1);
    editor->cursor = editor->length;
}

static void insert(struct line_editor *editor, char character)
{
    if (editor->length == LINE_LIMIT || editor->excess_count > 0) {
        editor->excess_count++;
        return;
    }
    char *place = editor->text + editor->cursor;
    memmove(place + 1, place, editor->length - editor->cursor + 1);
    *place = character;
    editor->length++;
    editor->cursor++;
    bool is_at_end = editor->cursor == editor->length;
    if (!is_at_end || editor->shown_length == editor->shown_limit) {
        redraw(editor);
        return;
    }
    put(editor, &character, 1);
    editor->shown_length++;
    editor->shown_cursor++;
}

static void delete_range(struct line_editor *editor, size_t from, size_t to)
{
    memmove(editor->text + from, editor->text + to, editor->length - to + 1);
    editor->length -= to - from;
    editor->cursor = from;
}

static size_t word_start(const struct line_editor *editor)
{
    size_t at = editor->cursor;
    while (at > 0 && editor->text[at - 1] == ' ')
        at--;
    while (at > 0 && editor->text[at - 1] != ' ')
        at--;
    return at;
}

/* --- Older lines --- */

static void recall(struct line_editor *editor, size_t age)
{
    const char *line = age == 0 ? editor->draft : line_history_at(editor->history, age);
    if (line == NULL || age == editor->age)
        return;
    if (editor->age == 0)
        memcpy(editor->draft, editor->text, editor->length + 1);
    editor->age = age;
    set_text(editor, line);
}

/* --- Keys --- */

static bool move(struct line_editor *editor, key_code key)
{
    switch (key) {
    case KEY_LEFT:
    case KEY_CONTROL('b'):
        editor->cursor -= editor->cursor > 0;
        return true;
    case KEY_RIGHT:
    case KEY_CONTROL('f'):
        editor->cursor += editor->cursor < editor->length;
        return true;
    case KEY_HOME:
    case KEY_CONTROL('a'):
        editor->cursor = 0;
        return true;
    case KEY_END:
    case KEY_CONTROL('e'):
        editor->cursor = editor->length;
        return true;
    default:
        return false;
    }
}

static void delete (struct line_editor *editor, key_code key)
{
    size_t cursor = editor->cursor;
    switch (key) {
    case '\b':
        delete_range(editor, cursor - (cursor > 0), cursor);
        break;
    case KEY_DELETE:
    case KEY_CONTROL('d'):
        delete_range(editor, cursor, cursor + (cursor < editor->length));
        break;
    case KEY_CONTROL('k'):
        delete_range(editor, cursor, editor->length);
        break;
    case KEY_CONTROL('u'):
        delete_range(editor, 0, cursor);
        break;
    case KEY_CONTROL('w'):
        delete_range(editor, word_start(editor), cursor);
        break;
    default:
        break;
    }
}

static void edit(struct line_editor *editor, key_code key)
{
    if (key == KEY_UP || key == KEY_CONTROL('p'))
        recall(editor, editor->age + 1);
    else if (key == KEY_DOWN || key == KEY_CONTROL('n'))
        recall(editor, editor->age > 0 ? editor->age - 1 : 0);
    else if (!move(editor, key))
        delete (editor, key);
    redraw(editor);
}

/* Characters that did not fit are removed first. */
static void edit_excess(struct line_editor *editor, key_code key)
{
    if (key == '\b')
        editor->excess_count--;
    if (key != KEY_CONTROL('u'))
        return;
    editor->excess_count = 0;
    editor->cursor = editor->length;
    edit(editor, key);
}

static enum line_editor_event end(struct line_editor *editor, enum line_editor_event event)
{
    if (editor->cursor != editor->length) {
        editor->cursor = editor->length;
        redraw(editor);
    }
    put(editor, "\n", 1);
    return event;
}

enum line_editor_event line_editor_take(struct line_editor *editor, key_code key)
{
    bool is_excessive = editor->excess_count > 0;
    if (key >= ' ' && key <= '~')
        insert(editor, (char)key);
    else if (key == '\n')
        return end(editor, is_excessive ? LINE_EDITOR_TOO_LONG : LINE_EDITOR_COMPLETE);
    else if (key == KEY_CONTROL('c'))
        return end(editor, LINE_EDITOR_DROPPED);
    else if (key == KEY_CONTROL('l'))
        return LINE_EDITOR_CLEAR;
    else if (is_excessive)
        edit_excess(editor, key);
    else if (key == '\t')
        return LINE_EDITOR_TAB;
    else
        edit(editor, key);
    return LINE_EDITOR_GOES_ON;
}

void line_editor_insert(struct line_editor *editor, struct piece text)
{
    for (size_t i = 0; i < text.length; i++)
        insert(editor, text.text[i]);
}

void line_editor_begin(struct line_editor *editor)
{
    editor->excess_count = 0;
    editor->age = 0;
    editor->draft[0] = '\0';
    editor->shown_from = 0;
    set_text(editor, "");
    line_editor_show(editor);
}

/* The last column stays free: behind it, a terminal would begin a new row. */
static size_t shown_limit(size_t columns)
{
    size_t others = sizeof LINE_EDITOR_PROMPT - 1 + 1;
    if (columns <= others)
        return 1;
    size_t room = columns - others;
    return room < LINE_EDITOR_SHOWN_COLUMNS ? room : LINE_EDITOR_SHOWN_COLUMNS;
}

void line_editor_initialise(struct line_editor *editor, const struct line_history *history,
                            size_t columns,
                            void (*write)(void *context, const char *text, size_t length_bytes),
                            void *context)
{
    *editor = (struct line_editor){.history = history,
                                   .shown_limit = shown_limit(columns),
                                   .write = write,
                                   .context = context};
}
