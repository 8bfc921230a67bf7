#include "bootloader/pure/edid.h"

#include "bootloader/pure/number_at.h"

#define HEADER UINT64_C(0x00ffffffffffff00) /* the first eight bytes */

#define VERSION_OFFSET 18 /* 1 since 1996; the revision follows */
#define TIMING_OFFSET  54 /* the first detailed timing */

/* In a detailed timing (section 3.10.2). The upper four bits of a size are the upper half of a byte
 * that two sizes share. A pixel clock of 0 marks another kind of descriptor. */
enum timing_byte {
    TIMING_CLOCK = 0, /* two bytes */
    TIMING_WIDTH = 2,
    TIMING_WIDTH_UPPER = 4,
    TIMING_HEIGHT = 5,
    TIMING_HEIGHT_UPPER = 7,
    TIMING_FLAGS = 17,
};
#define TIMING_INTERLACED 0x80 /* the height is that of one of two fields */

static bool is_block(const uint8_t *bytes)
{
    uint8_t sum = 0;
    for (size_t i = 0; i < EDID_BLOCK_BYTES; i++)
        sum = (uint8_t)(sum + bytes[i]);
    return sum == 0 && number_at(bytes, sizeof(HEADER)) == HEADER && bytes[VERSION_OFFSET] == 1;
}

static uint32_t size_at(const uint8_t *timing, enum timing_byte lower, enum timing_byte upper)
{
    return timing[lower] | (timing[upper] & UINT32_C(0xf0)) << 4;
}

bool edid_native_size(const uint8_t *bytes, size_t size_bytes, struct screen_size *ret_size)
{
    if (size_bytes < EDID_BLOCK_BYTES || !is_block(bytes))
        return false;
    const uint8_t *timing = bytes + TIMING_OFFSET;
    struct screen_size size = {
        .width_pixels = size_at(timing, TIMING_WIDTH, TIMING_WIDTH_UPPER),
        .height_pixels = size_at(timing, TIMING_HEIGHT, TIMING_HEIGHT_UPPER),
    };
    if ((timing[TIMING_CLOCK] | timing[TIMING_CLOCK + 1]) == 0 || size.width_pixels == 0 ||
        size.height_pixels == 0)
        return false;
    if ((timing[TIMING_FLAGS] & TIMING_INTERLACED) != 0)
        size.height_pixels *= 2;
    *ret_size = size;
    return true;
}
