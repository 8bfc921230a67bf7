/* Sizes, pointers and writes on a best-fit heap: catalogue K1 to K10. The tests for every policy
 * are beside: test_heap_requests.c, test_heap_pointers.c, test_heap_writes.c. */
#include "tests/unit/support/best_fit_test.h"

/* --- K1 to K3: sizes -------------------------------------------------------------------------- */

static void test_K1_size_zero_gives_a_block_of_its_own(void **state)
{
    struct heap *heap = start_fixed(*state, 4096);
    void *first = allocate(heap, 0);
    void *second = allocate(heap, 0);
    assert_ptr_not_equal(first, second);
    assert_int_equal(heap_usable_size(heap, first, CALLER), 0);
    assert_sound(heap);
    heap_free(heap, first, CALLER);
    heap_free(heap, second, CALLER);
    assert_sound(heap);
    assert_int_equal(statistics_of(heap).live_block_count, 0);
}

static void test_K2_sizes_that_wrap_are_refused(void **state)
{
    struct heap *heap = start_growing(*state, ARENA_BYTES);
    void *block = allocate(heap, 40);
    memset(block, 0x77, 40);
    uint64_t failure_count = 0;
    for (size_t below = 0; below <= 64; below++) {
        size_t size_bytes = SIZE_MAX - below;
        assert_null(heap_allocate(heap, size_bytes, CALLER));
        assert_null(heap_allocate_zeroed(heap, 1, size_bytes, CALLER));
        assert_null(heap_allocate_aligned(heap, size_bytes, 4096, CALLER));
        assert_null(heap_allocate_aligned(heap, 16, (SIZE_MAX >> 1) + 1, CALLER));
        assert_null(heap_reallocate(heap, block, size_bytes, CALLER));
        failure_count += 5;
        assert_int_equal(statistics_of(heap).failure_count, failure_count);
    }
    assert_sound(heap);
    assert_int_equal(statistics_of(heap).live_block_count, 1);
    for (size_t i = 0; i < 40; i++)
        assert_int_equal(((uint8_t *)block)[i], 0x77);
}

static void test_K3_free_of_null_is_ignored(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_fixed(fixture, 4096);
    heap_free(heap, NULL, CALLER);
    assert_int_equal(heap_usable_size(heap, NULL, CALLER), 0);
    assert_int_equal(fixture->arena.fault_count, 0);
    assert_int_equal(statistics_of(heap).free_count, 0);
}

/* --- K4 to K7: pointers that are not blocks --------------------------------------------------- */

static void test_K4_double_free_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_fixed(fixture, 4096);
    void *keep = allocate(heap, 16);
    void *block = allocate(heap, 100);
    void *behind = allocate(heap, 16);
    heap_free(heap, block, CALLER);
    heap_free(heap, block, OTHER_CALLER);
    assert_fault(fixture, HEAP_FAULT_DOUBLE_FREE);
    assert_ptr_equal(fixture->arena.fault.pointer, block);
    assert_ptr_equal(fixture->arena.fault.caller, OTHER_CALLER);
    assert_true(fixture->arena.fault.is_free);
    assert_sound(heap);
    heap_free(heap, keep, CALLER);
    heap_free(heap, behind, CALLER);
    assert_int_equal(statistics_of(heap).free_block_count, 1);
}

