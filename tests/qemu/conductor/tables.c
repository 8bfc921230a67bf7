/*
 * tables.c - firmware tables at unusual places, and damaged tables.
 *
 * Plan:
 *   no-acpi                no ACPI table is published
 *   smbios-at PLACE        the SMBIOS entry points and structures lie in another place:
 *   rsdp-at PLACE          … ACPI's root pointer and its XSDT
 *                          1 EfiReservedMemoryType, 2 the same below 1 MiB, 3 at 0xf0000, which no
 *                          row of the memory map covers
 *   acpi-checksum N        the checksum of the N-th table of the XSDT is wrong (0 is the first)
 *   madt-byte N            byte N / 256 of the MADT is N % 256, and its checksum is right again
 *   madt-file              the MADT is the file \madt.bin
 *   acpi-entry-nowhere     the first entry of the XSDT leads to 32 TiB, where there is no memory
 *   rsdp-without-root      the root pointer has the form of ACPI 1.0 and no RSDT
 *   smbios-checksum        the checksum of every SMBIOS entry point is wrong
 *   low-memory-full        no page below 1 MiB is free
 *
 * Each case has its own machine, so tables are changed in place.
 */
#include "shared/address.h"
#include "shared/arch/x86_64/instructions.h"
#include "shared/memory.h"
#include "tests/qemu/conductor/stage.h"

#define LOW_MEMORY_LIMIT UINT64_C(0x100000)
#define NOWHERE          UINT64_C(0x200000000000)
#define MADT_LIMIT_BYTES (256 * 1024)

/* PCI's configuration mechanism 1, and the register PAM0 of q35's host bridge. It decides whether
 * accesses to 0xf0000 to 0xfffff reach RAM (Intel 3 Series Express Chipset, 5.1.19). */
#define PCI_ADDRESS_PORT 0xcf8
#define PCI_DATA_PORT    0xcfc
#define PAM0_REGISTER    0x90
#define PAM0_RAM         0x30

enum place { PLACE_RESERVED = 1, PLACE_RESERVED_LOW = 2, PLACE_NO_ROW = 3 };

static uint64_t no_row_next = 0xf0000;

static bool is_entry(const EFI_CONFIGURATION_TABLE *entry, EFI_GUID guid)
{
    return memcmp(&entry->VendorGuid, &guid, sizeof(guid)) == 0;
}

static uint64_t number_at(const uint8_t *bytes, unsigned size_bytes)
{
    uint64_t number = 0;
    for (unsigned i = size_bytes; i > 0; i--)
        number = number << 8 | bytes[i - 1];
    return number;
}

static void put_number(uint8_t *bytes, uint64_t number, unsigned size_bytes)
{
    for (unsigned i = 0; i < size_bytes; i++)
        bytes[i] = (uint8_t)(number >> (8 * i));
}

static void seal(uint8_t *bytes, uint64_t size_bytes, unsigned checksum_offset)
{
    uint8_t sum = 0;
    bytes[checksum_offset] = 0;
    for (uint64_t i = 0; i < size_bytes; i++)
        sum = (uint8_t)(sum + bytes[i]);
    bytes[checksum_offset] = (uint8_t)-sum;
}

/* --- Places --- */

static void make_legacy_area_ram(void)
{
    port_write_32(PCI_ADDRESS_PORT, UINT32_C(0x80000000) | PAM0_REGISTER);
    port_write_8(PCI_DATA_PORT, PAM0_RAM);
}

/* Allocate pages for a copy. 0 if the firmware has no pages left. */
static uint64_t allocate_at(enum place place, uint64_t size_bytes)
{
    EFI_PHYSICAL_ADDRESS base = LOW_MEMORY_LIMIT - 1;
    if (place == PLACE_NO_ROW) {
        make_legacy_area_ram();
        base = no_row_next;
        no_row_next += page_align_up(size_bytes);
        return base;
    }
    EFI_STATUS status = stage.firmware->AllocatePages(
        place == PLACE_RESERVED_LOW ? AllocateMaxAddress : AllocateAnyPages, EfiReservedMemoryType,
        page_align_up(size_bytes) / PAGE_SIZE_BYTES, &base);
    return EFI_ERROR(status) ? 0 : base;
}

