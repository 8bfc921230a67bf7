#include "tests/unit/support/cmocka.h"

#include <string.h>

#include "kernel/mm/early_heap_picture.h"

/* The picture reads only the heap's numbers, not its memory. */
static struct early_heap heap_of(uint64_t size_bytes, uint64_t used_bytes, uint64_t peak_bytes)
{
    const struct virt_addr start = virt_addr(0x100000);
    return (struct early_heap){.start = start,
                               .end = virt_addr_add(start, size_bytes),
                               .next = virt_addr_add(start, used_bytes),
                               .peak = virt_addr_add(start, peak_bytes)};
}

static void assert_row(const struct early_heap *heap, unsigned used_count, unsigned peak_count,
                       uint64_t stretch_bytes)
{
    char map[EARLY_HEAP_MAP_CHARACTERS + 1];
    assert_int_equal(early_heap_map_draw(heap, map), stretch_bytes);
    assert_int_equal(strlen(map), EARLY_HEAP_MAP_CHARACTERS);
    for (unsigned i = 0; i < EARLY_HEAP_MAP_CHARACTERS; i++)
        assert_int_equal(map[i], i < used_count ? '#' : i < peak_count ? '+' : '.');
}

static void test_stretches(void **state)
{
    (void)state;
    struct early_heap heap = heap_of(1 << 20, 3 << 14, 5 << 14);
    assert_row(&heap, 3, 5, 1 << 14);
    heap = heap_of(1 << 20, (3 << 14) + 1, (5 << 14) + 1);
    assert_row(&heap, 4, 6, 1 << 14);
}

static void test_empty_and_full(void **state)
{
    (void)state;
    struct early_heap heap = heap_of(1 << 16, 0, 0);
    assert_row(&heap, 0, 0, 1 << 10);
    heap = heap_of(1 << 16, 1 << 16, 1 << 16);
    assert_row(&heap, 64, 64, 1 << 10);
}

/* The stretches are rounded up: the row ends with the heap. */
static void test_a_size_that_does_not_divide(void **state)
{
    (void)state;
    char map[EARLY_HEAP_MAP_CHARACTERS + 1];
    struct early_heap heap = heap_of(65 * 8, 65 * 8, 65 * 8);
    assert_int_equal(early_heap_map_draw(&heap, map), 9);
    assert_int_equal(strlen(map), 58); /* 58 * 9 >= 520 */
    assert_int_equal(strspn(map, "#"), 58);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stretches),
        cmocka_unit_test(test_empty_and_full),
        cmocka_unit_test(test_a_size_that_does_not_divide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