/* The block has merged with its neighbours: its header is gone. */
static void test_K4_double_free_later(void **state)
{
    for (unsigned order = 0; order < 6; order++) {
        static const unsigned char orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                                   {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
        for (unsigned victim = 0; victim < 3; victim++) {
            struct fixture *fixture = *state;
            struct heap *heap = start_fixed(fixture, 4096);
            void *blocks[3];
            for (unsigned i = 0; i < 3; i++)
                blocks[i] = allocate(heap, 64);
            for (unsigned i = 0; i < 3; i++)
                heap_free(heap, blocks[orders[order][i]], CALLER);
            heap_free(heap, blocks[victim], CALLER);
            assert_fault(fixture, HEAP_FAULT_DOUBLE_FREE);
            assert_sound(heap);
        }
    }
}

static void test_K4_reallocation_of_a_freed_block(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_fixed(fixture, 4096);
    void *block = allocate(heap, 64);
    heap_free(heap, block, CALLER);
    assert_null(heap_reallocate(heap, block, 128, CALLER));
    assert_fault(fixture, HEAP_FAULT_DOUBLE_FREE);
    assert_sound(heap);
}

/* If a used segment looked like a free one, it would become part of the block before it. */
static void test_K9_growth_into_a_smashed_header(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_fixed(fixture, 65536);
    void *block = allocate(heap, 1001);
    uint8_t *behind = memset(allocate(heap, 1001), 0, 1001);
    behind[-4] ^= 3; /* used, free */
    assert_null(heap_reallocate(heap, block, 1500, CALLER));
    assert_fault(fixture, HEAP_FAULT_CORRUPT);
}

static void test_K5_interior_pointer(void **state)
{
    struct fixture *fixture = *state;
    for (size_t offset = 1; offset < 208; offset++) {
        struct heap *heap = start_fixed(fixture, 4096);
        uint8_t *block = allocate(heap, 208);
        memset(block, 0, 208);
        void *behind = allocate(heap, 16);
        heap_free(heap, block + offset, OTHER_CALLER);
        assert_fault(fixture, HEAP_FAULT_BAD_POINTER);
        assert_ptr_equal(fixture->arena.fault.pointer, block + offset);
        if (offset % 16 == 0) {
            assert_ptr_equal(fixture->arena.fault.block, block);
            assert_int_equal(fixture->arena.fault.size_bytes, 208);
            assert_ptr_equal(fixture->arena.fault.allocated_by, CALLER);
            assert_false(fixture->arena.fault.is_free);
        }
        assert_sound(heap);
        heap_free(heap, behind, CALLER);
        heap_free(heap, block, CALLER);
        assert_int_equal(statistics_of(heap).free_block_count, 1);
    }
}

/* A block that was part of a freed one, whose header may still lie there. */
static void test_K5_interior_pointer_to_the_remains_of_a_block(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_fixed(fixture, 4096);
    uint8_t *first = allocate(heap, 64);
    uint8_t *second = allocate(heap, 64);
    heap_free(heap, second, CALLER);
    heap_free(heap, first, CALLER);
    uint8_t *around = allocate(heap, 512);
    assert_ptr_equal(around, first);
    heap_free(heap, second, CALLER);
    assert_fault(fixture, HEAP_FAULT_BAD_POINTER);
    assert_ptr_equal(fixture->arena.fault.block, around);
    assert_sound(heap);
}

/* The header of a used block behind a free one belongs to neither. */
static void test_K5_pointer_to_a_header(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_fixed(fixture, 4096);
    void *freed = allocate(heap, 64);
    uint8_t *block = allocate(heap, 64);
    heap_free(heap, freed, CALLER);
    for (size_t before = 16; before <= HEADER_BYTES; before += 16) {
        fixture->arena.fault_count = 0;
        heap_free(heap, block - before, CALLER);
        assert_fault(fixture, HEAP_FAULT_BAD_POINTER);
        assert_sound(heap);
    }
}

/* A former end marker keeps its valid seal in memory that went back and came again. */
static void test_K5_pointer_to_a_former_end_marker(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_growing(fixture, ARENA_BYTES);
    uint8_t *old_end = fixture->arena.base + heap_size_bytes(heap);
    uint8_t marker[HEADER_BYTES];
    memcpy(marker, old_end - HEADER_BYTES, HEADER_BYTES);
    uint8_t *around = allocate(heap, heap_size_bytes(heap) + 1000);
    memcpy(old_end - HEADER_BYTES, marker, HEADER_BYTES);
    heap_free(heap, old_end, CALLER);
    assert_fault(fixture, HEAP_FAULT_BAD_POINTER);
    assert_ptr_equal(fixture->arena.fault.block, around);
    assert_sound(heap);
    heap_free(heap, around, CALLER);
    assert_sound(heap);
}

static void test_K6_K7_foreign_pointers(void **state)
{
    struct fixture *fixture = *state;
    static uint8_t elsewhere[64];
    struct heap *heap = start_fixed(fixture, 4096);
    void *block = allocate(heap, 16);
    uint8_t *base = fixture->arena.base;
    const void *pointers[] = {elsewhere,
                              base,
                              base + 16,
                              base + 4096 - HEADER_BYTES,
                              base + 4096 - 16,
                              base + 4096,
                              base + 4096 + 32,
                              base - 16,
                              (void *)0x10,
                              (void *)UINTPTR_MAX,
                              (void *)(UINTPTR_MAX - 15)};
    for (size_t i = 0; i < sizeof pointers / sizeof pointers[0]; i++) {
        fixture->arena.fault_count = 0;
        heap_free(heap, (void *)(uintptr_t)pointers[i], CALLER);
        assert_fault(fixture, HEAP_FAULT_BAD_POINTER);
        fixture->arena.fault_count = 0;
        assert_int_equal(heap_usable_size(heap, pointers[i], CALLER), 0);
        assert_fault(fixture, HEAP_FAULT_BAD_POINTER);
        assert_sound(heap);
    }
    heap_free(heap, block, CALLER);
    assert_int_equal(statistics_of(heap).live_block_count, 0);
}

static void test_K7_unaligned_pointers(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_fixed(fixture, 4096);
    uint8_t *block = allocate(heap, 64);
    for (size_t offset = 1; offset < 16; offset++) {
        fixture->arena.fault_count = 0;
        heap_free(heap, block + offset, CALLER);
        assert_fault(fixture, HEAP_FAULT_BAD_POINTER);
        fixture->arena.fault_count = 0;
        heap_free(heap, block - offset, CALLER);
        assert_fault(fixture, HEAP_FAULT_BAD_POINTER);
    }
    assert_sound(heap);
}

/* --- K8 to K10: writes outside of blocks ------------------------------------------------------ */

/* Change `count` bytes at `start`, allocate between two others or at the heap's end, and free. */
static void assert_overrun_is_found(struct fixture *fixture, size_t size_bytes, ptrdiff_t start,
                                    size_t count, uint8_t difference, bool last)
{
    struct heap *heap = start_fixed(fixture, 4096);
    void *before = allocate(heap, 16);
    uint8_t *block = allocate(heap, size_bytes);
    memset(block, 0x41, size_bytes);
    if (!last)
        (void)allocate(heap, 16);
    for (size_t i = 0; i < count; i++)
        block[start + (ptrdiff_t)i] ^= difference;
    assert_non_null(heap_check(heap));
    heap_free(heap, block, OTHER_CALLER);
    assert_fault(fixture, HEAP_FAULT_OVERRUN);
    assert_ptr_equal(fixture->arena.fault.pointer, block);
    assert_ptr_equal(fixture->arena.fault.caller, OTHER_CALLER);
    if (start > 0) {
        assert_int_equal(fixture->arena.fault.size_bytes, size_bytes);
        assert_ptr_equal(fixture->arena.fault.allocated_by, CALLER);
    }

    /* A corrupt heap fails every operation, and nothing crashes. */
    assert_null(heap_allocate(heap, 16, CALLER));
    heap_free(heap, before, CALLER);
    assert_non_null(heap_check(heap));
    assert_int_equal(fixture->arena.fault_count, 1);
}

static void test_K8_overflow_and_underflow_of_every_size(void **state)
{
    static const uint8_t differences[] = {0x01, 0x80, 0xff, 0x3f};
    static const size_t counts[] = {1, 8, 16, 31};
    for (size_t size_bytes = 1; size_bytes <= 100; size_bytes++) {
        for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
            for (size_t d = 0; d < sizeof differences; d++) {
                for (int last = 0; last <= 1; last++) {
                    assert_overrun_is_found(*state, size_bytes, (ptrdiff_t)size_bytes, counts[c],
                                            differences[d], last);
                    assert_overrun_is_found(*state, size_bytes, -(ptrdiff_t)counts[c], counts[c],
                                            differences[d], last);
                }
            }
        }
    }
}

