/*
 * number.h - numbers as people write them, for the loader's config and the kernel's command line.
 *
 * Pure: characters in, a number out.
 */
#ifndef SHARED_TEXT_NUMBER_H
#define SHARED_TEXT_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Read all `length` characters at `text` as one number: decimal digits, or 0x and hexadecimal
 * digits, then at most one suffix K, M or G (either case: times 2^10, 2^20, 2^30).
 * False, and *ret_value not written, for an empty text, a sign, a blank, a separator, anything
 * behind the number, or a value of 2^64 and more. */
bool number_parse(const char *text, size_t length, uint64_t *ret_value)
    __attribute__((warn_unused_result));

#endif
