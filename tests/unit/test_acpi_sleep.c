/* The soft-off state in ACPI's tables, and the writes that start it. */
#include "tests/unit/support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/core/acpi_sleep.h"

#define HEADER_BYTES 36
#define FADT_BYTES   276
#define DSDT(text)   dsdt_types((const uint8_t *)(text), sizeof(text) - 1, &types)

/* A table in a block of its own, so that ASan finds a read beyond it. */
static uint8_t *table(const uint8_t *body, size_t body_bytes)
{
    uint8_t *bytes = malloc(HEADER_BYTES + body_bytes);
    assert_non_null(bytes);
    memset(bytes, 0, HEADER_BYTES);
    if (body_bytes != 0)
        memcpy(bytes + HEADER_BYTES, body, body_bytes);
    return bytes;
}

static enum acpi_sleep_status dsdt_types(const uint8_t *body, size_t body_bytes,
                                         struct acpi_sleep_types *ret_types)
{
    uint8_t *bytes = table(body, body_bytes);
    enum acpi_sleep_status status =
        acpi_sleep_find_types(bytes, HEADER_BYTES + body_bytes, ret_types);
    free(bytes);
    return status;
}

static void expect_types(enum acpi_sleep_status status, struct acpi_sleep_types types,
                         uint8_t first, uint8_t second)
{
    assert_int_equal(status, ACPI_SLEEP_OK);
    assert_int_equal(types.type[0], first);
    assert_int_equal(types.type[1], second);
}

static void test_every_encoding_of_the_package_is_read(void **state)
{
    struct acpi_sleep_types types;
    (void)state;
    expect_types(DSDT("\x08_S5_\x12\x06\x04\x00\x01\x00\x00"), types, 0, 1);
    expect_types(DSDT("\x08_S5_\x12\x08\x04\x0a\x07\x0a\x05\x00\x00"), types, 7, 5);
    expect_types(DSDT("\x08\\_S5_\x12\x08\x04\x0a\x07\x0a\x05\x00\x00"), types, 7, 5);
    expect_types(DSDT("\x08_S5_\x12\x0a\x02\x0b\x03\x00\x0c\x04\x00\x00\x00"), types, 3, 4);
    expect_types(DSDT("\x08_S5_\x12\x46\x00\x02\x01\x00\x00"), types, 1, 0);
    expect_types(DSDT("\x08_S5_\x12\x87\x00\x00\x02\x01\x00\x00"), types, 1, 0);
    expect_types(DSDT("\x08_S5_\x12\x05\x01\x0b\x05\x06"), types, 5, 6);
}

static void test_other_uses_of_the_name_are_passed_over(void **state)
{
    struct acpi_sleep_types types;
    (void)state;
    expect_types(DSDT("\x70_S5_\x12\x04\x02\x01\x01\x08_S5X\x08_S5_\x14"
                      "\x08_S5_\x12\x06\x02\x0a\x05\x00\x00"),
                 types, 5, 0);
}

static void test_a_package_without_two_small_numbers_is_none(void **state)
{
    struct acpi_sleep_types types = {{9, 9}};
    (void)state;
    assert_int_equal(DSDT(""), ACPI_SLEEP_NO_PACKAGE);
    assert_int_equal(DSDT("_S5_\x12\x04\x02\x01\x01"), ACPI_SLEEP_NO_PACKAGE);
    assert_int_equal(DSDT("\x08_S5_"), ACPI_SLEEP_NO_PACKAGE);
    assert_int_equal(DSDT("\x08_S5_\x12\x06\x00\x00\x01\x00\x00"), ACPI_SLEEP_NO_PACKAGE);
    assert_int_equal(DSDT("\x08_S5_\x12\x06\x02\x0a\x08\x00\x00"), ACPI_SLEEP_NO_PACKAGE);
    assert_int_equal(DSDT("\x08_S5_\x12\x06\x02\x00\x0a\x08\x00"), ACPI_SLEEP_NO_PACKAGE);
    assert_int_equal(DSDT("\x08_S5_\x12\x06\x02\xff\xff\x00\x00"), ACPI_SLEEP_NO_PACKAGE);
    assert_int_equal(DSDT("\x08_S5_\x12\x06\x02NAME"), ACPI_SLEEP_NO_PACKAGE);
    assert_int_equal(types.type[0], 9);
}

