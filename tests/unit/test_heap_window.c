/* The heap over real tables and frames: catalogue K11 and K12, and pages that go back. Both
 * windows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/mm/heap_window.h"
#include "kernel/mm/layout.h"
#include "tests/unit/support/fake_machine.h"
#include "tests/unit/support/panic_stub.h"

#define WINDOW_BYTES (UINT64_C(4) << 20)
#define STEP_BYTES   (UINT64_C(1) << 20)
/* Of addresses. */
#define GUARDED_BYTES (UINT64_C(1) << 30)

struct fixture {
    struct fake_machine machine;
    struct address_space space;
    struct heap_window window;
    struct heap_page_source source;
    struct guarded_pages guarded;
};

static int create_window(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fake_machine_create(&fixture->machine);
    assert_int_equal(
        address_space_build(&fixture->space, &fixture->machine.plan, &fixture->machine.environment),
        PAGE_TABLE_OK);
    const struct heap_settings settings = {.base = virt_addr(LAYOUT_HEAP_WINDOW_BASE),
                                           .window_bytes = STEP_BYTES,
                                           .limit_bytes = WINDOW_BYTES,
                                           .guarded_base = virt_addr(LAYOUT_GUARDED_HEAP_BASE),
                                           .guarded_bytes = GUARDED_BYTES};
    heap_window_initialise(&fixture->window, &fixture->space, &settings);
    fixture->guarded = heap_window_guarded_pages(&fixture->window);
    fixture->source = heap_window_page_source(&fixture->window);
    *state = fixture;
    return 0;
}

static int destroy_window(void **state)
{
    struct fixture *fixture = *state;
    assert_null(frame_allocator_check(&fixture->machine.frames));
    fake_machine_destroy(&fixture->machine);
    free(fixture);
    return 0;
}

static bool grow(struct fixture *fixture, size_t bytes)
{
    return fixture->source.grow(fixture->source.context, bytes);
}

static void shrink(struct fixture *fixture, size_t bytes)
{
    fixture->source.shrink(fixture->source.context, bytes);
}

static void assert_mapped_exactly(const struct fixture *fixture, uint64_t mapped_bytes)
{
    assert_int_equal(fixture->window.mapped_bytes, mapped_bytes);
    for (uint64_t offset = 0; offset < WINDOW_BYTES + 4096; offset += 4096) {
        struct page_mapping mapping;
        enum page_table_status status = page_table_lookup(
            &fixture->space.table, virt_addr(LAYOUT_HEAP_WINDOW_BASE + offset), &mapping);
        assert_int_equal(status, offset < mapped_bytes ? PAGE_TABLE_OK : PAGE_TABLE_NOT_MAPPED);
        if (status != PAGE_TABLE_OK)
            continue;
        assert_true(mapping.permissions.write);
        assert_false(mapping.permissions.execute);
        assert_int_equal(mapping.permissions.memory_type, PAGE_MEMORY_WRITE_BACK);
    }
}

static void test_pages_come_and_go(void **state)
{
    struct fixture *fixture = *state;
    uint64_t free_count = fake_machine_free_count(&fixture->machine);
    uint64_t table_count = fixture->space.table.table_count;
    assert_mapped_exactly(fixture, 0);
    assert_int_equal(fake_machine_free_count(&fixture->machine), free_count);

    assert_true(grow(fixture, 65536));
    assert_mapped_exactly(fixture, 65536);
    assert_true(grow(fixture, 4096));
    assert_mapped_exactly(fixture, 69632);
    assert_int_equal(fake_machine_free_count(&fixture->machine),
                     free_count - 17 - (fixture->space.table.table_count - table_count));
    shrink(fixture, 8192);
    assert_mapped_exactly(fixture, 61440);
    shrink(fixture, 61440);
    assert_mapped_exactly(fixture, 0);
    assert_int_equal(fake_machine_free_count(&fixture->machine), free_count);
    assert_int_equal(fixture->space.table.table_count, table_count);
}

