/* Compression: zlib reads any input back from its compressed form. The first two bytes are the
 * capacity of the output. */
#include <string.h>
#include <zlib.h>

#include "kernel/screen/deflate.h"
#include "tests/fuzz/require.h"

#define CAPACITY_SIZE_BYTES 2

static void require_inflated(const uint8_t *bytes, size_t size_bytes, const uint8_t *original,
                             size_t original_size_bytes)
{
    static uint8_t inflated[DEFLATE_INPUT_LIMIT_BYTES + 1];
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)bytes,
                       .avail_in = (uInt)size_bytes,
                       .next_out = inflated,
                       .avail_out = sizeof inflated};
    require(inflateInit2(&stream, -MAX_WBITS) == Z_OK);
    require(inflate(&stream, Z_FINISH) == Z_STREAM_END);
    require(stream.avail_in == 0 && stream.total_out == original_size_bytes);
    require(memcmp(inflated, original, original_size_bytes) == 0);
    inflateEnd(&stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    static struct deflate deflate_state;
    static uint8_t output[2 * DEFLATE_INPUT_LIMIT_BYTES];
    uint16_t capacity;
    if (size_bytes < CAPACITY_SIZE_BYTES)
        return 0;
    memcpy(&capacity, bytes, CAPACITY_SIZE_BYTES);
    bytes += CAPACITY_SIZE_BYTES;
    size_bytes -= CAPACITY_SIZE_BYTES;
    size_t needed = deflate_compress(&deflate_state, bytes, size_bytes, output, sizeof output);
    require((needed == 0) == (size_bytes > DEFLATE_INPUT_LIMIT_BYTES));
    if (needed == 0)
        return 0;
    require_inflated(output, needed, bytes, size_bytes);
    size_t limit = capacity % sizeof output;
    require(deflate_compress(&deflate_state, bytes, size_bytes, output, limit) ==
            (needed <= limit ? needed : 0));
    return 0;
}
