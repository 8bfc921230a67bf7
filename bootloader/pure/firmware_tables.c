#include "bootloader/pure/firmware_tables.h"

#include "bootloader/pure/number_at.h"
#include "shared/address.h"
#include "shared/memory.h"

const uint8_t FIRMWARE_TABLES_GUIDS[FIRMWARE_TABLES_GUID_COUNT][16] = {
    {0x71, 0xe8, 0x68, 0x88, 0xf1, 0xe4, 0xd3, 0x11, /* ACPI 2.0 */
     0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81},
    {0x30, 0x2d, 0x9d, 0xeb, 0x88, 0x2d, 0xd3, 0x11, /* ACPI 1.0 */
     0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d},
    {0x44, 0x15, 0xfd, 0xf2, 0x94, 0x97, 0x2c, 0x4a, /* SMBIOS 3 */
     0x99, 0x2e, 0xe5, 0xbb, 0xcf, 0x20, 0xe3, 0x94},
    {0x31, 0x2d, 0x9d, 0xeb, 0x88, 0x2d, 0xd3, 0x11, /* SMBIOS 2 */
     0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d},
};

/* No CPU has more than 52 bits of physical address. */
#define PHYSICAL_LIMIT_BYTES (UINT64_C(1) << 52)

#define ACPI_HEADER_SIZE_BYTES 36
#define FACS_SIZE_BYTES        64
#define RSDP_1_SIZE_BYTES      20
#define RSDP_2_SIZE_BYTES      36

#define SIGNATURE(a, b, c, d)                                                                      \
    ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)
#define SIGNATURE_RSDT SIGNATURE('R', 'S', 'D', 'T')
#define SIGNATURE_XSDT SIGNATURE('X', 'S', 'D', 'T')
#define SIGNATURE_FADT SIGNATURE('F', 'A', 'C', 'P')
#define SIGNATURE_DSDT SIGNATURE('D', 'S', 'D', 'T')
#define SIGNATURE_FACS SIGNATURE('F', 'A', 'C', 'S')

/* One walk from an entry of the configuration table. */
struct walk {
    struct firmware_tables *tables;
    const struct firmware_tables_memory *memory;
    const uint8_t *guid;
};

/* --- Foreign bytes --- */

static uint32_t number32_at(const uint8_t *bytes)
{
    return (uint32_t)number_at(bytes, sizeof(uint32_t));
}

/* A number whose size is not constant. */
static uint64_t field_at(const uint8_t *bytes, size_t size_bytes)
{
    return number_at(bytes, size_bytes);
}

static bool is_physical(uint64_t address, uint64_t size_bytes)
{
    return address != 0 && size_bytes != 0 && size_bytes <= FIRMWARE_TABLE_SIZE_LIMIT_BYTES &&
           address <= PHYSICAL_LIMIT_BYTES - size_bytes;
}

static const uint8_t *read_bytes(const struct walk *walk, uint64_t address, uint64_t size_bytes)
{
    return is_physical(address, size_bytes)
               ? walk->memory->read(walk->memory->context, address, size_bytes)
               : NULL;
}

/* All checksums of these tables: the bytes add up to 0. Return NULL if they do not. */
static const uint8_t *read_sum(const struct walk *walk, uint64_t address, uint64_t size_bytes)
{
    const uint8_t *bytes = read_bytes(walk, address, size_bytes);
    uint8_t sum = 0;
    for (uint64_t i = 0; bytes != NULL && i < size_bytes; i++)
        sum = (uint8_t)(sum + bytes[i]);
    return sum == 0 ? bytes : NULL;
}

/* --- The list --- */

/* ACPI's tables do not fill the list: there is always space for the entries of the configuration
 * table and the SMBIOS structures. */
static size_t list_limit(uint32_t part)
{
    return part == 0 || part == HANDOFF_TABLE_PART_SMBIOS
               ? FIRMWARE_TABLES_LIMIT
               : FIRMWARE_TABLES_LIMIT - FIRMWARE_TABLES_KEPT_FOR_ENTRIES;
}

/* Address 0 stands for "none". */
static void list_add(const struct walk *walk, uint64_t address, uint64_t size_bytes, uint32_t part)
{
    struct firmware_tables *tables = walk->tables;
    if (address == 0)
        return;
    if (tables->count >= list_limit(part)) {
        tables->dropped_count++;
        return;
    }
    struct handoff_firmware_table *table = &tables->list[tables->count++];
    *table = (struct handoff_firmware_table){
        .address = address,
        .size_bytes = size_bytes,
        .part = part,
    };
    memcpy(table->guid, walk->guid, sizeof(table->guid));
}

