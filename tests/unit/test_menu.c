#include "tests/unit/support/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "bootloader/pure/menu.h"
#include "bootloader/pure/utf8.h"

#define ESC "\033"

static struct entry_list list;
static struct menu menu;

static struct entry *add(const char *title)
{
    struct entry *entry = &list.entries[list.count++];
    memset(entry, 0, sizeof(*entry));
    (void)snprintf(entry->id, sizeof(entry->id), "id%u", list.count);
    (void)snprintf(entry->title, sizeof(entry->title), "%s", title);
    return entry;
}

static void open_menu(unsigned count)
{
    list.count = 0;
    for (unsigned i = 0; i < count; i++) {
        char title[20];
        (void)snprintf(title, sizeof(title), "Entry %u", i + 1);
        add(title);
    }
    menu = (struct menu){.list = &list, .config_path = "\\handoff.conf"};
}

/* Return a row without the blanks at its end. The next call overwrites it. */
static const char *row(unsigned number)
{
    static char text[MENU_ROW_CAPACITY];
    memset(text, 0x77, sizeof(text));
    menu_draw_row(&menu, number, text);
    size_t length = strlen(text);
    assert_true(length < MENU_ROW_CAPACITY);
    while (length > 0 && text[length - 1] == ' ')
        length--;
    text[length] = '\0';
    return text;
}

static void type(const char *text)
{
    for (; *text != '\0'; text++)
        assert_int_equal(menu_press(&menu, (unsigned char)*text), MENU_NOTHING);
}

static void press_many(unsigned key, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(menu_press(&menu, key), MENU_NOTHING);
}

static void test_list(void **state)
{
    (void)state;
    open_menu(3);
    list.entries[2].status = CONFIG_BAD_NUMBER;
    assert_string_equal(row(0), "Handoff: choose an entry (1 of 3)");
    assert_string_equal(row(1), "");
    assert_string_equal(row(2), "> Entry 1");
    assert_string_equal(row(3), "  Entry 2");
    assert_string_equal(row(4), "  Entry 3 (error)");
    assert_string_equal(row(5), "");
    assert_string_equal(row(21), "");
    assert_non_null(strstr(row(22), "Enter: start"));
    for (unsigned view = MENU_VIEW_LIST; view <= MENU_VIEW_PATH; view++) {
        menu.view = (enum menu_view)view;
        assert_true(strlen(row(22)) < MENU_COLUMN_COUNT); /* nothing was cut off */
    }
}

static void test_each_row_fills_its_columns(void **state)
{
    (void)state;
    char text[MENU_ROW_CAPACITY];
    open_menu(30);
    for (unsigned number = 0; number < MENU_ROW_COUNT; number++) {
        menu_draw_row(&menu, number, text);
        assert_int_equal(strlen(text), MENU_COLUMN_COUNT);
    }
}

static void test_arrows_stay_in_the_list(void **state)
{
    (void)state;
    open_menu(3);
    press_many(MENU_KEY_UP, 2);
    assert_int_equal(menu.selected, 0);
    press_many(MENU_KEY_DOWN, 1);
    assert_int_equal(menu.selected, 1);
    assert_string_equal(row(3), "> Entry 2");
    press_many(MENU_KEY_DOWN, 5);
    assert_int_equal(menu.selected, 2);
    assert_int_equal(menu_press(&menu, MENU_KEY_ENTER), MENU_START);
    press_many(MENU_KEY_LEFT, 1);
    assert_int_equal(menu.selected, 1);
}

static void test_CM4_two_hundred_entries(void **state)
{
    (void)state;
    open_menu(200);
    press_many(MENU_KEY_DOWN, 13);
    assert_string_equal(row(15), "> Entry 14");
    press_many(MENU_KEY_DOWN, 1);
    assert_string_equal(row(2), "> Entry 15");
    press_many(MENU_KEY_PAGE_DOWN, 1);
    assert_string_equal(row(2), "> Entry 29");
    press_many(MENU_KEY_END, 1);
    assert_string_equal(row(0), "Handoff: choose an entry (200 of 200)");
    assert_string_equal(row(2), "  Entry 197");
    assert_string_equal(row(5), "> Entry 200");
    assert_string_equal(row(6), "");
    press_many(MENU_KEY_PAGE_UP, 1);
    assert_int_equal(menu.selected, 185);
    press_many(MENU_KEY_HOME, 1);
    assert_int_equal(menu.selected, 0);
}

