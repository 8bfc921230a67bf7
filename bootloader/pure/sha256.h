/*
 * sha256.h - SHA-256 (FIPS 180-4, section 6.2), and its text of 64 hexadecimal digits.
 *
 * Pure. Fuzzed by tests/fuzz/fuzz_enrolment.c.
 */
#ifndef BOOTLOADER_PURE_SHA256_H
#define BOOTLOADER_PURE_SHA256_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/text/piece.h"

#define SHA256_SIZE_BYTES    32
#define SHA256_DIGIT_COUNT   64
#define SHA256_TEXT_CAPACITY (SHA256_DIGIT_COUNT + 1)

struct sha256 {
    uint8_t bytes[SHA256_SIZE_BYTES];
};

/* Write the SHA-256 of `size_bytes` bytes. Precondition: they are fewer than 2^61. */
void sha256_of(const void *bytes, uint64_t size_bytes, struct sha256 *ret);

/* Read 64 hexadecimal digits, of either case. Return false if the text is anything else. Then *ret
 * is undefined. */
bool sha256_parse(struct piece text, struct sha256 *ret) __attribute__((warn_unused_result));

/* Write 64 digits of lower case, and a NUL. Return `text`. */
const char *sha256_format(const struct sha256 *hash, char text[SHA256_TEXT_CAPACITY]);

bool sha256_equals(const struct sha256 *a, const struct sha256 *b);

#endif
