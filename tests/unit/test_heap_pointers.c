/* Pointers that are not blocks: catalogue K4 to K7, for each policy. */
#include "kernel/mm/heap/policies/sealed_block.h"
#include "tests/unit/support/heap_policy_test.h"

/* --- K4 to K7: pointers that are not blocks --------------------------------------------------- */

static void test_K4_double_free_at_once(void **state)
{
    struct fixture *fixture = *state;
    for (size_t s = 0; s < SIZE_COUNT; s++) {
        for (size_t p = 0; p < POPULATION_COUNT; p++) {
            struct heap *heap = start_fixed(fixture, ARENA_BYTES);
            populate(heap, SIZES[s], POPULATIONS[p]);
            void *block = allocate(heap, SIZES[s]);
            heap_free(heap, block, CALLER);
            struct heap_statistics before = statistics_of(heap);
            heap_free(heap, block, OTHER_CALLER);
            assert_fault(fixture, HEAP_FAULT_DOUBLE_FREE);
            assert_ptr_equal(fixture->arena.fault.pointer, block);
            assert_null(heap_reallocate(heap, block, 77, OTHER_CALLER));
            assert_fault(fixture, HEAP_FAULT_DOUBLE_FREE);
            assert_int_equal(heap_usable_size(heap, block, OTHER_CALLER), 0);
            assert_fault(fixture, HEAP_FAULT_DOUBLE_FREE);
            struct heap_statistics after = statistics_of(heap);
            assert_memory_equal(&before, &after, sizeof before);
            assert_sound(heap);
        }
    }
}

/* All blocks are freed, the newest first. Then each is freed a second time. It may now be merged
 * with others, or lie in pages that are no longer a slab. */
static void test_K4_double_free_later(void **state)
{
    struct fixture *fixture = *state;
    for (size_t s = 0; s < SIZE_COUNT; s++) {
        struct heap *heap = start_fixed(fixture, ARENA_BYTES);
        void *blocks[400];
        void *keep = allocate(heap, 100);
        for (unsigned i = 0; i < 400; i++)
            blocks[i] = allocate(heap, SIZES[s]);
        for (unsigned i = 400; i > 0; i--)
            heap_free(heap, blocks[i - 1], CALLER);
        for (unsigned i = 0; i < 400; i++) {
            heap_free(heap, blocks[i], OTHER_CALLER);
            assert_fault(fixture, HEAP_FAULT_DOUBLE_FREE);
        }
        heap_trim(heap);
        for (unsigned i = 0; i < 400; i += 7) {
            heap_free(heap, blocks[i], OTHER_CALLER);
            assert_fault(fixture, HEAP_FAULT_DOUBLE_FREE);
        }
        heap_free(heap, keep, CALLER);
        assert_sound(heap);
        assert_int_equal(statistics_of(heap).free_block_count, 1);
    }
}

/* A second free names the block as it was requested, although it may be merged with others. */
static void assert_freed_block_is_named(struct fixture *fixture, uint8_t *block, size_t size_bytes)
{
    const struct heap_fault *fault = &fixture->arena.fault;
    heap_free(fixture->heap, block, OTHER_CALLER);
    assert_fault(fixture, HEAP_FAULT_DOUBLE_FREE);
    assert_true(fault->is_free);
    /* First-fit's smallest blocks have no room for more than a link. */
    if (fixture->policy == &heap_policy_first_fit && size_bytes <= 8 && !fixture->debug) {
        assert_int_equal(fault->size_bytes, 0);
        assert_true(block >= (const uint8_t *)fault->block);
        assert_true(block < (const uint8_t *)fault->block + fault->free_bytes);
        return;
    }
    assert_ptr_equal(fault->block, block);
    assert_int_equal(fault->size_bytes, size_bytes);
    assert_int_equal(fault->free_bytes, 0);
    if (fixture->policy == &heap_policy_best_fit)
        assert_ptr_equal(fault->allocated_by, CALLER);
    assert_string_equal(fault->detail, "the block is already free");
}

static void test_K4_a_freed_block_is_named(void **state)
{
    static const unsigned char ORDERS[6][3] = {{2, 1, 0}, {0, 1, 2}, {0, 2, 1},
                                               {1, 0, 2}, {1, 2, 0}, {2, 0, 1}};
    struct fixture *fixture = *state;
    unsigned order_count = fixture->policy->frees_newest_only ? 1 : 6;
    for (size_t s = 0; s < SIZE_COUNT; s++) {
        for (unsigned order = 0; order < order_count * 2; order++) {
            struct heap *heap = start_fixed(fixture, MIB);
            uint8_t *blocks[3];
            for (unsigned i = 0; i < 3; i++)
                blocks[i] = memset(allocate(heap, SIZES[s]), 0x41, SIZES[s]);
            /* The memory behind is a block, or free. */
            if (order >= order_count && !heap_frees_newest_only(heap))
                (void)allocate(heap, 100);
            for (unsigned i = 0; i < 3; i++) {
                heap_free(heap, blocks[ORDERS[order % order_count][i]], CALLER);
                for (unsigned freed = 0; freed <= i; freed++)
                    assert_freed_block_is_named(fixture, blocks[ORDERS[order % order_count][freed]],
                                                SIZES[s]);
            }
            assert_sound(heap);
        }
    }
}