static void test_a_single_entry(void **state)
{
    (void)state;
    static const unsigned KEYS[] = {MENU_KEY_UP,   MENU_KEY_DOWN, MENU_KEY_PAGE_UP,
                                    MENU_KEY_HOME, MENU_KEY_END,  MENU_KEY_PAGE_DOWN};
    open_menu(1);
    for (size_t i = 0; i < sizeof(KEYS) / sizeof(KEYS[0]); i++)
        press_many(KEYS[i], 1);
    assert_int_equal(menu.selected, 0);
}

static void test_requests(void **state)
{
    (void)state;
    open_menu(1);
    assert_int_equal(menu_press(&menu, MENU_KEY_ENTER), MENU_START);
    assert_int_equal(menu_press(&menu, 'd'), MENU_WANT_DETAILS);
    assert_int_equal(menu_press(&menu, 'e'), MENU_WANT_LINE);
    assert_int_equal(menu_press(&menu, 's'), MENU_SETUP);
    assert_int_equal(menu_press(&menu, 'r'), MENU_REBOOT);
    assert_int_equal(menu_press(&menu, 'o'), MENU_POWER_OFF);
    assert_int_equal(menu_press(&menu, 'x'), MENU_NOTHING);
    assert_int_equal(menu_press(&menu, MENU_KEY_ESCAPE), MENU_NOTHING);
    assert_int_equal(menu_press(&menu, 0xffff), MENU_NOTHING);
    assert_int_equal(menu.view, MENU_VIEW_LIST);
}

static void test_countdown(void **state)
{
    (void)state;
    open_menu(2);
    menu.seconds_left = 3;
    assert_string_equal(row(21), "It starts in 3 s. Any key stops this.");
    assert_int_equal(menu_pass_second(&menu), MENU_NOTHING);
    assert_int_equal(menu_pass_second(&menu), MENU_NOTHING);
    assert_string_equal(row(21), "It starts in 1 s. Any key stops this.");
    assert_int_equal(menu_pass_second(&menu), MENU_START);
    menu.seconds_left = 3;
    type("x");
    assert_string_equal(row(21), "");
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(menu_pass_second(&menu), MENU_NOTHING);
}

/* The longest message of the usual kind: the refusal of a file has two rows, and two hashes. */
static void test_I1_refusal_shows_both_hashes(void **state)
{
    (void)state;
    char sentence[2 * MENU_COLUMN_COUNT + 1];
    char message[400];
    memset(sentence, 's', sizeof(sentence) - 1);
    sentence[sizeof(sentence) - 1] = '\0';
    (void)snprintf(message, sizeof(message), "%s\n  it has: %064d\n  wanted: %064d. Remedy",
                   sentence, 1, 2);
    open_menu(20);
    menu.message = message;
    assert_string_equal(row(16), "");
    assert_int_equal(strlen(row(17)), MENU_COLUMN_COUNT);
    assert_int_equal(strlen(row(18)), MENU_COLUMN_COUNT);
    assert_int_equal(strncmp(row(19), "  it has: 0", 11), 0);
    assert_int_equal(strncmp(row(20), "  wanted: 0", 11), 0);
}

static void test_a_broken_entry_shows_its_error_and_does_not_start(void **state)
{
    (void)state;
    open_menu(2);
    list.entries[1].status = CONFIG_BAD_NUMBER;
    list.entries[1].wrong = (struct config_wrong){7, "temp_heap"};
    assert_string_equal(row(17), "");
    press_many(MENU_KEY_DOWN, 1);
    assert_string_equal(row(17),
                        "\\handoff.conf, line 7, key temp_heap: The value is not a number such as");
    assert_string_equal(row(18), "1048576, 0x100000 or 1M.");
    assert_string_equal(row(19), "");
    assert_int_equal(menu_press(&menu, MENU_KEY_ENTER), MENU_NOTHING);
    assert_int_equal(menu_press(&menu, 'e'), MENU_NOTHING);
    assert_int_equal(menu_press(&menu, 'd'), MENU_WANT_DETAILS);
}

