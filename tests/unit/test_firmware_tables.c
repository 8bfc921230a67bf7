#include "tests/unit/support/cmocka.h"

#include <string.h>

#include "bootloader/pure/firmware_tables.h"
#include "shared/address.h"
#include "shared/region.h"
#include "tests/unit/support/fake_firmware.h"

/* A typical machine: ACPI 2.0 and 1.0, SMBIOS 3 and 2. */
#define AT(offset)   (FAKE_FIRMWARE_BASE + (offset))
#define RSDP         AT(0x14) /* usually 16-byte aligned, but not here */
#define RSDP_1       AT(0x60)
#define XSDT         AT(0x1000)
#define RSDT         AT(0x1803)
#define FADT         AT(0x2000)
#define FADT_SIZE    276
#define DSDT         AT(0x3000)
#define DSDT_SIZE    0x1234
#define FACS         AT(0x5000)
#define FACS_SIZE    64
#define APIC         AT(0x5100)
#define SSDT         AT(0x5801)
#define SMBIOS_3     AT(0x6000)
#define SMBIOS_2     AT(0x6020)
#define STRUCTURES   AT(0x7fe0)
#define SPARE        AT(0x10000) /* for tables of single tests */
#define UNREADABLE   (FAKE_FIRMWARE_BASE + FAKE_FIRMWARE_SIZE_BYTES)
#define BEYOND_LIMIT (UINT64_C(1) << 52)

#define PART(text)                                                                                 \
    ((uint32_t)(text)[0] | (uint32_t)(text)[1] << 8 | (uint32_t)(text)[2] << 16 |                  \
     (uint32_t)(text)[3] << 24)

struct machine {
    struct fake_firmware firmware;
    struct firmware_tables_memory memory;
    struct firmware_tables tables;
};

static void put(struct machine *machine, uint64_t address, uint64_t number, size_t size_bytes)
{
    fake_firmware_put(&machine->firmware, address, number, size_bytes);
}

static void seal_rsdp(struct machine *machine, uint64_t address)
{
    fake_firmware_seal(&machine->firmware, address, 20, 8);
    if (fake_firmware_at(&machine->firmware, address)[15] >= 2)
        fake_firmware_seal(&machine->firmware, address, 36, 32);
}

static void write_rsdp(struct machine *machine, uint64_t address, uint8_t revision)
{
    memcpy(fake_firmware_at(&machine->firmware, address), "RSD PTR ", 8);
    put(machine, address + 15, revision, 1);
    put(machine, address + 16, RSDT, 4);
    if (revision >= 2) {
        put(machine, address + 20, 36, 4);
        put(machine, address + 24, XSDT, 8);
    }
    seal_rsdp(machine, address);
}

static void write_root(struct machine *machine, uint64_t address, const char *signature,
                       const uint64_t *entries, uint32_t count, uint32_t entry_bytes)
{
    for (uint32_t i = 0; i < count; i++)
        put(machine, address + 36 + (uint64_t)i * entry_bytes, entries[i], entry_bytes);
    fake_firmware_acpi_table(&machine->firmware, address, signature, 36 + count * entry_bytes);
}

static void seal_fadt(struct machine *machine, uint32_t size_bytes)
{
    fake_firmware_acpi_table(&machine->firmware, FADT, "FACP", size_bytes);
}

static void write_acpi(struct machine *machine)
{
    const uint64_t entries[] = {FADT, APIC, SSDT};
    write_rsdp(machine, RSDP, 2);
    write_rsdp(machine, RSDP_1, 0);
    write_root(machine, XSDT, "XSDT", entries, 3, 8);
    write_root(machine, RSDT, "RSDT", entries, 3, 4);
    fake_firmware_acpi_table(&machine->firmware, APIC, "APIC", 0x90);
    fake_firmware_acpi_table(&machine->firmware, SSDT, "SSDT", 36);
    fake_firmware_acpi_table(&machine->firmware, DSDT, "DSDT", DSDT_SIZE);
    memcpy(fake_firmware_at(&machine->firmware, FACS), "FACS", 4);
    put(machine, FACS + 4, FACS_SIZE, 4);
    put(machine, FADT + 36, FACS, 4);
    put(machine, FADT + 40, DSDT, 4);
    seal_fadt(machine, FADT_SIZE);
}

static void seal_smbios_3(struct machine *machine)
{
    fake_firmware_seal(&machine->firmware, SMBIOS_3, 24, 5);
}

static void seal_smbios_2(struct machine *machine)
{
    uint8_t length = fake_firmware_at(&machine->firmware, SMBIOS_2)[5];
    fake_firmware_seal(&machine->firmware, SMBIOS_2, length, 4);
}

static void write_smbios(struct machine *machine)
{
    memcpy(fake_firmware_at(&machine->firmware, SMBIOS_3), "_SM3_", 5);
    put(machine, SMBIOS_3 + 6, 24, 1);
    put(machine, SMBIOS_3 + 12, 0x345, 4);
    put(machine, SMBIOS_3 + 16, STRUCTURES, 8);
    seal_smbios_3(machine);
    memcpy(fake_firmware_at(&machine->firmware, SMBIOS_2), "_SM_", 4);
    put(machine, SMBIOS_2 + 5, 31, 1);
    put(machine, SMBIOS_2 + 22, 0x321, 2);
    put(machine, SMBIOS_2 + 24, STRUCTURES, 4);
    seal_smbios_2(machine);
}

static int set_up(void **state)
{
    static struct machine machine;
    fake_firmware_create(&machine.firmware);
    machine.memory = fake_firmware_memory(&machine.firmware);
    firmware_tables_initialise(&machine.tables);
    write_acpi(&machine);
    write_smbios(&machine);
    *state = &machine;
    return 0;
}

