/*
 * number_at.h - read a number from foreign bytes: little-endian, at any alignment. Pure.
 */
#ifndef BOOTLOADER_PURE_NUMBER_AT_H
#define BOOTLOADER_PURE_NUMBER_AT_H

#include <stddef.h>
#include <stdint.h>

/* The CPUs of this project are little-endian. With a constant size this is one load, so it is always
 * inlined. Precondition: `size_bytes` is at most 8. */
__attribute__((always_inline)) static inline uint64_t number_at(const uint8_t *bytes,
                                                                size_t size_bytes)
{
    uint64_t number = 0;
    __builtin_memcpy(&number, bytes, size_bytes);
    return number;
}

#endif
