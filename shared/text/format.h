/*
 * format.h - formatted text without a C library, for loader, kernel and host tests alike.
 */
#ifndef SHARED_TEXT_FORMAT_H
#define SHARED_TEXT_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/* snprintf's subset that the project uses: %s %c %d %i %u %x %p %% with the length modifiers h, l,
 * ll and z, a field width (also *), the flags '-' and '0', and a precision for %s. An unknown
 * conversion is copied as it stands. A NULL string prints "(null)". Writes at most
 * `capacity_bytes` bytes including the NUL (none if it is 0); returns the length that the whole
 * text has. Precondition: length below 2^31. */
int format_text(char *buffer, size_t capacity_bytes, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int format_text_v(char *buffer, size_t capacity_bytes, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

#endif
