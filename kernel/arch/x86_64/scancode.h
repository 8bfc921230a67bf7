/*
 * scancode.h - convert the bytes of a PC keyboard to keys.
 *
 * The bytes are scan code set 1: the keyboard controller translates into it by default, and the
 * firmware does not change this (IBM PS/2 Technical Reference, "Keyboard"). A key sends its code
 * when it is pressed, and the code plus 0x80 when it is released. 0xe0 is the first byte for keys
 * that the first PC did not have.
 *
 * Pure. Phase: any.
 */
#ifndef KERNEL_ARCH_X86_64_SCANCODE_H
#define KERNEL_ARCH_X86_64_SCANCODE_H

#include <stdbool.h>
#include <stdint.h>

/* A key without a character was pressed: a function key, an arrow. */
#define SCANCODE_OTHER_KEY '?'

/* Begins as zeros. */
struct scancode_reader {
    bool is_extended; /* the byte before was 0xe0 */
};

/* Take the next byte. Return the key that was pressed, without regard to Shift: 'a', '7', '\n' for
 * Enter, or SCANCODE_OTHER_KEY. Return '\0' for a released key, for Shift, Ctrl and Alt, and for
 * answers of the keyboard. */
char scancode_read(struct scancode_reader *reader, uint8_t byte);

#endif