/* The package's length, and the table's end, bound every read. */
static void test_lengths_that_lie_are_refused(void **state)
{
    static const uint8_t whole[] = "\x08_S5_\x12\x08\x04\x0a\x07\x0a\x05\x00\x00";
    struct acpi_sleep_types types;
    (void)state;
    assert_int_equal(DSDT("\x08_S5_\x12\x00\x02\x01\x01"), ACPI_SLEEP_NO_PACKAGE);
    assert_int_equal(DSDT("\x08_S5_\x12\x02\x02\x01\x01"), ACPI_SLEEP_NO_PACKAGE);
    assert_int_equal(DSDT("\x08_S5_\x12\x05\x02\x01\x01"), ACPI_SLEEP_NO_PACKAGE);
    assert_int_equal(DSDT("\x08_S5_\x12\xcf\xff\xff\xff\x02\x01\x01"), ACPI_SLEEP_NO_PACKAGE);
    assert_int_equal(DSDT("\x08_S5_\x12\x40\x00\x02\x01\x01"), ACPI_SLEEP_NO_PACKAGE);
    for (size_t size = 0; size < sizeof(whole) - 1; size++)
        assert_int_equal(dsdt_types(whole, size, &types), ACPI_SLEEP_NO_PACKAGE);
    for (size_t size = 0; size < sizeof(whole); size++)
        assert_int_equal(acpi_sleep_find_types(whole, size, &types), ACPI_SLEEP_NO_PACKAGE);
}

/* --- The FADT --- */

struct fadt {
    uint8_t bytes[FADT_BYTES];
};

static void put(struct fadt *fadt, size_t offset, uint64_t number, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes; i++)
        fadt->bytes[offset + i] = (uint8_t)(number >> (8 * i));
}

static struct fadt usual_fadt(void)
{
    struct fadt fadt = {{0}};
    put(&fadt, 48, 0xb2, 4);
    put(&fadt, 52, 0xf1, 1);
    put(&fadt, 64, 0x604, 4);
    return fadt;
}

static enum acpi_sleep_status find(const struct fadt *fadt, size_t size_bytes,
                                   struct acpi_sleep_registers *ret_registers)
{
    uint8_t *bytes = malloc(size_bytes + 1);
    assert_non_null(bytes);
    uint8_t *end = bytes + 1; /* the last byte is the last of the block */
    memcpy(end, fadt->bytes, size_bytes);
    enum acpi_sleep_status status = acpi_sleep_find_registers(end, size_bytes, ret_registers);
    free(bytes);
    return status;
}

static void test_registers_of_old_and_new_tables(void **state)
{
    struct fadt fadt = usual_fadt();
    struct acpi_sleep_registers registers;
    (void)state;
    assert_int_equal(find(&fadt, 116, &registers), ACPI_SLEEP_OK);
    assert_int_equal(registers.control[0], 0x604);
    assert_int_equal(registers.control[1], 0);
    assert_int_equal(registers.command, 0xb2);
    assert_int_equal(registers.command_enable, 0xf1);

    put(&fadt, 68, 0x704, 4);
    put(&fadt, 172, 1, 1);
    put(&fadt, 176, 0x1804, 8);
    assert_int_equal(find(&fadt, FADT_BYTES, &registers), ACPI_SLEEP_OK);
    assert_int_equal(registers.control[0], 0x1804);
    assert_int_equal(registers.control[1], 0x704);
    assert_int_equal(find(&fadt, 183, &registers), ACPI_SLEEP_OK);
    assert_int_equal(registers.control[0], 0x604); /* the wide field is cut off */
}

