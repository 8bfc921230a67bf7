#include "tests/qemu/probe/platform.h"

#include <stddef.h>

#include "tests/qemu/probe/block.h"
#include "tests/qemu/probe/page_walk.h"
#include "tests/qemu/probe/serial.h"

/* --- The framebuffer -------------------------------------------------------------------------- */

static void check_no_framebuffer(const struct handoff *handoff, struct promises *promises)
{
    promise_begin(promises, "framebuffer-is-absent");
    promise_require_equal(promises, 0, handoff->framebuffers.first);
    promise_require_equal(promises, 0, handoff->framebuffers.stride_bytes);
    promise_require_equal(promises, 0,
                          block_bytes_of_type(handoff, 0, UINT64_MAX, HANDOFF_REGION_FRAMEBUFFER));
    promise_end(promises);
}

static void require_geometry(const struct handoff_framebuffer *framebuffer,
                             struct promises *promises)
{
    uint64_t bytes_per_pixel = framebuffer->bits_per_pixel / 8u;
    promise_require(promises, framebuffer->base != 0, "a base", framebuffer->base);
    promise_require(promises, framebuffer->width_pixels != 0 && framebuffer->height_pixels != 0,
                    "a size", framebuffer->width_pixels);
    promise_require(promises,
                    framebuffer->bits_per_pixel % 8 == 0 && bytes_per_pixel >= 1 &&
                        bytes_per_pixel <= 4,
                    "8, 16, 24 or 32 bits per pixel", framebuffer->bits_per_pixel);
    promise_require(promises,
                    framebuffer->pitch_bytes >= framebuffer->width_pixels * bytes_per_pixel,
                    "a pitch that holds a line", framebuffer->pitch_bytes);
    promise_require(promises,
                    framebuffer->size_bytes >=
                        (uint64_t)framebuffer->pitch_bytes * framebuffer->height_pixels,
                    "a size that holds all lines", framebuffer->size_bytes);
}

static void require_format(const struct handoff_framebuffer *framebuffer, struct promises *promises)
{
    uint32_t red = framebuffer->red_mask;
    uint32_t green = framebuffer->green_mask;
    uint32_t blue = framebuffer->blue_mask;
    promise_require(promises, red != 0 && green != 0 && blue != 0, "a mask for each colour", red);
    promise_require(promises, (red & green) == 0 && (red & blue) == 0 && (green & blue) == 0,
                    "masks that do not overlap", red);
    if (framebuffer->pixel_format == HANDOFF_PIXEL_FORMAT_RGBX8888) {
        promise_require_equal(promises, 0x000000ff, red);
        promise_require_equal(promises, 0x00ff0000, blue);
    } else if (framebuffer->pixel_format == HANDOFF_PIXEL_FORMAT_BGRX8888) {
        promise_require_equal(promises, 0x00ff0000, red);
        promise_require_equal(promises, 0x000000ff, blue);
    } else {
        promise_require_equal(promises, HANDOFF_PIXEL_FORMAT_MASKS, framebuffer->pixel_format);
        return;
    }
    promise_require_equal(promises, 0x0000ff00, green);
    promise_require_equal(promises, 32, framebuffer->bits_per_pixel);
}

/* The first and the last byte of the pixels must keep the value that is written to them. */
static void require_pixels(const struct handoff *handoff,
                           const struct handoff_framebuffer *framebuffer, struct promises *promises)
{
    volatile uint8_t *pixels = block_pointer(handoff, framebuffer->base);
    const uint64_t places[] = {
        0, (uint64_t)framebuffer->pitch_bytes * (framebuffer->height_pixels - 1) +
               (uint64_t)framebuffer->width_pixels * (framebuffer->bits_per_pixel / 8u) - 2};
    for (unsigned i = 0; i < 2; i++) {
        uint8_t before = pixels[places[i]];
        pixels[places[i]] = (uint8_t)~before;
        promise_require_equal(promises, (uint8_t)~before, pixels[places[i]]);
        pixels[places[i]] = before;
    }
}

static void check_framebuffer(const struct handoff *handoff, struct promises *promises)
{
    if (handoff->framebuffers.count == 0) {
        check_no_framebuffer(handoff, promises);
        return;
    }
    promise_begin(promises, "framebuffers-are-sound");
    promise_require(promises, handoff->framebuffers.count <= BLOCK_SCREEN_LIMIT,
                    "as many screens as the probe knows", handoff->framebuffers.count);
    for (uint32_t i = 0; i < handoff->framebuffers.count; i++) {
        const struct handoff_framebuffer framebuffer = block_framebuffer(handoff, i);
        require_geometry(&framebuffer, promises);
        require_format(&framebuffer, promises);
        require_pixels(handoff, &framebuffer, promises);
    }
    promise_end(promises);
}

