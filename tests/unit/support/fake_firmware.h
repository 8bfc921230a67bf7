/*
 * fake_firmware.h - physical memory with a firmware's tables in it, for firmware_tables.c.
 *
 * Every read gets a copy of exactly what it asked for, in a block of its own: under ASan a byte
 * beyond it stops the test. So does a read that no machine could do: of nothing, of address 0,
 * beyond 2^52, or of more than any table has.
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
    uint8_t bytes[FAKE_FIRMWARE_SIZE_BYTES]; /* at FAKE_FIRMWARE_BASE; nothing else can be read */
    struct fake_firmware_copy *copies;
    uint64_t read_count;
    uint64_t read_bytes;
};

void fake_firmware_create(struct fake_firmware *firmware);
void fake_firmware_destroy(struct fake_firmware *firmware);

struct firmware_tables_memory fake_firmware_memory(struct fake_firmware *firmware);

/* Where an address of the memory lies here. */
uint8_t *fake_firmware_at(struct fake_firmware *firmware, uint64_t address);

/* Write a number, little-endian. */
void fake_firmware_put(struct fake_firmware *firmware, uint64_t address, uint64_t number,
                       size_t size_bytes);

/* Choose the byte at address + checksum_offset so that size_bytes bytes add up to 0. */
void fake_firmware_seal(struct fake_firmware *firmware, uint64_t address, uint64_t size_bytes,
                        uint64_t checksum_offset);

/* An ACPI table with a signature, a length and a checksum; its body is zero. */
void fake_firmware_acpi_table(struct fake_firmware *firmware, uint64_t address,
                              const char *signature, uint32_t size_bytes);

#endif
