/*
 * test_parking.c - the block in which started processors wait: its parts, and its own page tables.
 * The block is real memory of the test, so a table or a seat outside of it is found by ASan.
 */
#include "tests/unit/support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "bootloader/pure/parking.h"
#include "bootloader/pure/table_pool.h"
#include "shared/address.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define START_PAGE   UINT64_C(0x9f000)

static const uint32_t SEAT_COUNTS[] = {1, 3, 14, 15, 63, 64, 65, 254, 4095, 4096};

struct fixture {
    struct parking parking;
    struct page_table table;
    struct table_pool pool;
    struct phys_range tables;
};

static void make_block(struct fixture *fixture, uint32_t seat_count, unsigned levels)
{
    uint64_t size_bytes = parking_size_bytes(seat_count, levels);
    void *block = aligned_alloc(PAGE_SIZE_BYTES, size_bytes);
    assert_non_null(block);
    assert_int_equal(size_bytes % PAGE_SIZE_BYTES, 0);
    fixture->parking =
        (struct parking){phys_range((uint64_t)block, (uint64_t)block + size_bytes), seat_count};
    fixture->tables = parking_tables(&fixture->parking);
}

static void map_block(struct fixture *fixture, unsigned levels)
{
    static const struct page_permissions EXECUTE = {.execute = true};
    const struct page_table_features features = {
        .levels = levels, .physical_bits = 52, .largest_leaf_level = 2, .no_execute = true};
    fixture->pool = (struct table_pool){.memory = &fixture->tables};
    struct page_table_memory memory = table_pool_memory(&fixture->pool);
    assert_int_equal(page_table_create(&features, &memory, &fixture->table), PAGE_TABLE_OK);
    assert_int_equal(parking_map(&fixture->parking, &fixture->table), PAGE_TABLE_OK);
    uint64_t used_bytes = fixture->pool.used_bytes;
    assert_true(used_bytes / PAGE_SIZE_BYTES <=
                parking_table_bound(fixture->parking.seat_count, levels));
    assert_int_equal(page_table_map(&fixture->table, virt_addr(START_PAGE), phys_addr(START_PAGE),
                                    PAGE_SIZE_BYTES, EXECUTE, false),
                     PAGE_TABLE_OK);
}

/* Return the physical address of a page with these permissions. */
static uint64_t page_at(const struct fixture *fixture, uint64_t virtual, bool is_code)
{
    struct page_mapping mapping;
    assert_int_equal(page_table_lookup(&fixture->table, virt_addr(virtual), &mapping),
                     PAGE_TABLE_OK);
    assert_int_equal(mapping.permissions.execute, is_code);
    assert_int_equal(mapping.permissions.write, !is_code);
    assert_true(mapping.physical.value >= fixture->parking.memory.start.value);
    assert_true(mapping.physical.value < fixture->tables.start.value);
    return mapping.physical.value;
}

static void assert_unmapped(const struct fixture *fixture, uint64_t virtual)
{
    struct page_mapping mapping;
    assert_int_equal(page_table_lookup(&fixture->table, virt_addr(virtual), &mapping),
                     PAGE_TABLE_NOT_MAPPED);
}

static void check_stack(const struct fixture *fixture, uint32_t index, uint64_t *next_physical)
{
    uint64_t base = parking_stack(index).value;
    assert_unmapped(fixture, base - PAGE_SIZE_BYTES);
    for (uint64_t at = 0; at < PARKING_STACK_SIZE_BYTES; at += PAGE_SIZE_BYTES) {
        assert_int_equal(page_at(fixture, base + at, false), *next_physical);
        *next_physical += PAGE_SIZE_BYTES;
    }
}

/* Code, header and seats keep their distances, and the stacks and the tables follow. */
static void check_parts(const struct fixture *fixture)
{
    const struct parking *parking = &fixture->parking;
    uint64_t displacement = PARKING_VIRTUAL_BASE - parking->memory.start.value;
    uint64_t next = parking_header(parking).value;
    assert_int_equal(page_at(fixture, PARKING_VIRTUAL_BASE, true), parking->memory.start.value);
    assert_int_equal(parking_seat(parking, 0).value, next + PARKING_HEADER_SIZE_BYTES);
    uint64_t end = parking_seat(parking, parking->seat_count).value;
    for (; next < end; next += PAGE_SIZE_BYTES)
        assert_int_equal(page_at(fixture, next + displacement, false), next);
    assert_true(next + displacement <= parking_stack(0).value - PARKING_STACK_SIZE_BYTES);
    for (uint32_t i = 0; i < parking->seat_count; i++) {
        assert_int_equal(parking_seat(parking, i).value % sizeof(struct parking_seat), 0);
        check_stack(fixture, i, &next);
    }
    assert_unmapped(fixture, parking_stack(parking->seat_count).value);
    assert_int_equal(next, fixture->tables.start.value);
    assert_int_equal(fixture->tables.end.value, parking->memory.end.value);
}

static void test_every_part_is_mapped_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(SEAT_COUNTS); i++) {
        for (unsigned levels = 4; levels <= 5; levels++) {
            struct fixture fixture;
            make_block(&fixture, SEAT_COUNTS[i], levels);
            map_block(&fixture, levels);
            check_parts(&fixture);
            free((void *)fixture.parking.memory.start.value);
        }
    }
}

static void test_no_seat_maps_nothing(void **state)
{
    (void)state;
    const struct parking none = {.seat_count = 0};
    struct page_table table = {0};
    assert_int_equal(parking_map(&none, &table), PAGE_TABLE_OK);
}

static void test_seat_has_what_the_element_says(void **state)
{
    (void)state;
    _Alignas(64) struct parking_seat seat;
    const struct handoff_processor element = {
        .hardware_id = 77, .mailbox = (uint64_t)&seat, .stack_virtual_base = 0x10000};
    memset(&seat, 0xa5, sizeof(seat));
    parking_fill_seat(&element, phys_addr(0x5000));
    assert_int_equal(seat.hardware_id, 77);
    assert_int_equal(seat.stack_top, 0x14000);
    assert_int_equal(seat.mailbox.stack_top, 0x14000);
    assert_int_equal(seat.mailbox.page_table_root, 0x5000);
    assert_int_equal(seat.mailbox.entry | seat.mailbox.argument | seat.mailbox.state, 0);
    for (size_t i = 0; i < sizeof(seat.arch); i++)
        assert_int_equal(seat.arch[i], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_part_is_mapped_once),
        cmocka_unit_test(test_no_seat_maps_nothing),
        cmocka_unit_test(test_seat_has_what_the_element_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
