#include "kernel/input/terminal_keys.h"

#define ESCAPE 0x1b
#define RUBOUT 0x7f

/* The last byte of a sequence without a number, also behind ESC O. */
static key_code key_of_letter(uint8_t byte)
{
    switch (byte) {
    case 'A':
        return KEY_UP;
    case 'B':
        return KEY_DOWN;
    case 'C':
        return KEY_RIGHT;
    case 'D':
        return KEY_LEFT;
    case 'H':
        return KEY_HOME;
    case 'F':
        return KEY_END;
    case 'P':
        return KEY_F1;
    default:
        return KEY_NONE;
    }
}

/* ESC [ number ~ */
static key_code key_of_number(unsigned number)
{
    switch (number) {
    case 1:
    case 7:
        return KEY_HOME;
    case 3:
        return KEY_DELETE;
    case 4:
    case 8:
        return KEY_END;
    case 11:
        return KEY_F1;
    default:
        return KEY_NONE;
    }
}

static key_code read_plain(struct terminal_keys *reader, uint8_t byte)
{
    bool was_return = reader->was_return;
    reader->state = byte == ESCAPE ? TERMINAL_KEYS_ESCAPE : TERMINAL_KEYS_PLAIN;
    reader->was_return = byte == '\r';
    if (byte == '\r' || byte == '\n')
        return byte == '\n' && was_return ? KEY_NONE : '\n';
    if (byte == RUBOUT)
        return '\b';
    return byte < RUBOUT && byte != ESCAPE ? byte : KEY_NONE;
}

/* Behind ESC. A person may have pressed the key Escape, so an ordinary character still counts. */
static key_code read_escape(struct terminal_keys *reader, uint8_t byte)
{
    if (byte != '[' && byte != 'O')
        return read_plain(reader, byte);
    reader->state = byte == '[' ? TERMINAL_KEYS_SEQUENCE : TERMINAL_KEYS_SINGLE;
    reader->number = 0;
    reader->is_first = true;
    return KEY_NONE;
}

static key_code read_sequence(struct terminal_keys *reader, uint8_t byte)
{
    if (byte < ' ' || byte > '~')
        return read_plain(reader, byte);
    if (byte == '[' && reader->is_first && reader->number == 0) {
        reader->state = TERMINAL_KEYS_FUNCTION;
        return KEY_NONE;
    }
    if (byte >= '0' && byte <= '9' && reader->is_first &&
        reader->number < TERMINAL_KEYS_NUMBER_LIMIT)
        reader->number = reader->number * 10 + (byte - '0');
    if (byte < '@') {
        reader->is_first = reader->is_first && byte >= '0' && byte <= '9';
        return KEY_NONE;
    }
    reader->state = TERMINAL_KEYS_PLAIN;
    return byte == '~' ? key_of_number(reader->number) : key_of_letter(byte);
}

key_code terminal_keys_read(struct terminal_keys *reader, uint8_t byte)
{
    switch (reader->state) {
    case TERMINAL_KEYS_ESCAPE:
        return read_escape(reader, byte);
    case TERMINAL_KEYS_SEQUENCE:
        return read_sequence(reader, byte);
    case TERMINAL_KEYS_SINGLE:
        reader->state = TERMINAL_KEYS_PLAIN;
        return key_of_letter(byte);
    case TERMINAL_KEYS_FUNCTION:
        reader->state = TERMINAL_KEYS_PLAIN;
        return byte == 'A' ? KEY_F1 : KEY_NONE;
    default:
        return read_plain(reader, byte);
    }
}
