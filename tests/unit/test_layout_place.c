#include "tests/unit/support/cmocka.h"

#include "kernel/mm/layout.h"
#include "kernel/mm/layout_place.h"

static const char *place(uint64_t address, unsigned levels)
{
    return layout_place(virt_addr(address), levels);
}

static void test_every_part_has_its_name(void **state)
{
    (void)state;
    assert_string_equal(place(UINT64_MAX, 4), "the kernel image");
    assert_string_equal(place(LAYOUT_KERNEL_IMAGE_BASE, 4), "the kernel image");
    assert_string_equal(place(LAYOUT_KERNEL_IMAGE_BASE - 1, 4), "the window of the loader's stack");
    assert_string_equal(place(LAYOUT_STACKS_BASE, 4), "the kernel's stacks");
    assert_string_equal(place(LAYOUT_SELF_TEST_BASE, 5), "the self-test's window");
    assert_string_equal(place(LAYOUT_DEVICES_END - 1, 4), "the window of device registers");
    assert_string_equal(place(LAYOUT_GUARDED_HEAP_END - 1, 4), "the guarded heap's window");
    assert_string_equal(place(LAYOUT_GUARDED_HEAP_BASE, 4), "the guarded heap's window");
    assert_string_equal(place(LAYOUT_HEAP_WINDOW_END - 1, 4), "the heap's window");
    assert_string_equal(place(LAYOUT_HEAP_WINDOW_BASE - 1, 4), "the direct map");
}

static void test_the_direct_map_moves_with_the_levels(void **state)
{
    (void)state;
    const char *nothing = "the lower half, which the kernel does not use";
    assert_string_equal(place(DIRECT_MAP_BASE_4_LEVELS, 4), "the direct map");
    assert_string_equal(place(DIRECT_MAP_BASE_4_LEVELS - 1, 4), nothing);
    assert_string_equal(place(DIRECT_MAP_BASE_5_LEVELS, 5), "the direct map");
    assert_string_equal(place(DIRECT_MAP_BASE_5_LEVELS - 1, 5), nothing);
    assert_string_equal(place(0, 5), nothing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_part_has_its_name),
        cmocka_unit_test(test_the_direct_map_moves_with_the_levels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