/* A table without a length is damaged. */
static void list_add_checked(const struct walk *walk, uint64_t address, uint64_t size_bytes,
                             uint32_t part)
{
    if (size_bytes == 0)
        walk->tables->invalid_count++;
    list_add(walk, address, size_bytes, part);
}

/* --- ACPI --- */

/* Return the bytes of a table with ACPI's common header (ACPI 6.5, 5.2.6), and write its length to
 * *ret_size_bytes. Return NULL if the table is invalid. The FACS has a different header, without a
 * checksum (ACPI 6.5, 5.2.10). */
static const uint8_t *acpi_check(const struct walk *walk, uint64_t address, uint32_t signature,
                                 uint64_t *ret_size_bytes)
{
    bool is_facs = signature == SIGNATURE_FACS;
    const uint8_t *header = read_bytes(walk, address, ACPI_HEADER_SIZE_BYTES);
    if (header == NULL || number32_at(header) != signature)
        return NULL;
    *ret_size_bytes = number32_at(header + 4);
    if (*ret_size_bytes < (is_facs ? FACS_SIZE_BYTES : ACPI_HEADER_SIZE_BYTES))
        return NULL;
    return is_facs ? read_bytes(walk, address, *ret_size_bytes)
                   : read_sum(walk, address, *ret_size_bytes);
}

/* Check and list a table. The rest as acpi_check(). */
static const uint8_t *acpi_add(const struct walk *walk, uint64_t address, uint32_t signature,
                               uint64_t *ret_size_bytes)
{
    const uint8_t *bytes = acpi_check(walk, address, signature, ret_size_bytes);
    list_add_checked(walk, address, bytes != NULL ? *ret_size_bytes : 0, signature);
    return bytes;
}

/* Add a table that the FADT names. The 64-bit field is used if the FADT has it and it is not 0 (ACPI
 * 6.5, 5.2.9). */
static void acpi_add_named(const struct walk *walk, const uint8_t *fadt, uint64_t fadt_size_bytes,
                           size_t offset_64, size_t offset_32, uint32_t signature)
{
    uint64_t size_bytes;
    uint64_t address = 0;
    if (fadt_size_bytes >= offset_64 + 8)
        address = number_at(fadt + offset_64, 8);
    if (address == 0 && fadt_size_bytes >= offset_32 + 4)
        address = number32_at(fadt + offset_32);
    if (address != 0)
        (void)acpi_add(walk, address, signature, &size_bytes);
}

/* A damaged table is listed by its signature, if that can be read. */
static void acpi_add_any(const struct walk *walk, uint64_t address)
{
    uint64_t size_bytes;
    const uint8_t *header = read_bytes(walk, address, ACPI_HEADER_SIZE_BYTES);
    uint32_t signature = header != NULL ? number32_at(header) : 0;
    if (signature == 0) {
        walk->tables->invalid_count++;
        return;
    }
    const uint8_t *bytes = acpi_add(walk, address, signature, &size_bytes);
    if (signature != SIGNATURE_FADT || bytes == NULL)
        return;
    acpi_add_named(walk, bytes, size_bytes, 132, 36, SIGNATURE_FACS);
    acpi_add_named(walk, bytes, size_bytes, 140, 40, SIGNATURE_DSDT);
}

/* RSDT and XSDT: a header, then addresses of 4 or 8 bytes (ACPI 6.5, 5.2.7 and 5.2.8). Each address
 * costs a checksum, even if the table is not listed. So their number has a separate limit. Return
 * false if the table is invalid. */
static bool acpi_add_root(const struct walk *walk, uint64_t address, uint32_t signature,
                          size_t address_size_bytes)
{
    uint64_t size_bytes;
    const uint8_t *bytes = acpi_add(walk, address, signature, &size_bytes);
    if (bytes == NULL)
        return false;
    uint64_t count = (size_bytes - ACPI_HEADER_SIZE_BYTES) / address_size_bytes;
    if (count > FIRMWARE_TABLES_LIMIT) {
        walk->tables->dropped_count += (uint32_t)(count - FIRMWARE_TABLES_LIMIT);
        count = FIRMWARE_TABLES_LIMIT;
    }
    bytes += ACPI_HEADER_SIZE_BYTES;
    for (; count > 0; count--) {
        acpi_add_any(walk, field_at(bytes, address_size_bytes));
        bytes += address_size_bytes;
    }
    return true;
}

