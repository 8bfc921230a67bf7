/*
 * menu_key.h - the keys of the menu, from the firmware's keyboard and from a serial terminal.
 *
 * A key with a character is that character, in ASCII. The other ones are 0x100 plus the scan code of
 * the firmware (UEFI 2.10, table 12-1). A terminal sends a sequence for them (ECMA-48, section 5.4;
 * xterm, "Control Sequences"). Pure. Fuzzed by tests/fuzz/fuzz_menu.c.
 */
#ifndef BOOTLOADER_PURE_MENU_KEY_H
#define BOOTLOADER_PURE_MENU_KEY_H

#include <stdint.h>

enum menu_key {
    MENU_KEY_NONE = 0,
    MENU_KEY_BACKSPACE = '\b',
    MENU_KEY_ENTER = '\r',
    MENU_KEY_SCAN_CODES = 0x100,
    MENU_KEY_UP,
    MENU_KEY_DOWN,
    MENU_KEY_RIGHT,
    MENU_KEY_LEFT,
    MENU_KEY_HOME,
    MENU_KEY_END,
    MENU_KEY_DELETE = MENU_KEY_SCAN_CODES + 8,
    MENU_KEY_PAGE_UP,
    MENU_KEY_PAGE_DOWN,
    MENU_KEY_ESCAPE = MENU_KEY_SCAN_CODES + 0x17,
};

/* A reader of a terminal's bytes. It begins as zeros. */
struct menu_key_reader {
    uint8_t state;
    uint8_t digit; /* of the sequence */
};

/* Take the next byte. Return the key that it ends, or MENU_KEY_NONE. */
unsigned menu_key_read(struct menu_key_reader *reader, uint8_t byte);

/* No byte has followed for some time: an incomplete sequence was the key Escape. */
unsigned menu_key_pause(struct menu_key_reader *reader);

#endif
