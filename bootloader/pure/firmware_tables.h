/*
 * firmware_tables.h - find the firmware's tables: ACPI, SMBIOS, and the other entries of the
 * configuration table.
 *
 * Many kernels crash at these tables first. Some firmware keeps them in reserved memory, or in
 * memory without a row in the memory map. So they are not in the direct map. This file finds each
 * table and its length. The loader then maps the pages outside of RAM, and the handoff says which
 * tables a kernel can read.
 *
 * The tables are untrusted. A table is accepted only with its signature, a correct checksum if it
 * has one, and a length within bounds. A table that fails is listed without a length, and is not
 * followed. The RSDT is followed if the XSDT fails. Pure: memory is read through a callback. Fuzzed
 * by tests/fuzz/fuzz_firmware_tables.c. Sources: ACPI 6.5, sections 5.2.5 to 5.2.10; SMBIOS 3.6,
 * section 5.2; UEFI 2.10, section 4.6.
 */
#ifndef BOOTLOADER_PURE_FIRMWARE_TABLES_H
#define BOOTLOADER_PURE_FIRMWARE_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/handoff.h"
#include "shared/range.h"

/* Servers with one SSDT per processor have about 100 ACPI tables. More are counted, not listed. */
#define FIRMWARE_TABLES_LIMIT 192

/* The part of the list that ACPI's tables cannot use: firmware publishes about 15 entries. */
#define FIRMWARE_TABLES_KEPT_FOR_ENTRIES 32

/* A table that claims more is refused. The largest known tables (a DSDT, an SMBIOS table) have
 * about 1 MiB. */
#define FIRMWARE_TABLE_SIZE_LIMIT_BYTES (UINT64_C(4) << 20)

struct firmware_tables {
    struct handoff_firmware_table list[FIRMWARE_TABLES_LIMIT];
    size_t count;
    uint32_t invalid_count; /* a wrong signature, checksum, length or address */
    uint32_t dropped_count; /* no room in the list */
};

/* Memory as the firmware has mapped it. `read` returns NULL if [address, + size_bytes) cannot be
 * read. */
struct firmware_tables_memory {
    const void *(*read)(void *context, uint64_t address, uint64_t size_bytes);
    void *context;
};

/* GUIDs in memory order (UEFI 2.10, appendix A). */
#define FIRMWARE_TABLES_GUID_COUNT 4
extern const uint8_t FIRMWARE_TABLES_GUIDS[FIRMWARE_TABLES_GUID_COUNT][16];
#define FIRMWARE_TABLES_ACPI_20       FIRMWARE_TABLES_GUIDS[0]
#define FIRMWARE_TABLES_ACPI_10       FIRMWARE_TABLES_GUIDS[1]
#define FIRMWARE_TABLES_SMBIOS_NUMBER 2 /* the first that is not of ACPI */
#define FIRMWARE_TABLES_SMBIOS_3      FIRMWARE_TABLES_GUIDS[2]
#define FIRMWARE_TABLES_SMBIOS        FIRMWARE_TABLES_GUIDS[3]

void firmware_tables_initialise(struct firmware_tables *tables);

/* Add one entry of the configuration table, and the tables to which it leads. ACPI's root pointer
 * leads to all tables of its root table, to the DSDT and to the FACS. SMBIOS's entry point leads to
 * the structures. A table at address 0 is not listed, nor an ACPI table whose signature cannot be
 * read. */
void firmware_tables_add(struct firmware_tables *tables,
                         const struct firmware_tables_memory *memory, const uint8_t guid[16],
                         uint64_t address);

/* Add the `entry_count` entries of EFI's configuration table, which lies at `address`. The entry
 * for ACPI 1.0 is left out if the entry for ACPI 2.0 is valid. A configuration table that cannot be
 * read is counted as damaged. */
void firmware_tables_add_all(struct firmware_tables *tables,
                             const struct firmware_tables_memory *memory, uint64_t address,
                             uint64_t entry_count);

/* Return the address of the entry `first`, or else of the entry `second`. A damaged entry is used
 * only if no valid one is listed. Return 0 if neither is listed. */
uint64_t firmware_tables_find(const struct firmware_tables *tables, const uint8_t first[16],
                              const uint8_t second[16]);

/* Return the bytes of the first good ACPI table with this signature, and write its length to
 * *ret_size_bytes. Return NULL without such a table. */
const uint8_t *firmware_tables_acpi(const struct firmware_tables *tables,
                                    const struct firmware_tables_memory *memory,
                                    const char signature[4], uint64_t *ret_size_bytes);

/* Write the whole pages of one table. Return false if its length is unknown. */
bool firmware_tables_pages(const struct handoff_firmware_table *table,
                           struct phys_range *ret_pages);

/* Set the `mapping` of each table from the regions of the handoff. */
void firmware_tables_set_mapping(struct firmware_tables *tables,
                                 const struct handoff_region *regions, size_t region_count);

#endif
