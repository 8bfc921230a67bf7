#include "bootloader/pure/menu.h"

#include "bootloader/pure/config_value.h"
#include "bootloader/pure/text_part.h"
#include "bootloader/pure/utf8.h"
#include "shared/memory.h"
#include "shared/text/command_line.h"
#include "shared/text/format.h"
#include "shared/text/packed_text.h"
#include "shared/text/text.h"

#define MESSAGE_ROW   17
#define COUNTDOWN_ROW 21
#define KEYS_ROW      22
#define FIRST_WIDE    0x1100 /* from here on, some characters take two columns */
#define TEXT_LIMIT    (CONFIG_COMMAND_LINE_CAPACITY - 1)

/* In the order of enum menu_view: the headings, then the rows of keys. */
static const char fixed_rows[] PACKED_SECTION =
    "Handoff: choose an entry (%u of %u)\0"
    "Details\0"
    "The command line of this boot\0"
    "The path of an EFI application\0"
    "Enter: start  e: edit  d: details  p: application  s: setup  r: reboot  o: off\0"
    "Esc: back\0"
    "Enter: start  Esc: back\0"
    "Enter: start  Esc: back\0";
#define VIEW_COUNT 4

/* --- Keys --- */

void menu_show_text(struct menu *menu, enum menu_view view, const char *text)
{
    format_text(menu->text, sizeof(menu->text), "%s", text);
    menu->length = (unsigned)text_length(menu->text);
    menu->cursor = view == MENU_VIEW_DETAILS ? 0 : menu->length;
    menu->message = NULL;
    menu->view = view;
}

static const struct entry *selected_entry(const struct menu *menu)
{
    return &menu->list->entries[menu->selected];
}

/* Move by a key that goes back or forward, in the list or in a text. */
static void move_by_key(unsigned key, unsigned *place, unsigned last, bool is_list)
{
    static const uint8_t keys[] = {MENU_KEY_UP & 0xff,      MENU_KEY_DOWN & 0xff,
                                   MENU_KEY_LEFT & 0xff,    MENU_KEY_RIGHT & 0xff,
                                   MENU_KEY_HOME & 0xff,    MENU_KEY_END & 0xff,
                                   MENU_KEY_PAGE_UP & 0xff, MENU_KEY_PAGE_DOWN & 0xff};
    const unsigned steps[] = {is_list ? 1 : MENU_COLUMN_COUNT, 1, last, MENU_LIST_ROW_COUNT};
    for (unsigned i = 0; i < sizeof(keys); i++) {
        if (key != MENU_KEY_SCAN_CODES + keys[i])
            continue;
        unsigned room = i % 2 == 0 ? *place : last - *place;
        unsigned step = steps[i / 2] < room ? steps[i / 2] : room;
        *place = i % 2 == 0 ? *place - step : *place + step;
    }
}

/* The letters of the first row of keys, in the order of the requests. */
static enum menu_request request_of(unsigned key)
{
    static const char letters[] = "edsro";
    for (unsigned i = 0; i < sizeof(letters) - 1; i++) {
        if (key == (unsigned char)letters[i])
            return (enum menu_request)(MENU_WANT_LINE + i);
    }
    return key == MENU_KEY_ENTER ? MENU_START : MENU_NOTHING;
}

static enum menu_request press_in_list(struct menu *menu, unsigned key)
{
    enum menu_request request = request_of(key);
    move_by_key(key, &menu->selected, menu->list->count - 1, true);
    if (key == 'p')
        menu_show_text(menu, MENU_VIEW_PATH, "");
    if (request == MENU_WANT_LINE)
        menu->message = menu->forbids_change;
    bool needs_good = request == MENU_START || request == MENU_WANT_LINE;
    bool is_refused = menu->message != NULL || selected_entry(menu)->status != CONFIG_OK;
    return needs_good && is_refused ? MENU_NOTHING : request;
}

/* Remove a character before the cursor, or put one there. The text stays within its limit. */
static void change_text(struct menu *menu, bool is_removal, char character)
{
    char *place = menu->text + menu->cursor;
    size_t rest_bytes = menu->length + 1 - menu->cursor;
    if (is_removal && menu->cursor > 0) {
        memmove(place - 1, place, rest_bytes);
        menu->cursor--;
        menu->length--;
    } else if (!is_removal && menu->length < TEXT_LIMIT) {
        memmove(place + 1, place, rest_bytes);
        *place = character;
        menu->cursor++;
        menu->length++;
    }
}

static enum menu_request accept_text(struct menu *menu)
{
    char path[CONFIG_PATH_CAPACITY];
    enum config_status status = CONFIG_OK;
    if (menu->view == MENU_VIEW_PATH)
        status = config_value_path((struct piece){menu->text, menu->length}, path);
    else if (command_line_has_open_quote(menu->text))
        status = CONFIG_OPEN_QUOTE;
    if (status != CONFIG_OK) {
        menu->message = config_status_text(status);
        return MENU_NOTHING;
    }
    if (menu->view == MENU_VIEW_EDIT)
        return MENU_START_TEXT;
    menu_show_text(menu, MENU_VIEW_PATH, path);
    return MENU_START_PATH;
}

static enum menu_request press_in_text(struct menu *menu, unsigned key)
{
    if (key == MENU_KEY_DELETE && menu->cursor < menu->length) {
        menu->cursor++;
        key = MENU_KEY_BACKSPACE;
    }
    if (key == MENU_KEY_ENTER)
        return accept_text(menu);
    if (key == MENU_KEY_BACKSPACE || (key >= ' ' && key <= '~'))
        change_text(menu, key == MENU_KEY_BACKSPACE, (char)key);
    else
        move_by_key(key, &menu->cursor, menu->length, false);
    return MENU_NOTHING;
}