/* The same with many blocks, after the policy has freed all memory that it kept for them. A block
 * at the end of that memory may be reported as free memory, since the policy writes its own data
 * there. A word of an earlier heap counts as a tombstone once in 2^16 times. */
static void test_K4_many_freed_blocks_are_named(void **state)
{
    struct fixture *fixture = *state;
    const struct heap_fault *fault = &fixture->arena.fault;
    static uint8_t *blocks[3000];
    for (size_t s = 0; s < SIZE_COUNT; s++) {
        size_t block_count = SIZES[s] < 600 ? 3000 : 600;
        struct heap *heap = start_fixed(fixture, ARENA_BYTES);
        for (size_t i = 0; i < block_count; i++)
            blocks[i] = memset(allocate(heap, SIZES[s]), 0x41, SIZES[s]);
        for (size_t i = block_count; i > 0; i--)
            heap_free(heap, blocks[i - 1], CALLER);
        heap_trim(heap);
        assert_int_equal(statistics_of(heap).free_block_count, 1);
        size_t named_count = 0;
        for (size_t i = 0; i < block_count; i += 7) {
            heap_free(heap, blocks[i], OTHER_CALLER);
            assert_fault(fixture, HEAP_FAULT_DOUBLE_FREE);
            assert_true(fault->is_free);
            bool is_named = fault->free_bytes == 0 && fault->size_bytes == SIZES[s];
            named_count += is_named;
            assert_true(!is_named || fault->block == blocks[i]);
        }
        if (fixture->policy != &heap_policy_first_fit || SIZES[s] > 8)
            assert_in_range(named_count, block_count / 7 - block_count / 200, block_count / 7 + 1);
        assert_sound(heap);
    }
}

/* The report of memory that was never a block, or is not known as one, does not name a block. */
static void test_K4_free_memory_is_not_taken_for_a_block(void **state)
{
    struct fixture *fixture = *state;
    const struct heap_fault *fault = &fixture->arena.fault;
    struct heap *heap = start_fixed(fixture, MIB);
    uint8_t *block = allocate(heap, 5000);
    heap_free(heap, block, CALLER);
    heap_trim(heap);
    for (size_t offset = 1; offset < 8000; offset++) {
        heap_free(heap, block + offset, OTHER_CALLER);
        assert_fault(fixture, HEAP_FAULT_DOUBLE_FREE);
        assert_true(fault->is_free);
        assert_int_equal(fault->size_bytes, 0);
        assert_null(fault->allocated_by);
        assert_true(block + offset >= (const uint8_t *)fault->block);
        assert_true(block + offset < (const uint8_t *)fault->block + fault->free_bytes);
    }
    /* The memory is used again. The block that was freed there first no longer counts. */
    uint8_t *again = allocate(heap, 300);
    assert_ptr_equal(again, block);
    heap_free(heap, again, CALLER);
    assert_freed_block_is_named(fixture, block, 300);
    assert_sound(heap);
}

/* A part of a freed block is used again, or went back to the page source. A second free names the
 * whole block, or no block. */
static void test_K4_rest_of_a_freed_block(void **state)
{
    struct fixture *fixture = *state;
    const struct heap_fault *fault = &fixture->arena.fault;
    for (size_t size_bytes = 5000; size_bytes <= 4 * MIB; size_bytes *= 2) {
        struct heap *heap = start_growing(fixture, ARENA_BYTES);
        (void)allocate(heap, 100);
        uint8_t *block = allocate(heap, size_bytes);
        heap_free(heap, block, CALLER);
        for (unsigned round = 0; round < 2; round++) {
            heap_free(heap, block, OTHER_CALLER);
            assert_fault(fixture, HEAP_FAULT_DOUBLE_FREE);
            assert_true(fault->size_bytes == 0 ||
                        (fault->size_bytes == size_bytes && fault->free_bytes == 0));
            assert_sound(heap);
            uint8_t *part = heap_allocate_aligned(heap, 16, 4096, CALLER);
            assert_true(part != block);
        }
    }
}