static int tear_down(void **state)
{
    struct machine *machine = *state;
    fake_firmware_destroy(&machine->firmware);
    return 0;
}

static void walk(struct machine *machine, const uint8_t guid[16], uint64_t address)
{
    firmware_tables_initialise(&machine->tables);
    firmware_tables_add(&machine->tables, &machine->memory, guid, address);
}

static uint64_t found(const struct machine *machine, const uint8_t guid[16])
{
    return firmware_tables_find(&machine->tables, guid, guid);
}

static void walk_acpi(struct machine *machine)
{
    walk(machine, FIRMWARE_TABLES_ACPI_20, RSDP);
}

/* Return the listed table at an address. There must be only one. */
static const struct handoff_firmware_table *listed(const struct machine *machine, uint64_t address)
{
    const struct handoff_firmware_table *found = NULL;
    for (size_t i = 0; i < machine->tables.count; i++) {
        if (machine->tables.list[i].address != address)
            continue;
        assert_null(found);
        found = &machine->tables.list[i];
    }
    return found;
}

static void assert_listed(const struct machine *machine, uint64_t address, uint64_t size_bytes,
                          uint32_t part)
{
    const struct handoff_firmware_table *table = listed(machine, address);
    assert_non_null(table);
    assert_int_equal(table->size_bytes, size_bytes);
    assert_int_equal(table->part, part);
    assert_int_equal(table->mapping, HANDOFF_TABLE_UNMAPPED);
}

static void assert_counts(const struct machine *machine, size_t count, uint32_t invalid_count,
                          uint32_t dropped_count)
{
    assert_int_equal(machine->tables.count, count);
    assert_int_equal(machine->tables.invalid_count, invalid_count);
    assert_int_equal(machine->tables.dropped_count, dropped_count);
}

/* --- Good tables --- */

static void assert_common_acpi_tables(const struct machine *machine)
{
    assert_listed(machine, FADT, FADT_SIZE, PART("FACP"));
    assert_listed(machine, FACS, FACS_SIZE, PART("FACS"));
    assert_listed(machine, DSDT, DSDT_SIZE, PART("DSDT"));
    assert_listed(machine, APIC, 0x90, PART("APIC"));
    assert_listed(machine, SSDT, 36, PART("SSDT"));
}

static void test_acpi_2_leads_to_every_table(void **state)
{
    struct machine *machine = *state;
    walk_acpi(machine);
    assert_counts(machine, 7, 0, 0);
    assert_listed(machine, RSDP, 36, 0);
    assert_listed(machine, XSDT, 36 + 3 * 8, PART("XSDT"));
    assert_common_acpi_tables(machine);
    for (size_t i = 0; i < machine->tables.count; i++)
        assert_memory_equal(machine->tables.list[i].guid, FIRMWARE_TABLES_ACPI_20, 16);
}

static void test_acpi_1_leads_to_every_table(void **state)
{
    struct machine *machine = *state;
    walk(machine, FIRMWARE_TABLES_ACPI_10, RSDP_1);
    assert_counts(machine, 7, 0, 0);
    assert_listed(machine, RSDP_1, 20, 0);
    assert_listed(machine, RSDT, 36 + 3 * 4, PART("RSDT"));
    assert_common_acpi_tables(machine);
    /* Some firmware publishes a root pointer of ACPI 1.0 under the GUID of 2.0. */
    walk(machine, FIRMWARE_TABLES_ACPI_20, RSDP_1);
    assert_counts(machine, 7, 0, 0);
    assert_listed(machine, RSDT, 36 + 3 * 4, PART("RSDT"));
}

/* RSDP 2.0 has a field with its length, which may be larger than the structure. */
static void test_rsdp_of_a_later_revision_may_be_longer(void **state)
{
    struct machine *machine = *state;
    put(machine, RSDP + 15, 3, 1);
    put(machine, RSDP + 20, 40, 4);
    fake_firmware_seal(&machine->firmware, RSDP, 20, 8);
    fake_firmware_seal(&machine->firmware, RSDP, 40, 32);
    walk_acpi(machine);
    assert_counts(machine, 7, 0, 0);
    assert_listed(machine, RSDP, 40, 0);
}

static void test_fadt_64_bit_fields_come_first(void **state)
{
    struct machine *machine = *state;
    put(machine, FADT + 132, SPARE, 8);
    put(machine, FADT + 140, SPARE + 0x100, 8);
    memcpy(fake_firmware_at(&machine->firmware, SPARE), "FACS", 4);
    put(machine, SPARE + 4, 0x80, 4);
    fake_firmware_acpi_table(&machine->firmware, SPARE + 0x100, "DSDT", 99);
    seal_fadt(machine, FADT_SIZE);
    walk_acpi(machine);
    assert_counts(machine, 7, 0, 0);
    assert_listed(machine, SPARE, 0x80, PART("FACS"));
    assert_listed(machine, SPARE + 0x100, 99, PART("DSDT"));
}

/* A short FADT has only the fields that its length covers. Bytes after it are not read. */
static void test_fadt_is_read_up_to_its_length(void **state)
{
    struct machine *machine = *state;
    put(machine, FADT + 132, UNREADABLE, 8);
    put(machine, FADT + 140, UNREADABLE, 8);
    const struct {
        uint32_t size_bytes;
        size_t count;
    } cases[] = {{36, 5}, {39, 5}, {40, 6}, {43, 6}, {44, 7}, {116, 7}, {139, 7}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        seal_fadt(machine, cases[i].size_bytes);
        walk_acpi(machine);
        assert_counts(machine, cases[i].count, 0, 0);
    }
    seal_fadt(machine, 140); /* with this length, the FADT has the FACS at UNREADABLE */
    walk_acpi(machine);
    assert_counts(machine, 7, 1, 0);
}