/* The bytes behind one block are not those behind another one, nor those behind the same block in
 * another life of the heap. So a copy that is too long is found. */
static void test_K8_each_canary_is_another_one(void **state)
{
    struct fixture *fixture = *state;
    uint8_t canaries[16][15];
    for (size_t i = 0; i < 16; i++) {
        struct heap *heap = i % 8 == 0 ? start_fixed(fixture, 4096) : fixture->heap;
        const uint8_t *block = allocate(heap, 17);
        memcpy(canaries[i], block + 17, sizeof canaries[i]);
        assert_memory_not_equal(canaries[i], canaries[i] + 7, 7);
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(canaries[k], canaries[i], 4);
    }
    uint8_t *block = allocate(fixture->heap, 17);
    memcpy(block + 17, canaries[15], 4);
    assert_non_null(heap_check(fixture->heap));
    heap_free(fixture->heap, block, OTHER_CALLER);
    assert_fault(fixture, HEAP_FAULT_OVERRUN);
}

/* The most usual bytes of an overrun never equal the bytes there. */
static void test_K8_common_bytes_differ_from_the_canary(void **state)
{
    struct fixture *fixture = *state;
    static const uint8_t common[] = {0x00, 0xff, '\n', ' ', 'A', 'z', '0', 0x7f};
    for (size_t size_bytes = 1; size_bytes <= 64; size_bytes++) {
        struct heap *heap = start_fixed(fixture, 4096);
        uint8_t *block = allocate(heap, size_bytes);
        (void)allocate(heap, 16);
        for (size_t i = 0; i < sizeof common; i++)
            assert_int_not_equal(block[size_bytes], common[i]);
    }
}

