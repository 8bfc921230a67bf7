/* Which free slot a class of the fast policy takes next. */
#include "kernel/mm/heap/policies/fast_class.h"
#include "kernel/mm/heap/policies/fast_piece.h"
#include "tests/unit/support/heap_policy_test.h"

#define SMALL_BYTES  ((size_t)40)
#define MEDIUM_BYTES ((size_t)1100)

/* A medium slab then has more than one word of slots. */
#define REGION_BYTES (16 * MIB)

static bool is_fast(const struct fixture *fixture)
{
    return fixture->policy == &heap_policy_fast && !fixture->debug;
}

static struct fast_slab *slab_of(const struct heap *heap, const void *block)
{
    return fast_piece_owner(fast_map_find(fast_of(heap), block), block);
}

/* Allocate blocks until a slab of more than this many slots was opened for one of them. */
static struct fast_slab *open_slab(struct heap *heap, size_t size_bytes, unsigned slot_count)
{
    struct fast_slab *slab = &fast_no_slab;
    for (unsigned i = 0; slab->slot_count <= slot_count || slab->used_count != 1; i++) {
        assert_true(i < 4000);
        slab = slab_of(heap, allocate(heap, size_bytes));
    }
    return slab;
}

static void use_up(struct heap *heap, const struct fast_slab *slab, size_t size_bytes)
{
    while (slab->used_count != slab->slot_count)
        assert_ptr_equal(slab_of(heap, allocate(heap, size_bytes)), slab);
}

static void free_slot(struct heap *heap, const struct fast_slab *slab, unsigned index)
{
    heap_free(heap, fast_slot_at(slab, index), CALLER);
}

static void assert_next(struct heap *heap, const struct fast_slab *slab, unsigned index)
{
    assert_ptr_equal(allocate(heap, SMALL_BYTES), fast_slot_at(slab, index));
    assert_sound(heap);
}

/* From the current word up, then from the first word. A word keeps its turn while it has a slot. */
static void test_words_have_turns(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_fixed(fixture, ARENA_BYTES);
    const struct fast_slab *slab = open_slab(heap, SMALL_BYTES, 4 * 64);
    use_up(heap, slab, SMALL_BYTES);
    free_slot(heap, slab, 130);
    assert_next(heap, slab, 130);
    free_slot(heap, slab, 3);
    free_slot(heap, slab, 70);
    free_slot(heap, slab, 194);
    free_slot(heap, slab, 195);
    assert_next(heap, slab, 194);
    free_slot(heap, slab, 192);
    assert_next(heap, slab, 192);
    assert_next(heap, slab, 195);
    free_slot(heap, slab, slab->slot_count - 1u);
    assert_next(heap, slab, slab->slot_count - 1u);
    assert_next(heap, slab, 3);
    free_slot(heap, slab, 2);
    free_slot(heap, slab, 5);
    assert_next(heap, slab, 2);
    assert_next(heap, slab, 5);
    assert_next(heap, slab, 70);
    assert_int_equal(slab->used_count, slab->slot_count);
    assert_ptr_not_equal(slab_of(heap, allocate(heap, SMALL_BYTES)), slab);
}

/* Freed slots come first, also those of other words. */
static void test_new_slots_come_last(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_fixed(fixture, ARENA_BYTES);
    const struct fast_slab *slab = open_slab(heap, SMALL_BYTES, 4 * 64);
    while (slab->reached_count < 150 || slab->used_count != slab->reached_count)
        (void)allocate(heap, SMALL_BYTES);
    unsigned reached = slab->reached_count;
    for (unsigned index = 10; index < reached; index += 50)
        free_slot(heap, slab, index);
    for (unsigned index = 10; index < reached; index += 50)
        (void)allocate(heap, SMALL_BYTES);
    assert_int_equal(slab->reached_count, reached);
    assert_int_equal(slab->used_count, reached);
    assert_next(heap, slab, reached);
}