static void test_guard_pages_before_and_behind(void **state)
{
    struct fixture *fixture = *state;
    while (grow(fixture, 4096)) {
    }
    assert_mapped_exactly(fixture, WINDOW_BYTES);
    struct page_mapping mapping;
    assert_int_equal(
        page_table_lookup(&fixture->space.table, virt_addr(LAYOUT_HEAP_WINDOW_BASE - 1), &mapping),
        PAGE_TABLE_NOT_MAPPED);
    const struct address_space_guard *start =
        address_space_find_guard(&fixture->space, virt_addr(LAYOUT_HEAP_WINDOW_BASE - 1));
    const struct address_space_guard *end = address_space_find_guard(
        &fixture->space, virt_addr(LAYOUT_HEAP_WINDOW_BASE + WINDOW_BYTES));
    assert_string_equal(start->name, "heap window's start");
    assert_string_equal(end->name, "heap window's end");
    assert_false(start->is_stack || end->is_stack);
}

static void test_K12_window_full(void **state)
{
    struct fixture *fixture = *state;
    assert_true(grow(fixture, WINDOW_BYTES - 4096));
    uint64_t free_count = fake_machine_free_count(&fixture->machine);
    assert_false(grow(fixture, 8192));
    assert_false(grow(fixture, SIZE_MAX - 4095));
    assert_false(grow(fixture, 100));
    assert_int_equal(fake_machine_free_count(&fixture->machine), free_count);
    assert_mapped_exactly(fixture, WINDOW_BYTES - 4096);
    assert_true(grow(fixture, 4096));
    assert_false(grow(fixture, 4096));
}

/* Begin with 0 pages, and with the last page before a new table is needed. */
static void sweep(struct fixture *fixture, uint64_t mapped_bytes, size_t bytes)
{
    struct fake_machine *machine = &fixture->machine;
    assert_true(grow(fixture, mapped_bytes));
    uint64_t free_count = fake_machine_free_count(machine);
    assert_true(grow(fixture, bytes));
    uint64_t needed = free_count - fake_machine_free_count(machine);
    shrink(fixture, bytes);
    assert_int_equal(fake_machine_free_count(machine), free_count);
    assert_true(needed > bytes / 4096);

    uint64_t hash = fake_machine_mapping_hash(&fixture->space.table);
    uint64_t table_count = fixture->space.table.table_count;
    for (uint64_t n = 0; n < needed; n++) {
        fake_machine_leave_frames(machine, n);
        assert_false(grow(fixture, bytes));
        assert_int_equal(fake_machine_free_count(machine), n);
        assert_int_equal(fake_machine_mapping_hash(&fixture->space.table), hash);
        assert_int_equal(fixture->space.table.table_count, table_count);
        assert_int_equal(fixture->window.mapped_bytes, mapped_bytes);
        fake_machine_return_frames(machine);
    }
    fake_machine_leave_frames(machine, needed);
    assert_true(grow(fixture, bytes));
    assert_int_equal(fake_machine_free_count(machine), 0);
}

static void test_K11_every_nth_allocation_fails_from_nothing(void **state)
{
    sweep(*state, 0, 65536);
}

static void test_K11_every_nth_allocation_fails_over_a_new_table(void **state)
{
    sweep(*state, (UINT64_C(2) << 20) - 16384, 65536);
}

static void test_shrink_beyond_the_mapped_bytes_panics(void **state)
{
    struct fixture *fixture = *state;
    assert_true(grow(fixture, 4096));
    expect_panic(PANIC_ASSERTION, shrink(fixture, 8192));
    expect_panic(PANIC_ASSERTION, shrink(fixture, 100));
    assert_mapped_exactly(fixture, 4096);
}

static void test_unaligned_window_panics(void **state)
{
    struct fixture *fixture = *state;
    struct heap_window window;
    struct heap_settings settings = {
        .base = virt_addr(0xffffd00000000010), .window_bytes = 4096, .limit_bytes = 4096};
    expect_panic(PANIC_ASSERTION, heap_window_initialise(&window, &fixture->space, &settings));
    settings.base = virt_addr(0xffffd00000000000);
    settings.limit_bytes = 100;
    expect_panic(PANIC_ASSERTION, heap_window_initialise(&window, &fixture->space, &settings));
    settings.limit_bytes = 4096;
    settings.window_bytes = 0;
    expect_panic(PANIC_ASSERTION, heap_window_initialise(&window, &fixture->space, &settings));
}

