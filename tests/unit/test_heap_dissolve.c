/* Sparse slabs that are dissolved into the core, and the canaries of slots: the fast policy only. */
#include "kernel/mm/heap/heap_state.h"
#include "kernel/mm/heap/policies/fast_dissolve.h"
#include "tests/unit/support/heap_policy_test.h"

#define BLOCK_COUNT ((size_t)4096)

static uint8_t *blocks[BLOCK_COUNT];

/* Medium blocks are fewer, so that they leave most of the arena free. */
static size_t block_count(size_t size_bytes)
{
    return smaller(BLOCK_COUNT, 2 * MIB / size_bytes);
}

/* One block in so many survives. A medium slab has few slots. */
static size_t one_in(size_t size_bytes)
{
    return size_bytes <= FAST_PADDED_MAX ? 16 : 4;
}

/* Leave some blocks of a size. The survivors are blocks[0], blocks[one_in], … */
static void leave_survivors(struct heap *heap, size_t size_bytes)
{
    for (size_t i = 0; i < block_count(size_bytes); i++) {
        blocks[i] = allocate(heap, size_bytes);
        memset(blocks[i], (int)i, size_bytes);
    }
    for (size_t i = 0; i < block_count(size_bytes); i++) {
        if (i % one_in(size_bytes) != 0)
            heap_free(heap, blocks[i], CALLER);
    }
}

/* Leave some blocks of a size, then allocate longer blocks until the slabs are dissolved. */
static struct heap *dissolve(struct fixture *fixture, size_t size_bytes)
{
    struct heap *heap = start_growing(fixture, ARENA_BYTES);
    leave_survivors(heap, size_bytes);
    for (size_t i = 0; i < smaller(2000, block_count(size_bytes + 40)); i++)
        (void)allocate(heap, size_bytes + 40);
    assert_non_null(fast_of(heap)->dissolved);
    assert_sound(heap);
    return heap;
}

/* True if the block lies in a dissolved slab, with another one, and memory of the core behind it.
 */
static bool is_last_of_a_piece(const struct heap *heap, const uint8_t *block)
{
    unsigned index;
    const struct fast_slab *slab = fast_map_find(fast_of(heap), block);
    return slab->is_dissolved && slab->used_count > 1 && fast_slot_find(slab, block, &index) &&
           index + 1 < slab->slot_count && !fast_piece_has_slot(slab, index + 1);
}

/* Return a survivor that is the last block of its piece. */
static uint8_t *survivor(const struct heap *heap, size_t size_bytes)
{
    for (size_t i = 0; i < block_count(size_bytes); i += one_in(size_bytes)) {
        if (is_last_of_a_piece(heap, blocks[i]))
            return blocks[i];
    }
    fail_msg("no survivor");
    return NULL;
}

static bool is_fast(const struct fixture *fixture)
{
    return fixture->policy == &heap_policy_fast && !fixture->debug;
}

static const size_t DISSOLVED_SIZES[] = {8, 24, 40, 64, 100, 300, 1120, 1500, 2048, 3050, 4096};
#define DISSOLVED_COUNT (sizeof DISSOLVED_SIZES / sizeof DISSOLVED_SIZES[0])

/* The free slots serve other sizes: the heap grows by less than the new blocks take. */
static void test_other_sizes_use_the_memory_of_sparse_slabs(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    for (size_t s = 1; s < DISSOLVED_COUNT; s++) {
        size_t size_bytes = DISSOLVED_SIZES[s];
        struct heap *heap = dissolve(fixture, size_bytes);
        size_t live_bytes = statistics_of(heap).peak_used_bytes;
        assert_true(heap_size_bytes(heap) < live_bytes + live_bytes / 2 + 256 * 1024);
    }
}

/* Live slots keep content and size. They can move, shrink and be freed, once. */
static void test_survivors_are_usual_blocks(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    for (size_t s = 0; s < DISSOLVED_COUNT; s++) {
        size_t size_bytes = DISSOLVED_SIZES[s];
        struct heap *heap = dissolve(fixture, size_bytes);
        for (size_t i = 0; i < block_count(size_bytes); i += one_in(size_bytes)) {
            assert_int_equal(heap_usable_size(heap, blocks[i], CALLER), size_bytes);
            assert_int_equal(blocks[i][size_bytes - 1], (uint8_t)i);
            uint8_t *block = blocks[i];
            if (i / one_in(size_bytes) % 2 == 0) {
                block = heap_reallocate(heap, block, size_bytes + 100, CALLER);
                assert_non_null(block);
                assert_int_equal(block[size_bytes - 1], (uint8_t)i);
                block = heap_reallocate(heap, block, size_bytes, CALLER);
            }
            heap_free(heap, block, CALLER);
            assert_int_equal(fixture->arena.fault_count, 0);
            assert_sound(heap);
        }
    }
}

