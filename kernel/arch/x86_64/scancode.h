/*
 * scancode.h - from the bytes of a PC keyboard to keys.
 *
 * Scan code set 1, into which the keyboard controller translates unless it is told not to (IBM
 * PS/2 Technical Reference, "Keyboard"; the firmware leaves it translating). A key sends its code
 * when it is pressed, and the code plus 0x80 when it is let go. 0xe0 begins the codes of keys that
 * the first PC did not have.
 *
 * Pure. Phase: any.
 */
#ifndef KERNEL_ARCH_X86_64_SCANCODE_H
#define KERNEL_ARCH_X86_64_SCANCODE_H

#include <stdbool.h>
#include <stdint.h>

/* A key that was pressed and is no character: a function key, an arrow. */
#define SCANCODE_OTHER_KEY '?'

/* Begins as zeros. */
struct scancode_reader {
    bool is_extended; /* the byte before was 0xe0 */
};

/* Take the next byte. Return the key that was pressed, without regard to Shift: 'a', '7', '\n' for
 * Enter, SCANCODE_OTHER_KEY. Return '\0' for a key that was let go, for Shift, Ctrl and Alt, and for
 * the keyboard's answers. */
char scancode_read(struct scancode_reader *reader, uint8_t byte);

#endif