static void test_fadt_without_facs_and_dsdt(void **state)
{
    struct machine *machine = *state;
    put(machine, FADT + 36, 0, 8);
    seal_fadt(machine, FADT_SIZE);
    walk_acpi(machine);
    assert_counts(machine, 5, 0, 0);
}

static void test_smbios_3(void **state)
{
    struct machine *machine = *state;
    walk(machine, FIRMWARE_TABLES_SMBIOS_3, SMBIOS_3);
    assert_counts(machine, 2, 0, 0);
    assert_listed(machine, SMBIOS_3, 24, 0);
    assert_listed(machine, STRUCTURES, 0x345, HANDOFF_TABLE_PART_SMBIOS);
}

static void test_smbios_2(void **state)
{
    struct machine *machine = *state;
    walk(machine, FIRMWARE_TABLES_SMBIOS, SMBIOS_2);
    assert_counts(machine, 2, 0, 0);
    assert_listed(machine, SMBIOS_2, 31, 0);
    assert_listed(machine, STRUCTURES, 0x321, HANDOFF_TABLE_PART_SMBIOS);
}

/* SMBIOS 3.6, 5.2.1: version 2.1 had the wrong length 30, and so its firmware has it. */
static void test_smbios_2_1_may_say_30(void **state)
{
    struct machine *machine = *state;
    put(machine, SMBIOS_2 + 5, 30, 1);
    seal_smbios_2(machine);
    walk(machine, FIRMWARE_TABLES_SMBIOS, SMBIOS_2);
    assert_counts(machine, 2, 0, 0);
    assert_listed(machine, SMBIOS_2, 30, 0);
}

