/*
 * inflate.h - unpack data that is compressed with deflate (RFC 1951).
 *
 * Pure. Written for size: it reads a bit at a time, and only data that scripts/pack-loader.py has
 * made. That is one block, with codes of its own.
 */
#ifndef BOOTLOADER_PURE_INFLATE_H
#define BOOTLOADER_PURE_INFLATE_H

#include <stdint.h>

/* Write the unpacked bytes to `output`. Precondition: `packed` is a whole block with dynamic codes,
 * and `output` has room for all of its bytes. */
void inflate_block(const uint8_t *packed, uint8_t *output);

#endif