/* Dissolved slabs do not count. */
static size_t slots_of_all_classes(const struct heap *heap)
{
    size_t count = 0;
    for (unsigned i = 0; i < FAST_CLASS_COUNT; i++)
        count += fast_of(heap)->classes[i].slot_count;
    return count;
}

/* The free of a slot of a dissolved slab takes many instructions. So a block that leaves it opens no
 * slab, and dissolves no part of another one, while the core has memory. */
static void test_a_block_leaves_a_dissolved_slab_in_few_steps(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    for (size_t s = 0; s < DISSOLVED_COUNT; s++) {
        size_t size_bytes = DISSOLVED_SIZES[s], moved_count = 0;
        struct heap *heap = dissolve(fixture, size_bytes);
        for (size_t i = 0; i < block_count(size_bytes); i += one_in(size_bytes)) {
            const struct fast_slab *slab = fast_map_find(fast_of(heap), blocks[i]);
            if (!slab->is_dissolved || !fast_piece_holds(slab, blocks[i]))
                continue;
            size_t slots = slots_of_all_classes(heap);
            const struct fast_slab *dissolving = fast_of(heap)->dissolving;
            unsigned run = fast_of(heap)->dissolving_index;
            size_t new_bytes = 1 + i * 37 % (2 * size_bytes + 200);
            uint8_t *block = heap_reallocate(heap, blocks[i], new_bytes, CALLER);
            assert_non_null(block);
            moved_count += block != blocks[i];
            assert_int_equal(slots_of_all_classes(heap), slots);
            assert_true(fast_of(heap)->dissolving == dissolving ||
                        fast_of(heap)->dissolving == NULL);
            assert_int_equal(fast_of(heap)->dissolving_index, run);
            assert_int_equal(heap_usable_size(heap, block, CALLER), new_bytes);
            assert_sound(heap);
        }
        assert_true(moved_count != 0);
        assert_int_equal(fixture->arena.fault_count, 0);
    }
}

/* A free of a survivor, of a pointer into it, and of the slots around it, has the right result. */
static void test_misuse_of_dissolved_slots_is_named(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    for (size_t s = 1; s < DISSOLVED_COUNT; s++) {
        struct heap *heap = dissolve(fixture, DISSOLVED_SIZES[s]);
        uint8_t *block = survivor(heap, DISSOLVED_SIZES[s]);
        heap_free(heap, block + 16, OTHER_CALLER);
        assert_fault(fixture, HEAP_FAULT_BAD_POINTER);
        assert_ptr_equal(fixture->arena.fault.block, block);
        heap_free(heap, block, CALLER);
        assert_int_equal(fixture->arena.fault_count, 0);
        heap_free(heap, block, OTHER_CALLER);
        assert_fault(fixture, HEAP_FAULT_DOUBLE_FREE);
        assert_int_equal(fixture->arena.fault.size_bytes, DISSOLVED_SIZES[s]);
        assert_sound(heap);
    }
}

/* True if the block lies behind a survivor in the same slab. */
static bool is_behind_survivor(const struct fast_slab *slab, size_t size_bytes, size_t i)
{
    return (i - 1) % one_in(size_bytes) == 0 && blocks[i] - blocks[i - 1] == slab->stride_bytes;
}

/* Blocks that were freed before their slab was dissolved. The size of one behind a survivor is still
 * known. For any other, at least the length of its slot is known. */
static void test_K4_second_free_of_a_slot_that_was_free_is_named(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    for (size_t s = 0; s < DISSOLVED_COUNT; s++) {
        size_t size_bytes = DISSOLVED_SIZES[s];
        struct heap *heap = start_fixed(fixture, ARENA_BYTES);
        leave_survivors(heap, size_bytes);
        fast_dissolve_all(heap);
        assert_non_null(fast_of(heap)->dissolved);
        for (size_t i = 1; i < block_count(size_bytes); i += 5) {
            const struct fast_slab *slab = fast_map_find(fast_of(heap), blocks[i]);
            if (!slab->is_dissolved || i % one_in(size_bytes) == 0)
                continue;
            heap_free(heap, blocks[i], OTHER_CALLER);
            assert_fault(fixture, HEAP_FAULT_DOUBLE_FREE);
            assert_ptr_equal(fixture->arena.fault.block, blocks[i]);
            assert_in_range(fixture->arena.fault.size_bytes, size_bytes,
                            is_behind_survivor(slab, size_bytes, i) ? size_bytes
                                                                    : fast_slot_capacity(slab));
        }
        assert_sound(heap);
    }
}

