/*
 * byte_stream.h - take one number after the other from a fuzzer's bytes. Behind the end there are
 * zeros.
 */
#ifndef TESTS_UNIT_SUPPORT_BYTE_STREAM_H
#define TESTS_UNIT_SUPPORT_BYTE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct byte_stream {
    const uint8_t *bytes;
    size_t size_bytes;
    size_t position;
};

static inline bool byte_stream_is_empty(const struct byte_stream *stream)
{
    return stream->position >= stream->size_bytes;
}

/* Return the next `byte_count` bytes (1 … 8) as a little-endian number. */
static inline uint64_t byte_stream_next(struct byte_stream *stream, unsigned byte_count)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < byte_count && !byte_stream_is_empty(stream); i++)
        number |= (uint64_t)stream->bytes[stream->position++] << (8 * i);
    return number;
}

#endif
