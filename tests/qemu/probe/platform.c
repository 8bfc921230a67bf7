#include "tests/qemu/probe/platform.h"

#include <stddef.h>

#include "tests/qemu/probe/block.h"

/* --- The framebuffer
 * ------------------------------------------------------------------------------ */

static void check_no_framebuffer(const struct handoff *handoff, struct promises *promises)
{
    const uint8_t *bytes = (const uint8_t *)&handoff->framebuffer;
    promise_begin(promises, "framebuffer-is-absent");
    for (unsigned i = 0; i < sizeof(handoff->framebuffer); i++)
        promise_require_equal(promises, 0, bytes[i]);
    promise_end(promises);
}

static void check_geometry(const struct handoff_framebuffer *framebuffer, struct promises *promises)
{
    uint64_t bytes_per_pixel = framebuffer->bits_per_pixel / 8u;
    promise_begin(promises, "framebuffer-geometry");
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
    promise_end(promises);
}

static void check_format(const struct handoff_framebuffer *framebuffer, struct promises *promises)
{
    uint32_t red = framebuffer->red_mask;
    uint32_t green = framebuffer->green_mask;
    uint32_t blue = framebuffer->blue_mask;
    promise_begin(promises, "framebuffer-format");
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
        promise_end(promises);
        return;
    }
    promise_require_equal(promises, 0x0000ff00, green);
    promise_require_equal(promises, 32, framebuffer->bits_per_pixel);
    promise_end(promises);
}

/* The first byte and the last that a line of pixels has keep what is written to them. */
static void check_pixels(const struct handoff *handoff, struct promises *promises)
{
    const struct handoff_framebuffer *framebuffer = &handoff->framebuffer;
    volatile uint8_t *pixels = block_pointer(handoff, framebuffer->base);
    const uint64_t places[] = {
        0, (uint64_t)framebuffer->pitch_bytes * (framebuffer->height_pixels - 1) +
               (uint64_t)framebuffer->width_pixels * (framebuffer->bits_per_pixel / 8u) - 2};
    promise_begin(promises, "framebuffer-is-memory");
    for (unsigned i = 0; i < 2; i++) {
        uint8_t before = pixels[places[i]];
        pixels[places[i]] = (uint8_t)~before;
        promise_require_equal(promises, (uint8_t)~before, pixels[places[i]]);
        pixels[places[i]] = before;
    }
    promise_end(promises);
}

static void check_framebuffer(const struct handoff *handoff, struct promises *promises)
{
    if (handoff->framebuffer.pixel_format == HANDOFF_PIXEL_FORMAT_NONE) {
        check_no_framebuffer(handoff, promises);
        return;
    }
    check_geometry(&handoff->framebuffer, promises);
    check_format(&handoff->framebuffer, promises);
    check_pixels(handoff, promises);
}

/* --- The firmware's tables
 * ------------------------------------------------------------------------ */

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

/* UEFI 2.10, 4.6.1, as two little-endian numbers. */
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

/* The table that the firmware publishes under a name; 0 if there is none. */
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

/* The first of two names that has a table must be the one that was handed over. */
static void check_published(const struct handoff *handoff, struct promises *promises,
                            const char *name, const uint64_t first[2], const uint64_t second[2],
                            uint64_t handed_over)
{
    const struct system_table *system = block_pointer(handoff, handoff->efi_system_table);
    uint64_t expected = published_table(handoff, system, first);
    if (expected == 0)
        expected = published_table(handoff, system, second);
    promise_equal(promises, name, expected, handed_over);
}

static void check_system_table(const struct handoff *handoff, struct promises *promises)
{
    if (!block_is_readable(handoff, handoff->efi_system_table, sizeof(struct system_table))) {
        promise_skip(promises, "efi-system-table", "it does not lie in RAM");
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
        return;
    }
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

/* ACPI 6.5, 5.2.5.3: 20 bytes, and 36 from revision 2 on, that sum up to 0. */
static void check_rsdp(const struct handoff *handoff, struct promises *promises)
{
    if (handoff->rsdp == 0 || !block_is_readable(handoff, handoff->rsdp, 36)) {
        promise_skip(promises, "rsdp", "absent, or not in RAM");
        return;
    }
    const uint8_t *rsdp = block_pointer(handoff, handoff->rsdp);
    promise_begin(promises, "rsdp");
    promise_require(promises, bytes_equal(rsdp, "RSD PTR ", 8), "its signature", rsdp[0]);
    promise_require_equal(promises, 0, byte_sum(rsdp, 20));
    if (rsdp[15] >= 2)
        promise_require_equal(promises, 0, byte_sum(rsdp, 36));
    promise_end(promises);
}

/* SMBIOS 3.6, 5.2: the anchor, and a length by which the bytes sum up to 0. */
static void check_smbios(const struct handoff *handoff, struct promises *promises)
{
    if (handoff->smbios == 0 || !block_is_readable(handoff, handoff->smbios, 32)) {
        promise_skip(promises, "smbios", "absent, or not in RAM");
        return;
    }
    const uint8_t *entry = block_pointer(handoff, handoff->smbios);
    bool is_version_3 = bytes_equal(entry, "_SM3_", 5);
    promise_begin(promises, "smbios");
    promise_require(promises, is_version_3 || bytes_equal(entry, "_SM_", 4), "its anchor",
                    entry[3]);
    promise_require_equal(promises, 0, byte_sum(entry, is_version_3 ? entry[6] : entry[5]));
    promise_end(promises);
}

/* --- The seed
 * ------------------------------------------------------------------------------------- */

static void check_seed(const struct handoff *handoff, struct promises *promises)
{
    unsigned zero_count = 0;
    for (unsigned i = 0; i < sizeof(handoff->random_seed); i++)
        zero_count += handoff->random_seed[i] == 0;

    promise_begin(promises, "random-seed");
    promise_require(promises, handoff->random_seed_source <= HANDOFF_SEED_RDRAND, "a known source",
                    handoff->random_seed_source);
    /* Nine zeros in 32 random bytes come once in 10^14 boots. */
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
    check_rsdp(handoff, promises);
    check_smbios(handoff, promises);
    check_seed(handoff, promises);
}