/* --- The firmware's tables -------------------------------------------------------------------- */

/* UEFI 2.10, 4.3 and 4.6. */
#define SYSTEM_TABLE_SIGNATURE UINT64_C(0x5453595320494249) /* "IBI SYST" */
struct system_table {
    uint64_t signature;
    uint64_t before_runtime_services[10];
    uint64_t runtime_services;
    uint64_t boot_services;
    uint64_t configuration_table_count;
    uint64_t configuration_tables;
};
_Static_assert(offsetof(struct system_table, runtime_services) == 88, "UEFI 2.10, section 4.3");
_Static_assert(sizeof(struct system_table) == 120, "UEFI 2.10, section 4.3");

struct configuration_table {
    uint64_t guid[2];
    uint64_t table;
};

/* UEFI 2.10, 4.6.1. Each GUID is two little-endian numbers. */
static const uint64_t acpi_20_guid[2] = {UINT64_C(0x11d3e4f18868e871),
                                         UINT64_C(0x81883cc7800022bc)};
static const uint64_t acpi_10_guid[2] = {UINT64_C(0x11d32d88eb9d2d30),
                                         UINT64_C(0x4dc13f279000169a)};
static const uint64_t smbios_3_guid[2] = {UINT64_C(0x4a2c9794f2fd1544),
                                          UINT64_C(0x94e320cfbbe52e99)};
static const uint64_t smbios_guid[2] = {UINT64_C(0x11d32d88eb9d2d31), UINT64_C(0x4dc13f279000169a)};

static bool bytes_equal(const void *memory, const char *text, unsigned count)
{
    const char *bytes = memory;
    for (unsigned i = 0; i < count; i++) {
        if (bytes[i] != text[i])
            return false;
    }
    return true;
}

/* Return the table that the firmware publishes under a GUID, or 0. */
static uint64_t published_table(const struct handoff *handoff, const struct system_table *system,
                                const uint64_t guid[2])
{
    const struct configuration_table *tables = block_pointer(handoff, system->configuration_tables);
    for (uint64_t i = 0; i < system->configuration_table_count; i++) {
        if (tables[i].guid[0] == guid[0] && tables[i].guid[1] == guid[1])
            return tables[i].table;
    }
    return 0;
}

/* Return true if the list has a readable table at an address, under any signature. */
static bool is_listed_with_a_size(const struct handoff *handoff, uint64_t address)
{
    for (uint32_t i = 0; i < handoff->firmware_tables.count; i++) {
        const struct handoff_firmware_table *table =
            block_pointer(handoff, handoff->firmware_tables.first +
                                       (uint64_t)i * handoff->firmware_tables.stride_bytes);
        if (table->address == address && table->size_bytes != 0)
            return true;
    }
    return false;
}

static const struct handoff_firmware_table *listed_at(const struct handoff *handoff, uint32_t index)
{
    return block_pointer(handoff, handoff->firmware_tables.first +
                                      (uint64_t)index * handoff->firmware_tables.stride_bytes);
}

static bool is_listed(const struct handoff *handoff, const struct configuration_table *entry)
{
    const uint8_t *guid = (const uint8_t *)entry->guid;
    for (uint32_t i = 0; i < handoff->firmware_tables.count; i++) {
        const struct handoff_firmware_table *table = listed_at(handoff, i);
        unsigned equal_count = 0;
        for (unsigned j = 0; j < sizeof(table->guid); j++)
            equal_count += table->guid[j] == guid[j];
        if (equal_count == sizeof(table->guid) && table->part == 0 &&
            table->address == entry->table)
            return true;
    }
    return false;
}

/* Return true if the direct map has each page of [start, start + size_bytes). */
static bool is_in_direct_map(const struct handoff *handoff, uint64_t start, uint64_t size_bytes)
{
    for (uint64_t page = start & ~(PAGE - 1); page < start + size_bytes; page += PAGE) {
        struct page_leaf leaf;
        uint64_t virtual = handoff->direct_map_base + page;
        if (!page_walk_find(handoff, virtual, &leaf) ||
            leaf.physical + (virtual - leaf.virtual) != page)
            return false;
    }
    return true;
}

