/*
 * crc32.h - CRC-32 as in IEEE 802.3, zlib and the UEFI tables (UEFI 2.10, section 4.2):
 * reflected polynomial 0xEDB88320, initial value and final XOR 0xFFFFFFFF.
 * Check value: the nine bytes "123456789" give 0xCBF43926.
 */
#ifndef SHARED_CRC32_H
#define SHARED_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* Continue a CRC over `size_bytes` more bytes. Start with crc = 0. Each result is the CRC of all
 * bytes so far. */
uint32_t crc32_update(uint32_t crc, const void *bytes, size_t size_bytes);

#endif
