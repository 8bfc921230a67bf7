#include "tests/unit/support/cmocka.h"

#include <stdlib.h>

#include "kernel/mm/layout.h"
#include "kernel/mm/paging/page_path.h"
#include "tests/unit/support/fake_machine.h"

struct fixture {
    struct fake_machine machine;
    struct address_space space;
    struct page_step steps[PAGE_PATH_LIMIT];
};

static int create_space(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fake_machine_create(&fixture->machine);
    assert_int_equal(
        address_space_build(&fixture->space, &fixture->machine.plan, &fixture->machine.environment),
        PAGE_TABLE_OK);
    *state = fixture;
    return 0;
}

static int destroy_space(void **state)
{
    struct fixture *fixture = *state;
    fake_machine_destroy(&fixture->machine);
    free(fixture);
    return 0;
}

/* Find the path of an address, check that each step leads to the next one, and return the last. */
static const struct page_step *last_step(struct fixture *fixture, uint64_t address)
{
    const struct page_table *table = &fixture->space.table;
    size_t count = page_path_find(table, virt_addr(address), fixture->steps);
    assert_in_range(count, 1, PAGE_PATH_LIMIT);
    assert_int_equal(fixture->steps[0].table.value, table->root.value);
    for (size_t i = 0; i < count; i++) {
        const struct page_step *step = &fixture->steps[i];
        assert_int_equal(step->level, table->features.levels - i);
        assert_int_equal(step->is_present && !step->is_leaf, i + 1 < count);
        if (i > 0)
            assert_int_equal(step->table.value, fixture->steps[i - 1].target.value);
    }
    return &fixture->steps[count - 1];
}

/* The last step must agree with the other way to find a page. */
static void expect_page(struct fixture *fixture, uint64_t address, unsigned level)
{
    struct page_mapping mapping;
    const struct page_step *step = last_step(fixture, address);
    assert_int_equal(page_table_lookup(&fixture->space.table, virt_addr(address), &mapping),
                     PAGE_TABLE_OK);
    assert_true(step->is_leaf);
    assert_int_equal(step->level, level);
    assert_int_equal(mapping.level, level);
    assert_int_equal(step->target.value, mapping.physical.value);
    assert_int_equal(step->write, mapping.permissions.write);
    assert_int_equal(step->execute, mapping.permissions.execute);
    assert_int_equal(step->permissions.memory_type, mapping.permissions.memory_type);
    assert_false(step->user);
}

static void test_path_ends_at_the_page(void **state)
{
    struct fixture *fixture = *state;
    uint64_t direct_map = fixture->space.direct_map.start.value;
    expect_page(fixture, LAYOUT_KERNEL_IMAGE_BASE, 1);
    expect_page(fixture, LAYOUT_KERNEL_IMAGE_BASE + 0xfff, 1);
    expect_page(fixture, direct_map + 0x1000, 1);
    expect_page(fixture, direct_map + 0x1234567, 2); /* RAM without a border is in large pages */
    expect_page(fixture, direct_map + FAKE_MACHINE_FRAMEBUFFER_BASE, 2);
}

static void test_path_ends_where_nothing_is_mapped(void **state)
{
    struct fixture *fixture = *state;
    const struct page_step *step = last_step(fixture, 0);
    assert_false(step->is_present);
    assert_int_equal(step->level, 4);
    assert_int_equal(step->entry, 0);
    step = last_step(fixture, fixture->space.direct_map.start.value + 0x9f000);
    assert_false(step->is_present);
    assert_int_equal(step->level, 1);
    assert_int_equal(step->index, 0x9f);
}

static void test_no_path_for_an_address_that_is_not_canonical(void **state)
{
    struct fixture *fixture = *state;
    const struct page_table *table = &fixture->space.table;
    assert_int_equal(page_path_find(table, virt_addr(UINT64_C(1) << 47), fixture->steps), 0);
    assert_int_equal(page_path_find(table, virt_addr(UINT64_C(1) << 63), fixture->steps), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_path_ends_at_the_page),
        cmocka_unit_test(test_path_ends_where_nothing_is_mapped),
        cmocka_unit_test(test_no_path_for_an_address_that_is_not_canonical),
    };
    return cmocka_run_group_tests(tests, create_space, destroy_space);
}