/* Compare `mapping` of each table with the page tables. Without a size, check only one byte. */
static void check_mappings(const struct handoff *handoff, struct promises *promises)
{
    promise_begin(promises, "firmware-tables-are-mapped-as-they-say");
    for (uint32_t i = 0; i < handoff->firmware_tables.count; i++) {
        const struct handoff_firmware_table *table = listed_at(handoff, i);
        bool is_mapped = is_in_direct_map(handoff, table->address,
                                          table->size_bytes != 0 ? table->size_bytes : 1);
        promise_require(promises, table->mapping <= HANDOFF_TABLE_MAPPED, "a known mapping",
                        table->mapping);
        promise_require(promises, is_mapped == (table->mapping == HANDOFF_TABLE_MAPPED),
                        "the mapping of the page tables", table->address);
    }
    promise_end(promises);
}

/* Of two GUIDs, take the first with a table that is listed as good, else the first with a table. */
static void check_published(const struct handoff *handoff, struct promises *promises,
                            const char *name, const uint64_t first[2], const uint64_t second[2],
                            uint64_t handed_over)
{
    const struct system_table *system = block_pointer(handoff, handoff->efi_system_table);
    uint64_t newer = published_table(handoff, system, first);
    uint64_t older = published_table(handoff, system, second);
    bool takes_older = newer == 0 || (!is_listed_with_a_size(handoff, newer) &&
                                      is_listed_with_a_size(handoff, older));
    promise_equal(promises, name, takes_older ? older : newer, handed_over);
}

/* Every entry of the configuration table is listed. Exception: ACPI 1.0 next to a good ACPI 2.0. */
static void check_entries(const struct handoff *handoff, struct promises *promises,
                          const struct system_table *system)
{
    const struct configuration_table *tables = block_pointer(handoff, system->configuration_tables);
    uint64_t acpi_20 = published_table(handoff, system, acpi_20_guid);
    bool has_acpi_20 = acpi_20 != 0 && is_listed_with_a_size(handoff, acpi_20);
    promise_begin(promises, "every-configuration-table-is-listed");
    for (uint64_t i = 0; i < system->configuration_table_count; i++) {
        bool is_acpi_10 =
            tables[i].guid[0] == acpi_10_guid[0] && tables[i].guid[1] == acpi_10_guid[1];
        if (tables[i].table == 0 || (is_acpi_10 && has_acpi_20))
            continue;
        promise_require(promises, is_listed(handoff, &tables[i]),
                        "every configuration table in the list", tables[i].table);
    }
    promise_end(promises);
}

static void check_system_table(const struct handoff *handoff, struct promises *promises)
{
    if (!block_is_readable(handoff, handoff->efi_system_table, sizeof(struct system_table))) {
        promise_skip(promises, "efi-system-table", "the table is not in RAM");
        return;
    }
    const struct system_table *system = block_pointer(handoff, handoff->efi_system_table);
    promise_begin(promises, "efi-system-table");
    promise_require_equal(promises, SYSTEM_TABLE_SIGNATURE, system->signature);
    const struct handoff_region *services = block_region_of(handoff, system->runtime_services);
    promise_require(promises, services != NULL, "runtime services at a physical address",
                    system->runtime_services);
    promise_end(promises);

    uint64_t tables_size_bytes =
        system->configuration_table_count * sizeof(struct configuration_table);
    if (!block_is_readable(handoff, system->configuration_tables, tables_size_bytes)) {
        promise_skip(promises, "rsdp-is-the-published-one", "the list is not in RAM");
        promise_skip(promises, "smbios-is-the-published-one", "the list is not in RAM");
        promise_skip(promises, "every-configuration-table-is-listed", "the list is not in RAM");
        return;
    }
    check_entries(handoff, promises, system);
    check_published(handoff, promises, "rsdp-is-the-published-one", acpi_20_guid, acpi_10_guid,
                    handoff->rsdp);
    check_published(handoff, promises, "smbios-is-the-published-one", smbios_3_guid, smbios_guid,
                    handoff->smbios);
}

static uint8_t byte_sum(const uint8_t *bytes, uint64_t count)
{
    uint8_t sum = 0;
    for (uint64_t i = 0; i < count; i++)
        sum = (uint8_t)(sum + bytes[i]);
    return sum;
}

