/*
 * key.h - the keys that a person types, from any device.
 *
 * A key with a character is that character: 'a', 'A', '7', '\n' for Enter, '\b' for Backspace,
 * '\t' for Tab, and KEY_CONTROL('c') for Ctrl-C. The others have numbers above all characters.
 */
#ifndef KERNEL_INPUT_KEY_H
#define KERNEL_INPUT_KEY_H

#include <stdint.h>

typedef uint16_t key_code;

#define KEY_CONTROL(letter) ((key_code)((letter)&0x1f))

enum {
    KEY_NONE = 0, /* no key, or one without a meaning here */
    KEY_UP = 0x100,
    KEY_DOWN,
    KEY_LEFT,
    KEY_RIGHT,
    KEY_HOME,
    KEY_END,
    KEY_DELETE,
    KEY_F1,
};

#endif
