/*
 * load_options.h - the command line in the load options, which another boot program gives.
 *
 * Boot managers and boot entries of the firmware give text in UCS-2, old tools give ASCII. The
 * UEFI shell gives the program's name first. Some firmware gives bytes that are no text (UEFI 2.10,
 * section 9.1.1, does not say what they are).
 */
#ifndef BOOTLOADER_PURE_LOAD_OPTIONS_H
#define BOOTLOADER_PURE_LOAD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum load_options_status {
    LOAD_OPTIONS_TEXT = 0,
    LOAD_OPTIONS_NONE,       /* no bytes, no words, or only the program's name */
    LOAD_OPTIONS_BINARY,     /* not printable ASCII text, in bytes or in UCS-2 */
    LOAD_OPTIONS_TOO_LONG,   /* for the capacity, with the program's name */
    LOAD_OPTIONS_OPEN_QUOTE, /* as CONFIG_OPEN_QUOTE */
};

/* Write the words of the load options to `text`, with a NUL. Behind the text there may be zeros, and
 * nothing else. The first word is left out if it is the program's name: it ends with `.efi`, or
 * `has_program_name` is true. If the result is not LOAD_OPTIONS_TEXT, `text` is empty.
 * Precondition: capacity_bytes is not 0. */
enum load_options_status load_options_parse(const void *bytes, size_t size_bytes,
                                            bool has_program_name, char *text,
                                            size_t capacity_bytes)
    __attribute__((warn_unused_result));

/* Return the reason why load options are ignored, a constant clause; NULL for TEXT and NONE. */
const char *load_options_obstacle(enum load_options_status status);

#endif
