/*
 * enrolment.h - the list of files that a signed loader accepts while Secure Boot is on.
 *
 * `make sign` writes the list into the section .hashes of the loader's image, and the signature
 * covers it. It is text as sha256sum writes it: on each line 64 digits, two characters, and the
 * path on the volume. A file is accepted by its content only: the path of the line with its
 * hash does not count, because boot counting renames files. A refusal shows the hash of the path.
 *
 * Pure. Fuzzed by tests/fuzz/fuzz_enrolment.c.
 */
#ifndef BOOTLOADER_PURE_ENROLMENT_H
#define BOOTLOADER_PURE_ENROLMENT_H

#include "bootloader/pure/sha256.h"

/* Return true if a line has this hash. A line of another form has none. */
bool enrolment_has(struct piece list, const struct sha256 *hash);

/* Find the first line with this path. '/' and '\' are equal there, so are letters of both cases, as
 * on a FAT volume. A '\' in front of `path` does not count. Without such a line return
 * false; then *ret_hash is undefined. */
bool enrolment_find(struct piece list, const char *path, struct sha256 *ret_hash)
    __attribute__((warn_unused_result));

#endif
