/*
 * test_madt.c - the list of processors: tables of QEMU and of hostile firmware. Catalogue T3, N7.
 */
#include "tests/unit/support/cmocka.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bootloader/pure/madt.h"
#include "shared/handoff.h"

#define HEADER_BYTES    44
#define CAPACITY_BYTES  (HEADER_BYTES + 16 * (MADT_PROCESSOR_LIMIT + 16))
#define COUNT(array)    (sizeof(array) / sizeof((array)[0]))
#define ENABLED         1
#define ONLINE_CAPABLE  2
#define BOOT_ID         0
#define FOREIGN_BOOT_ID 1000000

struct table {
    uint8_t bytes[CAPACITY_BYTES];
    size_t size_bytes;
};

static struct table table;
static struct processor_list list;

static void begin(void)
{
    memset(&table, 0, sizeof(table));
    memcpy(table.bytes, "APIC", 4);
    table.size_bytes = HEADER_BYTES;
}

static uint8_t *add_entry(uint8_t type, uint8_t length)
{
    uint8_t *entry = table.bytes + table.size_bytes;
    assert_true(table.size_bytes + length <= sizeof(table.bytes));
    entry[0] = type;
    entry[1] = length;
    table.size_bytes += length;
    return entry;
}

static void add_short(uint8_t uid, uint8_t id, uint8_t flags)
{
    uint8_t *entry = add_entry(0, 8);
    entry[2] = uid;
    entry[3] = id;
    entry[4] = flags;
}

static void add_long(uint32_t uid, uint32_t id, uint8_t flags)
{
    uint8_t *entry = add_entry(9, 16);
    memcpy(entry + 4, &id, sizeof(id));
    entry[8] = flags;
    memcpy(entry + 12, &uid, sizeof(uid));
}

/* What QEMU has behind the processors: an I/O interrupt controller, overrides, an NMI. */
static void add_others(void)
{
    (void)add_entry(1, 12);
    for (unsigned i = 0; i < 5; i++)
        (void)add_entry(2, 10);
    (void)add_entry(4, 6);
}

/* Read a copy of exactly this size at an odd address, so that the sanitizers find every read past
 * the end. */
static enum madt_status read_bytes(size_t size_bytes, uint32_t boot_id)
{
    uint8_t *block = malloc(size_bytes + 1);
    assert_non_null(block);
    memcpy(block + 1, table.bytes, size_bytes);
    memset(&list, 0xa5, sizeof(list));
    enum madt_status status = madt_list_processors(block + 1, size_bytes, boot_id, &list);
    free(block);
    return status;
}

static enum madt_status read_table(void)
{
    return read_bytes(table.size_bytes, BOOT_ID);
}

static void assert_only_boot_processor(uint32_t id)
{
    assert_int_equal(list.count, 1);
    assert_int_equal(list.boot_index, 0);
    assert_int_equal(list.duplicate_count, 0);
    assert_int_equal(list.list[0].hardware_id, id);
    assert_int_equal(list.list[0].acpi_uid, HANDOFF_ACPI_UID_NONE);
}

static void assert_refused(enum madt_status status)
{
    assert_int_equal(read_table(), status);
    assert_only_boot_processor(BOOT_ID);
}

/* QEMU has an entry of 8 bytes for each processor up to 254, and one of 16 for each further one. */
static void test_tables_of_qemu(void **state)
{
    (void)state;
    static const uint32_t counts[] = {1, 4, 64, 255, 288, 4096};
    for (size_t i = 0; i < COUNT(counts); i++) {
        begin();
        for (uint32_t id = 0; id < counts[i]; id++) {
            if (id < 255)
                add_short((uint8_t)id, (uint8_t)id, ENABLED);
            else
                add_long(id, id, ENABLED);
        }
        add_others();
        assert_int_equal(read_table(), MADT_OK);
        assert_int_equal(list.count, counts[i]);
        assert_int_equal(list.boot_index, 0);
        assert_int_equal(list.duplicate_count, 0);
        for (uint32_t id = 0; id < counts[i]; id++) {
            assert_int_equal(list.list[id].hardware_id, id);
            assert_int_equal(list.list[id].acpi_uid, id);
        }
    }
}

/* Boards list free sockets, and processors that can be added later. */
static void test_only_enabled_processors_count(void **state)
{
    (void)state;
    begin();
    add_short(1, 2, 0);
    add_short(3, 4, ENABLED | ONLINE_CAPABLE);
    add_short(5, 6, ONLINE_CAPABLE);
    add_short(7, 0xff, ENABLED);
    add_long(8, 300, ONLINE_CAPABLE);
    add_long(9, 301, ENABLED);
    add_long(10, UINT32_MAX, ENABLED);
    assert_int_equal(read_bytes(table.size_bytes, 301), MADT_OK);
    assert_int_equal(list.count, 2);
    assert_int_equal(list.list[0].hardware_id, 4);
    assert_int_equal(list.list[0].acpi_uid, 3);
    assert_int_equal(list.list[1].hardware_id, 301);
    assert_int_equal(list.list[1].acpi_uid, 9);
    assert_int_equal(list.boot_index, 1);
}

static void test_N7_one_id_twice_is_one_processor(void **state)
{
    (void)state;
    begin();
    add_short(0, 0, ENABLED);
    add_short(1, 5, ENABLED);
    add_short(2, 5, ENABLED);
    add_long(3, 5, ENABLED);
    add_long(4, 0, ENABLED);
    assert_int_equal(read_table(), MADT_OK);
    assert_int_equal(list.count, 2);
    assert_int_equal(list.list[1].acpi_uid, 1);
    assert_int_equal(list.duplicate_count, 3);
    assert_int_equal(list.duplicate_id, 0);
}

