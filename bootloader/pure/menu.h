/*
 * menu.h - the menu of the entries: keys in, rows of text out.
 *
 * The rows fit on every screen and terminal: no row reaches the last column of 80, and no text the
 * last row of 24. A view is a list of rows:
 *
 *   row  0      the heading
 *   rows 2-15   the entries around the selected one, or a text
 *   rows 17-20  the error of the selected entry, or a message: two rows, and two hashes
 *   row  21     the countdown
 *   row  22     the keys
 *
 * Pure: no firmware, no allocation. Fuzzed by tests/fuzz/fuzz_menu.c.
 */
#ifndef BOOTLOADER_PURE_MENU_H
#define BOOTLOADER_PURE_MENU_H

#include "bootloader/pure/entries.h"
#include "bootloader/pure/menu_key.h"

#define MENU_ROW_COUNT      23
#define MENU_COLUMN_COUNT   79
#define MENU_ROW_CAPACITY   (4 * MENU_COLUMN_COUNT + 1) /* UTF-8 and a NUL */
#define MENU_FIRST_ROW      2
#define MENU_LIST_ROW_COUNT 14
#define MENU_TEXT_CAPACITY  1200

enum menu_view {
    MENU_VIEW_LIST = 0,
    MENU_VIEW_DETAILS, /* the text */
    MENU_VIEW_EDIT,    /* the text is the command line, with a cursor */
    MENU_VIEW_PATH,    /* the text is the path of an EFI application, with a cursor */
};

/* The requests of the menu to its caller. */
enum menu_request {
    MENU_NOTHING = 0,
    MENU_START,        /* the selected entry */
    MENU_START_TEXT,   /* the selected entry, with menu->text as its command line */
    MENU_START_PATH,   /* the EFI application at menu->text */
    MENU_WANT_LINE,    /* call menu_show_text() with the command line of the selected entry */
    MENU_WANT_DETAILS, /* call menu_show_text() with them */
    MENU_SETUP,
    MENU_REBOOT,
    MENU_POWER_OFF,
};

/* It begins as zeros. */
struct menu {
    const struct entry_list *list;
    const char *config_path;
    const char *forbids_change; /* why command lines cannot be edited; NULL: they can */
    const char *message;
    enum menu_view view;
    unsigned selected;
    unsigned seconds_left; /* to the start of the selected entry, which is good; 0: no countdown */
    unsigned cursor;       /* in the text */
    unsigned length;       /* of the text */
    char text[MENU_TEXT_CAPACITY];
};

/* Show a text in another view. Longer text is cut. */
void menu_show_text(struct menu *menu, enum menu_view view, const char *text);

/* Take a key. It ends the countdown. */
enum menu_request menu_press(struct menu *menu, unsigned key);

/* A second has passed. */
enum menu_request menu_pass_second(struct menu *menu);

/* Write a row, in UTF-8 without control characters, and with blanks up to the last column. */
void menu_draw_row(const struct menu *menu, unsigned row, char text[MENU_ROW_CAPACITY]);

/* Return whether the view has a cursor, and its place. */
bool menu_find_cursor(const struct menu *menu, unsigned *ret_row, unsigned *ret_column);

#endif
