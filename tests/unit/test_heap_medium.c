/* Slabs for blocks of 1 to 16 KiB: the fast policy only. */
#include "kernel/mm/heap/policies/fast_class.h"
#include "kernel/mm/heap/policies/fast_piece.h"
#include "tests/unit/support/heap_policy_test.h"

#define REGION_BYTES ARENA_BYTES
#define LEAST_BYTES  ((size_t)1040)
#define MOST_BYTES   ((size_t)16384)

/* The longest block of a class, and the number of bytes by which a shorter one misses it. */
static const size_t LONGEST[] = {1152, 2048, 3584, 6144, 16384};
static const size_t GAPS[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 100};

#define LONGEST_COUNT (sizeof LONGEST / sizeof LONGEST[0])
#define GAP_COUNT     (sizeof GAPS / sizeof GAPS[0])

static bool is_fast(const struct fixture *fixture)
{
    return fixture->policy == &heap_policy_fast && !fixture->debug;
}

static struct fast_slab *slab_of(const struct heap *heap, const void *block)
{
    return fast_piece_owner(fast_map_find(fast_of(heap), block), block);
}

static bool is_full(const struct fast_slab *slab)
{
    for (unsigned i = 0; i < slab->slot_count; i++) {
        if (fast_slot_is_free(slab, i))
            return false;
    }
    return true;
}

/* Allocate blocks of this size until a slab has no free slot, and a block behind it that stays. */
static struct fast_slab *fill_slab(struct heap *heap, size_t size_bytes)
{
    struct fast_slab *slab = &fast_no_slab;
    for (unsigned i = 0; slab == &fast_no_slab; i++) {
        assert_true(i < 8); /* a class with some blocks has a slab */
        slab = slab_of(heap, allocate(heap, size_bytes));
    }
    while (!is_full(slab))
        (void)allocate(heap, size_bytes);
    assert_true(fast_slab_is_medium(slab));
    (void)allocate(heap, 20);
    for (unsigned i = 0; i < slab->slot_count; i++)
        memset(fast_slot_at(slab, i), 0x41, size_bytes);
    assert_sound(heap);
    return slab;
}

static struct fast_slab *start_full_slab(struct fixture *fixture, size_t size_bytes)
{
    return fill_slab(start_fixed(fixture, REGION_BYTES), size_bytes);
}

/* --- Geometry --------------------------------------------------------------------------------- */

/* Of every class, not only of medium ones: the slots and the next header lie in the pages, and one
 * slot more does not. */
static void test_slots_lie_in_the_pages_of_their_slab(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    const struct fast_class *classes = fast_of(start_fixed(fixture, REGION_BYTES))->classes;
    for (size_t i = 0; i < FAST_CLASS_COUNT; i++) {
        size_t around_bytes = fast_class_first_bytes(i) + SEALED_HEADER_BYTES;
        for (unsigned pages = 1; pages <= FAST_MEDIUM_PAGES; pages++) {
            size_t slot_count = fast_class_slots_in(&classes[i], i, pages);
            size_t bytes = around_bytes + slot_count * classes[i].stride_bytes;
            assert_true(bytes <= pages * FAST_PAGE_BYTES);
            assert_true(bytes + classes[i].stride_bytes > pages * FAST_PAGE_BYTES);
        }
    }
}

/* No shorter slot would do, and at most an eighth of the block is lost. */
static void test_each_size_has_the_shortest_slot(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    const struct fast_state *fast = fast_of(start_fixed(fixture, REGION_BYTES));
    for (size_t size_bytes = LEAST_BYTES; size_bytes <= MOST_BYTES; size_bytes++) {
        size_t class_index = fast_class_of_medium(fast, size_bytes);
        size_t most_bytes = fast->classes[class_index].stride_bytes - SEALED_UNIT_BYTES;
        assert_in_range(class_index, FAST_FIRST_MEDIUM, FAST_CLASS_COUNT - 1);
        assert_in_range(most_bytes, size_bytes, size_bytes + size_bytes / 8);
        if (class_index != FAST_FIRST_MEDIUM)
            assert_true(fast->classes[class_index - 1].stride_bytes - SEALED_UNIT_BYTES <
                        size_bytes);
    }
}

/* --- K4, K7: pointers ------------------------------------------------------------------------- */

