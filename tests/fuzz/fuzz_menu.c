/* The menu: the bytes are what a terminal sends. Any keys keep the menu's promises: the selection is in the list, the
 * text is within its limit, and each row fills its columns without a control character. */
#include <stdbool.h>
#include <string.h>

#include "bootloader/pure/menu.h"
#include "bootloader/pure/utf8.h"
#include "tests/fuzz/require.h"

static struct entry_list list;
static struct menu menu;

static void require_row(unsigned number)
{
    char text[MENU_ROW_CAPACITY];
    unsigned columns = 0;
    menu_draw_row(&menu, number, text);
    require(memchr(text, '\0', sizeof(text)) != NULL);
    for (const char *place = text; *place != '\0';) {
        const char *start = place;
        uint32_t character = utf8_next(&place);
        require(character != '?' || *start == '?');
        columns += character >= 0x1100 ? 2 : 1;
    }
    require(columns == MENU_COLUMN_COUNT);
}

static void require_sound(void)
{
    unsigned row;
    unsigned column;
    require(menu.selected < list.count);
    require(menu.view == MENU_VIEW_LIST || menu.length == strlen(menu.text));
    require(menu.length < MENU_TEXT_CAPACITY && menu.cursor <= menu.length);
    if (menu_find_cursor(&menu, &row, &column))
        require(row < MENU_ROW_COUNT && column < MENU_COLUMN_COUNT);
    for (unsigned number = 0; number < MENU_ROW_COUNT; number++)
        require_row(number);
}

static void answer(enum menu_request request, const char *text)
{
    require((request != MENU_START && request != MENU_START_TEXT) ||
            list.entries[menu.selected].status == CONFIG_OK);
    if (request == MENU_WANT_DETAILS)
        menu_show_text(&menu, MENU_VIEW_DETAILS, text);
    if (request == MENU_WANT_LINE)
        menu_show_text(&menu, MENU_VIEW_EDIT, text);
    if (request == MENU_START_PATH)
        require(menu.text[0] == '\\' && strlen(menu.text) < CONFIG_PATH_CAPACITY);
}

/* The first bytes choose the length of the list. The others are titles, command lines and keys. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct menu_key_reader reader = {0};
    char text[CONFIG_COMMAND_LINE_CAPACITY];
    if (size_bytes < 2)
        return 0;
    size_t length = size_bytes < sizeof(text) ? size_bytes : sizeof(text) - 1;
    memcpy(text, bytes, length);
    text[length] = '\0';
    size_t title_length = strlen(text);
    if (title_length > CONFIG_TITLE_CAPACITY - 1)
        title_length = CONFIG_TITLE_CAPACITY - 1;
    list.count = bytes[0] % ENTRY_LIMIT + 1;
    for (unsigned i = 0; i < list.count && i < 16; i++) {
        memcpy(list.entries[i].title, text, title_length);
        list.entries[i].title[title_length] = '\0';
        list.entries[i].status = (bytes[1] >> i % 8 & 1) != 0 ? CONFIG_BAD_NUMBER : CONFIG_OK;
    }
    menu = (struct menu){.list = &list,
                         .config_path = "\\c",
                         .seconds_left = (bytes[1] & 1) != 0 ? 0 : bytes[1] % 4};
    for (size_t i = 2; i < size_bytes && i < 200; i++) {
        unsigned key =
            bytes[i] == 0xfe ? menu_key_pause(&reader) : menu_key_read(&reader, bytes[i]);
        if (key != MENU_KEY_NONE)
            answer(menu_press(&menu, key), text);
        if (bytes[i] == 0xfd)
            answer(menu_pass_second(&menu), text);
    }
    require_sound();
    return 0;
}