/* An overrun of a survivor, also in a dense slab, reaches its canary or the tail of its piece. */
static void test_overruns_of_survivors_are_found(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    for (size_t s = 1; s < DISSOLVED_COUNT; s++) {
        struct heap *heap = dissolve(fixture, DISSOLVED_SIZES[s]);
        uint8_t *block = survivor(heap, DISSOLVED_SIZES[s]);
        block[DISSOLVED_SIZES[s]] ^= 0x55;
        assert_non_null(heap_check(heap));
        heap_free(heap, block, OTHER_CALLER);
        assert_fault(fixture, HEAP_FAULT_OVERRUN);
        assert_ptr_equal(fixture->arena.fault.block, block);
    }
}

/* A write behind the last slot of a piece changes the tail, if it skips the slot's own canary. */
static void test_each_byte_of_a_tail_is_checked(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    for (size_t n = 8; n < 8 * DISSOLVED_COUNT; n++) {
        struct heap *heap = dissolve(fixture, DISSOLVED_SIZES[n / 8]);
        uint8_t *block = survivor(heap, DISSOLVED_SIZES[n / 8]);
        block[fast_map_find(fast_of(heap), block)->stride_bytes + n % 8] ^= 0x04;
        assert_non_null(heap_check(heap));
        heap_free(heap, block, OTHER_CALLER);
        assert_fault(fixture, HEAP_FAULT_OVERRUN);
        assert_ptr_equal(fixture->arena.fault.block, block);
    }
}

/* Each byte between a block and the next slot is checked. */
static void test_K8_each_byte_behind_a_block_is_checked(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    for (size_t size_bytes = 64; size_bytes < 80; size_bytes++) {
        for (size_t offset = size_bytes; offset < 80; offset++) {
            struct heap *heap = start_fixed(fixture, MIB);
            populate(heap, size_bytes, 150);
            uint8_t *block = allocate(heap, size_bytes);
            block[offset] ^= 0x21;
            assert_non_null(heap_check(heap));
            heap_free(heap, block, OTHER_CALLER);
            assert_fault(fixture, HEAP_FAULT_OVERRUN);
            assert_ptr_equal(fixture->arena.fault.block, block);
        }
    }
}

/* A write to the first word of a freed slot is found by the check, in padded and in dense slabs. */
static void test_K9_a_write_to_a_free_slot_is_found(void **state)
{
    static const size_t counts[] = {150, 3000};
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    for (size_t size_bytes = 8; size_bytes <= 512; size_bytes *= 2) {
        for (size_t c = 0; c < 2; c++) {
            struct heap *heap = start_fixed(fixture, ARENA_BYTES);
            populate(heap, size_bytes, (unsigned)counts[c]);
            uint8_t *block = allocate(heap, size_bytes);
            heap_free(heap, block, CALLER);
            for (size_t at = 0; at < 8; at++) {
                block[at] ^= 0x10;
                assert_non_null(heap_check(heap));
                block[at] ^= 0x10;
                assert_sound(heap);
            }
        }
    }
}

/* Blocks of all small sizes that come and go always leave some sparse slabs. None is dissolved. */
static void test_usual_changes_dissolve_nothing(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_growing(fixture, ARENA_BYTES);
    for (size_t i = 0; i < BLOCK_COUNT; i++)
        blocks[i] = allocate(heap, 16 + random_below(&fixture->random, 1009));
    for (unsigned i = 0; i < 20000; i++) {
        size_t at = random_below(&fixture->random, BLOCK_COUNT);
        heap_free(heap, blocks[at], CALLER);
        blocks[at] = allocate(heap, 16 + random_below(&fixture->random, 1009));
        assert_null(fast_of(heap)->dissolved);
    }
    assert_sound(heap);
}

/* Free the blocks of dissolved slabs, except for one in each. Return how many slabs are left, and
 * their blocks in `last`. */
