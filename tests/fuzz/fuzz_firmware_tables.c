/* The firmware's tables: any bytes give a list that keeps firmware_tables.h's promises. The code
 * reads no byte that it did not ask for.
 *
 * A fuzzer does not find checksums. So the input starts with eight requests to write one into a
 * table: address, length and offset of the checksum in 2, 2 and 1 bytes. The memory follows. */
#include <string.h>

#include "bootloader/pure/firmware_tables.h"
#include "shared/address.h"
#include "shared/region.h"
#include "tests/fuzz/require.h"
#include "tests/unit/support/byte_stream.h"
#include "tests/unit/support/fake_firmware.h"

#define SEAL_COUNT 8

/* The addresses in the configuration table. */
#define ACPI_20_ADDRESS  (FAKE_FIRMWARE_BASE + 0x00)
#define ACPI_10_ADDRESS  (FAKE_FIRMWARE_BASE + 0x30)
#define SMBIOS_3_ADDRESS (FAKE_FIRMWARE_BASE + 0x50)
#define SMBIOS_ADDRESS   (FAKE_FIRMWARE_BASE + 0x70)
#define OTHER_ADDRESS    (FAKE_FIRMWARE_BASE + 0xfff)

#define PART_FACS UINT32_C(0x53434146)

static const uint8_t OTHER_GUID[16] = {1, 2, 3};

static struct fake_firmware firmware;
static struct firmware_tables tables;

struct seal {
    uint64_t address, size_bytes, checksum_offset;
};

static void fill_memory(struct byte_stream *stream)
{
    struct seal seals[SEAL_COUNT];
    for (unsigned i = 0; i < SEAL_COUNT; i++) {
        seals[i].address = FAKE_FIRMWARE_BASE + byte_stream_next(stream, 2);
        seals[i].size_bytes = byte_stream_next(stream, 2);
        seals[i].checksum_offset = byte_stream_next(stream, 1);
    }
    for (uint64_t i = 0; i < FAKE_FIRMWARE_SIZE_BYTES && !byte_stream_is_empty(stream); i++)
        firmware.bytes[i] = (uint8_t)byte_stream_next(stream, 1);
    for (unsigned i = 0; i < SEAL_COUNT; i++) {
        if (seals[i].checksum_offset < seals[i].size_bytes)
            fake_firmware_seal(&firmware, seals[i].address, seals[i].size_bytes,
                               seals[i].checksum_offset);
    }
}

static uint64_t number_at(uint64_t address, unsigned size_bytes)
{
    const uint8_t *bytes = fake_firmware_at(&firmware, address);
    struct byte_stream stream = {.bytes = bytes, .size_bytes = size_bytes};
    return byte_stream_next(&stream, size_bytes);
}

static bool adds_up(const struct handoff_firmware_table *table)
{
    const uint8_t *bytes = fake_firmware_at(&firmware, table->address);
    uint8_t sum = 0;
    for (uint64_t i = 0; i < table->size_bytes; i++)
        sum = (uint8_t)(sum + bytes[i]);
    return sum == 0;
}

/* Check the promises for a table with a length. */
static void check_believed(const struct handoff_firmware_table *table)
{
    uint64_t offset = table->address - FAKE_FIRMWARE_BASE;
    require(table->address >= FAKE_FIRMWARE_BASE && offset < FAKE_FIRMWARE_SIZE_BYTES);
    require(table->size_bytes <= FAKE_FIRMWARE_SIZE_BYTES - offset);
    require(memcmp(table->guid, OTHER_GUID, 16) != 0);
    if (table->part == HANDOFF_TABLE_PART_SMBIOS)
        return;
    if (table->part != 0)
        require(number_at(table->address, 4) == table->part &&
                number_at(table->address + 4, 4) == table->size_bytes);
    if (table->part == PART_FACS)
        require(table->size_bytes >= 64 || adds_up(table));
    else
        require(adds_up(table));
    require(table->part != 0 || table->size_bytes >= 20);
}

static void check_list(void)
{
    require(tables.count <= FIRMWARE_TABLES_LIMIT);
    for (size_t i = 0; i < tables.count; i++) {
        require(tables.list[i].address != 0);
        if (tables.list[i].size_bytes != 0)
            check_believed(&tables.list[i]);
    }
    require(firmware_tables_find(&tables, OTHER_GUID, OTHER_GUID) == OTHER_ADDRESS);
    require(firmware_tables_find(&tables, FIRMWARE_TABLES_SMBIOS, FIRMWARE_TABLES_SMBIOS) ==
            SMBIOS_ADDRESS);
    /* Each address in a root table costs a header and a checksum. An entry has up to two roots. */
    require(firmware.read_bytes <=
            (4 * FIRMWARE_TABLES_LIMIT + 16) * UINT64_C(4) * FAKE_FIRMWARE_SIZE_BYTES);
}

/* Every third page of the memory is unmapped. */
static void check_mapping(void)
{
    static struct handoff_region regions[FAKE_FIRMWARE_SIZE_BYTES / PAGE_SIZE_BYTES];
    size_t count = sizeof(regions) / sizeof(regions[0]);
    for (size_t i = 0; i < count; i++)
        regions[i] = region_make(
            FAKE_FIRMWARE_BASE + i * PAGE_SIZE_BYTES, PAGE_SIZE_BYTES,
            i % 3 == 2 ? HANDOFF_REGION_RESERVED : HANDOFF_REGION_FIRMWARE_TABLES, 0, 0);
    firmware_tables_set_mapping(&tables, regions, count);
    for (size_t i = 0; i < tables.count; i++) {
        const struct handoff_firmware_table *table = &tables.list[i];
        uint64_t last = table->address + (table->size_bytes > 0 ? table->size_bytes - 1 : 0);
        bool mapped = table->address >= FAKE_FIRMWARE_BASE &&
                      table->address < FAKE_FIRMWARE_BASE + FAKE_FIRMWARE_SIZE_BYTES;
        for (uint64_t page = page_align_down(table->address); mapped && page <= last;
             page += PAGE_SIZE_BYTES)
            mapped = (page - FAKE_FIRMWARE_BASE) / PAGE_SIZE_BYTES % 3 != 2;
        require(table->mapping ==
                (uint32_t)(mapped ? HANDOFF_TABLE_MAPPED : HANDOFF_TABLE_UNMAPPED));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct byte_stream stream = {.bytes = bytes, .size_bytes = size_bytes};
    struct firmware_tables_memory memory = fake_firmware_memory(&firmware);
    fake_firmware_create(&firmware);
    fill_memory(&stream);
    firmware_tables_initialise(&tables);
    firmware_tables_add(&tables, &memory, FIRMWARE_TABLES_ACPI_20, ACPI_20_ADDRESS);
    firmware_tables_add(&tables, &memory, FIRMWARE_TABLES_ACPI_10, ACPI_10_ADDRESS);
    firmware_tables_add(&tables, &memory, FIRMWARE_TABLES_SMBIOS_3, SMBIOS_3_ADDRESS);
    firmware_tables_add(&tables, &memory, FIRMWARE_TABLES_SMBIOS, SMBIOS_ADDRESS);
    firmware_tables_add(&tables, &memory, OTHER_GUID, OTHER_ADDRESS);
    check_list();
    check_mapping();
    fake_firmware_destroy(&firmware);
    return 0;
}
