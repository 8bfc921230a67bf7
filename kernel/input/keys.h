/*
 * keys.h - keys from the serial port and from the PS/2 keyboard, polled.
 *
 * Phase: any, after the log's serial port was chosen. Concurrency: one reader.
 */
#ifndef KERNEL_INPUT_KEYS_H
#define KERNEL_INPUT_KEYS_H

#include "kernel/arch.h"
#include "kernel/input/key.h"
#include "kernel/input/scancode.h"
#include "kernel/input/terminal_keys.h"

struct keys {
    struct terminal_keys terminal;
    struct scancode_reader scancode;
    enum arch_keyboard keyboard;
};

/* Switch on the PS/2 keyboard, if there is one. It waits for about 150 ms at most. */
void keys_open(struct keys *keys);

/* Take the next key. Return KEY_NONE if no key was typed. */
key_code keys_take(struct keys *keys);

#endif