static void test_machines_without_such_registers(void **state)
{
    struct fadt fadt = usual_fadt();
    struct acpi_sleep_registers registers = {.command = 1};
    (void)state;
    for (size_t size = 0; size < 116; size++)
        assert_int_equal(find(&fadt, size, &registers), ACPI_SLEEP_BAD_FADT);
    put(&fadt, 112, UINT32_C(1) << 20, 4);
    assert_int_equal(find(&fadt, FADT_BYTES, &registers), ACPI_SLEEP_NO_REGISTER);
    fadt = usual_fadt();
    put(&fadt, 64, 0, 4);
    assert_int_equal(find(&fadt, FADT_BYTES, &registers), ACPI_SLEEP_NO_REGISTER);
    put(&fadt, 64, 0x10604, 4);
    assert_int_equal(find(&fadt, FADT_BYTES, &registers), ACPI_SLEEP_NO_REGISTER);
    fadt = usual_fadt();
    put(&fadt, 172, 0, 1); /* in memory */
    put(&fadt, 176, 0xfed00000, 8);
    assert_int_equal(find(&fadt, FADT_BYTES, &registers), ACPI_SLEEP_NO_REGISTER);
    assert_int_equal(registers.command, 1);
}

/* U-Boot on QEMU's q35 states the offset of the register in place of its address. */
static void test_an_address_of_other_devices_is_not_written(void **state)
{
    struct fadt fadt = usual_fadt();
    struct acpi_sleep_registers registers;
    (void)state;
    put(&fadt, 64, 4, 4);
    assert_int_equal(find(&fadt, FADT_BYTES, &registers), ACPI_SLEEP_OFF);
    put(&fadt, 64, 0xff, 4);
    assert_int_equal(find(&fadt, FADT_BYTES, &registers), ACPI_SLEEP_OFF);
    put(&fadt, 64, 0x100, 4);
    put(&fadt, 68, 4, 4);
    assert_int_equal(find(&fadt, FADT_BYTES, &registers), ACPI_SLEEP_OK);
    assert_int_equal(registers.control[1], 0);
}

static void test_command_needs_an_address_and_a_value(void **state)
{
    struct fadt fadt = usual_fadt();
    struct acpi_sleep_registers registers;
    (void)state;
    put(&fadt, 52, 0, 1);
    assert_int_equal(find(&fadt, FADT_BYTES, &registers), ACPI_SLEEP_OK);
    assert_int_equal(registers.command, 0);
    put(&fadt, 52, 0xf1, 1);
    put(&fadt, 48, 0x100b2, 4);
    assert_int_equal(find(&fadt, FADT_BYTES, &registers), ACPI_SLEEP_OK);
    assert_int_equal(registers.command | registers.command_enable, 0);
}

static void test_control_value_keeps_the_other_bits(void **state)
{
    (void)state;
    assert_int_equal(acpi_sleep_control_value(5, 0xffff), 0xd7ff);
    assert_int_equal(acpi_sleep_control_value(7, 0x0001), 0x1c01);
    assert_int_equal(acpi_sleep_control_value(0, 0x3c03), 0x0003);
}

static void test_every_status_has_a_text(void **state)
{
    (void)state;
    for (int status = ACPI_SLEEP_OK; status <= ACPI_SLEEP_NO_PACKAGE; status++)
        assert_non_null(acpi_sleep_status_text((enum acpi_sleep_status)status));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_encoding_of_the_package_is_read),
        cmocka_unit_test(test_other_uses_of_the_name_are_passed_over),
        cmocka_unit_test(test_a_package_without_two_small_numbers_is_none),
        cmocka_unit_test(test_lengths_that_lie_are_refused),
        cmocka_unit_test(test_registers_of_old_and_new_tables),
        cmocka_unit_test(test_machines_without_such_registers),
        cmocka_unit_test(test_an_address_of_other_devices_is_not_written),
        cmocka_unit_test(test_command_needs_an_address_and_a_value),
        cmocka_unit_test(test_control_value_keeps_the_other_bits),
        cmocka_unit_test(test_every_status_has_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
