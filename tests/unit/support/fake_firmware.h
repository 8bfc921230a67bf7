/*
 * fake_firmware.h - physical memory with a firmware's tables in it, for firmware_tables.c.
 *
 * Every read gets a copy of exactly the requested bytes, in a separate block. So ASan stops the
 * test at a read beyond them. An impossible read also stops the test: of no bytes, of address 0,
 * beyond 2^52, or of more bytes than any table has.
 */
#ifndef TESTS_UNIT_SUPPORT_FAKE_FIRMWARE_H
#define TESTS_UNIT_SUPPORT_FAKE_FIRMWARE_H

#include <stddef.h>
#include <stdint.h>

#include "bootloader/pure/firmware_tables.h"

#define FAKE_FIRMWARE_BASE       UINT64_C(0x7f000000)
#define FAKE_FIRMWARE_SIZE_BYTES 0x20000

struct fake_firmware_copy {
    struct fake_firmware_copy *next;
    uint8_t bytes[];
};

struct fake_firmware {
    uint8_t bytes[FAKE_FIRMWARE_SIZE_BYTES]; /* at FAKE_FIRMWARE_BASE; the only readable memory */
    struct fake_firmware_copy *copies;
    uint64_t read_count;
    uint64_t read_bytes;
};

void fake_firmware_create(struct fake_firmware *firmware);
void fake_firmware_destroy(struct fake_firmware *firmware);

struct firmware_tables_memory fake_firmware_memory(struct fake_firmware *firmware);

/* Return the place of an address of the memory in `bytes`. */
uint8_t *fake_firmware_at(struct fake_firmware *firmware, uint64_t address);

/* Write a number, little-endian. */
void fake_firmware_put(struct fake_firmware *firmware, uint64_t address, uint64_t number,
                       size_t size_bytes);

/* Choose the byte at address + checksum_offset so that size_bytes bytes add up to 0. */
void fake_firmware_seal(struct fake_firmware *firmware, uint64_t address, uint64_t size_bytes,
                        uint64_t checksum_offset);

/* Write an ACPI table with a signature, a length and a checksum; its body is zero. */
void fake_firmware_acpi_table(struct fake_firmware *firmware, uint64_t address,
                              const char *signature, uint32_t size_bytes);

#endif
