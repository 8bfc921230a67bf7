/*
 * number.h - read numbers that people write in handoff.conf and on the kernel's command line.
 */
#ifndef SHARED_TEXT_NUMBER_H
#define SHARED_TEXT_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Read all `length` characters at `text` as one number. It has decimal digits, or 0x and
 * hexadecimal digits. One suffix may follow, in upper or lower case: K (times 2^10), M (2^20) or
 * G (2^30). Pure.
 * Return false, and do not write *ret_value, if the text is empty or has another character (a sign,
 * a blank, a separator). The same holds if the value is 2^64 or more. */
bool number_parse(const char *text, size_t length, uint64_t *ret_value)
    __attribute__((warn_unused_result));

#endif
