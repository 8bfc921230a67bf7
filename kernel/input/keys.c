#include "kernel/input/keys.h"

#include <stdbool.h>

void keys_open(struct keys *keys)
{
    *keys = (struct keys){.keyboard = arch_keyboard_initialise()};
}

/* The end of a loop over bytes without a meaning, so that a broken device cannot stop a caller. */
#define BYTE_LIMIT 64

key_code keys_take(struct keys *keys)
{
    key_code key = KEY_NONE;
    uint8_t byte;
    for (unsigned i = 0; i < BYTE_LIMIT && key == KEY_NONE; i++) {
        if (arch_serial_take(&byte))
            key = terminal_keys_read(&keys->terminal, byte);
        else if (keys->keyboard != ARCH_KEYBOARD_ABSENT && arch_keyboard_take(&byte))
            key = scancode_read(&keys->scancode, byte);
        else
            break;
    }
    return key;
}
