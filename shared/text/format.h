/*
 * format.h - formatted text without a C library, for the loader, the kernel and the host tests.
 */
#ifndef SHARED_TEXT_FORMAT_H
#define SHARED_TEXT_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/* Write formatted text, as snprintf() does, to `buffer`. At most `capacity_bytes` bytes are
 * written, with the NUL; nothing is written if `capacity_bytes` is 0. Return the length of the
 * whole text, without the NUL. Precondition: this length is below 2^31.
 *
 * Conversions: %s %c %d %i %u %x %p %%. Length modifiers: h, l, ll, z. Flags: '-', '0'. A width may
 * be given for each conversion, and a precision for %s; both may be `*`. An unknown conversion is
 * copied unchanged. A NULL string prints "(null)". */
int format_text(char *buffer, size_t capacity_bytes, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int format_text_v(char *buffer, size_t capacity_bytes, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

#endif