static void test_window_grows_in_steps_to_its_limit(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(fixture->window.window_bytes, STEP_BYTES);
    assert_true(grow(fixture, STEP_BYTES));
    assert_int_equal(fixture->window.window_bytes, STEP_BYTES);
    assert_true(grow(fixture, 4096));
    assert_int_equal(fixture->window.window_bytes, 2 * STEP_BYTES);
    assert_true(grow(fixture, WINDOW_BYTES - STEP_BYTES - 4096));
    assert_int_equal(fixture->window.window_bytes, WINDOW_BYTES);
    assert_false(grow(fixture, 4096));
    assert_mapped_exactly(fixture, WINDOW_BYTES);
}

/* --- Absent pages ----------------------------------------------------------------------------- */

static void discard(struct fixture *fixture, size_t offset, size_t bytes)
{
    fixture->source.discard(fixture->source.context, offset, bytes);
}

static bool restore(struct fixture *fixture, size_t offset, size_t bytes)
{
    return fixture->source.restore(fixture->source.context, offset, bytes);
}

/* Check that all pages of the heap are mapped but those of one range. */
static void assert_absent(const struct fixture *fixture, uint64_t end, uint64_t offset,
                          uint64_t bytes)
{
    assert_int_equal(fixture->window.end_bytes, end);
    assert_int_equal(fixture->window.mapped_bytes, end - bytes);
    for (uint64_t page = 0; page < WINDOW_BYTES; page += 4096) {
        struct page_mapping mapping;
        bool is_mapped =
            page_table_lookup(&fixture->space.table, virt_addr(LAYOUT_HEAP_WINDOW_BASE + page),
                              &mapping) == PAGE_TABLE_OK;
        assert_int_equal(is_mapped, page < end && page - offset >= bytes);
    }
}

/* The frames of absent pages, and the empty tables, are free until the heap needs them. */
static void test_absent_pages_give_their_frames_back(void **state)
{
    struct fixture *fixture = *state;
    uint64_t free_count = fake_machine_free_count(&fixture->machine);
    assert_true(grow(fixture, WINDOW_BYTES));
    uint64_t full_count = fake_machine_free_count(&fixture->machine);
    discard(fixture, 65536, WINDOW_BYTES - 131072);
    assert_absent(fixture, WINDOW_BYTES, 65536, WINDOW_BYTES - 131072);
    assert_true(fake_machine_free_count(&fixture->machine) >=
                full_count + (WINDOW_BYTES - 131072) / 4096);
    assert_false(grow(fixture, 4096)); /* the addresses are used up */
    assert_true(restore(fixture, 65536, WINDOW_BYTES - 131072));
    assert_absent(fixture, WINDOW_BYTES, 0, 0);
    assert_int_equal(fake_machine_free_count(&fixture->machine), full_count);
    shrink(fixture, WINDOW_BYTES);
    assert_int_equal(fake_machine_free_count(&fixture->machine), free_count);
}

static void test_the_end_moves_down_over_absent_pages(void **state)
{
    struct fixture *fixture = *state;
    uint64_t free_count = fake_machine_free_count(&fixture->machine);
    assert_true(grow(fixture, 20 * 4096));
    discard(fixture, 4096, 8192);
    discard(fixture, 6 * 4096, 4096);
    discard(fixture, 18 * 4096, 8192);
    shrink(fixture, 15 * 4096);
    assert_absent(fixture, 5 * 4096, 4096, 8192);
    shrink(fixture, 5 * 4096);
    assert_mapped_exactly(fixture, 0);
    assert_int_equal(fake_machine_free_count(&fixture->machine), free_count);
}

/* Each frame that a restore needs is missing once, those of tables among them. */
static void test_a_restore_without_memory_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct fake_machine *machine = &fixture->machine;
    const uint64_t absent_bytes = (UINT64_C(2) << 20) + 65536;
    assert_true(grow(fixture, WINDOW_BYTES));
    uint64_t full_count = fake_machine_free_count(machine);
    discard(fixture, 4096, absent_bytes);
    uint64_t needed = fake_machine_free_count(machine) - full_count;
    uint64_t hash = fake_machine_mapping_hash(&fixture->space.table);
    for (uint64_t n = 0; n < needed; n += 7) {
        fake_machine_leave_frames(machine, n);
        assert_false(restore(fixture, 4096, absent_bytes));
        assert_int_equal(fake_machine_free_count(machine), n);
        assert_int_equal(fake_machine_mapping_hash(&fixture->space.table), hash);
        assert_int_equal(fixture->window.mapped_bytes, WINDOW_BYTES - absent_bytes);
        fake_machine_return_frames(machine);
    }
    assert_true(restore(fixture, 4096, absent_bytes));
    assert_absent(fixture, WINDOW_BYTES, 0, 0);
}

