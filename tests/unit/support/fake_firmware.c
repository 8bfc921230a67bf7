#include "tests/unit/support/fake_firmware.h"

#include <stdlib.h>
#include <string.h>

void fake_firmware_create(struct fake_firmware *firmware)
{
    memset(firmware, 0, sizeof(*firmware));
}

void fake_firmware_destroy(struct fake_firmware *firmware)
{
    while (firmware->copies != NULL) {
        struct fake_firmware_copy *copy = firmware->copies;
        firmware->copies = copy->next;
        free(copy);
    }
}

static const void *read_copy(void *context, uint64_t address, uint64_t size_bytes)
{
    struct fake_firmware *firmware = context;
    uint64_t offset = address - FAKE_FIRMWARE_BASE;
    firmware->read_count++;
    if (address == 0 || size_bytes == 0 || size_bytes > FIRMWARE_TABLE_SIZE_LIMIT_BYTES ||
        address > (UINT64_C(1) << 52) - size_bytes)
        abort(); /* no code may request a read that is impossible */
    if (address < FAKE_FIRMWARE_BASE || offset > FAKE_FIRMWARE_SIZE_BYTES ||
        size_bytes > FAKE_FIRMWARE_SIZE_BYTES - offset)
        return NULL;
    struct fake_firmware_copy *copy = malloc(sizeof(*copy) + size_bytes);
    if (copy == NULL)
        abort();
    memcpy(copy->bytes, firmware->bytes + offset, size_bytes);
    copy->next = firmware->copies;
    firmware->copies = copy;
    firmware->read_bytes += size_bytes;
    return copy->bytes;
}

struct firmware_tables_memory fake_firmware_memory(struct fake_firmware *firmware)
{
    return (struct firmware_tables_memory){read_copy, firmware};
}

uint8_t *fake_firmware_at(struct fake_firmware *firmware, uint64_t address)
{
    return firmware->bytes + (address - FAKE_FIRMWARE_BASE);
}

void fake_firmware_put(struct fake_firmware *firmware, uint64_t address, uint64_t number,
                       size_t size_bytes)
{
    uint8_t *bytes = fake_firmware_at(firmware, address);
    for (size_t i = 0; i < size_bytes; i++)
        bytes[i] = (uint8_t)(number >> (8 * i));
}

void fake_firmware_seal(struct fake_firmware *firmware, uint64_t address, uint64_t size_bytes,
                        uint64_t checksum_offset)
{
    uint8_t *bytes = fake_firmware_at(firmware, address);
    uint8_t sum = 0;
    bytes[checksum_offset] = 0;
    for (uint64_t i = 0; i < size_bytes; i++)
        sum = (uint8_t)(sum + bytes[i]);
    bytes[checksum_offset] = (uint8_t)-sum;
}

void fake_firmware_acpi_table(struct fake_firmware *firmware, uint64_t address,
                              const char *signature, uint32_t size_bytes)
{
    memcpy(fake_firmware_at(firmware, address), signature, 4);
    fake_firmware_put(firmware, address + 4, size_bytes, 4);
    fake_firmware_seal(firmware, address, size_bytes, 9);
}
