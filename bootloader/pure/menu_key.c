#include "bootloader/pure/menu_key.h"

#define ESCAPE 0x1b
#define RUBOUT 0x7f

enum { STATE_PLAIN = 0, STATE_RETURN, STATE_ESCAPE, STATE_SEQUENCE };

/* A line feed behind a carriage return is the same key. */
static unsigned read_plain(struct menu_key_reader *reader, uint8_t byte)
{
    unsigned before = reader->state;
    reader->state = byte == ESCAPE ? STATE_ESCAPE : byte == '\r' ? STATE_RETURN : STATE_PLAIN;
    if (byte == '\n')
        return before == STATE_RETURN ? MENU_KEY_NONE : MENU_KEY_ENTER;
    if (byte == RUBOUT)
        return MENU_KEY_BACKSPACE;
    return byte == '\r' || byte == '\b' || (byte >= ' ' && byte < RUBOUT) ? byte : MENU_KEY_NONE;
}

/* The digits before '~', from 1 on, and the letters from A on. 0: no key of the menu. */
static const uint8_t keys_of_digits[] = {5, 0, 8, 6, 9, 10, 5, 6};
static const uint8_t keys_of_letters[] = {1, 2, 3, 4, 0, 6, 0, 5};

static unsigned end_sequence(struct menu_key_reader *reader, uint8_t byte)
{
    unsigned index = byte == '~' ? reader->digit - '1' : byte - 'A';
    const uint8_t *keys = byte == '~' ? keys_of_digits : keys_of_letters;
    reader->state = STATE_PLAIN;
    if (index >= sizeof(keys_of_digits) || keys[index] == 0)
        return MENU_KEY_NONE;
    return MENU_KEY_SCAN_CODES + keys[index];
}

unsigned menu_key_read(struct menu_key_reader *reader, uint8_t byte)
{
    if (reader->state == STATE_ESCAPE && (byte == '[' || byte == 'O')) {
        reader->state = STATE_SEQUENCE;
        reader->digit = 0;
        return MENU_KEY_NONE;
    }
    if (reader->state != STATE_SEQUENCE || byte < ' ')
        return read_plain(reader, byte);
    if (byte >= '@')
        return end_sequence(reader, byte);
    reader->digit = reader->digit == 0 ? byte : ' '; /* a number with two digits is no key */
    return MENU_KEY_NONE;
}

unsigned menu_key_pause(struct menu_key_reader *reader)
{
    unsigned key = reader->state == STATE_ESCAPE ? MENU_KEY_ESCAPE : MENU_KEY_NONE;
    reader->state = STATE_PLAIN;
    return key;
}
