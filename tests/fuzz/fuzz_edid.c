/* EDID: any bytes give no size, or one that a screen can have. Each input is also tried with the
 * header and the checksum corrected, so that the rest is reached. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bootloader/pure/edid.h"
#include "tests/fuzz/require.h"

static void check(const uint8_t *bytes, size_t size_bytes)
{
    struct screen_size size = {0, 0};
    bool is_good = edid_native_size(bytes, size_bytes, &size);
    require(!is_good || size_bytes >= EDID_BLOCK_BYTES);
    require(is_good == (size.width_pixels != 0));
    require(is_good == (size.height_pixels != 0));
    require(size.width_pixels <= 4095 && size.height_pixels <= 2 * 4095);
}

static void correct(uint8_t *bytes)
{
    uint8_t sum = 0;
    memset(bytes, 0xff, 8);
    bytes[0] = bytes[7] = 0;
    bytes[18] = 1;
    for (size_t i = 0; i < EDID_BLOCK_BYTES - 1; i++)
        sum = (uint8_t)(sum + bytes[i]);
    bytes[EDID_BLOCK_BYTES - 1] = (uint8_t)-sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    check(bytes, size_bytes);
    if (size_bytes < EDID_BLOCK_BYTES)
        return 0;
    uint8_t *copy = malloc(size_bytes);
    require(copy != NULL);
    memcpy(copy, bytes, size_bytes);
    correct(copy);
    check(copy, size_bytes);
    free(copy);
    return 0;
}