/* A pointer into any part of any slot names the block. The last slot ends in the slab's last page. */
static void test_K7_pointers_into_a_block_name_it(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    for (size_t size_bytes = LEAST_BYTES; size_bytes <= MOST_BYTES;
         size_bytes += size_bytes / 8 + 1) {
        const struct fast_slab *slab = start_full_slab(fixture, size_bytes);
        for (unsigned i = 0; i < slab->slot_count; i++) {
            for (size_t offset = 1; offset < size_bytes; offset += 1 + offset % 97) {
                uint8_t *block = fast_slot_at(slab, i);
                heap_free(fixture->heap, block + offset, OTHER_CALLER);
                assert_fault(fixture, HEAP_FAULT_BAD_POINTER);
                assert_ptr_equal(fixture->arena.fault.block, block);
                assert_int_equal(fixture->arena.fault.size_bytes, size_bytes);
            }
        }
        assert_sound(fixture->heap);
    }
}

/* The size is still known after the program has written to all of the freed block. */
static void test_K4_second_free_is_named(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    for (size_t n = 0; n < LONGEST_COUNT * GAP_COUNT; n++) {
        size_t size_bytes = LONGEST[n % LONGEST_COUNT] - GAPS[n / LONGEST_COUNT];
        const struct fast_slab *slab = start_full_slab(fixture, size_bytes);
        uint8_t *block = fast_slot_at(slab, (unsigned)n % slab->slot_count);
        heap_free(fixture->heap, block, CALLER);
        memset(block, 0xa5, size_bytes);
        heap_free(fixture->heap, block, OTHER_CALLER);
        assert_fault(fixture, HEAP_FAULT_DOUBLE_FREE);
        assert_ptr_equal(fixture->arena.fault.block, block);
        assert_int_equal(fixture->arena.fault.size_bytes, size_bytes);
        assert_null(heap_reallocate(fixture->heap, block, 5, OTHER_CALLER));
        assert_fault(fixture, HEAP_FAULT_DOUBLE_FREE);
        assert_int_equal(heap_usable_size(fixture->heap, block, OTHER_CALLER), 0);
        assert_fault(fixture, HEAP_FAULT_DOUBLE_FREE);
    }
}

/* --- K8, K9: writes --------------------------------------------------------------------------- */

/* Change a byte at this offset of a slot. The check and the block's free find it. */
static void assert_change_is_found(struct fixture *fixture, size_t size_bytes, unsigned slot,
                                   ptrdiff_t offset, uint8_t difference)
{
    const struct fast_slab *slab = start_full_slab(fixture, size_bytes);
    uint8_t *block = fast_slot_at(slab, slot % slab->slot_count);
    block[offset] ^= difference;
    assert_non_null(heap_check(fixture->heap));
    heap_free(fixture->heap, block, OTHER_CALLER);
    assert_fault(fixture, HEAP_FAULT_OVERRUN);
    assert_ptr_equal(fixture->arena.fault.block, block);
}

/* The 16 bytes behind the block, and the 16 at the slot's end, which hold the size. */
static void test_K8_each_byte_behind_a_block_is_checked(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    for (size_t n = 0; n < LONGEST_COUNT * GAP_COUNT; n++) {
        size_t gap_bytes = GAPS[n / LONGEST_COUNT];
        size_t longest_bytes = LONGEST[n % LONGEST_COUNT];
        size_t size_bytes = longest_bytes - gap_bytes;
        for (size_t i = 0; i < smaller(gap_bytes, 16); i++)
            assert_change_is_found(fixture, size_bytes, (unsigned)n, (ptrdiff_t)(size_bytes + i),
                                   (uint8_t)(1 << i % 8));
        for (size_t i = 0; i < 16; i++)
            assert_change_is_found(fixture, size_bytes, (unsigned)n, (ptrdiff_t)(longest_bytes + i),
                                   (uint8_t)(1 << i % 8));
    }
}

/* Before each slot, the first one included. The low bits of that byte are read by another free. */
static void test_K8_the_byte_before_a_block_is_checked(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    for (size_t n = 0; n < LONGEST_COUNT; n++) {
        for (unsigned slot = 0; slot < 8; slot++) {
            for (unsigned bit = 4; bit < 8; bit++)
                assert_change_is_found(fixture, LONGEST[n], slot, -1, (uint8_t)(1 << bit));
        }
    }
}

