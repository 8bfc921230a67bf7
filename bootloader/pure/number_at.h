/*
 * number_at.h - read a number from foreign bytes: little-endian, at any alignment. Pure.
 */
#ifndef BOOTLOADER_PURE_NUMBER_AT_H
#define BOOTLOADER_PURE_NUMBER_AT_H

#include <stddef.h>
#include <stdint.h>

/* Precondition: `size_bytes` is at most 8. */
static inline uint64_t number_at(const uint8_t *bytes, size_t size_bytes)
{
    uint64_t number = 0;
    for (size_t i = size_bytes; i > 0; i--)
        number = number << 8 | bytes[i - 1];
    return number;
}

#endif