static void test_absent_pages_outside_of_the_heap_panic(void **state)
{
    struct fixture *fixture = *state;
    assert_true(grow(fixture, 65536));
    expect_panic(PANIC_ASSERTION, discard(fixture, 61440, 8192));
    expect_panic(PANIC_ASSERTION, discard(fixture, 100, 4096));
    expect_panic(PANIC_ASSERTION, (void)restore(fixture, 65536, 4096));
    discard(fixture, 4096, 4096);
    expect_panic(PANIC_ASSERTION, discard(fixture, 4096, 4096));
}

/* --- The guarded window ----------------------------------------------------------------------- */

static bool make_usable(struct fixture *fixture, size_t offset, size_t bytes)
{
    return fixture->guarded.make_usable(fixture->guarded.context, offset, bytes);
}

static void take_back(struct fixture *fixture, size_t offset, size_t bytes)
{
    fixture->guarded.take_back(fixture->guarded.context, offset, bytes);
}

static bool is_mapped(const struct fixture *fixture, uint64_t address)
{
    struct page_mapping mapping;
    return page_table_lookup(&fixture->space.table, virt_addr(address), &mapping) == PAGE_TABLE_OK;
}

static void test_guarded_pages_come_and_go(void **state)
{
    struct fixture *fixture = *state;
    uint64_t free_count = fake_machine_free_count(&fixture->machine);
    uint64_t hash = fake_machine_mapping_hash(&fixture->space.table);
    uint64_t first = LAYOUT_GUARDED_HEAP_BASE + 8192;
    assert_true(make_usable(fixture, 8192, 8192));
    assert_int_equal(fixture->window.guarded_mapped_bytes, 8192);
    assert_false(is_mapped(fixture, first - 4096));
    assert_true(is_mapped(fixture, first) && is_mapped(fixture, first + 4096));
    assert_false(is_mapped(fixture, first + 8192));

    unsigned invalidate_count = fixture->machine.invalidate_count;
    unsigned shoot_down_count = fixture->machine.shoot_down_count;
    take_back(fixture, 12288, 4096);
    assert_true(is_mapped(fixture, first));
    assert_false(is_mapped(fixture, first + 4096));
    assert_int_equal(fixture->machine.invalidate_count, invalidate_count + 1);
    assert_int_equal(fixture->machine.shoot_down_count, shoot_down_count + 1);
    take_back(fixture, 8192, 4096);
    assert_int_equal(fixture->window.guarded_mapped_bytes, 0);
    assert_int_equal(fake_machine_mapping_hash(&fixture->space.table), hash);
    assert_int_equal(fake_machine_free_count(&fixture->machine), free_count);
}

/* 64 pages at a time need one invalidation and one shoot-down. */
static void test_many_pages_are_taken_back_together(void **state)
{
    struct fixture *fixture = *state;
    assert_true(make_usable(fixture, 0, 200 * 4096));
    unsigned invalidate_count = fixture->machine.invalidate_count;
    unsigned shoot_down_count = fixture->machine.shoot_down_count;
    take_back(fixture, 0, 200 * 4096);
    assert_int_equal(fixture->machine.invalidate_count, invalidate_count + 4);
    assert_int_equal(fixture->machine.shoot_down_count, shoot_down_count + 4);
    for (uint64_t i = 0; i < 200; i++)
        assert_false(is_mapped(fixture, LAYOUT_GUARDED_HEAP_BASE + i * 4096));
    assert_null(frame_allocator_check(&fixture->machine.frames));
}

static void test_one_limit_holds_for_both_windows(void **state)
{
    struct fixture *fixture = *state;
    assert_true(make_usable(fixture, 0, WINDOW_BYTES - 8192));
    assert_false(grow(fixture, 12288));
    assert_true(grow(fixture, 4096));
    assert_false(make_usable(fixture, WINDOW_BYTES, 8192));
    assert_true(make_usable(fixture, GUARDED_BYTES - 4096, 4096));
    assert_false(grow(fixture, 4096));
    take_back(fixture, 0, 4096);
    assert_true(grow(fixture, 4096));
}