/* The two other calls that take a block look at the same bytes. */
static void test_K8_each_call_with_a_block_checks_it(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    for (size_t n = 0; n < 6 * LONGEST_COUNT; n++) {
        size_t longest_bytes = LONGEST[n / 6];
        const ptrdiff_t offsets[] = {-1, (ptrdiff_t)longest_bytes - 20,
                                     (ptrdiff_t)longest_bytes + 15};
        const struct fast_slab *slab = start_full_slab(fixture, longest_bytes - 20);
        uint8_t *block = fast_slot_at(slab, (unsigned)n % slab->slot_count);
        block[offsets[n / 2 % 3]] ^= 0x40;
        if (n % 2 == 0)
            assert_int_equal(heap_usable_size(fixture->heap, block, OTHER_CALLER), 0);
        else
            assert_null(heap_reallocate(fixture->heap, block, 100, OTHER_CALLER));
        assert_fault(fixture, HEAP_FAULT_OVERRUN);
        assert_ptr_equal(fixture->arena.fault.block, block);
    }
}

/* Free the blocks of a slab, from the last one on, as long as there is no fault. */
static void free_slots(struct heap *heap, const struct fast_slab *slab, unsigned first,
                       const unsigned *fault_count)
{
    for (unsigned i = slab->slot_count; i-- > first && *fault_count == 0;)
        heap_free(heap, fast_slot_at(slab, i), OTHER_CALLER);
}

/* Each bit of the guard is read by the free of the first block, or by the one that empties the
 * slab. */
static void test_K8_the_bytes_before_a_slab(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    for (unsigned bit = 0; bit < 16 * 8; bit++) {
        const struct fast_slab *slab = start_full_slab(fixture, LONGEST[bit % LONGEST_COUNT]);
        uint8_t *first = fast_slot_at(slab, 0);
        *(first - 1 - bit / 8) ^= (uint8_t)(1 << bit % 8);
        free_slots(fixture->heap, slab, 0, &fixture->arena.fault_count);
        assert_fault(fixture, HEAP_FAULT_OVERRUN);
        assert_ptr_equal(fixture->arena.fault.block, first);
    }
}

/* The first 8 bytes of a free slot, and its end. One of the slots was never allocated. */
static void test_K9_a_write_to_a_free_slot_is_found(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    for (size_t n = 0; n < LONGEST_COUNT; n++) {
        struct fast_slab *slab = start_full_slab(fixture, LONGEST[n]);
        uint8_t *slot = fast_slot_at(slab, (unsigned)n % slab->slot_count);
        heap_free(fixture->heap, slot, CALLER);
        for (size_t at = 0; at < 24; at++) {
            uint8_t *byte = at < 8 ? slot + at : slot + LONGEST[n] + at - 8;
            *byte ^= 0x10;
            assert_string_equal(heap_check(fixture->heap), "a free block was written to");
            *byte ^= 0x10;
            assert_sound(fixture->heap);
        }
    }
}

/* --- Memory ----------------------------------------------------------------------------------- */

/* A freed slot serves the next request of its class. No other memory is used meanwhile. */
static void test_a_freed_slot_is_used_first(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    for (size_t n = 0; n < LONGEST_COUNT; n++) {
        struct fast_slab *slab = start_full_slab(fixture, LONGEST[n]);
        for (unsigned i = 0; i < slab->slot_count; i++) {
            uint8_t *slot = fast_slot_at(slab, i);
            heap_free(fixture->heap, slot, CALLER);
            while (allocate(fixture->heap, LONGEST[n] - 5) != slot)
                assert_ptr_not_equal(slab, fast_of(fixture->heap)->current[slab->class_index]);
            assert_int_equal(heap_usable_size(fixture->heap, slot, CALLER), LONGEST[n] - 5);
            assert_sound(fixture->heap);
        }
    }
}

/* In a full heap, a freed slot serves each size that it has room for, and no longer one. Of two
 * freed slots the shorter one serves a request that fits both. */
static void test_in_a_full_heap_any_slot_with_room_serves(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_fixed(fixture, REGION_BYTES);
    uint8_t *longer = fast_slot_at(fill_slab(heap, 6144), 0);
    uint8_t *shorter = fast_slot_at(fill_slab(heap, 2048), 1);
    fill(heap);
    for (size_t size_bytes = 1; size_bytes <= 6144; size_bytes += 1 + size_bytes / 16) {
        heap_free(heap, longer, CALLER);
        heap_free(heap, shorter, CALLER);
        assert_int_equal(statistics_of(heap).largest_free_bytes, 6144);
        assert_null(heap_allocate(heap, 6145, CALLER));
        uint8_t *block = allocate(heap, size_bytes);
        assert_ptr_equal(block, size_bytes <= 2048 ? shorter : longer);
        assert_int_equal(heap_usable_size(heap, block, CALLER), size_bytes);
        assert_sound(heap);
        uint8_t *other = heap_allocate(heap, size_bytes <= 2048 ? 6144 : 2048, CALLER);
        assert_ptr_equal(other, block == shorter ? longer : shorter);
    }
    assert_int_equal(fixture->arena.fault_count, 0);
}

