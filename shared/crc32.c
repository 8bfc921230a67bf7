#include "shared/crc32.h"

/* The remainders of the 16 values of four bits. The usual table for eight bits would take 1 KiB
 * instead of 64 bytes, and a boot computes the CRC of only a few hundred bytes. */
static const uint32_t NIBBLE_REMAINDERS[16] = {
    0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
    0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
};

uint32_t crc32_update(uint32_t crc, const void *bytes, size_t size_bytes)
{
    const uint8_t *next = bytes;
    uint32_t remainder = ~crc;
    for (size_t i = 0; i < size_bytes; i++) {
        remainder ^= next[i];
        remainder = (remainder >> 4) ^ NIBBLE_REMAINDERS[remainder & 15];
        remainder = (remainder >> 4) ^ NIBBLE_REMAINDERS[remainder & 15];
    }
    return ~remainder;
}