static void test_an_entry_that_could_not_be_loaded_can_be_tried_again(void **state)
{
    (void)state;
    open_menu(1);
    list.entries[0].error = LOADER_ERROR_FILE_NOT_FOUND;
    menu.message = "A message.";
    assert_string_equal(row(2), "> Entry 1 (error)");
    assert_string_equal(row(17), "A message.");
    type("x");
    assert_string_equal(row(17), "HL-04: The file is not on the boot volume.");
    assert_int_equal(menu_press(&menu, MENU_KEY_ENTER), MENU_START);

    /* Without its file, the global lines would start. */
    list.entries[0].status = CONFIG_UNREAD;
    assert_string_equal(row(17), "HL-04: The file is not on the boot volume.");
    assert_int_equal(menu_press(&menu, MENU_KEY_ENTER), MENU_NOTHING);
    assert_int_equal(menu_press(&menu, 'e'), MENU_NOTHING);
}

static void test_long_and_non_ascii_titles(void **state)
{
    (void)state;
    char title[CONFIG_TITLE_CAPACITY];
    list.count = 0;
    memset(title, 'x', sizeof(title));
    title[sizeof(title) - 1] = '\0';
    add(title)->status = CONFIG_BAD_NUMBER;
    add("\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80");
    add("a" ESC "[2J\x7f\xc2\x9b\xff\xc3");
    for (size_t i = 0; i + 3 < sizeof(title); i += 3) {
        memcpy(title + i, "\xe6\xbc\xa2", 3); /* two columns each */
        title[i + 3] = '\0';
    }
    add(title);
    menu = (struct menu){.list = &list};
    const char *long_row = row(2);
    assert_int_equal(strlen(long_row), MENU_COLUMN_COUNT);
    assert_string_equal(long_row + MENU_COLUMN_COUNT - 9, "x (error)");
    assert_string_equal(row(3), "  \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80");
    assert_string_equal(row(4), "  a?[2J????");
    assert_int_equal(strlen(row(5)), 2 + 3 * 38); /* 78 columns */
}

static void test_edit(void **state)
{
    (void)state;
    unsigned line;
    unsigned column;
    open_menu(1);
    assert_false(menu_find_cursor(&menu, &line, &column));
    menu_show_text(&menu, MENU_VIEW_EDIT, "one two");
    assert_string_equal(row(0), "The command line of this boot");
    assert_string_equal(row(2), "one two");
    assert_true(menu_find_cursor(&menu, &line, &column));
    assert_int_equal(line, 2);
    assert_int_equal(column, 7);
    type(" e"); /* a command in the list, a character here */
    press_many(MENU_KEY_BACKSPACE, 1);
    press_many(MENU_KEY_HOME, 1);
    press_many(MENU_KEY_DELETE, 1);
    press_many(MENU_KEY_BACKSPACE, 1);
    type("0");
    press_many(MENU_KEY_RIGHT, 1);
    press_many(MENU_KEY_LEFT, 1);
    type("x");
    assert_string_equal(menu.text, "0xne two ");
    press_many(MENU_KEY_END, 1);
    press_many(MENU_KEY_DELETE, 1);
    press_many(MENU_KEY_RIGHT, 1);
    assert_string_equal(menu.text, "0xne two ");
    assert_int_equal(menu_press(&menu, MENU_KEY_ENTER), MENU_START_TEXT);
    press_many(MENU_KEY_ESCAPE, 1);
    assert_int_equal(menu.view, MENU_VIEW_LIST);
}

