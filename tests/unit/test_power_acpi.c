/* Switching off by ACPI's registers, which are simulated here. */
#include "tests/unit/support/cmocka.h"

#include <string.h>

#include "kernel/arch.h"
#include "kernel/core/acpi_sleep.h"
#include "kernel/core/log.h"
#include "kernel/core/power_acpi.h"
#include "shared/region.h"

#define FIRST   0x604
#define SECOND  0x704
#define CHIPSET 0x1804
#define COMMAND 0xb2
#define ENABLE  0xf1

#define FADT_BYTES 276
#define DSDT_BYTES 64

/* The writes in their order, and what the registers hold. */
static struct {
    struct {
        uint16_t address, value;
    } writes[16];
    unsigned write_count;
    uint16_t first, second;
    bool obeys_command;
    uint16_t chipset_control; /* what arch_acpi_control_enable() returns */
} machine;

static struct {
    _Alignas(4096) uint8_t fadt[FADT_BYTES];
    _Alignas(4096) uint8_t dsdt[DSDT_BYTES];
    struct handoff_firmware_table list[4];
} memory;

static void note(uint16_t address, uint16_t value)
{
    assert_true(machine.write_count < sizeof(machine.writes) / sizeof(machine.writes[0]));
    machine.writes[machine.write_count].address = address;
    machine.writes[machine.write_count++].value = value;
}

uint16_t arch_io_read_16(uint16_t address)
{
    return address == SECOND ? machine.second : machine.first;
}

void arch_io_write_16(uint16_t address, uint16_t value)
{
    note(address, value);
}

void arch_io_write_8(uint16_t address, uint8_t value)
{
    note(address, value);
    if (machine.obeys_command && address == COMMAND && value == ENABLE)
        machine.first |= ACPI_SLEEP_CONTROL_ENABLED;
}

uint16_t arch_acpi_control_enable(void)
{
    return machine.chipset_control;
}

static void put(size_t offset, uint64_t number, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes; i++)
        memory.fadt[offset + i] = (uint8_t)(number >> (8 * i));
}

static struct phys_range place_of(const void *bytes, size_t size_bytes)
{
    return phys_range((uint64_t)bytes, (uint64_t)bytes + size_bytes);
}

/* A machine with two registers, both off, and the types 5 and 3. */
static int create_machine(void **state)
{
    static const uint8_t package[] = "\x08_S5_\x12\x08\x04\x0a\x05\x0a\x03\x00\x00";
    (void)state;
    memset(&machine, 0, sizeof machine);
    memset(&memory, 0, sizeof memory);
    machine.obeys_command = true;
    machine.first = 0x0200;
    machine.second = 0x1c00;
    put(48, COMMAND, 4);
    put(52, ENABLE, 1);
    put(64, FIRST, 4);
    put(68, SECOND, 4);
    memcpy(memory.dsdt + 36, package, sizeof package - 1);
    return 0;
}

/* Return the reason for which the machine still runs. The memory of this program is RAM, or not. */
static const char *switch_off_in(uint32_t region_type)
{
    struct handoff_region region = region_make(0, UINT64_C(1) << 48, region_type, 0, 0);
    struct region_list regions = {.first = &region, .count = 1, .stride_bytes = sizeof region};
    struct power_tables tables = {place_of(memory.fadt, FADT_BYTES),
                                  place_of(memory.dsdt, DSDT_BYTES)};
    return power_acpi_off(&tables, virt_addr(0), &regions);
}

static void expect_write(unsigned index, uint16_t address, uint16_t value)
{
    assert_true(index < machine.write_count);
    assert_int_equal(machine.writes[index].address, address);
    assert_int_equal(machine.writes[index].value, value);
}

static void test_command_then_types_then_start(void **state)
{
    (void)state;
    assert_string_equal(switch_off_in(HANDOFF_REGION_USABLE),
                        "the machine still runs after its ACPI registers were written");
    assert_int_equal(machine.write_count, 5);
    expect_write(0, COMMAND, ENABLE);
    expect_write(1, FIRST, 0x0201 | 5 << 10);
    expect_write(2, SECOND, 3 << 10);
    expect_write(3, FIRST, 0x2201 | 5 << 10);
    expect_write(4, SECOND, 0x2000 | 3 << 10);
}