/* Flip each bit of a free segment's header and links. The next operation that reads it reports it.
 */
static void test_K9_every_bit_of_a_free_header_and_its_links(void **state)
{
    struct fixture *fixture = *state;
    for (size_t bit = 0; bit < (HEADER_BYTES + 16) * 8; bit++) {
        struct heap *heap = start_fixed(fixture, 4096);
        uint8_t *block = allocate(heap, 64);
        (void)allocate(heap, 16);
        heap_free(heap, block, CALLER);
        (block - HEADER_BYTES)[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_non_null(heap_check(heap));
        assert_null(heap_allocate(heap, 64, OTHER_CALLER));
        assert_fault(fixture, HEAP_FAULT_CORRUPT);
        assert_ptr_equal(fixture->arena.fault.pointer, block);
        assert_ptr_equal(fixture->arena.fault.caller, OTHER_CALLER);
        assert_non_null(heap_check(heap));
    }
}

/* The neighbour of a freed block is free and overwritten. A merge must not trust it. */
static void test_K9_smashed_neighbours_are_not_merged(void **state)
{
    struct fixture *fixture = *state;
    for (int side = 0; side <= 1; side++) {
        struct heap *heap = start_fixed(fixture, 4096);
        uint8_t *blocks[3];
        for (unsigned i = 0; i < 3; i++)
            blocks[i] = allocate(heap, 64);
        (void)allocate(heap, 16);
        uint8_t *neighbour = side == 0 ? blocks[0] : blocks[2];
        heap_free(heap, neighbour, CALLER);
        *(uint64_t *)(void *)neighbour = UINT64_C(0x4141414141414141);
        heap_free(heap, blocks[1], CALLER);
        /* Behind the block it may be the block's own overflow; before it, it cannot. */
        assert_fault(fixture, side == 0 ? HEAP_FAULT_CORRUPT : HEAP_FAULT_OVERRUN);
    }
}

#define MAZE_BLOCK_COUNT 12

/* Used and free segments of several sizes, side by side. */
static void build_maze(struct heap *heap, void *blocks[MAZE_BLOCK_COUNT])
{
    for (size_t i = 0; i < MAZE_BLOCK_COUNT; i++)
        blocks[i] = allocate(heap, 24 + i * 16);
    for (size_t i = 0; i < MAZE_BLOCK_COUNT; i += 3) {
        heap_free(heap, blocks[i], CALLER);
        blocks[i] = NULL;
    }
}

static void resize_maze(struct heap *heap, void *blocks[MAZE_BLOCK_COUNT])
{
    for (size_t i = 0; i < MAZE_BLOCK_COUNT; i++) {
        if (blocks[i] == NULL)
            blocks[i] = heap_allocate(heap, 100, CALLER);
        void *moved = heap_reallocate(heap, blocks[i], 150, CALLER);
        if (moved != NULL)
            blocks[i] = moved;
    }
}

/* Use the whole heap in four ways: with or without a first search, split and growth; with frees
 * from either end. */
static void walk_maze(struct heap *heap, void *blocks[MAZE_BLOCK_COUNT], unsigned way)
{
    if (way / 2 == 0)
        resize_maze(heap, blocks);
    for (size_t i = 0; i < MAZE_BLOCK_COUNT; i++)
        heap_free(heap, blocks[way % 2 == 0 ? i : MAZE_BLOCK_COUNT - 1 - i], CALLER);
    heap_free(heap, heap_allocate(heap, heap_size_bytes(heap) / 2, CALLER), CALLER);
}

/* Overwrite any word of the heap. If the check finds it, the operation that reads it also reports
 * it, once. No value that leads out of the heap is trusted. If the check does not find it, the word
 * was user data. */
static void test_K9_any_word_of_the_heap_may_be_smashed(void **state)
{
    struct fixture *fixture = *state;
    static const uint64_t differences[] = {1, UINT64_MAX, UINT64_C(0x4141414141414141)};
    unsigned damaged_count = 0;
    for (size_t offset = 0; offset < 4096; offset += 8) {
        for (unsigned i = 0; i < 3 * 4; i++) {
            struct heap *heap = start_fixed(fixture, 4096);
            void *blocks[MAZE_BLOCK_COUNT];
            build_maze(heap, blocks);
            uint64_t word;
            memcpy(&word, fixture->arena.base + offset, sizeof word);
            word ^= differences[i / 4];
            memcpy(fixture->arena.base + offset, &word, sizeof word);
            bool damaged = heap_check(heap) != NULL;
            walk_maze(heap, blocks, i % 4);
            assert_int_equal(fixture->arena.fault_count, damaged);
            damaged_count += damaged;
        }
    }
    /* Every header has four words, every free segment two links, every canary a word or two. */
    assert_true(damaged_count > (MAZE_BLOCK_COUNT + 2) * 4 * 3 * 4);
}

/* The kind of the bad pointer is no longer known, so the corruption is reported instead. */
static void test_K9_smashed_header_before_an_interior_pointer(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_fixed(fixture, 4096);
    uint8_t *smashed = allocate(heap, 64);
    uint8_t *block = allocate(heap, 64);
    memset(block, 0, 64);
    smashed[-1] ^= 1;
    heap_free(heap, block + 32, CALLER);
    assert_fault(fixture, HEAP_FAULT_CORRUPT);
}

static void test_K9_smashed_end_marker_ends_growth(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_growing(fixture, ARENA_BYTES);
    size_t size_bytes = heap_size_bytes(heap);
    fixture->arena.base[size_bytes - HEADER_BYTES] ^= 1;
    assert_non_null(heap_check(heap));
    assert_null(heap_allocate(heap, 2 * size_bytes, CALLER));
    assert_fault(fixture, HEAP_FAULT_CORRUPT);
    assert_int_equal(heap_size_bytes(heap), size_bytes);
    assert_int_equal(heap_extend(heap, 4096), HEAP_NO_MEMORY);
}

static void test_check_compares_the_heap_with_its_state(void **state)
{
    struct heap *heap = start_fixed(*state, 4096);
    (void)allocate(heap, 100);
    struct heap_best_fit_storage original;
    memcpy(&original, heap, sizeof original);
    heap->counters.below_peak_bytes++;
    assert_non_null(heap_check(heap));
    memcpy(heap, &original, sizeof original);
    heap->size_bytes += 16;
    assert_non_null(heap_check(heap));
    memcpy(heap, &original, sizeof original);
    best_fit_of(heap)->free_list = NULL;
    assert_non_null(heap_check(heap));
    memcpy(heap, &original, sizeof original);
    best_fit_of(heap)->free_list = best_fit_of(heap)->first;
    assert_non_null(heap_check(heap));
    memcpy(heap, &original, sizeof original);
    assert_sound(heap);
}

/* --- Beyond the catalogue --------------------------------------------------------------------- */

/* Distances are stored in 32 bits: a heap of many GiB must not cut them. */
static void test_huge_heap(void **state)
{
    (void)state;
    const size_t size_bytes = (size_t)40 << 30;
    struct fixture huge = {0};
    heap_arena_create(&huge.arena, size_bytes);
    struct heap *heap = start_fixed(&huge, size_bytes);
    size_t large_bytes = ((size_t)9 << 30) + 5;
    uint8_t *blocks[4];
    for (unsigned i = 0; i < 4; i++) {
        blocks[i] = allocate(heap, large_bytes);
        blocks[i][0] = (uint8_t)i;
        blocks[i][large_bytes - 1] = (uint8_t)(i + 1);
        assert_sound(heap);
    }
    assert_null(heap_allocate(heap, large_bytes, CALLER));
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(heap_usable_size(heap, blocks[i], CALLER), large_bytes);
        assert_int_equal(blocks[i][0], i);
        assert_int_equal(blocks[i][large_bytes - 1], i + 1);
    }
    blocks[1][large_bytes] ^= 1;
    heap_free(heap, blocks[1], CALLER);
    assert_fault(&huge, HEAP_FAULT_OVERRUN);
    heap_arena_destroy(&huge.arena);

    struct heap_configuration beyond = heap_arena_fixed(&huge.arena, 0);
    beyond.limit_bytes = (size_t)1 << 36;
    assert_int_equal(heap_initialise(&beyond, &heap), HEAP_TOO_LARGE);
}

