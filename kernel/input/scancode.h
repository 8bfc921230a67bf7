/*
 * scancode.h - convert the bytes of a PS/2 keyboard to keys.
 *
 * The bytes are scan code set 1: the keyboard controller translates into it by default, and the
 * firmware does not change this (IBM PS/2 Technical Reference, "Keyboard"). A key sends its code
 * when it is pressed, and the code plus 0x80 when it is released. 0xe0 is the first byte for keys
 * that the first PC did not have. The key Pause sends 0xe1 and two bytes. The layout is that of the
 * United States.
 *
 * Pure. Phase: any. Fuzzed by tests/fuzz/fuzz_monitor.c.
 */
#ifndef KERNEL_INPUT_SCANCODE_H
#define KERNEL_INPUT_SCANCODE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/input/key.h"

/* Begins as zeros. */
struct scancode_reader {
    bool is_extended;      /* the byte before was 0xe0 */
    unsigned ignore_count; /* bytes behind 0xe1 */
    bool left_shift;       /* pressed now */
    bool right_shift;
    bool left_control;
    bool right_control;
    bool caps_lock; /* switched on since the start */
    bool num_lock_off;
};

/* Take the next byte. Return the key that was pressed. Return KEY_NONE for a released key, for
 * Shift and the other keys that change the next ones, for a key without a meaning, and for answers
 * of the keyboard. */
key_code scancode_read(struct scancode_reader *reader, uint8_t byte);

#endif