/* Return the listed table of a part (0: the entry itself) at an address, or NULL. */
static const struct handoff_firmware_table *listed_table(const struct handoff *handoff,
                                                         uint64_t address, uint32_t part)
{
    for (uint32_t i = 0; i < handoff->firmware_tables.count; i++) {
        const struct handoff_firmware_table *table =
            block_pointer(handoff, handoff->firmware_tables.first +
                                       (uint64_t)i * handoff->firmware_tables.stride_bytes);
        if (table->address == address && table->part == part)
            return table;
    }
    return NULL;
}

/* Return the bytes of a listed, readable table. Otherwise break the promise and return NULL. */
static const uint8_t *require_readable(const struct handoff *handoff, struct promises *promises,
                                       uint64_t address, uint32_t part, uint64_t *ret_size_bytes)
{
    const struct handoff_firmware_table *table = listed_table(handoff, address, part);
    promise_require(promises, table != NULL, "this table in the list", address);
    if (table == NULL)
        return NULL;
    promise_require_equal(promises, HANDOFF_TABLE_MAPPED, table->mapping);
    bool readable = table->size_bytes != 0 &&
                    block_is_readable(handoff, address & ~(PAGE - 1), 1) &&
                    block_is_readable(handoff, address, table->size_bytes);
    promise_require(promises, readable, "regions with the fact MAPPED under the whole table",
                    address);
    *ret_size_bytes = table->size_bytes;
    return readable && table->mapping == HANDOFF_TABLE_MAPPED ? block_pointer(handoff, address)
                                                              : NULL;
}

static uint64_t little_endian(const uint8_t *bytes, unsigned count)
{
    uint64_t number = 0;
    for (unsigned i = count; i > 0; i--)
        number = number << 8 | bytes[i - 1];
    return number;
}

static uint32_t signature_number(const char *signature)
{
    return (uint32_t)little_endian((const uint8_t *)signature, 4);
}

static bool header_adds_up(const struct handoff *handoff, uint64_t address)
{
    const uint8_t *header = block_pointer(handoff, address);
    uint64_t size_bytes = little_endian(header + 4, 4);
    return size_bytes >= 36 && block_is_readable(handoff, address, size_bytes) &&
           byte_sum(header, size_bytes) == 0;
}

/* A table with a right checksum is listed under its signature, and is readable. A table with a
 * wrong checksum is listed without a size. An unreadable table is not listed as readable.
 * Return false if the table cannot be used. */
static bool check_acpi_table(const struct handoff *handoff, struct promises *promises,
                             uint64_t address)
{
    if (!block_is_readable(handoff, address, 36)) {
        promise_require(promises, !is_listed_with_a_size(handoff, address),
                        "no size for an ACPI table that cannot be read", address);
        return false;
    }
    const uint8_t *header = block_pointer(handoff, address);
    uint32_t part = (uint32_t)little_endian(header, 4);
    if (!header_adds_up(handoff, address)) {
        const struct handoff_firmware_table *table = listed_table(handoff, address, part);
        promise_require(promises, table != NULL && table->size_bytes == 0,
                        "a damaged table that is listed without a size", address);
        return false;
    }
    uint64_t size_bytes = 0;
    if (require_readable(handoff, promises, address, part, &size_bytes) != NULL)
        promise_require_equal(promises, little_endian(header + 4, 4), size_bytes);
    return true;
}

/* Check all tables of a root table. Return the number of tables that cannot be used. */
static uint64_t check_acpi_tables(const struct handoff *handoff, struct promises *promises,
                                  const uint8_t *root, uint64_t root_size_bytes,
                                  unsigned address_bytes)
{
    uint64_t useless_count = 0;
    for (uint64_t offset = 36; offset + address_bytes <= root_size_bytes; offset += address_bytes)
        useless_count +=
            !check_acpi_table(handoff, promises, little_endian(root + offset, address_bytes));
    return useless_count;
}

/* ACPI 6.5, 5.2.5.3: use the XSDT if the pointer has one, else the RSDT. Return the number of
 * tables that cannot be used. */
static uint64_t check_acpi_root(const struct handoff *handoff, struct promises *promises,
                                const uint8_t *rsdp)
{
    uint64_t xsdt = rsdp[15] >= 2 ? little_endian(rsdp + 24, 8) : 0;
    uint64_t address = xsdt != 0 ? xsdt : little_endian(rsdp + 16, 4);
    uint64_t size_bytes = 0;
    if (address == 0)
        return 1;
    const uint8_t *root = require_readable(
        handoff, promises, address, signature_number(xsdt != 0 ? "XSDT" : "RSDT"), &size_bytes);
    return root == NULL ? 1
                        : check_acpi_tables(handoff, promises, root, size_bytes, xsdt != 0 ? 8 : 4);
}