static void test_boot_processor_that_is_not_listed_comes_first(void **state)
{
    (void)state;
    begin();
    add_short(1, 5, ENABLED);
    add_short(2, 6, ENABLED);
    assert_int_equal(read_bytes(table.size_bytes, FOREIGN_BOOT_ID), MADT_INCOMPLETE);
    assert_int_equal(list.count, 3);
    assert_int_equal(list.boot_index, 0);
    assert_int_equal(list.list[0].hardware_id, FOREIGN_BOOT_ID);
    assert_int_equal(list.list[0].acpi_uid, HANDOFF_ACPI_UID_NONE);
    assert_int_equal(list.list[1].hardware_id, 5);
    assert_int_equal(list.list[2].hardware_id, 6);
}

static void test_T3_absent_table_is_one_processor(void **state)
{
    (void)state;
    assert_int_equal(madt_list_processors(NULL, 0, 7, &list), MADT_ABSENT);
    assert_only_boot_processor(7);
}

static void test_T3_table_without_processors_is_one_processor(void **state)
{
    (void)state;
    begin();
    assert_int_equal(read_table(), MADT_INCOMPLETE);
    assert_only_boot_processor(BOOT_ID);
    add_others();
    assert_int_equal(read_table(), MADT_INCOMPLETE);
    assert_only_boot_processor(BOOT_ID);
}

/* Between two entries the table is shorter, but good. */
static void test_T3_every_cut(void **state)
{
    (void)state;
    begin();
    add_short(0, 0, ENABLED);
    add_long(1, 1, ENABLED);
    for (size_t size_bytes = 0; size_bytes <= table.size_bytes; size_bytes++) {
        bool is_good = size_bytes == 52 || size_bytes == 68;
        enum madt_status bad = size_bytes == 44 ? MADT_INCOMPLETE : MADT_TRUNCATED;
        assert_int_equal(read_bytes(size_bytes, BOOT_ID), is_good ? MADT_OK : bad);
        if (!is_good)
            assert_only_boot_processor(BOOT_ID);
    }
}

static void test_T3_length_that_is_too_short(void **state)
{
    (void)state;
    static const struct {
        uint8_t type, length;
    } wrong[] = {{0, 0}, {0, 1}, {0, 2}, {0, 7}, {9, 0}, {9, 8}, {9, 15}, {1, 0}, {77, 1}};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        begin();
        add_short(0, 0, ENABLED);
        add_short(1, 1, ENABLED);
        (void)add_entry(wrong[i].type, 16);
        table.bytes[table.size_bytes - 15] = wrong[i].length;
        assert_refused(MADT_TOO_SHORT);
    }
}

static void test_longer_entries_and_unknown_types_are_stepped_over(void **state)
{
    (void)state;
    begin();
    uint8_t *entry = add_entry(0, 9);
    entry[4] = ENABLED;
    (void)add_entry(77, 2);
    (void)add_entry(0x80, 255);
    add_long(1, 1, ENABLED);
    assert_int_equal(read_table(), MADT_OK);
    assert_int_equal(list.count, 2);
}

/* Entries for processors that are not there count, too. */
static void test_T3_over_4096_entries(void **state)
{
    (void)state;
    begin();
    for (uint32_t i = 0; i < MADT_PROCESSOR_LIMIT; i++)
        add_long(i, i, i % 2 == 0 ? ENABLED : 0);
    assert_int_equal(read_table(), MADT_OK);
    assert_int_equal(list.count, MADT_PROCESSOR_LIMIT / 2);
    add_long(9999, 9999, 0);
    assert_refused(MADT_TOO_MANY);
}

static void test_list_has_room_for_the_boot_processor_behind_a_full_table(void **state)
{
    (void)state;
    begin();
    for (uint32_t i = 0; i < MADT_PROCESSOR_LIMIT; i++)
        add_long(i, i, ENABLED);
    assert_int_equal(read_bytes(table.size_bytes, FOREIGN_BOOT_ID), MADT_INCOMPLETE);
    assert_int_equal(list.count, MADT_PROCESSOR_LIMIT + 1);
    assert_int_equal(list.list[MADT_PROCESSOR_LIMIT].hardware_id, MADT_PROCESSOR_LIMIT - 1);
}

static void test_every_status_has_a_text(void **state)
{
    (void)state;
    for (int a = MADT_OK; a <= MADT_INCOMPLETE; a++) {
        for (int b = MADT_OK; b < a; b++)
            assert_string_not_equal(madt_status_text((enum madt_status)a),
                                    madt_status_text((enum madt_status)b));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables_of_qemu),
        cmocka_unit_test(test_only_enabled_processors_count),
        cmocka_unit_test(test_N7_one_id_twice_is_one_processor),
        cmocka_unit_test(test_boot_processor_that_is_not_listed_comes_first),
        cmocka_unit_test(test_T3_absent_table_is_one_processor),
        cmocka_unit_test(test_T3_table_without_processors_is_one_processor),
        cmocka_unit_test(test_T3_every_cut),
        cmocka_unit_test(test_T3_length_that_is_too_short),
        cmocka_unit_test(test_longer_entries_and_unknown_types_are_stepped_over),
        cmocka_unit_test(test_T3_over_4096_entries),
        cmocka_unit_test(test_list_has_room_for_the_boot_processor_behind_a_full_table),
        cmocka_unit_test(test_every_status_has_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