static void test_K5_K7_interior_and_unaligned_pointers(void **state)
{
    struct fixture *fixture = *state;
    for (size_t s = 0; s < SIZE_COUNT; s++) {
        for (size_t p = 0; p < POPULATION_COUNT; p++) {
            struct heap *heap = start_fixed(fixture, ARENA_BYTES);
            populate(heap, SIZES[s], POPULATIONS[p]);
            uint8_t *block = allocate(heap, SIZES[s]);
            memset(block, 0, SIZES[s]);
            for (size_t offset = 1; offset < SIZES[s] && offset < 600; offset++) {
                heap_free(heap, block + offset, OTHER_CALLER);
                assert_fault(fixture, HEAP_FAULT_BAD_POINTER);
                assert_ptr_equal(fixture->arena.fault.pointer, block + offset);
                assert_ptr_equal(fixture->arena.fault.block, block);
                assert_int_equal(fixture->arena.fault.size_bytes, SIZES[s]);
            }
            assert_sound(heap);
            heap_free(heap, block, CALLER);
            assert_int_equal(fixture->arena.fault_count, 0);
        }
    }
}

static void test_K6_K7_foreign_pointers(void **state)
{
    struct fixture *fixture = *state;
    static uint8_t elsewhere[64];
    struct heap *heap = start_fixed(fixture, MIB);
    populate(heap, 64, 300);
    uint8_t *base = fixture->arena.base;
    void *const pointers[] = {elsewhere,
                              base,
                              base + MIB,
                              base + MIB + 32,
                              base + 2 * MIB,
                              base - 16,
                              base - 65536,
                              (void *)0x10,
                              (void *)heap,
                              (void *)UINTPTR_MAX,
                              (void *)(UINTPTR_MAX - 15),
                              (void *)0xffff800000000000};
    for (size_t i = 0; i < sizeof pointers / sizeof pointers[0]; i++) {
        heap_free(heap, pointers[i], OTHER_CALLER);
        assert_fault(fixture, HEAP_FAULT_BAD_POINTER);
        assert_int_equal(heap_usable_size(heap, pointers[i], OTHER_CALLER), 0);
        assert_fault(fixture, HEAP_FAULT_BAD_POINTER);
        assert_null(heap_reallocate(heap, pointers[i], 100, OTHER_CALLER));
        assert_fault(fixture, HEAP_FAULT_BAD_POINTER);
    }
    assert_sound(heap);
}

/* The heap refuses every address that is not a live block, also in its own tables. There are many
 * blocks of one size, and few of others. */
static void assert_other_pointers_are_refused(struct fixture *fixture, unsigned alike_count,
                                              unsigned other_count)
{
    struct heap *heap = start_fixed(fixture, MIB);
    static bool is_block[MIB / 16];
    memset(is_block, 0, sizeof is_block);
    for (unsigned i = 0; i < alike_count + other_count; i++) {
        uint8_t *block = allocate(heap, i < alike_count ? 48 : i % 700);
        is_block[(block - fixture->arena.base) / 16] = true;
    }
    for (size_t i = 0; i < MIB / 16; i++) {
        if (is_block[i])
            continue;
        heap_free(heap, fixture->arena.base + i * 16, OTHER_CALLER);
        assert_int_equal(fixture->arena.fault_count, 1);
        assert_true(fixture->arena.fault.kind == HEAP_FAULT_BAD_POINTER ||
                    fixture->arena.fault.kind == HEAP_FAULT_DOUBLE_FREE);
        fixture->arena.fault_count = 0;
    }
    assert_sound(heap);
    assert_int_equal(statistics_of(heap).live_block_count, alike_count + other_count);
}

static void test_K7_every_pointer_but_the_blocks_is_refused(void **state)
{
    assert_other_pointers_are_refused(*state, 100, 200);
    assert_other_pointers_are_refused(*state, 3000, 20);
}

/* One of these hashes is right for each word. Such a word must not make a block that reaches beyond
 * the heap, or a block without a length. */
static void test_K7_a_forged_header_leads_nowhere(void **state)
{
    static const uint64_t FORGED_UNITS[] = {0, MIB / 16, UINT32_MAX};
    struct fixture *fixture = *state;
    struct heap *heap = start_fixed(fixture, MIB);
    uint8_t *block = allocate(heap, 4096);
    uint8_t *forged = block + 2048;
    for (size_t i = 0; i < sizeof FORGED_UNITS / sizeof FORGED_UNITS[0]; i++) {
        uint64_t content = sealed_header(FORGED_UNITS[i], SEALED_LIVE);
        for (uint64_t hash = 0; hash <= SEALED_HASH_MASK; hash++) {
            memcpy(forged - SEALED_HEADER_BYTES, &(uint64_t){content | hash}, sizeof(uint64_t));
            heap_free(heap, forged, OTHER_CALLER);
            assert_fault(fixture, HEAP_FAULT_BAD_POINTER);
        }
    }
    assert_sound(heap);
    heap_free(heap, block, CALLER);
    assert_int_equal(statistics_of(heap).live_block_count, 0);
}