/* Where memory is short, medium blocks lie in the core. A free block that fits is found there,
 * although it is not the first of its bin. */
static void test_in_short_memory_the_free_block_that_fits_is_found(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    for (size_t smaller_count = 1; smaller_count <= 20; smaller_count++) {
        struct heap *heap = start_fixed(fixture, MIB);
        (void)allocate(heap, MIB / 2 + MIB / 8);
        void *fitting = allocate(heap, 4170);
        void *smaller_blocks[20];
        for (size_t i = 0; i < smaller_count; i++) {
            (void)allocate(heap, 2000);
            smaller_blocks[i] = allocate(heap, 4104 + i % 4 * 16);
        }
        (void)allocate(heap, statistics_of(heap).largest_free_bytes);
        heap_free(heap, fitting, CALLER);
        heap_trim(heap); /* a block that is kept for its own size gets into its bin */
        for (size_t i = 0; i < smaller_count; i++)
            heap_free(heap, smaller_blocks[i], CALLER);
        heap_trim(heap);
        assert_ptr_equal(allocate(heap, 4170), fitting);
        assert_ptr_equal(slab_of(heap, fitting), &fast_no_slab);
        assert_sound(heap);
    }
}

/* In slots these sizes lose a ninth. Where memory is short, blocks take only the length that they
 * need. */
static void test_in_short_memory_no_length_is_lost(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    for (size_t size_bytes = 1153; size_bytes < MOST_BYTES; size_bytes += size_bytes - 1) {
        struct heap *heap = start_fixed(fixture, REGION_BYTES);
        size_t count = 0;
        while (heap_allocate(heap, size_bytes, CALLER) != NULL)
            count++;
        assert_true(count * size_bytes >= REGION_BYTES / 10 * 9);
    }
}

/* A class with few blocks takes half of the slots for which the heap has memory. The pages are
 * whole ones. */
static void test_a_first_slab_is_a_small_part_of_a_small_heap(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_fixed(fixture, 4 * MIB);
    const struct fast_slab *slab = &fast_no_slab;
    for (unsigned i = 0; i < 8; i++)
        (void)allocate(heap, 5000); /* the map, leaves and records are there from now on */
    for (unsigned i = 0; i < 8 && slab == &fast_no_slab; i++)
        slab = slab_of(heap, allocate(heap, 2048));
    assert_ptr_not_equal(slab, &fast_no_slab);
    size_t most_bytes = 4 * MIB / FAST_SLABS_IN_A_HEAP / 2;
    assert_true(slab->slot_count * slab->stride_bytes <= most_bytes + FAST_PAGE_BYTES);
}

/* All blocks are freed. The slabs' pages serve one long request, without a call to trim. */
static void test_empty_slabs_merge(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct heap *heap = start_fixed(fixture, REGION_BYTES);
    size_t all_bytes = statistics_of(heap).largest_free_bytes;
    static void *blocks[400];
    for (unsigned i = 0; i < 400; i++)
        blocks[i] = allocate(heap, LEAST_BYTES + i % 40 * 390);
    for (unsigned i = 0; i < 400; i++)
        heap_free(heap, blocks[i * 7 % 400], CALLER);
    assert_sound(heap);
    assert_int_equal(statistics_of(heap).largest_free_bytes, all_bytes);
    heap_free(heap, allocate(heap, all_bytes), CALLER);
    assert_sound(heap);
}

/* --- K15: re-allocation ----------------------------------------------------------------------- */

static void assert_reallocated(struct heap *heap, uint8_t *block, size_t old_bytes,
                               size_t new_bytes)
{
    for (size_t i = 0; i < smaller(old_bytes, new_bytes); i++)
        assert_int_equal(block[i], 0x41);
    assert_int_equal(heap_usable_size(heap, block, CALLER), new_bytes);
    assert_sound(heap);
}