static void test_other_entries_are_listed_without_a_length(void **state)
{
    struct machine *machine = *state;
    const uint8_t guid[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    walk(machine, guid, UNREADABLE);
    assert_counts(machine, 1, 0, 0);
    assert_listed(machine, UNREADABLE, 0, 0);
    assert_memory_equal(machine->tables.list[0].guid, guid, 16);
    assert_int_equal(machine->firmware.read_count, 0);
    walk(machine, guid, 0);
    assert_counts(machine, 0, 0, 0);
}

static void test_find_gives_the_entry_and_not_a_part(void **state)
{
    struct machine *machine = *state;
    walk_acpi(machine);
    firmware_tables_add(&machine->tables, &machine->memory, FIRMWARE_TABLES_SMBIOS, SMBIOS_2);
    firmware_tables_add(&machine->tables, &machine->memory, FIRMWARE_TABLES_SMBIOS_3, SMBIOS_3);
    assert_int_equal(found(machine, FIRMWARE_TABLES_ACPI_20), RSDP);
    assert_int_equal(found(machine, FIRMWARE_TABLES_SMBIOS), SMBIOS_2);
    assert_int_equal(found(machine, FIRMWARE_TABLES_SMBIOS_3), SMBIOS_3);
    assert_int_equal(found(machine, FIRMWARE_TABLES_ACPI_10), 0);
}

/* --- The configuration table --- */

static const uint8_t OTHER[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static void put_entry(struct machine *machine, unsigned index, const uint8_t guid[16],
                      uint64_t address)
{
    uint64_t entry = SPARE + index * UINT64_C(24);
    memcpy(fake_firmware_at(&machine->firmware, entry), guid, 16);
    put(machine, entry + 16, address, 8);
}

/* Walk the older entry of each pair first: the order of the entries has no meaning. */
static void walk_configuration(struct machine *machine)
{
    put_entry(machine, 0, FIRMWARE_TABLES_ACPI_10, RSDP_1);
    put_entry(machine, 1, FIRMWARE_TABLES_SMBIOS, SMBIOS_2);
    put_entry(machine, 2, OTHER, UNREADABLE);
    put_entry(machine, 3, FIRMWARE_TABLES_ACPI_20, RSDP);
    put_entry(machine, 4, FIRMWARE_TABLES_SMBIOS_3, SMBIOS_3);
    firmware_tables_initialise(&machine->tables);
    firmware_tables_add_all(&machine->tables, &machine->memory, SPARE, 5);
}

static uint64_t found_acpi(const struct machine *machine)
{
    return firmware_tables_find(&machine->tables, FIRMWARE_TABLES_ACPI_20, FIRMWARE_TABLES_ACPI_10);
}

static uint64_t found_smbios(const struct machine *machine)
{
    return firmware_tables_find(&machine->tables, FIRMWARE_TABLES_SMBIOS_3, FIRMWARE_TABLES_SMBIOS);
}

static void test_newer_entry_wins_where_both_are_good(void **state)
{
    struct machine *machine = *state;
    walk_configuration(machine);
    assert_int_equal(machine->tables.invalid_count, 0);
    assert_int_equal(found_acpi(machine), RSDP);
    assert_int_equal(found_smbios(machine), SMBIOS_3);
    assert_null(listed(machine, RSDP_1));
    assert_non_null(listed(machine, SMBIOS_2));
    assert_non_null(listed(machine, UNREADABLE));
    assert_common_acpi_tables(machine);
}

static void test_older_entry_stands_in_for_a_damaged_one(void **state)
{
    struct machine *machine = *state;
    fake_firmware_at(&machine->firmware, RSDP)[9] ^= 1;
    fake_firmware_at(&machine->firmware, SMBIOS_3)[5] ^= 1;
    walk_configuration(machine);
    assert_int_equal(machine->tables.invalid_count, 2);
    assert_int_equal(found_acpi(machine), RSDP_1);
    assert_int_equal(found_smbios(machine), SMBIOS_2);
    assert_listed(machine, RSDP, 0, 0);
    assert_listed(machine, SMBIOS_3, 0, 0);
    assert_common_acpi_tables(machine);
}

static void test_newer_entry_is_named_where_both_are_damaged(void **state)
{
    struct machine *machine = *state;
    fake_firmware_at(&machine->firmware, RSDP)[9] ^= 1;
    fake_firmware_at(&machine->firmware, RSDP_1)[9] ^= 1;
    fake_firmware_at(&machine->firmware, SMBIOS_3)[5] ^= 1;
    fake_firmware_at(&machine->firmware, SMBIOS_2)[4] ^= 1;
    walk_configuration(machine);
    assert_int_equal(machine->tables.invalid_count, 4);
    assert_int_equal(found_acpi(machine), RSDP);
    assert_int_equal(found_smbios(machine), SMBIOS_3);
}

/* An address of 0 means "no table", also before an entry with the same GUID. */
static void test_entry_without_an_address_is_passed_over(void **state)
{
    struct machine *machine = *state;
    put_entry(machine, 0, FIRMWARE_TABLES_ACPI_20, 0);
    put_entry(machine, 1, FIRMWARE_TABLES_SMBIOS_3, 0);
    put_entry(machine, 2, FIRMWARE_TABLES_ACPI_10, RSDP_1);
    put_entry(machine, 3, FIRMWARE_TABLES_SMBIOS_3, SMBIOS_3);
    firmware_tables_add_all(&machine->tables, &machine->memory, SPARE, 4);
    assert_int_equal(machine->tables.invalid_count, 2);
    assert_int_equal(found_acpi(machine), RSDP_1);
    assert_int_equal(found_smbios(machine), SMBIOS_3);
}

static void test_configuration_table_that_cannot_be_read(void **state)
{
    struct machine *machine = *state;
    const struct {
        uint64_t address;
        uint64_t entry_count;
    } bad[] = {{0, 1},
               {UNREADABLE, 1},
               {UNREADABLE - 24, 2},
               {SPARE, UINT64_MAX},
               {SPARE, UINT64_MAX / 24 + 2}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        firmware_tables_initialise(&machine->tables);
        firmware_tables_add_all(&machine->tables, &machine->memory, bad[i].address,
                                bad[i].entry_count);
        assert_counts(machine, 0, 1, 0);
    }
    firmware_tables_initialise(&machine->tables);
    firmware_tables_add_all(&machine->tables, &machine->memory, 0, 0);
    assert_counts(machine, 0, 0, 0);
}

/* --- Damaged tables --- */

/* Check that the root pointer is listed without a length and is not followed. */
static void assert_bad_rsdp(struct machine *machine, uint64_t address)
{
    walk(machine, FIRMWARE_TABLES_ACPI_20, address);
    assert_counts(machine, 1, 1, 0);
    assert_listed(machine, address, 0, 0);
    assert_int_equal(found(machine, FIRMWARE_TABLES_ACPI_20), address);
}

static void test_every_bit_of_the_rsdp_counts(void **state)
{
    struct machine *machine = *state;
    for (unsigned bit = 0; bit < 36 * 8; bit++) {
        uint8_t *byte = fake_firmware_at(&machine->firmware, RSDP + bit / 8);
        *byte ^= (uint8_t)(1u << bit % 8);
        assert_bad_rsdp(machine, RSDP);
        *byte ^= (uint8_t)(1u << bit % 8);
    }
    for (unsigned bit = 0; bit < 20 * 8; bit++) {
        uint8_t *byte = fake_firmware_at(&machine->firmware, RSDP_1 + bit / 8);
        *byte ^= (uint8_t)(1u << bit % 8);
        assert_bad_rsdp(machine, RSDP_1);
        *byte ^= (uint8_t)(1u << bit % 8);
    }
}

/* All checksums are right, so that signature and length are tested separately. */
static void test_rsdp_with_a_bad_signature_or_length(void **state)
{
    struct machine *machine = *state;
    const uint32_t lengths[] = {0, 1, 20, 35, PAGE_SIZE_BYTES + 1, UINT32_MAX};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        put(machine, RSDP + 20, lengths[i], 4);
        seal_rsdp(machine, RSDP);
        assert_bad_rsdp(machine, RSDP);
    }
    write_rsdp(machine, RSDP, 2);
    fake_firmware_at(&machine->firmware, RSDP)[7] = '_';
    seal_rsdp(machine, RSDP);
    assert_bad_rsdp(machine, RSDP);
}

static void test_rsdp_at_an_impossible_address(void **state)
{
    struct machine *machine = *state;
    const uint64_t addresses[] = {UNREADABLE,   UNREADABLE - 1, UNREADABLE - 19, BEYOND_LIMIT - 1,
                                  BEYOND_LIMIT, UINT64_MAX - 1, UINT64_MAX};
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
        assert_bad_rsdp(machine, addresses[i]);
    walk(machine, FIRMWARE_TABLES_ACPI_20, 0);
    assert_counts(machine, 0, 1, 0);
}

/* The first 20 bytes are readable, and the rest is not. */
static void test_rsdp_that_ends_in_unreadable_memory(void **state)
{
    struct machine *machine = *state;
    uint64_t address = UNREADABLE - 20;
    memcpy(fake_firmware_at(&machine->firmware, address), "RSD PTR ", 8);
    put(machine, address + 15, 2, 1);
    fake_firmware_seal(&machine->firmware, address, 20, 8);
    assert_bad_rsdp(machine, address);
}

static void test_T2_rsdp_without_a_root_table(void **state)
{
    struct machine *machine = *state;
    put(machine, RSDP_1 + 16, 0, 4);
    seal_rsdp(machine, RSDP_1);
    walk(machine, FIRMWARE_TABLES_ACPI_10, RSDP_1);
    assert_counts(machine, 1, 1, 0);
    assert_listed(machine, RSDP_1, 20, 0);

    put(machine, RSDP + 16, 0, 4);
    put(machine, RSDP + 24, 0, 8);
    seal_rsdp(machine, RSDP);
    walk_acpi(machine);
    assert_counts(machine, 1, 1, 0);
    assert_listed(machine, RSDP, 36, 0);

    /* The RSDT is not needed if there is an XSDT. */
    put(machine, RSDP + 24, XSDT, 8);
    seal_rsdp(machine, RSDP);
    walk_acpi(machine);
    assert_counts(machine, 7, 0, 0);
}

static void test_rsdt_stands_in_for_the_xsdt(void **state)
{
    struct machine *machine = *state;
    fake_firmware_at(&machine->firmware, XSDT)[20]++;
    walk_acpi(machine);
    assert_counts(machine, 8, 1, 0);
    assert_listed(machine, XSDT, 0, PART("XSDT"));
    assert_listed(machine, RSDT, 36 + 3 * 4, PART("RSDT"));
    assert_common_acpi_tables(machine);

    put(machine, RSDP + 24, 0, 8);
    seal_rsdp(machine, RSDP);
    walk_acpi(machine);
    assert_counts(machine, 7, 0, 0);
    assert_listed(machine, RSDT, 36 + 3 * 4, PART("RSDT"));
}

/* Check with a bad XSDT and a bad RSDT. */
static void assert_bad_root(struct machine *machine)
{
    walk_acpi(machine);
    assert_counts(machine, 3, 2, 0);
    assert_listed(machine, RSDP, 36, 0);
    assert_listed(machine, XSDT, 0, PART("XSDT"));
    assert_listed(machine, RSDT, 0, PART("RSDT"));
}

static void test_root_table_with_a_bad_length_signature_or_checksum(void **state)
{
    struct machine *machine = *state;
    memcpy(fake_firmware_at(&machine->firmware, RSDT), "XSDT", 4);
    fake_firmware_seal(&machine->firmware, RSDT, 36 + 3 * 4, 9);
    const uint32_t lengths[] = {
        0, 1, 35, FAKE_FIRMWARE_SIZE_BYTES, FIRMWARE_TABLE_SIZE_LIMIT_BYTES + 1, UINT32_MAX};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        put(machine, XSDT + 4, lengths[i], 4);
        fake_firmware_seal(&machine->firmware, XSDT, 36 + 3 * 8, 9);
        assert_bad_root(machine);
    }
    write_acpi(machine);
    memcpy(fake_firmware_at(&machine->firmware, RSDT), "XSDT", 4);
    fake_firmware_seal(&machine->firmware, RSDT, 36 + 3 * 4, 9);
    memcpy(fake_firmware_at(&machine->firmware, XSDT), "RSDT", 4);
    fake_firmware_seal(&machine->firmware, XSDT, 36 + 3 * 8, 9);
    assert_bad_root(machine);
}