/* Copy a table, or return the table itself if there is no room. The copy has the offset in its page
 * of an SMBIOS entry point at 0xf05e0. */
static uint8_t *move(const char *name, uint8_t *table, uint64_t size_bytes, enum place place)
{
    const uint64_t offset = 0x5e0;
    uint64_t base = allocate_at(place, offset + size_bytes);
    if (base == 0) {
        say("no room for the %s", name);
        return table;
    }
    uint8_t *copy = (uint8_t *)base + offset;
    memcpy(copy, table, size_bytes);
    memset(table, 0, size_bytes); /* a read of the old place must find wrong bytes */
    say("%s at %llx, %llu bytes", name, (uint64_t)copy, size_bytes);
    return copy;
}

/* --- SMBIOS (SMBIOS 3.6, section 5.2) --- */

static void seal_smbios(uint8_t *entry, bool is_version_3)
{
    if (is_version_3) {
        seal(entry, entry[6], 5);
        return;
    }
    seal(entry + 16, 15, 5); /* the intermediate anchor */
    seal(entry, entry[5], 4);
}

static void move_smbios(EFI_CONFIGURATION_TABLE *table, bool is_version_3, enum place place)
{
    static uint64_t moved_from;
    static uint8_t *moved_to;
    uint8_t *entry = move("SMBIOS entry point", table->VendorTable,
                          ((uint8_t *)table->VendorTable)[is_version_3 ? 6 : 5], place);
    unsigned address_offset = is_version_3 ? 16 : 24;
    unsigned address_bytes = is_version_3 ? 8 : 4;
    uint64_t structures = number_at(entry + address_offset, address_bytes);
    uint64_t size_bytes = is_version_3 ? number_at(entry + 12, 4) : number_at(entry + 22, 2);
    if (structures != moved_from) { /* both entry points may lead to the same */
        moved_from = structures;
        moved_to = move("SMBIOS structures", (uint8_t *)structures, size_bytes, place);
    }
    put_number(entry + address_offset, (uint64_t)moved_to, address_bytes);
    seal_smbios(entry, is_version_3);
    table->VendorTable = entry;
}

static void change_smbios(EFI_CONFIGURATION_TABLE *table)
{
    uint64_t place;
    bool is_version_3 = is_entry(table, (EFI_GUID)SMBIOS3_TABLE_GUID);
    if (!is_version_3 && !is_entry(table, (EFI_GUID)SMBIOS_TABLE_GUID))
        return;
    if (plan_has(&stage.plan, "smbios-at", &place))
        move_smbios(table, is_version_3, (enum place)place);
    if (plan_has(&stage.plan, "smbios-checksum", NULL))
        ((uint8_t *)table->VendorTable)[is_version_3 ? 5 : 4]++;
}

/* --- ACPI (ACPI 6.5, section 5.2) --- */

static void seal_rsdp(uint8_t *rsdp)
{
    seal(rsdp, 20, 8);
    if (rsdp[15] >= 2)
        seal(rsdp, number_at(rsdp + 20, 4), 32);
}

static void move_acpi(EFI_CONFIGURATION_TABLE *table, enum place place)
{
    uint8_t *rsdp = move("RSDP", table->VendorTable, 36, place);
    uint8_t *xsdt = (uint8_t *)number_at(rsdp + 24, 8);
    xsdt = move("XSDT", xsdt, number_at(xsdt + 4, 4), place);
    put_number(rsdp + 24, (uint64_t)xsdt, 8);
    seal_rsdp(rsdp);
    table->VendorTable = rsdp;
}

/* Return the element of the XSDT with the address of the MADT, or NULL. */
static uint8_t *find_madt(uint8_t *xsdt)
{
    for (uint64_t at = 36; at < number_at(xsdt + 4, 4); at += 8) {
        if (memcmp((void *)number_at(xsdt + at, 8), "APIC", 4) == 0)
            return xsdt + at;
    }
    say("there is no MADT");
    return NULL;
}