/* A block stays in its slot while its size belongs to the class, and moves else. */
static void test_K15_a_block_moves_to_another_class(void **state)
{
    static const size_t NEW_BYTES[] = {1, 1000, 1500, 1985, 2049, 5000, 16384, 16385, 70000};
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    for (size_t n = 0; n < sizeof NEW_BYTES / sizeof NEW_BYTES[0]; n++) {
        uint8_t *block = fast_slot_at(start_full_slab(fixture, 2048), 1);
        assert_ptr_equal(heap_reallocate(fixture->heap, block, 1930, CALLER), block);
        assert_reallocated(fixture->heap, block, 2048, 1930);
        assert_ptr_equal(heap_reallocate(fixture->heap, block, 2048, CALLER), block);
        assert_reallocated(fixture->heap, block, 1930, 2048);
        uint8_t *moved = heap_reallocate(fixture->heap, block, NEW_BYTES[n], CALLER);
        assert_non_null(moved);
        assert_int_equal(moved == block, NEW_BYTES[n] > 1920 && NEW_BYTES[n] <= 2048);
        assert_reallocated(fixture->heap, moved, 1930, NEW_BYTES[n]);
        heap_free(fixture->heap, moved, CALLER);
        assert_int_equal(fixture->arena.fault_count, 0);
    }
}

/* There is no other free memory: the block stays, with a checked end behind its new size. */
static void test_K15_a_block_that_cannot_move_shrinks_in_its_slot(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    for (size_t new_bytes = 1; new_bytes < 2048; new_bytes += 89) {
        uint8_t *block = fast_slot_at(start_full_slab(fixture, 2048), 1);
        fill(fixture->heap);
        assert_ptr_equal(heap_reallocate(fixture->heap, block, new_bytes, CALLER), block);
        assert_reallocated(fixture->heap, block, 2048, new_bytes);
        assert_null(heap_reallocate(fixture->heap, block, 2049, CALLER));
        assert_reallocated(fixture->heap, block, new_bytes, new_bytes);
        block[new_bytes + new_bytes % 16] ^= 0x20;
        heap_free(fixture->heap, block, OTHER_CALLER);
        assert_fault(fixture, HEAP_FAULT_OVERRUN);
    }
}

/* The move frees the last block of a slab, whose guard was overwritten. The operation fails,
 * although the content has already moved. */
static void test_K15_a_move_that_finds_a_fault_fails(void **state)
{
    struct fixture *fixture = *state;
    if (!is_fast(fixture))
        return;
    struct fast_slab *slab = start_full_slab(fixture, 2048);
    unsigned last = slab->slot_count - 1u;
    for (unsigned i = 0; i < last; i++)
        heap_free(fixture->heap, fast_slot_at(slab, i), CALLER);
    slab->slots[-16] ^= 1;
    assert_null(heap_reallocate(fixture->heap, fast_slot_at(slab, last), 5000, OTHER_CALLER));
    assert_fault(fixture, HEAP_FAULT_OVERRUN);
    assert_null(heap_allocate(fixture->heap, 10, CALLER));
}

static const struct heap_policy_test TESTS[] = {
    TEST_OF_POLICY(test_slots_lie_in_the_pages_of_their_slab),
    TEST_OF_POLICY(test_each_size_has_the_shortest_slot),
    TEST_OF_POLICY(test_K7_pointers_into_a_block_name_it),
    TEST_OF_POLICY(test_K4_second_free_is_named),
    TEST_OF_POLICY(test_K8_each_byte_behind_a_block_is_checked),
    TEST_OF_POLICY(test_K8_the_byte_before_a_block_is_checked),
    TEST_OF_POLICY(test_K8_each_call_with_a_block_checks_it),
    TEST_OF_POLICY(test_K8_the_bytes_before_a_slab),
    TEST_OF_POLICY(test_K9_a_write_to_a_free_slot_is_found),
    TEST_OF_POLICY(test_a_freed_slot_is_used_first),
    TEST_OF_POLICY(test_in_a_full_heap_any_slot_with_room_serves),
    TEST_OF_POLICY(test_in_short_memory_the_free_block_that_fits_is_found),
    TEST_OF_POLICY(test_in_short_memory_no_length_is_lost),
    TEST_OF_POLICY(test_a_first_slab_is_a_small_part_of_a_small_heap),
    TEST_OF_POLICY(test_empty_slabs_merge),
    TEST_OF_POLICY(test_K15_a_block_moves_to_another_class),
    TEST_OF_POLICY(test_K15_a_block_that_cannot_move_shrinks_in_its_slot),
    TEST_OF_POLICY(test_K15_a_move_that_finds_a_fault_fails),
};

int main(void)
{
    return heap_policy_test_run("medium slabs", TESTS, sizeof TESTS / sizeof TESTS[0]);
}