/* Bytes after the last whole address are ignored. */
static void test_root_table_whose_length_is_no_multiple(void **state)
{
    struct machine *machine = *state;
    for (uint32_t extra = 1; extra < 8; extra++) {
        fake_firmware_acpi_table(&machine->firmware, XSDT, "XSDT", 36 + 2 * 8 + extra);
        walk_acpi(machine);
        assert_counts(machine, 6, 0, 0);
        assert_null(listed(machine, SSDT));
    }
    fake_firmware_acpi_table(&machine->firmware, XSDT, "XSDT", 36);
    walk_acpi(machine);
    assert_counts(machine, 2, 0, 0);
}

static void test_entries_that_lead_nowhere(void **state)
{
    struct machine *machine = *state;
    const uint64_t entries[] = {
        0, UNREADABLE, UNREADABLE - 35, BEYOND_LIMIT - 36, UINT64_MAX, UINT64_MAX - 100, APIC};
    write_root(machine, XSDT, "XSDT", entries, 7, 8);
    walk_acpi(machine);
    assert_counts(machine, 3, 6, 0);
    assert_listed(machine, APIC, 0x90, PART("APIC"));
}

/* A damaged table is listed with its signature, so that a kernel can see it. */
static void test_damaged_tables_are_listed_without_a_length(void **state)
{
    struct machine *machine = *state;
    fake_firmware_at(&machine->firmware, APIC)[40]++;
    put(machine, SSDT + 4, 35, 4);
    walk_acpi(machine);
    assert_counts(machine, 7, 2, 0);
    assert_listed(machine, APIC, 0, PART("APIC"));
    assert_listed(machine, SSDT, 0, PART("SSDT"));

    fake_firmware_at(&machine->firmware, FADT)[50]++; /* the address must not be followed */
    walk_acpi(machine);
    assert_counts(machine, 5, 3, 0);
    assert_listed(machine, FADT, 0, PART("FACP"));
}

/* Its part would be 0, which means the entry itself. */
static void test_table_without_a_signature_is_not_listed(void **state)
{
    struct machine *machine = *state;
    put(machine, SSDT, 0, 4);
    fake_firmware_seal(&machine->firmware, SSDT, 36, 9);
    walk_acpi(machine);
    assert_null(listed(machine, SSDT));
    assert_int_equal(found(machine, FIRMWARE_TABLES_ACPI_20), RSDP);
}