/* ACPI 6.5, 5.2.5.3. The rest as acpi_check(). */
static const uint8_t *rsdp_check(const struct walk *walk, uint64_t address,
                                 uint64_t *ret_size_bytes)
{
    const uint8_t *bytes = read_sum(walk, address, RSDP_1_SIZE_BYTES);
    if (bytes == NULL || memcmp(bytes, "RSD PTR ", 8) != 0)
        return NULL;
    *ret_size_bytes = RSDP_1_SIZE_BYTES;
    if (bytes[15] < 2)
        return bytes;
    bytes = read_bytes(walk, address, RSDP_2_SIZE_BYTES);
    if (bytes == NULL)
        return NULL;
    *ret_size_bytes = number32_at(bytes + 20);
    return *ret_size_bytes < RSDP_2_SIZE_BYTES || *ret_size_bytes > PAGE_SIZE_BYTES
               ? NULL
               : read_sum(walk, address, *ret_size_bytes);
}

static void rsdp_add(const struct walk *walk, uint64_t address)
{
    uint64_t size_bytes;
    const uint8_t *bytes = rsdp_check(walk, address, &size_bytes);
    list_add_checked(walk, address, bytes != NULL ? size_bytes : 0, 0);
    if (bytes == NULL)
        return;
    uint64_t xsdt = size_bytes >= RSDP_2_SIZE_BYTES ? number_at(bytes + 24, 8) : 0;
    uint64_t rsdt = number32_at(bytes + 16);
    /* The RSDT has the same tables, so it stands in for an XSDT that is absent or damaged. */
    if (xsdt == 0 || !acpi_add_root(walk, xsdt, SIGNATURE_XSDT, 8))
        (void)acpi_add_root(walk, rsdt, SIGNATURE_RSDT, 4);
}

/* --- SMBIOS --- */

/* The fields of an entry point that matter here (SMBIOS 3.6, 5.2.1 and 5.2.2). */
struct smbios_entry {
    char anchor[5];
    uint8_t anchor_size_bytes;
    uint8_t length_offset;
    uint8_t least_size_bytes;
    uint8_t table_size_offset;
    uint8_t table_size_field_bytes;
    uint8_t table_address_offset;
    uint8_t table_address_field_bytes;
};

/* In the order of the GUIDs. The second has 31 bytes. SMBIOS 2.1 has a mistake: its entry points may
 * state 30. */
static const struct smbios_entry SMBIOS_ENTRIES[] = {
    {"_SM3_", 5, 6, 24, 12, 4, 16, 8},
    {"_SM_", 4, 5, 30, 22, 2, 24, 4},
};

static void smbios_add(const struct walk *walk, uint64_t address, const struct smbios_entry *entry)
{
    const uint8_t *bytes = read_bytes(walk, address, entry->least_size_bytes);
    uint64_t size_bytes = 0;
    if (bytes != NULL && memcmp(bytes, entry->anchor, entry->anchor_size_bytes) == 0)
        size_bytes = bytes[entry->length_offset];
    bytes = size_bytes >= entry->least_size_bytes ? read_sum(walk, address, size_bytes) : NULL;
    list_add_checked(walk, address, bytes != NULL ? size_bytes : 0, 0);
    if (bytes == NULL)
        return;

    address = field_at(bytes + entry->table_address_offset, entry->table_address_field_bytes);
    size_bytes = field_at(bytes + entry->table_size_offset, entry->table_size_field_bytes);
    bool is_readable = read_bytes(walk, address, size_bytes) != NULL;
    list_add_checked(walk, address, is_readable ? size_bytes : 0, HANDOFF_TABLE_PART_SMBIOS);
}

/* --- The interface --- */

void firmware_tables_initialise(struct firmware_tables *tables)
{
    tables->count = 0;
    tables->invalid_count = 0;
    tables->dropped_count = 0;
}

static bool is_guid(const uint8_t guid[16], const uint8_t other[16])
{
    return memcmp(guid, other, 16) == 0;
}

void firmware_tables_add(struct firmware_tables *tables,
                         const struct firmware_tables_memory *memory, const uint8_t guid[16],
                         uint64_t address)
{
    const struct walk walk = {tables, memory, guid};
    unsigned kind = 0;
    while (kind < FIRMWARE_TABLES_GUID_COUNT && !is_guid(guid, FIRMWARE_TABLES_GUIDS[kind]))
        kind++;
    if (kind < FIRMWARE_TABLES_SMBIOS_NUMBER)
        rsdp_add(&walk, address);
    else if (kind < FIRMWARE_TABLES_GUID_COUNT)
        smbios_add(&walk, address, &SMBIOS_ENTRIES[kind - FIRMWARE_TABLES_SMBIOS_NUMBER]);
    else
        list_add(&walk, address, 0, 0);
}