static void test_guarded_window_has_a_name_and_guards(void **state)
{
    struct fixture *fixture = *state;
    const struct address_space *space = &fixture->space;
    uint64_t base = LAYOUT_GUARDED_HEAP_BASE;
    assert_string_equal(address_space_find_area(space, virt_addr(base))->name, "guarded heap");
    assert_string_equal(address_space_find_guard(space, virt_addr(base - 1))->name,
                        "guarded heap's start");
    assert_string_equal(address_space_find_guard(space, virt_addr(base + GUARDED_BYTES))->name,
                        "guarded heap's end");
    size_t guard_count = space->guard_count;
    struct heap_window window;
    const struct heap_settings settings = {.base = virt_addr(LAYOUT_HEAP_WINDOW_BASE),
                                           .window_bytes = STEP_BYTES,
                                           .limit_bytes = WINDOW_BYTES};
    heap_window_initialise(&window, &fixture->space, &settings);
    assert_int_equal(space->guard_count, guard_count + 2);
}

static void test_guarded_pages_outside_of_the_window_panic(void **state)
{
    struct fixture *fixture = *state;
    expect_panic(PANIC_ASSERTION, (void)make_usable(fixture, GUARDED_BYTES, 4096));
    expect_panic(PANIC_ASSERTION, (void)make_usable(fixture, GUARDED_BYTES - 4096, 8192));
    expect_panic(PANIC_ASSERTION, (void)make_usable(fixture, 100, 4096));
    expect_panic(PANIC_ASSERTION, (void)make_usable(fixture, 4096, 100));
    expect_panic(PANIC_ASSERTION, take_back(fixture, 0, 4096));
}

static void test_K11_every_nth_allocation_of_guarded_pages_fails(void **state)
{
    struct fixture *fixture = *state;
    struct fake_machine *machine = &fixture->machine;
    /* The range crosses the end of one table. */
    size_t offset = ((size_t)2 << 20) - 8192, bytes = 16384;
    uint64_t free_count = fake_machine_free_count(machine);
    assert_true(make_usable(fixture, offset, bytes));
    uint64_t needed = free_count - fake_machine_free_count(machine);
    take_back(fixture, offset, bytes);
    uint64_t hash = fake_machine_mapping_hash(&fixture->space.table);
    assert_true(needed > bytes / 4096);
    for (uint64_t n = 0; n < needed; n++) {
        fake_machine_leave_frames(machine, n);
        assert_false(make_usable(fixture, offset, bytes));
        assert_int_equal(fake_machine_free_count(machine), n);
        assert_int_equal(fake_machine_mapping_hash(&fixture->space.table), hash);
        assert_int_equal(fixture->window.guarded_mapped_bytes, 0);
        fake_machine_return_frames(machine);
    }
    fake_machine_leave_frames(machine, needed);
    assert_true(make_usable(fixture, offset, bytes));
}

#define ON_WINDOW(test) cmocka_unit_test_setup_teardown(test, create_window, destroy_window)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_WINDOW(test_pages_come_and_go),
        ON_WINDOW(test_guard_pages_before_and_behind),
        ON_WINDOW(test_K12_window_full),
        ON_WINDOW(test_K11_every_nth_allocation_fails_from_nothing),
        ON_WINDOW(test_K11_every_nth_allocation_fails_over_a_new_table),
        ON_WINDOW(test_shrink_beyond_the_mapped_bytes_panics),
        ON_WINDOW(test_unaligned_window_panics),
        ON_WINDOW(test_window_grows_in_steps_to_its_limit),
        ON_WINDOW(test_absent_pages_give_their_frames_back),
        ON_WINDOW(test_the_end_moves_down_over_absent_pages),
        ON_WINDOW(test_a_restore_without_memory_changes_nothing),
        ON_WINDOW(test_absent_pages_outside_of_the_heap_panic),
        ON_WINDOW(test_guarded_pages_come_and_go),
        ON_WINDOW(test_many_pages_are_taken_back_together),
        ON_WINDOW(test_one_limit_holds_for_both_windows),
        ON_WINDOW(test_guarded_window_has_a_name_and_guards),
        ON_WINDOW(test_guarded_pages_outside_of_the_window_panic),
        ON_WINDOW(test_K11_every_nth_allocation_of_guarded_pages_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
