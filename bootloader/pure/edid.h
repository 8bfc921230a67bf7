/*
 * edid.h - read a screen's native size from its EDID (VESA Enhanced EDID Standard, release A2).
 *
 * The bytes come from the screen, through the firmware, so they are untrusted. Cables and adapters
 * damage them. Pure: bytes in, struct out. Fuzzed by tests/fuzz/fuzz_edid.c.
 */
#ifndef BOOTLOADER_PURE_EDID_H
#define BOOTLOADER_PURE_EDID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bootloader/pure/screen_mode.h"

/* The first block. Extensions may follow. They are not read. */
#define EDID_BLOCK_BYTES 128

/* Write the size of the first detailed timing. It is the one that the screen prefers. Return false,
 * and write nothing, if the block is too short, has another header or version, or a wrong checksum,
 * or if it has no such timing. */
bool edid_native_size(const uint8_t *bytes, size_t size_bytes, struct screen_size *ret_size)
    __attribute__((warn_unused_result));

#endif
