/*
 * utf8.h - read text in UTF-8 (RFC 3629), character by character. Pure.
 */
#ifndef BOOTLOADER_PURE_UTF8_H
#define BOOTLOADER_PURE_UTF8_H

#include <stdint.h>

/* Take the next character off a text that is not empty. Return '?' for bytes that are not UTF-8, and
 * for a control character, which would change a terminal. */
uint32_t utf8_next(const char **text);

#endif