static void test_statistics_are_exact(void **state)
{
    struct heap *heap = start_fixed(*state, 4096);
    void *first = allocate(heap, 100);
    void *second = allocate(heap, 200);
    struct heap_statistics statistics = statistics_of(heap);
    assert_int_equal(statistics.size_bytes, 4096);
    assert_int_equal(statistics.limit_bytes, 4096);
    assert_int_equal(statistics.used_bytes, 300);
    assert_int_equal(statistics.peak_used_bytes, 300);
    assert_int_equal(statistics.overhead_bytes, 4 * HEADER_BYTES + 12 + 8);
    assert_int_equal(statistics.largest_free_bytes, statistics.free_bytes);
    assert_int_equal(statistics.live_block_count, 2);
    heap_free(heap, first, CALLER);
    statistics = statistics_of(heap);
    assert_int_equal(statistics.used_bytes, 200);
    assert_int_equal(statistics.peak_used_bytes, 300);
    assert_int_equal(statistics.free_block_count, 2);
    assert_int_equal(statistics.allocation_count, 2);
    assert_int_equal(statistics.free_count, 1);

    /* Check the exact meaning of "the largest request that succeeds without growing". */
    void *largest = allocate(heap, statistics.largest_free_bytes);
    heap_free(heap, largest, CALLER);
    assert_null(heap_allocate(heap, statistics.largest_free_bytes + 1, CALLER));
    heap_free(heap, second, CALLER);
    assert_string_equal(heap_policy_name(heap), "best-fit");
}