static size_t leave_one_block(struct heap *heap, size_t size_bytes, uint8_t *last[])
{
    size_t slab_count = 0;
    for (size_t i = 0; i < block_count(size_bytes); i += one_in(size_bytes)) {
        const struct fast_slab *slab = fast_map_find(fast_of(heap), blocks[i]);
        if (!slab->is_dissolved)
            continue;
        if (slab->used_count == 1)
            last[slab_count++] = blocks[i];
        else
            heap_free(heap, blocks[i], CALLER);
    }
    return slab_count;
}

/* Many dissolved slabs end, one after the other. Each leaves a record, and a flush frees few groups
 * of them. */
static void test_a_flush_is_short_after_many_slabs_ended(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    static uint8_t *last[BLOCK_COUNT];
    const size_t size_bytes = 300;
    struct heap *heap = dissolve(fixture, size_bytes);
    fast_dissolve_all(heap);
    size_t slab_count = leave_one_block(heap, size_bytes, last);
    assert_true(slab_count > 4 * FAST_EMPTY_SLABS);
    while (fast_slab_flush_one(heap))
        continue;
    for (size_t i = 0; i < slab_count; i++) {
        assert_true(fast_map_find(fast_of(heap), last[i])->is_dissolved);
        heap_free(heap, last[i], CALLER);
    }
    assert_sound(heap);
    unsigned step_count = 0;
    for (; fast_slab_flush_one(heap); step_count++)
        continue;
    assert_in_range(step_count, 1, FAST_RECORD_LENGTHS + 1 + FAST_SPARE_LEAVES);
    assert_sound(heap);
}

/* The last free in a dissolved slab takes it off its list. It writes to no object that a wrong link
 * leads to, even if that leads back. */
static void test_a_wrong_link_of_a_dissolved_slab_is_found(void **state)
{
    static _Alignas(16) struct fast_slab foreign;
    struct fixture *fixture = *state;
    if (fixture->policy != &heap_policy_fast || fixture->debug)
        return;
    struct heap *heap = dissolve(fixture, 40);
    struct fast_slab *slab = fast_of(heap)->dissolved;
    foreign.next = foreign.previous = slab;
    slab->next = &foreign;
    for (size_t i = 0; i < block_count(40) && !heap->is_corrupt; i += one_in(40)) {
        if (fast_map_find(fast_of(heap), blocks[i]) == slab)
            heap_free(heap, blocks[i], OTHER_CALLER);
    }
    assert_fault(fixture, HEAP_FAULT_CORRUPT);
    assert_ptr_equal(foreign.previous, slab);
}

/* A sparse slab whose count was overwritten with 0 is not among the empty slabs, so nothing closes it. */
static void test_a_sparse_slab_with_a_wrong_count_is_found(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_growing(fixture, ARENA_BYTES);
    leave_survivors(heap, 1500);
    struct fast_state *fast = fast_of(heap);
    assert_true(fast->sparse_page_count != 0);
    for (unsigned class_index = 0; class_index < FAST_CLASS_COUNT; class_index++) {
        if (fast->sparse[class_index] != NULL)
            fast->sparse[class_index]->used_count = 0;
    }
    heap_trim(heap);
    assert_int_equal(fixture->arena.fault_count, 1);
    assert_int_equal(fixture->arena.fault.kind, HEAP_FAULT_CORRUPT);
}

static const struct heap_policy_test TESTS[] = {
    TEST(test_other_sizes_use_the_memory_of_sparse_slabs),
    TEST(test_survivors_are_usual_blocks),
    TEST(test_a_block_leaves_a_dissolved_slab_in_few_steps),
    TEST(test_misuse_of_dissolved_slots_is_named),
    TEST(test_K4_second_free_of_a_slot_that_was_free_is_named),
    TEST(test_overruns_of_survivors_are_found),
    TEST(test_each_byte_of_a_tail_is_checked),
    TEST(test_K8_each_byte_behind_a_block_is_checked),
    TEST(test_K9_a_write_to_a_free_slot_is_found),
    TEST(test_usual_changes_dissolve_nothing),
    TEST(test_a_flush_is_short_after_many_slabs_ended),
    TEST_OF_POLICY(test_a_wrong_link_of_a_dissolved_slab_is_found),
    TEST_OF_POLICY(test_a_sparse_slab_with_a_wrong_count_is_found),
};

int main(void)
{
    return heap_policy_test_run("dissolved slabs", TESTS, sizeof TESTS / sizeof TESTS[0]);
}