/* Many blocks are freed. Then all of their memory is one block. No rest of the old blocks in it
 * passes for a block. */
static void test_K7_remains_of_freed_blocks_are_no_blocks(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_fixed(fixture, MIB);
    uint8_t *blocks[300];
    for (unsigned first = 0; first < 2; first++) {
        for (unsigned i = 0; i < 300; i++) {
            blocks[i] = heap_allocate_aligned(heap, 2000 + i, (size_t)16 << i % 6, CALLER);
            assert_non_null(blocks[i]);
        }
        /* Free every second block first, so that each block merges with the neighbours on both
         * sides; or free the newest first. */
        for (unsigned i = 300; i > 0 && first != 0 && !heap_frees_newest_only(heap); i -= 2)
            heap_free(heap, blocks[i - 1], CALLER);
        for (unsigned i = 300; i > 0; i--) {
            if (first == 0 || heap_frees_newest_only(heap) || i % 2 == 1)
                heap_free(heap, blocks[i - 1], CALLER);
        }
        heap_trim(heap);
        uint8_t *all = allocate(heap, MIB - 4096);
        for (unsigned i = 0; i < 300; i++) {
            if (blocks[i] == all)
                continue;
            assert_true(blocks[i] > all && blocks[i] < all + MIB - 4096);
            heap_free(heap, blocks[i], OTHER_CALLER);
            assert_fault(fixture, HEAP_FAULT_BAD_POINTER);
            assert_ptr_equal(fixture->arena.fault.block, all);
        }
        heap_free(heap, all, CALLER);
        assert_sound(heap);
    }
}

/* A copy of a block, with the headers before and behind it, is not a block at another address. */
static void test_K7_a_copied_block_leads_nowhere(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_fixed(fixture, MIB);
    for (size_t s = 1; s < SIZE_COUNT; s++) {
        uint8_t *holder = allocate(heap, 3 * SIZES[s] + 256);
        uint8_t *block = allocate(heap, SIZES[s]);
        (void)allocate(heap, 3 * SIZES[s] + 256);
        uint8_t *copy = holder + 64;
        memcpy(copy - 32, block - 32, 32 + (SIZES[s] + 15) / 16 * 16 + 48);
        heap_free(heap, copy, OTHER_CALLER);
        assert_fault(fixture, HEAP_FAULT_BAD_POINTER);
        assert_ptr_equal(fixture->arena.fault.block, holder);
        assert_sound(heap);
    }
}

/* --- A second life in the same memory --------------------------------------------------------- */

/* Headers of an earlier heap with the same secret are not valid in this heap. */
static void test_remains_of_an_earlier_heap(void **state)
{
    struct fixture *fixture = *state;
    static uint8_t *blocks[2000];
    struct heap *heap = start_fixed(fixture, MIB);
    for (unsigned i = 0; i < 2000; i++)
        blocks[i] = allocate(heap, 16 + i % 400);
    heap = start_fixed(fixture, MIB);
    uint8_t *first = allocate(heap, 700000);
    for (unsigned i = 1; i < 1500; i++) {
        if (blocks[i] <= first || blocks[i] >= first + 700000)
            continue;
        heap_free(heap, blocks[i], OTHER_CALLER);
        assert_fault(fixture, HEAP_FAULT_BAD_POINTER);
    }
    assert_sound(heap);
}

static const struct heap_policy_test TESTS[] = {
    TEST(test_K4_double_free_at_once),
    TEST(test_K4_double_free_later),
    TEST(test_K4_a_freed_block_is_named),
    TEST(test_K4_many_freed_blocks_are_named),
    TEST_OF_POLICY(test_K4_free_memory_is_not_taken_for_a_block),
    TEST(test_K4_rest_of_a_freed_block),
    TEST(test_K5_K7_interior_and_unaligned_pointers),
    TEST(test_K6_K7_foreign_pointers),
    TEST(test_K7_every_pointer_but_the_blocks_is_refused),
    TEST(test_K7_a_forged_header_leads_nowhere),
    TEST(test_K7_remains_of_freed_blocks_are_no_blocks),
    TEST(test_K7_a_copied_block_leads_nowhere),
    TEST(test_remains_of_an_earlier_heap),
};

int main(void)
{
    return heap_policy_test_run("heap pointers", TESTS, sizeof TESTS / sizeof TESTS[0]);
}
