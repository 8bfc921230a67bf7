#include "kernel/screen/report_text.h"

#include <stdbool.h>

#include "shared/memory.h"

#define PREFIX_LENGTH (sizeof REPORT_TEXT_PREFIX - 1)
/* RFC 1950: deflate with a window of 32 KiB, and a check: the two bytes are a multiple of 31. */
#define STREAM_HEADER_FIRST  0x78
#define STREAM_HEADER_SECOND 0x01
#define STREAM_HEADER_BYTES  2
#define STREAM_CHECK_BYTES   4
#define ADLER_MODULUS        65521u

_Static_assert(REPORT_TEXT_STREAM_BYTES == (REPORT_TEXT_CAPACITY - PREFIX_LENGTH) / 3 * 2,
               "the stream has the room that the prefix leaves");

static uint32_t adler32(const uint8_t *bytes, size_t size_bytes)
{
    uint32_t sum = 1;
    uint32_t sum_of_sums = 0;
    for (size_t i = 0; i < size_bytes; i++) {
        sum = (sum + bytes[i]) % ADLER_MODULUS;
        sum_of_sums = (sum_of_sums + sum) % ADLER_MODULUS;
    }
    return sum_of_sums << 16 | sum;
}

/* Return the size of the stream, or 0 if it is larger than the limit. */
static size_t write_stream(struct report_text *text, const uint8_t *report, size_t size_bytes,
                           size_t limit_bytes)
{
    uint8_t *stream = text->stream;
    if (limit_bytes <= STREAM_HEADER_BYTES + STREAM_CHECK_BYTES)
        return 0;
    size_t count =
        deflate_compress(&text->deflate, report, size_bytes, stream + STREAM_HEADER_BYTES,
                         limit_bytes - STREAM_HEADER_BYTES - STREAM_CHECK_BYTES);
    if (count == 0)
        return 0;
    stream[0] = STREAM_HEADER_FIRST;
    stream[1] = STREAM_HEADER_SECOND;
    count += STREAM_HEADER_BYTES;
    uint32_t check = adler32(report, size_bytes);
    for (unsigned shift = 32; shift > 0; shift -= 8)
        stream[count++] = (uint8_t)(check >> (shift - 8));
    return count;
}

static bool write_text(struct report_text *text, const char *report, size_t size_bytes,
                       size_t length_limit)
{
    size_t limit_bytes = length_limit < PREFIX_LENGTH ? 0 : (length_limit - PREFIX_LENGTH) / 3 * 2;
    size_t stream_bytes = write_stream(text, (const uint8_t *)report, size_bytes, limit_bytes);
    if (stream_bytes == 0)
        return false;
    memcpy(text->text, REPORT_TEXT_PREFIX, PREFIX_LENGTH);
    text->length =
        PREFIX_LENGTH + base45_encode(text->stream, stream_bytes, text->text + PREFIX_LENGTH);
    text->report_size_bytes = size_bytes;
    return true;
}

/* Return the size up to the end of the last line that ends at or before `size_bytes`. */
static size_t whole_lines(const char *report, size_t size_bytes)
{
    while (size_bytes > 0 && report[size_bytes - 1] != '\n')
        size_bytes--;
    return size_bytes;
}

void report_text_write(struct report_text *ret_text, const char *report, size_t size_bytes,
                       size_t length_limit)
{
    size_t limit = length_limit < REPORT_TEXT_CAPACITY ? length_limit : REPORT_TEXT_CAPACITY;
    size_t end = size_bytes < DEFLATE_INPUT_LIMIT_BYTES ? size_bytes : DEFLATE_INPUT_LIMIT_BYTES;
    size_t fits = 0; /* whole lines that are known to fit */
    size_t too_long = end + 1;
    while (too_long - fits > 1) {
        /* The first guess is the whole report, which nearly always fits. */
        size_t middle = too_long > end ? end : fits + (too_long - fits) / 2;
        size_t lines = whole_lines(report, middle);
        if (lines <= fits || write_text(ret_text, report, lines, limit))
            fits = middle;
        else
            too_long = lines;
    }
    ret_text->length = 0;
    fits = whole_lines(report, fits);
    if (fits == 0 || !write_text(ret_text, report, fits, limit))
        ret_text->length = 0;
}