enum menu_request menu_press(struct menu *menu, unsigned key)
{
    bool is_back =
        key == MENU_KEY_ESCAPE || (menu->view == MENU_VIEW_DETAILS && key == MENU_KEY_ENTER);
    menu->seconds_left = 0;
    menu->message = NULL;
    if (menu->view == MENU_VIEW_LIST)
        return press_in_list(menu, key);
    if (menu->view != MENU_VIEW_DETAILS && !is_back)
        return press_in_text(menu, key);
    if (is_back)
        menu->view = MENU_VIEW_LIST;
    return MENU_NOTHING;
}

enum menu_request menu_pass_second(struct menu *menu)
{
    return menu->seconds_left != 0 && --menu->seconds_left == 0 ? MENU_START : MENU_NOTHING;
}

/* --- Rows --- */

struct row {
    char *text;
    size_t length;
    unsigned column;
};

/* Append characters that fit before column `end`. A line feed ends the text. Return its rest. */
static const char *put(struct row *row, unsigned end, const char *text)
{
    while (*text != '\0' && *text != '\n') {
        const char *rest = text;
        uint32_t character = utf8_next(&rest);
        unsigned width = character >= FIRST_WIDE ? 2 : 1;
        if (row->column + width > end)
            break;
        size_t size_bytes = (size_t)(rest - text);
        memcpy(row->text + row->length, character == '?' ? "?" : text,
               character == '?' ? 1 : size_bytes);
        row->length += character == '?' ? 1 : size_bytes;
        row->column += width;
        text = rest;
    }
    return text;
}

/* Move the part of a word at the end of a row back to `rest`. A word as long as the row stays. */
static const char *keep_word(struct row *row, const char *rest)
{
    unsigned count = 0;
    while (count < row->length && row->text[row->length - 1 - count] > ' ')
        count++;
    if (count == row->length)
        return rest;
    row->length -= count;
    row->column -= count;
    return rest - count;
}

/* Append row `number` of a text with several rows. */
static void put_row_of(struct row *row, const char *text, unsigned number, bool keeps_words)
{
    for (;; number--) {
        row->length = row->column = 0;
        text = put(row, MENU_COLUMN_COUNT, text);
        if (keeps_words && *text > ' ')
            text = keep_word(row, text);
        if (number == 0)
            return;
        if (*text == '\n')
            text++;
    }
}

static void put_entry(const struct menu *menu, struct row *row, unsigned line)
{
    unsigned index = menu->selected - menu->selected % MENU_LIST_ROW_COUNT + line;
    if (index >= menu->list->count || line >= MENU_LIST_ROW_COUNT)
        return;
    const struct entry *entry = &menu->list->entries[index];
    const char *mark = entry_is_good(entry) ? "" : " (error)";
    put(row, 2, index == menu->selected ? "> " : "  ");
    put(row, MENU_COLUMN_COUNT - (unsigned)text_length(mark), entry->title);
    put(row, MENU_COLUMN_COUNT, mark);
}

/* A message, or else the error of the selected entry. */
static const char *find_message(const struct menu *menu, char *text, size_t capacity_bytes)
{
    const struct entry *entry = selected_entry(menu);
    if (menu->message != NULL)
        return menu->message;
    if (menu->view == MENU_VIEW_LIST && entry->error != LOADER_OK)
        format_text(text, capacity_bytes, "HL-%02d: %s", entry->error,
                    error_cause((unsigned)entry->error));
    else if (menu->view == MENU_VIEW_LIST && entry->status != CONFIG_OK)
        entry_describe_error(entry, menu->config_path, text, capacity_bytes);
    return text;
}

static void write_text(const struct menu *menu, unsigned number, char *text, size_t capacity_bytes)
{
    unsigned part = (unsigned)menu->view + (number == KEYS_ROW ? VIEW_COUNT : 0);
    if (number == 0 || number == KEYS_ROW)
        format_text(text, capacity_bytes, text_part(packed_text_read(fixed_rows), part),
                    menu->selected + 1, menu->list->count);
    else if (number == COUNTDOWN_ROW && menu->seconds_left != 0)
        format_packed(text, capacity_bytes, "It starts in %u s. Any key stops this.",
                      menu->seconds_left);
}

void menu_draw_row(const struct menu *menu, unsigned number, char text[MENU_ROW_CAPACITY])
{
    struct row row = {text, 0, 0};
    char buffer[400] = "";
    const char *shown = buffer;
    unsigned part = 0;
    bool keeps_words = menu->view == MENU_VIEW_DETAILS;
    if (number < MENU_FIRST_ROW || number >= COUNTDOWN_ROW) {
        write_text(menu, number, buffer, sizeof(buffer));
        keeps_words = false;
    } else if (number >= MESSAGE_ROW && !keeps_words) {
        shown = find_message(menu, buffer, sizeof(buffer));
        part = number - MESSAGE_ROW;
        keeps_words = true;
    } else if (menu->view != MENU_VIEW_LIST) {
        shown = menu->text;
        part = number - MENU_FIRST_ROW;
    }
    put_row_of(&row, shown, part, keeps_words);
    if (menu->view == MENU_VIEW_LIST)
        put_entry(menu, &row, number - MENU_FIRST_ROW);
    for (; row.column < MENU_COLUMN_COUNT; row.column++)
        text[row.length++] = ' ';
    text[row.length] = '\0';
}

bool menu_find_cursor(const struct menu *menu, unsigned *ret_row, unsigned *ret_column)
{
    *ret_row = MENU_FIRST_ROW + menu->cursor / MENU_COLUMN_COUNT;
    *ret_column = menu->cursor % MENU_COLUMN_COUNT;
    return menu->view == MENU_VIEW_EDIT || menu->view == MENU_VIEW_PATH;
}