/* UEFI 2.10, section 4.6: EFI_CONFIGURATION_TABLE. */
#define ENTRY_SIZE_BYTES     24
#define ENTRY_ADDRESS_OFFSET 16

static const struct handoff_firmware_table *find_table(const struct firmware_tables *tables,
                                                       const uint8_t guid[16], bool must_be_good)
{
    for (size_t i = 0; i < tables->count; i++) {
        const struct handoff_firmware_table *table = &tables->list[i];
        if (table->part == 0 && is_guid(table->guid, guid) &&
            (!must_be_good || table->size_bytes != 0))
            return table;
    }
    return NULL;
}

static void add_entries(struct firmware_tables *tables, const struct firmware_tables_memory *memory,
                        const uint8_t *entries, uint64_t entry_count, bool is_acpi_10)
{
    for (uint64_t i = 0; i < entry_count; i++) {
        const uint8_t *entry = entries + i * ENTRY_SIZE_BYTES;
        if (is_guid(entry, FIRMWARE_TABLES_ACPI_10) == is_acpi_10)
            firmware_tables_add(tables, memory, entry, number_at(entry + ENTRY_ADDRESS_OFFSET, 8));
    }
}

void firmware_tables_add_all(struct firmware_tables *tables,
                             const struct firmware_tables_memory *memory, uint64_t address,
                             uint64_t entry_count)
{
    const struct walk walk = {tables, memory, NULL};
    if (entry_count == 0)
        return;
    const uint8_t *entries = NULL;
    if (entry_count <= FIRMWARE_TABLE_SIZE_LIMIT_BYTES / ENTRY_SIZE_BYTES)
        entries = read_bytes(&walk, address, entry_count * ENTRY_SIZE_BYTES);
    if (entries == NULL) {
        tables->invalid_count++;
        return;
    }
    add_entries(tables, memory, entries, entry_count, false);
    /* The root pointers of ACPI 1.0 and 2.0 lead to the same tables, if both are valid. */
    if (find_table(tables, FIRMWARE_TABLES_ACPI_20, true) == NULL)
        add_entries(tables, memory, entries, entry_count, true);
}

uint64_t firmware_tables_find(const struct firmware_tables *tables, const uint8_t first[16],
                              const uint8_t second[16])
{
    for (unsigned attempt = 0; attempt < 4; attempt++) {
        const struct handoff_firmware_table *table =
            find_table(tables, attempt % 2 == 0 ? first : second, attempt < 2);
        if (table != NULL)
            return table->address;
    }
    return 0;
}

const uint8_t *firmware_tables_acpi(const struct firmware_tables *tables,
                                    const struct firmware_tables_memory *memory,
                                    const char signature[4], uint64_t *ret_size_bytes)
{
    uint32_t part = number32_at((const uint8_t *)signature);
    for (size_t i = 0; i < tables->count; i++) {
        const struct handoff_firmware_table *table = &tables->list[i];
        if (table->part != part || table->size_bytes < ACPI_HEADER_SIZE_BYTES)
            continue;
        *ret_size_bytes = table->size_bytes;
        return memory->read(memory->context, table->address, table->size_bytes);
    }
    return NULL;
}

bool firmware_tables_pages(const struct handoff_firmware_table *table, struct phys_range *ret_pages)
{
    if (table->size_bytes == 0)
        return false;
    *ret_pages = phys_range(page_align_down(table->address),
                            page_align_up(table->address + table->size_bytes));
    return true;
}

static bool is_mapped(const struct handoff_region *regions, size_t region_count, uint64_t start,
                      uint64_t end)
{
    for (size_t i = 0; i < region_count && start < end; i++) {
        const struct handoff_region *region = &regions[i];
        if (region->base <= start && start - region->base < region->size_bytes &&
            (region->facts & HANDOFF_FACT_MAPPED) != 0)
            start = region->base + region->size_bytes;
    }
    return start >= end;
}

void firmware_tables_set_mapping(struct firmware_tables *tables,
                                 const struct handoff_region *regions, size_t region_count)
{
    for (size_t i = 0; i < tables->count; i++) {
        struct handoff_firmware_table *table = &tables->list[i];
        uint64_t size_bytes = table->size_bytes != 0 ? table->size_bytes : 1;
        bool mapped = is_physical(table->address, size_bytes) &&
                      is_mapped(regions, region_count, table->address, table->address + size_bytes);
        table->mapping = mapped ? HANDOFF_TABLE_MAPPED : HANDOFF_TABLE_UNMAPPED;
    }
}