static void change_madt(uint8_t *xsdt, uint64_t change)
{
    const uint8_t *element = find_madt(xsdt);
    if (element == NULL)
        return;
    uint8_t *table = (uint8_t *)number_at(element, 8);
    table[change / 256] = (uint8_t)change;
    seal(table, number_at(table + 4, 4), 9);
    say("byte %llu of the MADT is changed", change / 256);
}

static void replace_madt(uint8_t *xsdt)
{
    UINTN size_bytes = MADT_LIMIT_BYTES;
    uint64_t base = allocate_at(PLACE_RESERVED, size_bytes);
    uint8_t *element = find_madt(xsdt);
    if (base == 0 || element == NULL ||
        EFI_ERROR(stage_read_file(L"\\madt.bin", (void *)base, &size_bytes))) {
        say("the MADT is not replaced");
        return;
    }
    put_number(element, base, 8);
    seal(xsdt, number_at(xsdt + 4, 4), 9);
}

static void damage_acpi(uint8_t *rsdp)
{
    uint64_t number;
    uint8_t *xsdt = (uint8_t *)number_at(rsdp + 24, 8);
    if (plan_has(&stage.plan, "acpi-checksum", &number)) {
        uint8_t *table = (uint8_t *)number_at(xsdt + 36 + 8 * number, 8);
        table[9]++;
        say("the checksum at %llx is wrong", (uint64_t)table);
    }
    if (plan_has(&stage.plan, "madt-byte", &number))
        change_madt(xsdt, number);
    if (plan_has(&stage.plan, "madt-file", NULL))
        replace_madt(xsdt);
    if (plan_has(&stage.plan, "acpi-entry-nowhere", NULL)) {
        put_number(xsdt + 36, NOWHERE, 8);
        seal(xsdt, number_at(xsdt + 4, 4), 9);
    }
    if (plan_has(&stage.plan, "rsdp-without-root", NULL)) {
        rsdp[15] = 0;
        put_number(rsdp + 16, 0, 4);
        seal_rsdp(rsdp);
    }
}

static void change_acpi(EFI_CONFIGURATION_TABLE *table)
{
    uint64_t place;
    if (!is_entry(table, (EFI_GUID)ACPI_20_TABLE_GUID))
        return;
    if (plan_has(&stage.plan, "rsdp-at", &place))
        move_acpi(table, (enum place)place);
    damage_acpi(table->VendorTable);
}

static bool is_hidden(const EFI_CONFIGURATION_TABLE *table)
{
    return plan_has(&stage.plan, "no-acpi", NULL) &&
           (is_entry(table, (EFI_GUID)ACPI_TABLE_GUID) ||
            is_entry(table, (EFI_GUID)ACPI_20_TABLE_GUID));
}

/* --- Memory below 1 MiB --- */

static void fill_low_memory(void)
{
    uint64_t count = 0;
    for (;; count++) {
        EFI_PHYSICAL_ADDRESS base = LOW_MEMORY_LIMIT - 1;
        if (EFI_ERROR(
                stage.firmware->AllocatePages(AllocateMaxAddress, EfiBootServicesData, 1, &base)))
            break;
    }
    say("%llu pages below 1 MiB were free", count);
}

void tables_install(void)
{
    UINTN count = stage.loader_table->NumberOfTableEntries;
    EFI_CONFIGURATION_TABLE *tables;
    if (EFI_ERROR(stage.firmware->AllocatePool(EfiRuntimeServicesData, count * sizeof *tables,
                                               (VOID **)&tables))) {
        say("no memory for a copy of the configuration tables");
        return;
    }
    UINTN kept = 0;
    for (UINTN i = 0; i < count; i++) {
        tables[kept] = stage.loader_table->ConfigurationTable[i];
        if (is_hidden(&tables[kept]))
            continue;
        change_smbios(&tables[kept]);
        change_acpi(&tables[kept]);
        kept++;
    }
    stage.loader_table->ConfigurationTable = tables;
    stage.loader_table->NumberOfTableEntries = kept;
    if (plan_has(&stage.plan, "low-memory-full", NULL))
        fill_low_memory();
}
