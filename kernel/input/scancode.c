#include "kernel/input/scancode.h"

#define PREFIX_EXTENDED 0xe0
#define PREFIX_PAUSE    0xe1
#define RELEASED        0x80

#define CODE_CONTROL     0x1d
#define CODE_LEFT_SHIFT  0x2a
#define CODE_RIGHT_SHIFT 0x36
#define CODE_CAPS_LOCK   0x3a
#define CODE_F1          0x3b
#define CODE_NUM_LOCK    0x45
#define CODE_ENTER       0x1c
#define CODE_SLASH       0x35
#define CODE_PAD_FIRST   0x47
#define CODE_PAD_LAST    0x53

/* By scan code; '\0' for keys that are no character. */
static const char plain[] = {
    '\0', '\0', '1', '2', '3', '4', '5', '6', '7', '8',  '9',  '0',  '-',  '=',  '\b',
    '\t', 'q',  'w', 'e', 'r', 't', 'y', 'u', 'i', 'o',  'p',  '[',  ']',  '\n', '\0',
    'a',  's',  'd', 'f', 'g', 'h', 'j', 'k', 'l', ';',  '\'', '`',  '\0', '\\', 'z',
    'x',  'c',  'v', 'b', 'n', 'm', ',', '.', '/', '\0', '*',  '\0', ' ',
};
static const char shifted[] = {
    '\0', '\0', '!', '@', '#', '$', '%', '^', '&', '*',  '(', ')',  '_',  '+',  '\b',
    '\t', 'Q',  'W', 'E', 'R', 'T', 'Y', 'U', 'I', 'O',  'P', '{',  '}',  '\n', '\0',
    'A',  'S',  'D', 'F', 'G', 'H', 'J', 'K', 'L', ':',  '"', '~',  '\0', '|',  'Z',
    'X',  'C',  'V', 'B', 'N', 'M', '<', '>', '?', '\0', '*', '\0', ' ',
};
_Static_assert(sizeof plain == 0x3a && sizeof shifted == sizeof plain,
               "the space bar, 0x39, is the last");

/* The keys from CODE_PAD_FIRST on, with Num Lock and without it. Behind 0xe0 they are the keys
 * between the letters and the pad. */
static const char pad_digits[] = "789-456+1230.";
static const key_code pad_keys[] = {KEY_HOME, KEY_UP,    KEY_NONE,  '-',     KEY_LEFT,
                                    KEY_NONE, KEY_RIGHT, '+',       KEY_END, KEY_DOWN,
                                    KEY_NONE, KEY_NONE,  KEY_DELETE};
_Static_assert(sizeof pad_digits - 1 == CODE_PAD_LAST - CODE_PAD_FIRST + 1 &&
                   sizeof pad_keys / sizeof pad_keys[0] == sizeof pad_digits - 1,
               "a key for each code");

/* Record a key that changes the next ones. Return false for any other key. 0xe0 with the code of a
 * Shift is no key: keyboards send it around some others. */
static bool take_modifier(struct scancode_reader *reader, uint8_t code, bool is_extended,
                          bool is_pressed)
{
    switch (code) {
    case CODE_LEFT_SHIFT:
        reader->left_shift = is_extended ? reader->left_shift : is_pressed;
        return true;
    case CODE_RIGHT_SHIFT:
        reader->right_shift = is_extended ? reader->right_shift : is_pressed;
        return true;
    case CODE_CONTROL:
        *(is_extended ? &reader->right_control : &reader->left_control) = is_pressed;
        return true;
    case CODE_CAPS_LOCK:
        reader->caps_lock ^= is_pressed;
        return true;
    case CODE_NUM_LOCK:
        reader->num_lock_off ^= is_pressed;
        return true;
    default:
        return false;
    }
}

static key_code pad_key(const struct scancode_reader *reader, uint8_t code, bool is_extended)
{
    unsigned index = code - CODE_PAD_FIRST;
    if (is_extended || reader->num_lock_off)
        return pad_keys[index];
    return (key_code)pad_digits[index];
}

static key_code character(const struct scancode_reader *reader, uint8_t code)
{
    bool is_letter = plain[code] >= 'a' && plain[code] <= 'z';
    bool shift = reader->left_shift || reader->right_shift;
    if (is_letter && (reader->left_control || reader->right_control))
        return KEY_CONTROL(plain[code]);
    if (is_letter && reader->caps_lock)
        shift = !shift;
    return (key_code)(shift ? shifted[code] : plain[code]);
}

static key_code pressed(const struct scancode_reader *reader, uint8_t code, bool is_extended)
{
    if (code == CODE_F1 && !is_extended)
        return KEY_F1;
    if (code >= CODE_PAD_FIRST && code <= CODE_PAD_LAST)
        return pad_key(reader, code, is_extended);
    if (code >= sizeof plain || (is_extended && code != CODE_ENTER && code != CODE_SLASH))
        return KEY_NONE;
    return character(reader, code);
}

key_code scancode_read(struct scancode_reader *reader, uint8_t byte)
{
    bool is_extended = reader->is_extended;
    reader->is_extended = byte == PREFIX_EXTENDED;
    if (reader->ignore_count > 0) {
        reader->ignore_count--;
        return KEY_NONE;
    }
    if (byte == PREFIX_PAUSE)
        reader->ignore_count = 2;
    if (byte == PREFIX_EXTENDED || byte == PREFIX_PAUSE)
        return KEY_NONE;
    bool is_pressed = (byte & RELEASED) == 0;
    uint8_t code = byte & (uint8_t)~RELEASED;
    if (take_modifier(reader, code, is_extended, is_pressed) || !is_pressed)
        return KEY_NONE;
    return pressed(reader, code, is_extended);
}