static void test_damaged_facs_and_dsdt(void **state)
{
    struct machine *machine = *state;
    const uint32_t lengths[] = {0, 63, FAKE_FIRMWARE_SIZE_BYTES, UINT32_MAX};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        put(machine, FACS + 4, lengths[i], 4);
        walk_acpi(machine);
        assert_counts(machine, 7, 1, 0);
        assert_listed(machine, FACS, 0, PART("FACS"));
    }
    put(machine, FACS + 4, FACS_SIZE, 4);
    fake_firmware_at(&machine->firmware, FACS)[3] = 'X';
    fake_firmware_at(&machine->firmware, DSDT)[DSDT_SIZE - 1]++;
    walk_acpi(machine);
    assert_counts(machine, 7, 2, 0);
    assert_listed(machine, FACS, 0, PART("FACS"));
    assert_listed(machine, DSDT, 0, PART("DSDT"));
    fake_firmware_acpi_table(&machine->firmware, DSDT, "SSDT", DSDT_SIZE);
    walk_acpi(machine);
    assert_listed(machine, DSDT, 0, PART("DSDT"));
}

static void test_fadt_that_points_nowhere(void **state)
{
    struct machine *machine = *state;
    const uint64_t addresses[] = {UNREADABLE, BEYOND_LIMIT, UINT64_MAX - 7};
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        put(machine, FADT + 132, addresses[i], 8);
        put(machine, FADT + 140, addresses[i] + 1, 8);
        seal_fadt(machine, FADT_SIZE);
        walk_acpi(machine);
        assert_counts(machine, 7, 2, 0);
        assert_listed(machine, addresses[i], 0, PART("FACS"));
        assert_listed(machine, addresses[i] + 1, 0, PART("DSDT"));
    }
}

static void assert_bad_smbios(struct machine *machine, const uint8_t guid[16], uint64_t address)
{
    walk(machine, guid, address);
    assert_counts(machine, 1, 1, 0);
    assert_listed(machine, address, 0, 0);
}

static void test_every_bit_of_the_smbios_entry_point_counts(void **state)
{
    struct machine *machine = *state;
    for (unsigned bit = 0; bit < 24 * 8; bit++) {
        uint8_t *byte = fake_firmware_at(&machine->firmware, SMBIOS_3 + bit / 8);
        *byte ^= (uint8_t)(1u << bit % 8);
        assert_bad_smbios(machine, FIRMWARE_TABLES_SMBIOS_3, SMBIOS_3);
        *byte ^= (uint8_t)(1u << bit % 8);
    }
    for (unsigned bit = 0; bit < 31 * 8; bit++) {
        uint8_t *byte = fake_firmware_at(&machine->firmware, SMBIOS_2 + bit / 8);
        *byte ^= (uint8_t)(1u << bit % 8);
        assert_bad_smbios(machine, FIRMWARE_TABLES_SMBIOS, SMBIOS_2);
        *byte ^= (uint8_t)(1u << bit % 8);
    }
}

static void test_smbios_entry_point_with_a_bad_anchor_length_or_address(void **state)
{
    struct machine *machine = *state;
    for (uint8_t length = 0; length < 24; length++) {
        put(machine, SMBIOS_3 + 6, length, 1);
        fake_firmware_seal(&machine->firmware, SMBIOS_3, length > 5 ? length : 24, 5);
        assert_bad_smbios(machine, FIRMWARE_TABLES_SMBIOS_3, SMBIOS_3);
    }
    for (uint8_t length = 0; length < 30; length++) {
        put(machine, SMBIOS_2 + 5, length, 1);
        fake_firmware_seal(&machine->firmware, SMBIOS_2, length > 4 ? length : 31, 4);
        assert_bad_smbios(machine, FIRMWARE_TABLES_SMBIOS, SMBIOS_2);
    }
    write_smbios(machine);
    assert_bad_smbios(machine, FIRMWARE_TABLES_SMBIOS, SMBIOS_3); /* each GUID has its own anchor */
    assert_bad_smbios(machine, FIRMWARE_TABLES_SMBIOS_3, SMBIOS_2);
    assert_bad_smbios(machine, FIRMWARE_TABLES_SMBIOS_3, UNREADABLE - 23);
    assert_bad_smbios(machine, FIRMWARE_TABLES_SMBIOS_3, UINT64_MAX);
    walk(machine, FIRMWARE_TABLES_SMBIOS, 0);
    assert_counts(machine, 0, 1, 0);
}

/* The longest possible length of an entry point reaches into unreadable memory. */
static void test_smbios_entry_point_that_ends_in_unreadable_memory(void **state)
{
    struct machine *machine = *state;
    uint64_t address = UNREADABLE - 254;
    memcpy(fake_firmware_at(&machine->firmware, address), "_SM3_", 5);
    put(machine, address + 6, 255, 1);
    fake_firmware_seal(&machine->firmware, address, 254, 5);
    assert_bad_smbios(machine, FIRMWARE_TABLES_SMBIOS_3, address);
}

static void test_smbios_structures_that_cannot_be(void **state)
{
    struct machine *machine = *state;
    const struct {
        uint64_t address;
        uint32_t size_bytes;
    } cases[] = {{STRUCTURES, 0},
                 {STRUCTURES, FAKE_FIRMWARE_SIZE_BYTES},
                 {STRUCTURES, FIRMWARE_TABLE_SIZE_LIMIT_BYTES + 1},
                 {STRUCTURES, UINT32_MAX},
                 {UNREADABLE, 0x100},
                 {UINT64_MAX, 1},
                 {BEYOND_LIMIT, 1}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        put(machine, SMBIOS_3 + 12, cases[i].size_bytes, 4);
        put(machine, SMBIOS_3 + 16, cases[i].address, 8);
        seal_smbios_3(machine);
        walk(machine, FIRMWARE_TABLES_SMBIOS_3, SMBIOS_3);
        assert_counts(machine, 2, 1, 0);
        assert_listed(machine, SMBIOS_3, 24, 0);
        assert_listed(machine, cases[i].address, 0, HANDOFF_TABLE_PART_SMBIOS);
    }
    put(machine, SMBIOS_3 + 16, 0, 8);
    seal_smbios_3(machine);
    walk(machine, FIRMWARE_TABLES_SMBIOS_3, SMBIOS_3);
    assert_counts(machine, 1, 1, 0);
}

