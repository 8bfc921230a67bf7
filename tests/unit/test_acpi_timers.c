/*
 * test_acpi_timers.c - the counters to which ACPI's tables lead (L7).
 */
#include "tests/unit/support/cmocka.h"

#include <string.h>

#include "bootloader/pure/acpi_timers.h"

#define TABLE_ADDRESS UINT64_C(0x7f000000)

static uint8_t fadt[244];
static uint8_t hpet[56];
static struct firmware_tables tables;
static uint64_t unreadable;

static const void *read_memory(void *context, uint64_t address, uint64_t size_bytes)
{
    (void)context;
    if (address == unreadable)
        return NULL;
    if (address == TABLE_ADDRESS) {
        assert_in_range(size_bytes, 1, sizeof(fadt));
        return fadt;
    }
    assert_int_equal(address, TABLE_ADDRESS + 0x1000);
    assert_in_range(size_bytes, 1, sizeof(hpet));
    return hpet;
}

static void put(uint8_t *bytes, uint64_t number, unsigned size_bytes)
{
    for (unsigned i = 0; i < size_bytes; i++)
        bytes[i] = (uint8_t)(number >> 8 * i);
}

static void list(size_t index, const char *signature, uint64_t address, uint64_t size_bytes)
{
    memcpy(&tables.list[index].part, signature, 4);
    tables.list[index].address = address;
    tables.list[index].size_bytes = size_bytes;
}

/* As QEMU's q35 has them. */
static int set_up(void **state)
{
    (void)state;
    memset(fadt, 0, sizeof(fadt));
    memset(hpet, 0, sizeof(hpet));
    memset(&tables, 0, sizeof(tables));
    unreadable = 0;
    put(fadt + 76, 0x608, 4);
    fadt[91] = 4;
    put(fadt + 112, 0x84a5, 4);
    fadt[208] = 1;
    fadt[209] = 32;
    put(fadt + 212, 0x608, 8);
    put(hpet + 44, 0xfed00000, 8);
    list(0, "DSDT", 0x1000, 100);
    list(1, "FACP", TABLE_ADDRESS, sizeof(fadt));
    list(2, "HPET", TABLE_ADDRESS + 0x1000, sizeof(hpet));
    tables.count = 3;
    return 0;
}

static struct acpi_timers find(void)
{
    const struct firmware_tables_memory memory = {read_memory, NULL};
    struct acpi_timers timers;
    memset(&timers, 0x77, sizeof(timers));
    acpi_timers_find(&tables, &memory, &timers);
    return timers;
}

static void test_L7_both_counters_are_found(void **state)
{
    (void)state;
    struct acpi_timers timers = find();
    assert_int_equal(timers.power_timer_port, 0x608);
    assert_int_equal(timers.power_timer_mask, 0xffffff);
    assert_int_equal(timers.event_timer_registers, 0xfed00000);
}

static void test_L7_a_power_timer_of_32_bits(void **state)
{
    (void)state;
    put(fadt + 112, 0x85a5, 4);
    assert_int_equal(find().power_timer_mask, 0xffffffff);
}

static void test_L7_an_old_table_has_the_short_field_only(void **state)
{
    (void)state;
    tables.list[1].size_bytes = 116;
    assert_int_equal(find().power_timer_port, 0x608);
    tables.list[1].size_bytes = 115;
    assert_int_equal(find().power_timer_port, 0);
    set_up(NULL);
    put(fadt + 212, 0, 8);
    put(fadt + 76, 0xb008, 4);
    assert_int_equal(find().power_timer_port, 0xb008);
}

static void test_L7_a_power_timer_that_cannot_be_used(void **state)
{
    (void)state;
    fadt[91] = 0; /* no length */
    assert_int_equal(find().power_timer_port, 0);
    set_up(NULL);
    fadt[208] = 0; /* in memory */
    assert_int_equal(find().power_timer_port, 0);
    set_up(NULL);
    put(fadt + 112, 0x1084a5, 4); /* reduced hardware */
    assert_int_equal(find().power_timer_port, 0);
    set_up(NULL);
    put(fadt + 212, 0xfffd, 8);
    assert_int_equal(find().power_timer_port, 0);
    set_up(NULL);
    put(fadt + 212, UINT64_C(0x100000608), 8);
    assert_int_equal(find().power_timer_port, 0);
}

static void test_L7_tables_that_are_absent_or_damaged(void **state)
{
    (void)state;
    tables.list[1].size_bytes = 0;
    tables.list[2].size_bytes = 0;
    assert_int_equal(find().power_timer_port, 0);
    assert_int_equal(find().event_timer_registers, 0);
    set_up(NULL);
    tables.list[2].size_bytes = 51;
    assert_int_equal(find().event_timer_registers, 0);
    set_up(NULL);
    hpet[40] = 1; /* in ports */
    assert_int_equal(find().event_timer_registers, 0);
    set_up(NULL);
    unreadable = TABLE_ADDRESS;
    assert_int_equal(find().power_timer_port, 0);
    set_up(NULL);
    tables.count = 0;
    assert_int_equal(find().event_timer_registers, 0);
}

static void test_L7_the_period_of_the_event_timer(void **state)
{
    (void)state;
    const uint64_t period_14_mhz = UINT64_C(69841279);
    assert_int_equal(acpi_timers_hpet_hz(period_14_mhz << 32 | 0x8086a201), 14318179);
    assert_int_equal(acpi_timers_hpet_hz(0), 0);
    assert_int_equal(acpi_timers_hpet_hz(UINT64_C(100000001) << 32), 0);
    assert_int_equal(acpi_timers_hpet_hz(UINT64_C(100000000) << 32), 10000000);
    assert_int_equal(acpi_timers_hpet_hz(UINT64_C(999999) << 32), 0);
    assert_int_equal(acpi_timers_hpet_hz(UINT64_MAX), 0); /* no device */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_L7_both_counters_are_found, set_up),
        cmocka_unit_test_setup(test_L7_a_power_timer_of_32_bits, set_up),
        cmocka_unit_test_setup(test_L7_an_old_table_has_the_short_field_only, set_up),
        cmocka_unit_test_setup(test_L7_a_power_timer_that_cannot_be_used, set_up),
        cmocka_unit_test_setup(test_L7_tables_that_are_absent_or_damaged, set_up),
        cmocka_unit_test_setup(test_L7_the_period_of_the_event_timer, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