static void test_names(void **state)
{
    (void)state;
    for (int status = HEAP_OK; status <= HEAP_NO_MEMORY; status++)
        assert_string_not_equal(heap_status_name((enum heap_status)status), "unknown status");
    assert_string_equal(heap_status_name((enum heap_status)99), "unknown status");
    for (int kind = HEAP_FAULT_DOUBLE_FREE; kind <= HEAP_FAULT_CORRUPT; kind++)
        assert_string_not_equal(heap_fault_kind_name((enum heap_fault_kind)kind), "unknown fault");
    assert_string_equal(heap_fault_kind_name((enum heap_fault_kind)99), "unknown fault");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_ARENA(test_K1_size_zero_gives_a_block_of_its_own),
        ON_ARENA(test_K2_sizes_that_wrap_are_refused),
        ON_ARENA(test_K3_free_of_null_is_ignored),
        ON_ARENA(test_K4_double_free_at_once),
        ON_ARENA(test_K4_double_free_later),
        ON_ARENA(test_K4_reallocation_of_a_freed_block),
        ON_ARENA(test_K9_growth_into_a_smashed_header),
        ON_ARENA(test_K5_interior_pointer),
        ON_ARENA(test_K5_interior_pointer_to_the_remains_of_a_block),
        ON_ARENA(test_K5_pointer_to_a_header),
        ON_ARENA(test_K5_pointer_to_a_former_end_marker),
        ON_ARENA(test_K6_K7_foreign_pointers),
        ON_ARENA(test_K7_unaligned_pointers),
        ON_ARENA(test_K8_overflow_and_underflow_of_every_size),
        ON_ARENA(test_K8_common_bytes_differ_from_the_canary),
        ON_ARENA(test_K8_each_canary_is_another_one),
        ON_ARENA(test_K9_every_bit_of_a_free_header_and_its_links),
        ON_ARENA(test_K9_smashed_neighbours_are_not_merged),
        ON_ARENA(test_K9_any_word_of_the_heap_may_be_smashed),
        ON_ARENA(test_K9_smashed_header_before_an_interior_pointer),
        ON_ARENA(test_K9_smashed_end_marker_ends_growth),
        ON_ARENA(test_check_compares_the_heap_with_its_state),
        ON_ARENA(test_statistics_are_exact),
        cmocka_unit_test(test_huge_heap),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
