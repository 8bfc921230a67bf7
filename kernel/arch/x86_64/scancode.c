#include "kernel/arch/x86_64/scancode.h"

#define EXTENDED_PREFIX   0xe0
#define RELEASED          0x80
#define CODE_CONTROL      0x1d
#define CODE_LEFT_SHIFT   0x2a
#define CODE_RIGHT_SHIFT  0x36
#define CODE_ALT          0x38
#define CODE_CAPS_LOCK    0x3a
#define CODE_NUM_LOCK     0x45
#define CODE_SCROLL_LOCK  0x46
#define CODE_KEYPAD_ENTER 0x1c
#define CODE_WINDOWS_LEFT 0x5b
#define CODE_WINDOWS_MENU 0x5d

/* By scan code; '\0' for keys that are no character. US layout. */
static const char keys[] = {
    '\0', '\0', '1', '2', '3', '4', '5', '6', '7', '8',  '9',  '0',  '-',  '=',  '\b',
    '\t', 'q',  'w', 'e', 'r', 't', 'y', 'u', 'i', 'o',  'p',  '[',  ']',  '\n', '\0',
    'a',  's',  'd', 'f', 'g', 'h', 'j', 'k', 'l', ';',  '\'', '`',  '\0', '\\', 'z',
    'x',  'c',  'v', 'b', 'n', 'm', ',', '.', '/', '\0', '*',  '\0', ' ',
};
_Static_assert(sizeof keys == 0x3a, "the space bar, 0x39, is the last");

static bool is_modifier(uint8_t code)
{
    switch (code) {
    case CODE_CONTROL:
    case CODE_LEFT_SHIFT:
    case CODE_RIGHT_SHIFT:
    case CODE_ALT:
    case CODE_CAPS_LOCK:
    case CODE_NUM_LOCK:
    case CODE_SCROLL_LOCK:
        return true;
    default:
        return code >= CODE_WINDOWS_LEFT && code <= CODE_WINDOWS_MENU;
    }
}

char scancode_read(struct scancode_reader *reader, uint8_t byte)
{
    bool is_extended = reader->is_extended;
    reader->is_extended = byte == EXTENDED_PREFIX;
    if (byte == 0 || (byte & RELEASED) != 0 || is_modifier(byte))
        return '\0';
    if (is_extended)
        return byte == CODE_KEYPAD_ENTER ? '\n' : SCANCODE_OTHER_KEY;
    char key = byte < sizeof keys ? keys[byte] : '\0';
    return key != '\0' ? key : SCANCODE_OTHER_KEY;
}
