/*
 * terminal_keys.h - convert the bytes of a terminal on the serial port to keys.
 *
 * A terminal sends a sequence of bytes for a key without a character (ECMA-48, section 5.4; xterm,
 * "Control Sequences"). Noise gives no key: bytes outside of ASCII, and unknown sequences.
 *
 * Pure. Phase: any. Fuzzed by tests/fuzz/fuzz_monitor.c.
 */
#ifndef KERNEL_INPUT_TERMINAL_KEYS_H
#define KERNEL_INPUT_TERMINAL_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/input/key.h"

enum terminal_keys_state {
    TERMINAL_KEYS_PLAIN,
    TERMINAL_KEYS_ESCAPE,   /* behind ESC */
    TERMINAL_KEYS_SEQUENCE, /* behind ESC [ */
    TERMINAL_KEYS_SINGLE,   /* behind ESC O: one more byte */
    TERMINAL_KEYS_FUNCTION, /* behind ESC [ [, from the Linux console: one more byte */
};

/* Begins as zeros. */
struct terminal_keys {
    enum terminal_keys_state state;
    unsigned number; /* the first of the sequence; TERMINAL_KEYS_NUMBER_LIMIT if it is larger */
    bool is_first;   /* no separator has followed the number */
    bool was_return; /* the byte before was '\r': a '\n' behind it is the same Enter */
};

#define TERMINAL_KEYS_NUMBER_LIMIT 1000u

/* Take the next byte. Return the key that it completes, or KEY_NONE. */
key_code terminal_keys_read(struct terminal_keys *reader, uint8_t byte);

#endif