static void test_the_command_line_has_a_limit_and_wraps(void **state)
{
    (void)state;
    char text[CONFIG_COMMAND_LINE_CAPACITY];
    unsigned line;
    unsigned column;
    memset(text, 'c', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    open_menu(1);
    menu_show_text(&menu, MENU_VIEW_EDIT, text);
    type("d");
    assert_string_equal(menu.text, text);
    assert_int_equal(strlen(row(14)), 1023 - 12 * MENU_COLUMN_COUNT);
    assert_true(menu_find_cursor(&menu, &line, &column));
    assert_int_equal(line, 14);
    press_many(MENU_KEY_UP, 1);
    assert_true(menu_find_cursor(&menu, &line, &column));
    assert_int_equal(line, 13);
}

static void test_an_open_quote_is_refused(void **state)
{
    (void)state;
    open_menu(1);
    menu_show_text(&menu, MENU_VIEW_EDIT, "a=\"b");
    assert_int_equal(menu_press(&menu, MENU_KEY_ENTER), MENU_NOTHING);
    assert_string_equal(row(17), "The command line has a quote that is never closed.");
    type("\"");
    assert_string_equal(row(17), "");
    assert_int_equal(menu_press(&menu, MENU_KEY_ENTER), MENU_START_TEXT);
}

static void test_I3_a_line_that_must_not_be_edited(void **state)
{
    (void)state;
    open_menu(1);
    menu.forbids_change = "Secure Boot is on.";
    assert_int_equal(menu_press(&menu, 'e'), MENU_NOTHING);
    assert_string_equal(row(17), "Secure Boot is on.");
    assert_int_equal(menu.view, MENU_VIEW_LIST);
}

static void test_path_of_an_efi_application(void **state)
{
    (void)state;
    open_menu(1);
    type("p");
    assert_int_equal(menu.view, MENU_VIEW_PATH);
    assert_string_equal(row(2), "");
    type("a/../b");
    assert_int_equal(menu_press(&menu, MENU_KEY_ENTER), MENU_NOTHING);
    assert_string_equal(row(17), "The path contains '..'.");
    (void)menu_press(&menu, MENU_KEY_ESCAPE);
    assert_string_equal(row(17), "");
    type("p");
    assert_int_equal(menu_press(&menu, MENU_KEY_ENTER), MENU_NOTHING);
    assert_string_equal(row(17), "The value is empty.");
    type("efi/shell.efi");
    assert_int_equal(menu_press(&menu, MENU_KEY_ENTER), MENU_START_PATH);
    assert_string_equal(menu.text, "\\efi\\shell.efi");
}

static void test_details(void **state)
{
    (void)state;
    open_menu(2);
    menu_show_text(&menu, MENU_VIEW_DETAILS, "first\n\nthird");
    assert_string_equal(row(0), "Details");
    assert_string_equal(row(2), "first");
    assert_string_equal(row(3), "");
    assert_string_equal(row(4), "third");
    assert_string_equal(row(5), "");
    assert_string_equal(row(19), "");
    type("xe");
    assert_int_equal(menu.view, MENU_VIEW_DETAILS);
    assert_int_equal(menu_press(&menu, MENU_KEY_ENTER), MENU_NOTHING);
    assert_int_equal(menu.view, MENU_VIEW_LIST);
}

static void test_a_long_text_is_cut(void **state)
{
    (void)state;
    char text[3 * MENU_TEXT_CAPACITY];
    memset(text, 'l', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    open_menu(1);
    menu_show_text(&menu, MENU_VIEW_DETAILS, text);
    assert_int_equal(menu.length, MENU_TEXT_CAPACITY - 1);
    assert_int_equal(strlen(menu.text), MENU_TEXT_CAPACITY - 1);
}

/* --- Keys of a terminal --- */

static unsigned read_keys(const char *bytes, unsigned *keys)
{
    struct menu_key_reader reader = {0};
    unsigned count = 0;
    for (; *bytes != '\0'; bytes++) {
        unsigned key = menu_key_read(&reader, (uint8_t)*bytes);
        if (key != MENU_KEY_NONE)
            keys[count++] = key;
    }
    keys[count] = menu_key_pause(&reader);
    return keys[count] == MENU_KEY_NONE ? count : count + 1;
}

static void test_keys_of_a_terminal(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        unsigned key;
    } KEYS[] = {
        {ESC "[A", MENU_KEY_UP},
        {ESC "[B", MENU_KEY_DOWN},
        {ESC "[C", MENU_KEY_RIGHT},
        {ESC "[D", MENU_KEY_LEFT},
        {ESC "[H", MENU_KEY_HOME},
        {ESC "[F", MENU_KEY_END},
        {ESC "OA", MENU_KEY_UP},
        {ESC "OF", MENU_KEY_END},
        {ESC "[1~", MENU_KEY_HOME},
        {ESC "[3~", MENU_KEY_DELETE},
        {ESC "[4~", MENU_KEY_END},
        {ESC "[5~", MENU_KEY_PAGE_UP},
        {ESC "[7~", MENU_KEY_HOME},
        {ESC "[6~", MENU_KEY_PAGE_DOWN},
        {ESC "[8~", MENU_KEY_END},
        {ESC, MENU_KEY_ESCAPE},
        {"\r", MENU_KEY_ENTER},
        {"\n", MENU_KEY_ENTER},
        {"\r\n", MENU_KEY_ENTER},
        {"\x7f", MENU_KEY_BACKSPACE},
        {"\b", MENU_KEY_BACKSPACE},
        {"e", 'e'},
        {" ", ' '},
        {"~", '~'},
    };
    for (size_t i = 0; i < sizeof(KEYS) / sizeof(KEYS[0]); i++) {
        unsigned keys[8];
        assert_int_equal(read_keys(KEYS[i].bytes, keys), 1);
        assert_int_equal(keys[0], KEYS[i].key);
    }
}

static void test_noise_of_a_terminal(void **state)
{
    (void)state;
    static const char *const NOISE[] = {"\x01",      "\xff\xc3\xa4", ESC "[",   ESC "O",
                                        ESC "[E",    ESC "[2~",      ESC "[9~", ESC "[15~",
                                        ESC "[?25x", ESC "[Z",       "\t",      ""};
    unsigned keys[16];
    for (size_t i = 0; i < sizeof(NOISE) / sizeof(NOISE[0]); i++) {
        unsigned count = read_keys(NOISE[i], keys);
        assert_int_equal(count, 0);
    }
    assert_int_equal(read_keys(ESC "x" ESC ESC "[A\n\n", keys), 4);
    assert_int_equal(keys[0], 'x');
    assert_int_equal(keys[1], MENU_KEY_UP);
}

static void test_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        uint32_t character;
        int length;
    } CASES[] = {
        {"a", 'a', 1},
        {"\xc3\xa4", 0xe4, 2},
        {"\xe2\x82\xac", 0x20ac, 3},
        {"\xf0\x9f\x98\x80", 0x1f600, 4},
        {"\x1f", '?', 1},
        {"\x7f", '?', 1},
        {"\xc2\x85", '?', 2},
        {"\xc2\xa0", 0xa0, 2},
        {"\x80", '?', 1},
        {"\xc3", '?', 1},
        {"\xe2\x82", '?', 2},
        {"\xf8\x80", '?', 2},
        {"\xc0\x9b", '?', 2},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        const char *text = CASES[i].bytes;
        assert_int_equal(utf8_next(&text), CASES[i].character);
        assert_int_equal(text - CASES[i].bytes, CASES[i].length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_each_row_fills_its_columns),
        cmocka_unit_test(test_arrows_stay_in_the_list),
        cmocka_unit_test(test_CM4_two_hundred_entries),
        cmocka_unit_test(test_a_single_entry),
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_countdown),
        cmocka_unit_test(test_I1_refusal_shows_both_hashes),
        cmocka_unit_test(test_a_broken_entry_shows_its_error_and_does_not_start),
        cmocka_unit_test(test_an_entry_that_could_not_be_loaded_can_be_tried_again),
        cmocka_unit_test(test_long_and_non_ascii_titles),
        cmocka_unit_test(test_edit),
        cmocka_unit_test(test_the_command_line_has_a_limit_and_wraps),
        cmocka_unit_test(test_an_open_quote_is_refused),
        cmocka_unit_test(test_I3_a_line_that_must_not_be_edited),
        cmocka_unit_test(test_path_of_an_efi_application),
        cmocka_unit_test(test_details),
        cmocka_unit_test(test_a_long_text_is_cut),
        cmocka_unit_test(test_keys_of_a_terminal),
        cmocka_unit_test(test_noise_of_a_terminal),
        cmocka_unit_test(test_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