/* The sum of 20 bytes, and from revision 2 on of 36, is 0. Then check the root table. */
static void check_acpi(const struct handoff *handoff, struct promises *promises)
{
    if (handoff->rsdp == 0) {
        promise_skip(promises, "acpi-tables-can-be-read", "absent");
        return;
    }
    promise_begin(promises, "acpi-tables-can-be-read");
    uint64_t size_bytes = 0;
    uint64_t useless_count = 1;
    const uint8_t *rsdp = require_readable(handoff, promises, handoff->rsdp, 0, &size_bytes);
    if (rsdp != NULL) {
        promise_require(promises, bytes_equal(rsdp, "RSD PTR ", 8), "its signature", rsdp[0]);
        promise_require_equal(promises, rsdp[15] >= 2 ? 36 : 20, size_bytes);
        promise_require_equal(promises, 0, byte_sum(rsdp, size_bytes));
        useless_count = check_acpi_root(handoff, promises, rsdp);
    }
    promise_end(promises);
    serial_write("# useless_acpi_tables=");
    serial_write_decimal(useless_count);
    serial_write("\n");
}

/* Return true if the entry point is readable and has a wrong checksum. */
static bool smbios_is_damaged(const struct handoff *handoff)
{
    if (!block_is_readable(handoff, handoff->smbios, 255))
        return false;
    const uint8_t *entry = block_pointer(handoff, handoff->smbios);
    return byte_sum(entry, bytes_equal(entry, "_SM3_", 5) ? entry[6] : entry[5]) != 0;
}

/* SMBIOS 3.6, 5.2: the entry point leads to the structures. The first byte of a structure is its
 * type. The first structure never has the end's type (127). */
static void check_smbios(const struct handoff *handoff, struct promises *promises)
{
    if (handoff->smbios == 0) {
        promise_skip(promises, "smbios-can-be-read", "absent");
        return;
    }
    promise_begin(promises, "smbios-can-be-read");
    uint64_t size_bytes = 0;
    const struct handoff_firmware_table *listed = listed_table(handoff, handoff->smbios, 0);
    if (listed != NULL && listed->size_bytes == 0 && smbios_is_damaged(handoff)) {
        promise_end(promises);
        serial_write("# smbios=damaged\n");
        return;
    }
    const uint8_t *entry = require_readable(handoff, promises, handoff->smbios, 0, &size_bytes);
    if (entry != NULL) {
        bool is_version_3 = bytes_equal(entry, "_SM3_", 5);
        promise_require(promises, is_version_3 || bytes_equal(entry, "_SM_", 4), "its anchor",
                        entry[3]);
        promise_require_equal(promises, is_version_3 ? entry[6] : entry[5], size_bytes);
        promise_require_equal(promises, 0, byte_sum(entry, size_bytes));
        uint64_t address =
            is_version_3 ? little_endian(entry + 16, 8) : little_endian(entry + 24, 4);
        const uint8_t *structures =
            require_readable(handoff, promises, address, HANDOFF_TABLE_PART_SMBIOS, &size_bytes);
        if (structures != NULL)
            promise_require(promises, structures[0] < 127 && structures[1] >= 4,
                            "a first structure", structures[0]);
    }
    promise_end(promises);
}

/* --- The seed --------------------------------------------------------------------------------- */

static void check_seed(const struct handoff *handoff, struct promises *promises)
{
    unsigned zero_count = 0;
    for (unsigned i = 0; i < sizeof(handoff->random_seed); i++)
        zero_count += handoff->random_seed[i] == 0;

    promise_begin(promises, "random-seed");
    promise_require(promises, handoff->random_seed_source <= HANDOFF_SEED_CPU, "a known source",
                    handoff->random_seed_source);
    /* 32 random bytes have nine zeros once in 10^14 boots. */
    if (handoff->random_seed_source == HANDOFF_SEED_NONE)
        promise_require_equal(promises, sizeof(handoff->random_seed), zero_count);
    else
        promise_require(promises, zero_count < 9, "random bytes", zero_count);
    promise_end(promises);
}

void platform_check(const struct handoff *handoff, struct promises *promises)
{
    check_framebuffer(handoff, promises);
    check_system_table(handoff, promises);
    check_mappings(handoff, promises);
    check_acpi(handoff, promises);
    check_smbios(handoff, promises);
    check_seed(handoff, promises);
}