/* --- Too many --- */

#define ENTRY_LIMIT (FIRMWARE_TABLES_LIMIT - FIRMWARE_TABLES_KEPT_FOR_ENTRIES)

/* Write a root table with the same entry many times. */
static void write_many(struct machine *machine, uint64_t entry, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        put(machine, SPARE + 36 + i * UINT64_C(8), entry, 8);
    fake_firmware_acpi_table(&machine->firmware, SPARE, "XSDT", 36 + count * 8);
    put(machine, RSDP + 24, SPARE, 8);
    seal_rsdp(machine, RSDP);
}

static void test_tables_beyond_the_limit_are_counted(void **state)
{
    struct machine *machine = *state;
    write_many(machine, APIC, ENTRY_LIMIT - 2);
    walk_acpi(machine);
    assert_counts(machine, ENTRY_LIMIT, 0, 0);
    write_many(machine, APIC, ENTRY_LIMIT - 1);
    walk_acpi(machine);
    assert_counts(machine, ENTRY_LIMIT, 0, 1);
    write_many(machine, APIC, 1000);
    walk_acpi(machine);
    assert_counts(machine, ENTRY_LIMIT, 0, 1000 - (ENTRY_LIMIT - 2));
}

/* With any number of ACPI tables, the entries after it are found. */
static void test_room_for_entries_is_kept(void **state)
{
    struct machine *machine = *state;
    const uint8_t guid[16] = {1};
    write_many(machine, APIC, 1000);
    walk_acpi(machine);
    firmware_tables_add(&machine->tables, &machine->memory, FIRMWARE_TABLES_SMBIOS_3, SMBIOS_3);
    assert_int_equal(found(machine, FIRMWARE_TABLES_SMBIOS_3), SMBIOS_3);
    assert_listed(machine, STRUCTURES, 0x345, HANDOFF_TABLE_PART_SMBIOS);
    uint32_t dropped_count = machine->tables.dropped_count;
    for (unsigned i = 0; i < FIRMWARE_TABLES_KEPT_FOR_ENTRIES - 2; i++)
        firmware_tables_add(&machine->tables, &machine->memory, guid, 0x1000 + i);
    assert_counts(machine, FIRMWARE_TABLES_LIMIT, 0, dropped_count);
    firmware_tables_add(&machine->tables, &machine->memory, guid, 0x2000);
    assert_counts(machine, FIRMWARE_TABLES_LIMIT, 0, dropped_count + 1);
}

static void test_root_table_that_lists_itself(void **state)
{
    struct machine *machine = *state;
    const uint64_t entries[] = {XSDT, RSDP, XSDT};
    write_root(machine, XSDT, "XSDT", entries, 3, 8);
    walk_acpi(machine);
    assert_int_equal(machine->tables.count, 5);
    assert_int_equal(machine->tables.dropped_count, 0);
}

/* A table that is not listed costs as much work as a listed one: the work has a separate limit. */
static void test_work_for_damaged_tables_is_bounded(void **state)
{
    struct machine *machine = *state;
    put(machine, APIC, 0, 4); /* never listed */
    write_many(machine, APIC, 8000);
    uint64_t root_bytes = 3 * (36 + 8000 * 8);
    walk_acpi(machine);
    assert_int_equal(machine->tables.dropped_count, 8000 - FIRMWARE_TABLES_LIMIT);
    assert_true(machine->firmware.read_bytes <
                root_bytes + FIRMWARE_TABLES_LIMIT * UINT64_C(0x200));
}

/* --- Pages and mapping --- */

static void test_pages_of_a_table(void **state)
{
    (void)state;
    const struct {
        uint64_t address, size_bytes, base, pages_bytes;
    } cases[] = {
        {0x1000, 1, 0x1000, 0x1000},      {0x1fff, 1, 0x1000, 0x1000},
        {0x1fff, 2, 0x1000, 0x2000},      {0x1000, 0x1000, 0x1000, 0x1000},
        {0x1001, 0x1000, 0x1000, 0x2000}, {BEYOND_LIMIT - 1, 1, BEYOND_LIMIT - 0x1000, 0x1000}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct handoff_firmware_table table = {.address = cases[i].address,
                                               .size_bytes = cases[i].size_bytes};
        struct phys_range pages;
        assert_true(firmware_tables_pages(&table, &pages));
        assert_int_equal(pages.start.value, cases[i].base);
        assert_int_equal(phys_range_size_bytes(pages), cases[i].pages_bytes);
    }
    struct handoff_firmware_table unknown = {.address = 0x1000};
    struct phys_range untouched = phys_range(77, 78);
    assert_false(firmware_tables_pages(&unknown, &untouched));
    assert_int_equal(untouched.start.value, 77);
    assert_int_equal(untouched.end.value, 78);
}

/* Write a map with RAM, a hole, reserved memory and firmware tables. */
static void write_map(struct handoff_region regions[6])
{
    regions[0] = region_make(0x0, 0x1000, HANDOFF_REGION_RESERVED, 0, 0);
    regions[1] = region_make(0x1000, 0x8000, HANDOFF_REGION_LOW_MEMORY, 7, 0);
    regions[2] = region_make(0x9000, 0x1000, HANDOFF_REGION_RESERVED, 0, 0);
    regions[3] =
        region_make(0xf0000, 0x2000, HANDOFF_REGION_FIRMWARE_TABLES, HANDOFF_EFI_TYPE_NONE, 0);
    regions[4] = region_make(0xf2000, 0x1000, HANDOFF_REGION_ACPI_NVS, 10, 0);
    regions[5] = region_make(0xf4000, 0x1000, HANDOFF_REGION_ACPI_RECLAIM, 9, 0);
}

