/*
 * firmware_tables.h - where the firmware's tables are: ACPI, SMBIOS, and what else its
 * configuration table names.
 *
 * Kernels crash here first. Some firmware keeps these tables in reserved memory, or where the memory
 * map has no row, so they are not in the direct map. This file finds each table and
 * its length; the loader then maps the pages that RAM does not cover and says in the handoff which
 * tables a kernel can read.
 *
 * The tables are foreign bytes. Each one is believed only with its signature, its checksum where
 * it has one, and a length within bounds. A table that fails is listed without a length and not
 * followed; the RSDT is followed where the XSDT fails. Pure: memory is read through a callback.
 * Fuzzed by tests/fuzz/fuzz_firmware_tables.c. Sources: ACPI 6.5, sections 5.2.5 to 5.2.10;
 * SMBIOS 3.6, section 5.2; UEFI 2.10, section 4.6.
 */
#ifndef BOOTLOADER_PURE_FIRMWARE_TABLES_H
#define BOOTLOADER_PURE_FIRMWARE_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/handoff.h"
#include "shared/range.h"

/* Servers with one SSDT a processor have some 100 ACPI tables. More are counted, not listed. */
#define FIRMWARE_TABLES_LIMIT 192

/* Of these, so many are not for ACPI's tables: firmware publishes some 15 entries. */
#define FIRMWARE_TABLES_KEPT_FOR_ENTRIES 32

/* A table that claims more is not believed. The largest that are known (a DSDT, an SMBIOS table)
 * have some 1 MiB. */
#define FIRMWARE_TABLE_SIZE_LIMIT_BYTES (UINT64_C(4) << 20)

struct firmware_tables {
    struct handoff_firmware_table list[FIRMWARE_TABLES_LIMIT];
    size_t count;
    uint32_t invalid_count; /* a wrong signature, checksum, length or address */
    uint32_t dropped_count; /* no room in the list */
};

/* Memory as the firmware has it mapped. NULL if [address, + size_bytes) cannot be read. */
struct firmware_tables_memory {
    const void *(*read)(void *context, uint64_t address, uint64_t size_bytes);
    void *context;
};

/* GUIDs in memory order (UEFI 2.10, appendix A). */
extern const uint8_t FIRMWARE_TABLES_ACPI_20[16];
extern const uint8_t FIRMWARE_TABLES_ACPI_10[16];
extern const uint8_t FIRMWARE_TABLES_SMBIOS_3[16];
extern const uint8_t FIRMWARE_TABLES_SMBIOS[16];

void firmware_tables_initialise(struct firmware_tables *tables);

/* Add one entry of the configuration table, and the tables that it leads to. ACPI's root pointer
 * leads to all tables of its root table, DSDT and FACS; SMBIOS's entry point to the structures. A
 * table at the address 0, or an ACPI table with an unreadable signature, is not listed. */
void firmware_tables_add(struct firmware_tables *tables,
                         const struct firmware_tables_memory *memory, const uint8_t guid[16],
                         uint64_t address);

/* Add the `entry_count` entries of EFI's configuration table, which lies at `address`. The entry
 * for ACPI 1.0 is left out if that for ACPI 2.0 is good. A configuration table that cannot be read
 * is counted as damaged. */
void firmware_tables_add_all(struct firmware_tables *tables,
                             const struct firmware_tables_memory *memory, uint64_t address,
                             uint64_t entry_count);

/* The address of the entry `first`, or else of the entry `second`. An entry that is damaged is only
 * taken if neither of them is good. 0 if neither is listed. */
uint64_t firmware_tables_find(const struct firmware_tables *tables, const uint8_t first[16],
                              const uint8_t second[16]);

/* The whole pages of one table. False if its length is unknown. */
bool firmware_tables_pages(const struct handoff_firmware_table *table,
                           struct phys_range *ret_pages);

/* Set the `mapping` of each table by the regions that the kernel is given. */
void firmware_tables_set_mapping(struct firmware_tables *tables,
                                 const struct handoff_region *regions, size_t region_count);

#endif