static void test_registers_that_are_on_need_no_command(void **state)
{
    (void)state;
    machine.first = ACPI_SLEEP_CONTROL_ENABLED;
    put(68, 0, 4);
    (void)switch_off_in(HANDOFF_REGION_USABLE);
    assert_int_equal(machine.write_count, 2);
    expect_write(0, FIRST, 1 | 5 << 10);
    expect_write(1, FIRST, 0x2001 | 5 << 10);
}

static void test_command_that_nobody_obeys_ends(void **state)
{
    (void)state;
    machine.obeys_command = false;
    (void)switch_off_in(HANDOFF_REGION_USABLE);
    assert_int_equal(machine.write_count, 5);
}

static void test_registers_that_firmware_left_off_are_the_chipset_s(void **state)
{
    (void)state;
    put(64, 4, 4);
    assert_string_equal(switch_off_in(HANDOFF_REGION_USABLE),
                        "the firmware has not set up the ACPI registers");
    assert_int_equal(machine.write_count, 0);
    machine.chipset_control = CHIPSET;
    (void)switch_off_in(HANDOFF_REGION_USABLE);
    assert_int_equal(machine.write_count, 2);
    expect_write(1, CHIPSET, 0x2200 | 5 << 10);
}

static void test_tables_outside_of_ram_are_not_read(void **state)
{
    (void)state;
    assert_string_equal(switch_off_in(HANDOFF_REGION_RESERVED),
                        "the handoff has no ACPI tables FADT and DSDT in RAM");
    assert_int_equal(machine.write_count, 0);
}

static void test_no_values_no_write(void **state)
{
    (void)state;
    memory.dsdt[36] = 0;
    assert_string_equal(switch_off_in(HANDOFF_REGION_USABLE),
                        acpi_sleep_status_text(ACPI_SLEEP_NO_PACKAGE));
    assert_int_equal(machine.write_count, 0);
}

/* --- The places of the tables --- */

#define PART(a, b, c, d)                                                                           \
    ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)

static struct power_tables find(void)
{
    struct handoff handoff = {
        .firmware_tables = {(uint64_t)memory.list, 4, sizeof memory.list[0]},
    };
    struct handoff_view view = {.handoff = &handoff};
    return power_acpi_find_tables(&view, virt_addr(0));
}

static void test_first_good_table_of_each_kind_is_remembered(void **state)
{
    (void)state;
    memory.list[0] =
        (struct handoff_firmware_table){.address = 0x1000, .part = PART('F', 'A', 'C', 'P')};
    memory.list[1] = (struct handoff_firmware_table){
        .address = 0x2000, .size_bytes = 276, .part = PART('F', 'A', 'C', 'P')};
    memory.list[2] = (struct handoff_firmware_table){
        .address = 0x3000, .size_bytes = 64, .part = PART('D', 'S', 'D', 'T')};
    memory.list[3] = (struct handoff_firmware_table){
        .address = 0x4000, .size_bytes = 64, .part = PART('D', 'S', 'D', 'T')};
    struct power_tables tables = find();
    assert_int_equal(tables.fadt.start.value, 0x2000);
    assert_int_equal(tables.fadt.end.value, 0x2000 + 276);
    assert_int_equal(tables.dsdt.start.value, 0x3000);
}

static void test_tables_that_wrap_or_are_huge_are_none(void **state)
{
    (void)state;
    memory.list[0] = (struct handoff_firmware_table){
        .address = UINT64_MAX - 10, .size_bytes = 276, .part = PART('F', 'A', 'C', 'P')};
    memory.list[1] = (struct handoff_firmware_table){.address = 0x3000,
                                                     .size_bytes = ACPI_SLEEP_TABLE_LIMIT_BYTES + 1,
                                                     .part = PART('D', 'S', 'D', 'T')};
    struct power_tables tables = find();
    assert_int_equal(phys_range_size_bytes(tables.fadt), 0);
    assert_int_equal(phys_range_size_bytes(tables.dsdt), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_command_then_types_then_start, create_machine),
        cmocka_unit_test_setup(test_registers_that_are_on_need_no_command, create_machine),
        cmocka_unit_test_setup(test_command_that_nobody_obeys_ends, create_machine),
        cmocka_unit_test_setup(test_registers_that_firmware_left_off_are_the_chipset_s,
                               create_machine),
        cmocka_unit_test_setup(test_tables_outside_of_ram_are_not_read, create_machine),
        cmocka_unit_test_setup(test_no_values_no_write, create_machine),
        cmocka_unit_test_setup(test_first_good_table_of_each_kind_is_remembered, create_machine),
        cmocka_unit_test_setup(test_tables_that_wrap_or_are_huge_are_none, create_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
