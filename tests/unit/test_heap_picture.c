/* The views of a heap: classes, fragmentation and the map. (The oracle checks walk and counts for
 * every policy; see support/heap_oracle.c.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/mm/heap/include/handoff/heap_picture.h"
#include "tests/unit/support/heap_arena.h"

#define HEAP_BYTES ((size_t)64 << 10)

static const struct heap_policy *const POLICIES[] = {&heap_policy_bump, &heap_policy_first_fit,
                                                     &heap_policy_best_fit, &heap_policy_fast};
#define POLICY_COUNT (sizeof POLICIES / sizeof POLICIES[0])

static struct heap_arena arena;
static struct heap *heap;

static void start(const struct heap_policy *policy)
{
    struct heap_configuration configuration = heap_arena_fixed(&arena, HEAP_BYTES);
    configuration.policy = policy;
    assert_int_equal(heap_initialise(&configuration, &heap), HEAP_OK);
}

static void *take(size_t size_bytes)
{
    void *block = heap_allocate(heap, size_bytes, NULL);
    assert_non_null(block);
    return block;
}

struct drawing {
    char text[HEAP_MAP_COLUMNS * HEAP_MAP_ROWS + 1];
    size_t row_count;
    size_t stretch_bytes;
};

static void keep_row(void *context, const void *start_of_row, const char *text)
{
    struct drawing *drawing = context;
    size_t length = strlen(text);
    assert_true(length >= 1 && length <= HEAP_MAP_COLUMNS);
    if (drawing->row_count > 0)
        assert_int_equal(strlen(drawing->text), drawing->row_count * HEAP_MAP_COLUMNS);
    if (drawing->row_count == 0)
        assert_ptr_equal(start_of_row, heap_base(heap));
    drawing->row_count++;
    strcat(drawing->text, text);
}

static struct drawing draw(void)
{
    struct drawing drawing = {0};
    heap_map_draw(heap, keep_row, &drawing, &drawing.stretch_bytes);
    return drawing;
}

static void test_classes(void **state)
{
    (void)state;
    assert_int_equal(heap_size_class(0), 0);
    assert_int_equal(heap_size_class(1), 0);
    for (unsigned n = 1; n < HEAP_SIZE_CLASS_COUNT - 1; n++) {
        assert_int_equal(heap_size_class((size_t)1 << n), n);
        assert_int_equal(heap_size_class(((size_t)1 << n) + 1), n + 1);
    }
    assert_int_equal(heap_size_class(SIZE_MAX), HEAP_SIZE_CLASS_COUNT - 1);
}

static void test_empty_heap_is_free(void **state)
{
    (void)state;
    for (size_t i = 0; i < POLICY_COUNT; i++) {
        start(POLICIES[i]);
        struct heap_picture picture;
        heap_picture_take(heap, &picture);
        assert_int_equal(picture.external_permille, 0);
        assert_int_equal(picture.internal_permille, 0);
        assert_int_equal(picture.statistics.live_block_count, 0);
        struct drawing drawing = draw();
        assert_int_equal(drawing.stretch_bytes, 64);
        assert_int_equal(strlen(drawing.text), HEAP_BYTES / 64);
        assert_int_equal(strspn(drawing.text, "."), HEAP_BYTES / 64);
    }
}

/* A large block, whose place the map must show. */
static void test_map_shows_blocks_where_they_are(void **state)
{
    (void)state;
    for (size_t i = 0; i < POLICY_COUNT; i++) {
        start(POLICIES[i]);
        uint8_t *block = take(20000);
        struct drawing drawing = draw();
        size_t first = (size_t)(block - (uint8_t *)heap_base(heap)) / 64 + 1;
        size_t count = 20000 / 64 - 1;
        assert_int_equal(strspn(drawing.text + first, "#"),
                         count + (drawing.text[first + count] == '#'));
        assert_int_equal(drawing.text[strlen(drawing.text) - 1], '.');
        heap_free(heap, block, NULL);
    }
}

static void test_fragmentation_matches_its_definition(void **state)
{
    (void)state;
    for (size_t i = 0; i < POLICY_COUNT; i++) {
        start(POLICIES[i]);
        void *blocks[20];
        for (size_t n = 0; n < 20; n++)
            blocks[n] = take(3000);
        for (size_t n = 0; n < 20 && POLICIES[i] != &heap_policy_bump; n += 2)
            heap_free(heap, blocks[n], NULL);
        struct heap_picture picture;
        heap_picture_take(heap, &picture);
        const struct heap_statistics *figures = &picture.statistics;
        assert_int_equal(picture.live_counts[12], figures->live_block_count);
        assert_int_equal(picture.internal_permille,
                         figures->overhead_bytes * 1000 /
                             (figures->size_bytes - figures->free_bytes));
        assert_int_equal(picture.external_permille,
                         (figures->free_bytes - figures->largest_free_bytes) * 1000 /
                             figures->free_bytes);
        if (POLICIES[i] != &heap_policy_bump)
            assert_true(picture.external_permille > 700);
    }
}

static int create(void **state)
{
    (void)state;
    heap_arena_create(&arena, HEAP_BYTES);
    return 0;
}

static int destroy(void **state)
{
    (void)state;
    heap_arena_destroy(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_empty_heap_is_free),
        cmocka_unit_test(test_map_shows_blocks_where_they_are),
        cmocka_unit_test(test_fragmentation_matches_its_definition),
    };
    return cmocka_run_group_tests(tests, create, destroy);
}