/* The memory of a medium slot may not be in use before its first block. */
static void test_a_medium_slot_is_not_written_before_its_turn(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    static _Alignas(FAST_PAGE_BYTES) uint8_t region[REGION_BYTES];
    memset(region, 0x5a, sizeof region);
    struct heap_configuration configuration = heap_arena_fixed(&fixture->arena, ARENA_BYTES);
    configuration.base = region;
    configuration.initial_bytes = configuration.limit_bytes = sizeof region;
    struct heap *heap = start(fixture, configuration);
    const struct fast_slab *slab = open_slab(heap, MEDIUM_BYTES, 64);
    for (unsigned index = 1; index < slab->slot_count; index++) {
        const uint8_t *slot = fast_slot_at(slab, index);
        for (size_t i = 0; i < slab->stride_bytes; i++)
            assert_int_equal(slot[i], 0x5a);
        assert_int_equal(slab->reached_count, index);
        assert_ptr_equal(allocate(heap, MEDIUM_BYTES), slot);
        assert_sound(heap);
        if (index % 7 != 0)
            continue;
        free_slot(heap, slab, index - 7);
        assert_sound(heap);
        assert_ptr_equal(allocate(heap, MEDIUM_BYTES), fast_slot_at(slab, index - 7));
    }
    assert_int_equal(slab->used_count, slab->slot_count);
    assert_ptr_not_equal(slab_of(heap, allocate(heap, MEDIUM_BYTES)), slab);
}

#define SLAB_COUNT 4

/* Open some slabs, one after the other, and use them up. The last one is current. */
static void fill_slabs(struct heap *heap, struct fast_slab *slabs[SLAB_COUNT])
{
    for (unsigned i = 0; i < SLAB_COUNT; i++) {
        slabs[i] = open_slab(heap, SMALL_BYTES, 64);
        use_up(heap, slabs[i], SMALL_BYTES);
    }
}

static void assert_slabs(struct heap *heap, struct fast_slab *slabs[SLAB_COUNT],
                         const unsigned *expected, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        assert_ptr_equal(slab_of(heap, allocate(heap, SMALL_BYTES)), slabs[expected[i]]);
        assert_sound(heap);
    }
}

/* The slab that was full most recently comes last, so that it gets more free slots. */
static void test_slabs_have_turns(void **state)
{
    struct fixture *fixture = *state;
    struct fast_slab *slabs[SLAB_COUNT];
    static const unsigned EXPECTED[] = {1, 0, 0, 2};
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_fixed(fixture, ARENA_BYTES);
    fill_slabs(heap, slabs);
    free_slot(heap, slabs[1], 7);
    free_slot(heap, slabs[0], 7);
    free_slot(heap, slabs[2], 7);
    free_slot(heap, slabs[0], 8);
    assert_slabs(heap, slabs, EXPECTED, 4);
    free_slot(heap, slabs[3], 7);
    free_slot(heap, slabs[1], 7);
    assert_slabs(heap, slabs, (const unsigned[]){3, 1}, 2);
}

/* A slab that becomes sparse leaves its place on the list, and comes after the others. */
static void test_a_sparse_slab_comes_last(void **state)
{
    struct fixture *fixture = *state;
    struct fast_slab *slabs[SLAB_COUNT];
    static const unsigned EXPECTED[] = {0, 2, 1};
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_fixed(fixture, ARENA_BYTES);
    fill_slabs(heap, slabs);
    free_slot(heap, slabs[0], 7);
    for (unsigned index = 0; !slabs[1]->is_sparse; index++)
        free_slot(heap, slabs[1], index);
    free_slot(heap, slabs[2], 7);
    assert_sound(heap);
    assert_slabs(heap, slabs, EXPECTED, 3);
}

/* A slab on the list of partial slabs counts only the blocks above a floor, and all of them when it
 * leaves the list. */
static void test_a_slab_that_leaves_its_list_counts_all_its_blocks(void **state)
{
    struct fixture *fixture = *state;
    struct fast_slab *slabs[SLAB_COUNT];
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_fixed(fixture, ARENA_BYTES);
    fill_slabs(heap, slabs);
    free_slot(heap, slabs[1], 7);
    free_slot(heap, slabs[1], 8);
    assert_true(slabs[1]->counts_above);
    fast_class_remove(fast_of(heap), slabs[1]);
    assert_false(slabs[1]->counts_above);
    assert_int_equal(slabs[1]->used_count, slabs[1]->slot_count - 2);
    fast_class_add(fast_of(heap), slabs[1], slabs[1]->used_count);
    assert_sound(heap);
}

static const struct heap_policy_test TESTS[] = {
    TEST_OF_POLICY(test_words_have_turns),
    TEST_OF_POLICY(test_new_slots_come_last),
    TEST_OF_POLICY(test_slabs_have_turns),
    TEST_OF_POLICY(test_a_sparse_slab_comes_last),
    TEST_OF_POLICY(test_a_slab_that_leaves_its_list_counts_all_its_blocks),
    TEST_OF_POLICY(test_a_medium_slot_is_not_written_before_its_turn),
};

int main(void)
{
    return heap_policy_test_run("turns of slots", TESTS, sizeof TESTS / sizeof TESTS[0]);
}