static void test_T1_mapping_is_by_the_regions_below(void **state)
{
    struct machine *machine = *state;
    struct handoff_region regions[6];
    const struct {
        uint64_t address, size_bytes;
        bool mapped;
    } cases[] = {
        {0x1000, 0x8000, true},          /* all of a region */
        {0x8fff, 1, true},               /* its last byte */
        {0x8fff, 2, false},              /* into reserved memory */
        {0xfff, 2, false},               /* from reserved memory */
        {0x9800, 4, false},              /* reserved */
        {0xf05e0, 31, true},             /* firmware tables below 1 MiB */
        {0xf1ff0, 0x20, true},           /* across two regions */
        {0xf0000, 0x3000, true},         /* all of two regions */
        {0xf0000, 0x3001, false},        /* into a hole */
        {0xf2000, 0x3000, false},        /* across a hole */
        {0xf3000, 1, false},             /* in a hole */
        {0xeffff, 2, false},             /* from a hole */
        {0xf4000, 0x1001, false},        /* beyond the last region */
        {0xf5000, 1, false},             /* after the last region */
        {0x1000, 0, true},               /* unknown size: only the first byte counts */
        {0x8fff, 0, true},               /* … */
        {0x9000, 0, false},              /* … */
        {0, 4, false},                   /* no table */
        {BEYOND_LIMIT, 1, false},        /* not a valid address */
        {UINT64_MAX, 1, false},          /* wraps */
        {UINT64_MAX, UINT64_MAX, false}, /* … */
        {0x1000, UINT64_MAX, false},     /* … */
    };
    write_map(regions);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        machine->tables.count = 1;
        machine->tables.list[0] = (struct handoff_firmware_table){
            .address = cases[i].address, .size_bytes = cases[i].size_bytes, .mapping = 77};
        firmware_tables_set_mapping(&machine->tables, regions, 6);
        assert_int_equal(machine->tables.list[0].mapping,
                         cases[i].mapped ? HANDOFF_TABLE_MAPPED : HANDOFF_TABLE_UNMAPPED);
        firmware_tables_set_mapping(&machine->tables, regions, 0);
        assert_int_equal(machine->tables.list[0].mapping, HANDOFF_TABLE_UNMAPPED);
    }
}

static void test_mapping_of_every_listed_table_is_set(void **state)
{
    struct machine *machine = *state;
    struct handoff_region region = region_make(FAKE_FIRMWARE_BASE, FAKE_FIRMWARE_SIZE_BYTES,
                                               HANDOFF_REGION_FIRMWARE_TABLES, 0, 0);
    walk_acpi(machine);
    firmware_tables_set_mapping(&machine->tables, &region, 1);
    for (size_t i = 0; i < machine->tables.count; i++)
        assert_int_equal(machine->tables.list[i].mapping, HANDOFF_TABLE_MAPPED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_acpi_2_leads_to_every_table),
        TEST(test_acpi_1_leads_to_every_table),
        TEST(test_rsdp_of_a_later_revision_may_be_longer),
        TEST(test_fadt_64_bit_fields_come_first),
        TEST(test_fadt_is_read_up_to_its_length),
        TEST(test_fadt_without_facs_and_dsdt),
        TEST(test_smbios_3),
        TEST(test_smbios_2),
        TEST(test_smbios_2_1_may_say_30),
        TEST(test_other_entries_are_listed_without_a_length),
        TEST(test_find_gives_the_entry_and_not_a_part),
        TEST(test_newer_entry_wins_where_both_are_good),
        TEST(test_older_entry_stands_in_for_a_damaged_one),
        TEST(test_newer_entry_is_named_where_both_are_damaged),
        TEST(test_entry_without_an_address_is_passed_over),
        TEST(test_configuration_table_that_cannot_be_read),
        TEST(test_every_bit_of_the_rsdp_counts),
        TEST(test_rsdp_with_a_bad_signature_or_length),
        TEST(test_rsdp_at_an_impossible_address),
        TEST(test_rsdp_that_ends_in_unreadable_memory),
        TEST(test_T2_rsdp_without_a_root_table),
        TEST(test_rsdt_stands_in_for_the_xsdt),
        TEST(test_root_table_with_a_bad_length_signature_or_checksum),
        TEST(test_root_table_whose_length_is_no_multiple),
        TEST(test_entries_that_lead_nowhere),
        TEST(test_damaged_tables_are_listed_without_a_length),
        TEST(test_table_without_a_signature_is_not_listed),
        TEST(test_damaged_facs_and_dsdt),
        TEST(test_fadt_that_points_nowhere),
        TEST(test_every_bit_of_the_smbios_entry_point_counts),
        TEST(test_smbios_entry_point_with_a_bad_anchor_length_or_address),
        TEST(test_smbios_entry_point_that_ends_in_unreadable_memory),
        TEST(test_smbios_structures_that_cannot_be),
        TEST(test_tables_beyond_the_limit_are_counted),
        TEST(test_room_for_entries_is_kept),
        TEST(test_root_table_that_lists_itself),
        TEST(test_work_for_damaged_tables_is_bounded),
        TEST(test_pages_of_a_table),
        TEST(test_T1_mapping_is_by_the_regions_below),
        TEST(test_mapping_of_every_listed_table_is_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
