/*
 * deflate.h - compress a short text in a panic (RFC 1951).
 *
 * The output is one block with the fixed codes of the standard, so no table has to be built or
 * sent. A repeated text becomes a length and a distance. The compressor finds it in lists of the
 * places with the same hash of three bytes, and follows at most DEFLATE_CHAIN_LIMIT of them. So the
 * work is bounded.
 *
 * Pure. All state is memory of the caller. Fuzzed by tests/fuzz/fuzz_deflate.c.
 */
#ifndef KERNEL_SCREEN_DEFLATE_H
#define KERNEL_SCREEN_DEFLATE_H

#include <stddef.h>
#include <stdint.h>

/* An input has less than the format's window of 32 KiB, so every earlier place is in reach. */
#define DEFLATE_INPUT_LIMIT_BYTES 4096
#define DEFLATE_CHAIN_LIMIT       64
#define DEFLATE_LIST_COUNT        256

/* Working memory, without content before and after a call. A place is its index + 1; 0 is none. */
struct deflate {
    uint16_t newest[DEFLATE_LIST_COUNT];       /* the last place of each list */
    uint16_t older[DEFLATE_INPUT_LIMIT_BYTES]; /* the place before, by index */
};

/* Compress at most DEFLATE_INPUT_LIMIT_BYTES bytes. Return the number of bytes written, or 0 if the
 * input is too long or the output does not fit. */
size_t deflate_compress(struct deflate *deflate, const uint8_t *input, size_t input_size_bytes,
                        uint8_t *output, size_t capacity_bytes);

#endif
