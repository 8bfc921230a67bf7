/* Catalogue group K, as far as one heap can show it without pages of its own (test_heap_window.c,
 * test_kmalloc.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/mm/heap/policies/best_fit.h"
#include "tests/unit/support/heap_arena.h"

#define ARENA_BYTES  ((size_t)1 << 20)
#define HEADER_BYTES 32

struct fixture {
    struct heap_arena arena;
    struct heap *heap;
};

static void *const CALLER = (void *)0x1111;
static void *const OTHER_CALLER = (void *)0x2222;

static int create_arena(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    heap_arena_create(&fixture->arena, ARENA_BYTES);
    *state = fixture;
    return 0;
}

static int destroy_arena(void **state)
{
    struct fixture *fixture = *state;
    heap_arena_destroy(&fixture->arena);
    free(fixture);
    return 0;
}

static struct heap *start_fixed(struct fixture *fixture, size_t size_bytes)
{
    struct heap_configuration configuration = heap_arena_fixed(&fixture->arena, size_bytes);
    assert_int_equal(heap_initialise(&configuration, &fixture->heap), HEAP_OK);
    fixture->arena.fault_count = 0;
    return fixture->heap;
}

static struct heap *start_growing(struct fixture *fixture, size_t limit_bytes)
{
    struct heap_configuration configuration = heap_arena_growing(&fixture->arena, limit_bytes);
    assert_int_equal(heap_initialise(&configuration, &fixture->heap), HEAP_OK);
    fixture->arena.fault_count = 0;
    return fixture->heap;
}

static void assert_sound(const struct heap *heap)
{
    const char *problem = heap_check(heap);
    if (problem != NULL)
        fail_msg("heap_check: %s", problem);
}

static struct heap_statistics statistics_of(const struct heap *heap)
{
    struct heap_statistics statistics;
    heap_statistics(heap, &statistics);
    assert_int_equal(statistics.used_bytes + statistics.free_bytes + statistics.overhead_bytes,
                     statistics.size_bytes);
    return statistics;
}

static void *allocate(struct heap *heap, size_t size_bytes)
{
    void *block = heap_allocate(heap, size_bytes, CALLER);
    assert_non_null(block);
    assert_int_equal((uintptr_t)block % HEAP_ALIGNMENT_BYTES, 0);
    return block;
}

static void assert_fault(const struct fixture *fixture, enum heap_fault_kind kind)
{
    assert_int_equal(fixture->arena.fault_count, 1);
    if (fixture->arena.fault.kind != kind)
        fail_msg("%s (%s) instead of %s", heap_fault_kind_name(fixture->arena.fault.kind),
                 fixture->arena.fault.detail, heap_fault_kind_name(kind));
}

static uint32_t random_next(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

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

/* --- K4 to K7: pointers that are no blocks
 * -------------------------------------------------------- */

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

/* A used segment that passes for a free one would become part of the block before it. */
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

/* --- K8 to K10: writes where none may be
 * ----------------------------------------------------------- */

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

    /* Nothing is served from a heap that is known to be corrupt, and nothing crashes. */
    assert_null(heap_allocate(heap, 16, CALLER));
    heap_free(heap, before, CALLER);
    assert_non_null(heap_check(heap));
    assert_int_equal(fixture->arena.fault_count, 1);
}

static void test_K8_overflow_and_underflow_of_every_size(void **state)
{
    static const uint8_t differences[] = {0x01, 0x80, 0xff, 0x41 ^ 0xa6};
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

/* The bytes that run over an end most often are never what stands there. */
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

/* Flip each bit of a free segment's header and links: whoever touches it next reports it. */
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

/* The neighbour of a freed block is free and smashed: merging would believe it. */
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

/* Touch everything there is, in four ways: search, split and grow first or not, free from either
 * end. */
static void walk_maze(struct heap *heap, void *blocks[MAZE_BLOCK_COUNT], unsigned way)
{
    if (way / 2 == 0)
        resize_maze(heap, blocks);
    for (size_t i = 0; i < MAZE_BLOCK_COUNT; i++)
        heap_free(heap, blocks[way % 2 == 0 ? i : MAZE_BLOCK_COUNT - 1 - i], CALLER);
    heap_free(heap, heap_allocate(heap, heap_size_bytes(heap) / 2, CALLER), CALLER);
}

/* Any word of the heap may be smashed: if the check sees it, so does whoever comes across it, once,
 * and nothing is believed that leads out of the heap; if the check does not, it was user data. */
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

/* What a bad pointer is cannot be told any more: the damage is reported instead. */
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

/* --- K11, K12: growth
 * ------------------------------------------------------------------------------ */

struct snapshot {
    uint8_t *bytes;
    size_t size_bytes;
    struct heap_best_fit_storage state;
};

static struct snapshot snapshot_take(const struct fixture *fixture)
{
    struct snapshot snapshot = {malloc(fixture->arena.usable_bytes), fixture->arena.usable_bytes,
                                fixture->arena.storage.best_fit};
    memcpy(snapshot.bytes, fixture->arena.base, snapshot.size_bytes);
    return snapshot;
}

/* Every byte of the heap and all of its state but the count of failures. */
static void snapshot_assert_same(struct snapshot *snapshot, const struct fixture *fixture)
{
    assert_int_equal(snapshot->size_bytes, fixture->arena.usable_bytes);
    assert_memory_equal(snapshot->bytes, fixture->arena.base, snapshot->size_bytes);
    struct heap *before = (void *)&snapshot->state;
    before->counters.failure_count = fixture->heap->counters.failure_count;
    assert_memory_equal(before, fixture->heap, sizeof snapshot->state);
    free(snapshot->bytes);
}

static void test_K11_failed_growth_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned budget_pages = 16; budget_pages < 64; budget_pages++) {
        fixture->arena.budget_bytes = budget_pages * HEAP_PAGE_SIZE_BYTES;
        struct heap *heap = start_growing(fixture, ARENA_BYTES);
        void *blocks[64];
        size_t count = 0;
        for (;;) {
            struct snapshot before = snapshot_take(fixture);
            blocks[count] = heap_allocate(heap, 5000, CALLER);
            if (blocks[count] == NULL) {
                snapshot_assert_same(&before, fixture);
                break;
            }
            free(before.bytes);
            assert_sound(heap);
            count++;
        }
        assert_true(count > 0);
        assert_int_equal(fixture->arena.fault_count, 0);
        assert_int_equal(statistics_of(heap).failure_count, 1);
        assert_true(fixture->arena.usable_bytes >
                    fixture->arena.budget_bytes - 2 * HEAP_PAGE_SIZE_BYTES);

        heap_free(heap, blocks[0], CALLER);
        blocks[0] = allocate(heap, 5000);
        while (count > 0)
            heap_free(heap, blocks[--count], CALLER);
        assert_sound(heap);
        assert_int_equal(statistics_of(heap).free_block_count, 1);
    }
}

/* Each call of the page source fails once, for every n. A large step that fails is tried again with
 * what the request needs, so not each failing call fails a request. */
static void test_K11_nth_growth_fails(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned n = 1; n < 40; n++) {
        fixture->arena.failing_grow = 0;
        struct heap *heap = start_growing(fixture, ARENA_BYTES);
        fixture->arena.failing_grow = fixture->arena.grow_count + n;
        size_t served = 0;
        for (unsigned i = 0; i < 60; i++) {
            served += heap_allocate(heap, 10000, CALLER) != NULL;
            assert_sound(heap);
        }
        assert_int_equal(served, 60);
    }
}

static void test_K11_initial_growth_fails(void **state)
{
    struct fixture *fixture = *state;
    union heap_policies_storage untouched;
    memset(&fixture->arena.storage, 0x3c, sizeof untouched);
    memset(&untouched, 0x3c, sizeof untouched);
    struct heap_configuration configuration = heap_arena_growing(&fixture->arena, ARENA_BYTES);
    fixture->arena.failing_grow = 1;
    assert_int_equal(heap_initialise(&configuration, &fixture->heap), HEAP_NO_MEMORY);
    assert_null(fixture->heap);
    assert_memory_equal(&fixture->arena.storage, &untouched, sizeof untouched);
}

static void test_K12_window_full(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_growing(fixture, ARENA_BYTES);
    size_t count = 0;
    while (heap_allocate(heap, 1000, CALLER) != NULL)
        count++;
    assert_int_equal(heap_size_bytes(heap), ARENA_BYTES);
    assert_true(count >= ARENA_BYTES / (1000 + 8 + HEADER_BYTES) - 1);
    assert_null(heap_allocate(heap, 1000, CALLER));
    assert_null(heap_allocate(heap, ARENA_BYTES, CALLER));
    assert_sound(heap);
    assert_int_equal(fixture->arena.fault_count, 0);
}

static void test_largest_block_of_a_growing_heap(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_growing(fixture, ARENA_BYTES);
    assert_null(heap_allocate(heap, ARENA_BYTES - 2 * HEADER_BYTES + 1, CALLER));
    size_t generous = ARENA_BYTES - 512;
    void *block = allocate(heap, generous);
    memset(block, 0xee, generous);
    assert_sound(heap);
    heap_free(heap, block, CALLER);
    assert_sound(heap);
}

/* Whatever the size, the alignment and what is free at the end: one growth is enough. */
static void test_growth_is_enough_for_the_request(void **state)
{
    struct fixture *fixture = *state;
    for (size_t filled = 65536 - 256; filled <= 65536 - 64; filled += 16) {
        for (size_t alignment = 16; alignment <= 8192; alignment *= 2) {
            for (size_t around = 0; around <= 64; around += 16) {
                struct heap *heap = start_growing(fixture, ARENA_BYTES);
                (void)allocate(heap, filled);
                unsigned grow_count = fixture->arena.grow_count;
                size_t size_bytes = 2 * (size_t)65536 - around;
                assert_non_null(heap_allocate_aligned(heap, size_bytes, alignment, CALLER));
                assert_int_equal(fixture->arena.grow_count, grow_count + 1);
            }
        }
    }
}

static void test_free_tail_goes_back(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_growing(fixture, ARENA_BYTES);
    size_t first_bytes = fixture->arena.usable_bytes;
    void *small = allocate(heap, 100);
    void *large = allocate(heap, 600000);
    assert_true(fixture->arena.usable_bytes > 600000);
    heap_free(heap, large, CALLER);
    assert_true(fixture->arena.usable_bytes <= 2 * first_bytes);
    assert_int_equal(heap_size_bytes(heap), fixture->arena.usable_bytes);
    assert_sound(heap);

    /* What is left is no excuse for going back and forth. */
    unsigned calls = fixture->arena.grow_count + fixture->arena.shrink_count;
    for (unsigned i = 0; i < 100; i++)
        heap_free(heap, allocate(heap, 8192), CALLER);
    assert_int_equal(fixture->arena.grow_count + fixture->arena.shrink_count, calls);

    large = allocate(heap, 600000);
    memset(large, 0xee, 600000);
    assert_sound(heap);
    heap_free(heap, large, CALLER);
    heap_free(heap, small, CALLER);
    assert_int_equal(statistics_of(heap).free_block_count, 1);
}

/* --- K13: coalescing
 * ------------------------------------------------------------------------------- */

static void test_K13_checkerboard_coalesces(void **state)
{
    enum { COUNT = 64 };
    struct heap *heap = start_fixed(*state, 16384);
    struct heap_statistics original = statistics_of(heap);
    assert_int_equal(original.free_block_count, 1);
    assert_int_equal(original.largest_free_bytes, 16384 - 2 * HEADER_BYTES);

    void *blocks[COUNT];
    for (unsigned i = 0; i < COUNT; i++)
        blocks[i] = allocate(heap, 96);
    for (unsigned i = 0; i < COUNT; i += 2)
        heap_free(heap, blocks[i], CALLER);
    assert_sound(heap);
    assert_int_equal(statistics_of(heap).free_block_count, COUNT / 2 + 1);
    for (unsigned i = 1; i < COUNT; i += 2) {
        heap_free(heap, blocks[i], CALLER);
        assert_sound(heap);
    }
    struct heap_statistics after = statistics_of(heap);
    assert_int_equal(after.free_block_count, 1);
    assert_int_equal(after.largest_free_bytes, original.largest_free_bytes);
    assert_int_equal(after.used_bytes, 0);
}

static void test_smallest_that_fits_is_used(void **state)
{
    struct heap *heap = start_fixed(*state, 16384);
    static const size_t sizes[] = {400, 160, 304, 208, 1008};
    uint8_t *holes[5];
    for (unsigned i = 0; i < 5; i++) {
        holes[i] = allocate(heap, sizes[i]);
        (void)allocate(heap, 16);
    }
    for (unsigned i = 0; i < 5; i++)
        heap_free(heap, holes[i], CALLER);
    assert_ptr_equal(allocate(heap, 200), holes[3]);
    assert_ptr_equal(allocate(heap, 160), holes[1]);
    assert_ptr_equal(allocate(heap, 161), holes[2]);
    assert_ptr_equal(allocate(heap, 401), holes[4]);
    assert_sound(heap);
}

/* The rest is split off from twice the header up. */
static void test_split_threshold(void **state)
{
    for (size_t rest_bytes = 0; rest_bytes <= 128; rest_bytes += 16) {
        struct heap *heap = start_fixed(*state, 16384);
        uint8_t *hole = allocate(heap, 160 + rest_bytes);
        (void)allocate(heap, 16);
        heap_free(heap, hole, CALLER);
        assert_int_equal(statistics_of(heap).free_block_count, 2);
        assert_ptr_equal(allocate(heap, 160), hole);
        assert_int_equal(statistics_of(heap).free_block_count,
                         rest_bytes > 2 * HEADER_BYTES ? 2 : 1);
        assert_sound(heap);
    }
}

/* --- K14, K19: zeroed
 * ------------------------------------------------------------------------------ */

static void test_K14_zeroed_product_that_wraps_is_refused(void **state)
{
    struct heap *heap = start_fixed(*state, 4096);
    assert_null(heap_allocate_zeroed(heap, SIZE_MAX, 2, CALLER));
    assert_null(heap_allocate_zeroed(heap, 2, SIZE_MAX, CALLER));
    assert_null(heap_allocate_zeroed(heap, SIZE_MAX, SIZE_MAX, CALLER));
    assert_null(heap_allocate_zeroed(heap, (size_t)1 << 32, ((size_t)1 << 32) + 1, CALLER));
    assert_int_equal(statistics_of(heap).failure_count, 4);
    void *empty = heap_allocate_zeroed(heap, 0, SIZE_MAX, CALLER);
    assert_non_null(empty);
    assert_int_equal(heap_usable_size(heap, empty, CALLER), 0);
    assert_non_null(heap_allocate_zeroed(heap, SIZE_MAX, 0, CALLER));
    assert_sound(heap);
}

static void test_K19_zeroing_leaves_no_stale_byte(void **state)
{
    for (size_t size_bytes = 1; size_bytes < 300; size_bytes++) {
        struct heap *heap = start_fixed(*state, 4096);
        void *dirty = allocate(heap, 3000);
        memset(dirty, 0xcd, 3000);
        heap_free(heap, dirty, CALLER);
        uint8_t *block = heap_allocate_zeroed(heap, size_bytes, 7, CALLER);
        assert_non_null(block);
        for (size_t i = 0; i < size_bytes * 7; i++)
            assert_int_equal(block[i], 0);
        assert_sound(heap);
    }
}

/* --- K15: re-allocation
 * ----------------------------------------------------------------------------- */

static void fill(uint8_t *block, size_t size_bytes, uint32_t seed)
{
    for (size_t i = 0; i < size_bytes; i++)
        block[i] = (uint8_t)(seed + i * 7);
}

static void assert_filled(const uint8_t *block, size_t size_bytes, uint32_t seed)
{
    for (size_t i = 0; i < size_bytes; i++) {
        if (block[i] != (uint8_t)(seed + i * 7))
            fail_msg("byte %zu of %zu changed", i, size_bytes);
    }
}

static void test_K15_reallocation_of_null_and_to_zero(void **state)
{
    struct heap *heap = start_fixed(*state, 4096);
    void *block = heap_reallocate(heap, NULL, 50, CALLER);
    assert_non_null(block);
    assert_int_equal(heap_usable_size(heap, block, CALLER), 50);
    assert_null(heap_reallocate(heap, block, 0, CALLER));
    struct heap_statistics statistics = statistics_of(heap);
    assert_int_equal(statistics.live_block_count, 0);
    assert_int_equal(statistics.failure_count, 0);
    assert_sound(heap);
}

static void test_K15_every_pair_of_sizes_keeps_the_content(void **state)
{
    for (int neighbour = 0; neighbour <= 1; neighbour++) {
        for (size_t old_bytes = 1; old_bytes <= 200; old_bytes += 3) {
            for (size_t new_bytes = 1; new_bytes <= 200; new_bytes++) {
                struct heap *heap = start_fixed(*state, 4096);
                uint8_t *block = allocate(heap, old_bytes);
                if (neighbour)
                    (void)allocate(heap, 16);
                fill(block, old_bytes, 3);
                uint8_t *moved = heap_reallocate(heap, block, new_bytes, CALLER);
                assert_non_null(moved);
                assert_filled(moved, old_bytes < new_bytes ? old_bytes : new_bytes, 3);
                memset(moved, 0, new_bytes);
                assert_int_equal(heap_usable_size(heap, moved, CALLER), new_bytes);
                assert_int_equal(statistics_of(heap).used_bytes, new_bytes + (neighbour ? 16 : 0));
                assert_sound(heap);
            }
        }
    }
}

static void test_K15_growth_uses_free_memory_behind(void **state)
{
    struct heap *heap = start_fixed(*state, 4096);
    uint8_t *block = allocate(heap, 64);
    assert_ptr_equal(heap_reallocate(heap, block, 2000, CALLER), block);
    assert_ptr_equal(heap_reallocate(heap, block, 64, CALLER), block);
    assert_int_equal(statistics_of(heap).free_block_count, 1);
    assert_int_equal(statistics_of(heap).largest_free_bytes, 4096 - 64 - 3 * HEADER_BYTES);
    assert_sound(heap);
}

static void test_K15_failure_leaves_the_old_block(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_fixed(fixture, 4096);
    uint8_t *block = allocate(heap, 700);
    (void)allocate(heap, 700);
    fill(block, 700, 9);
    struct snapshot before = snapshot_take(fixture);
    assert_null(heap_reallocate(heap, block, 3500, CALLER));
    snapshot_assert_same(&before, fixture);
    assert_filled(block, 700, 9);
    heap_free(heap, block, CALLER);
    assert_int_equal(fixture->arena.fault_count, 0);
}

/* A bug that shipped elsewhere: a block that moves forgets what it was aligned to. */
static void test_K15_reallocation_keeps_the_alignment(void **state)
{
    struct heap *heap = start_fixed(*state, ARENA_BYTES);
    for (size_t alignment = 16; alignment <= 4096; alignment *= 2) {
        uint8_t *block = heap_allocate_aligned(heap, 100, alignment, CALLER);
        assert_non_null(block);
        fill(block, 100, 5);
        (void)allocate(heap, 5000); /* too large for a gap before the block: it lies behind */
        uint8_t *moved = heap_reallocate(heap, block, 5000, CALLER);
        assert_non_null(moved);
        assert_ptr_not_equal(moved, block);
        assert_int_equal((uintptr_t)moved % alignment, 0);
        assert_filled(moved, 100, 5);
        assert_sound(heap);
    }
}

/* --- K16: alignment
 * --------------------------------------------------------------------------------- */

static void test_K16_alignments_are_exact(void **state)
{
    struct heap *heap = start_fixed(*state, ARENA_BYTES);
    void *blocks[600];
    size_t count = 0;
    for (size_t alignment = 1; alignment <= 16384; alignment *= 2) {
        for (size_t size_bytes = 0; size_bytes <= 4096; size_bytes = size_bytes * 3 + 1) {
            uint8_t *block = heap_allocate_aligned(heap, size_bytes, alignment, CALLER);
            assert_non_null(block);
            assert_int_equal((uintptr_t)block % (alignment < 16 ? 16 : alignment), 0);
            memset(block, 0xab, size_bytes);
            assert_sound(heap);
            blocks[count++] = block;
        }
    }
    for (size_t i = 0; i < count; i++)
        heap_free(heap, blocks[i * 7 % count], CALLER);
    assert_sound(heap);
    struct heap_statistics after = statistics_of(heap);
    assert_int_equal(after.live_block_count, 0);
    assert_int_equal(after.free_block_count, 1);
}

static void test_K16_alignments_that_are_none_are_refused(void **state)
{
    struct heap *heap = start_fixed(*state, 4096);
    static const size_t alignments[] = {0, 3, 24, 48, 4095, SIZE_MAX};
    for (size_t i = 0; i < sizeof alignments / sizeof alignments[0]; i++)
        assert_null(heap_allocate_aligned(heap, 16, alignments[i], CALLER));
    assert_int_equal(statistics_of(heap).failure_count, 6);
    assert_int_equal(statistics_of(heap).live_block_count, 0);
}

/* A gap that is too small for a segment must not be lost or overlapped. */
static void test_K16_aligned_blocks_do_not_overlap(void **state)
{
    for (size_t before = 0; before < 256; before += 16) {
        for (size_t alignment = 32; alignment <= 256; alignment *= 2) {
            struct heap *heap = start_fixed(*state, 4096);
            uint8_t *first = allocate(heap, before);
            uint8_t *second = heap_allocate_aligned(heap, 100, alignment, CALLER);
            uint8_t *third = heap_allocate_aligned(heap, 100, alignment, CALLER);
            fill(first, before, 1);
            fill(second, 100, 2);
            fill(third, 100, 3);
            assert_filled(first, before, 1);
            assert_filled(second, 100, 2);
            assert_filled(third, 100, 3);
            assert_sound(heap);
            heap_free(heap, second, CALLER);
            heap_free(heap, first, CALLER);
            heap_free(heap, third, CALLER);
            assert_int_equal(statistics_of(heap).free_block_count, 1);
        }
    }
}

/* --- K17: random operations against an oracle
 * -------------------------------------------------------- */

#define ORACLE_BLOCK_LIMIT 128

struct oracle_block {
    uint8_t *address; /* NULL if there is none */
    size_t size_bytes;
    uint32_t seed;
};

struct oracle {
    struct oracle_block blocks[ORACLE_BLOCK_LIMIT];
    size_t used_bytes;
    size_t live_count;
};

static void oracle_assert_intact(const struct oracle_block *block)
{
    assert_filled(block->address, block->size_bytes, block->seed);
}

static void oracle_store(struct oracle *oracle, struct oracle_block *block, uint8_t *address,
                         size_t size_bytes, uint32_t seed)
{
    *block = (struct oracle_block){address, size_bytes, seed};
    fill(address, size_bytes, seed);
    oracle->used_bytes += size_bytes;
    oracle->live_count++;
}

static void oracle_forget(struct oracle *oracle, struct oracle_block *block)
{
    oracle->used_bytes -= block->size_bytes;
    oracle->live_count--;
    block->address = NULL;
}

/* Every block is where it was and as it was, and no two share a byte: since each holds a pattern of
 * its own, an overlap shows as a changed byte; but a pattern can agree by chance, so look too. */
static void oracle_assert_all(const struct oracle *oracle, const struct heap *heap)
{
    assert_sound(heap);
    assert_int_equal(statistics_of(heap).used_bytes, oracle->used_bytes);
    assert_int_equal(statistics_of(heap).live_block_count, oracle->live_count);
    for (size_t i = 0; i < ORACLE_BLOCK_LIMIT; i++) {
        const struct oracle_block *a = &oracle->blocks[i];
        if (a->address == NULL)
            continue;
        oracle_assert_intact(a);
        for (size_t j = i + 1; j < ORACLE_BLOCK_LIMIT; j++) {
            const struct oracle_block *b = &oracle->blocks[j];
            if (b->address != NULL && a->address < b->address + b->size_bytes &&
                b->address < a->address + a->size_bytes)
                fail_msg("two blocks overlap");
        }
    }
}

/* Mostly small, sometimes large, as a kernel asks. */
static size_t random_size(uint32_t *seed)
{
    uint32_t kind = random_next(seed) % 16;
    if (kind == 0)
        return random_next(seed) % 20000;
    if (kind < 4)
        return random_next(seed) % 2000;
    return random_next(seed) % 200;
}

static void random_step(struct heap *heap, struct oracle *oracle, uint32_t *seed)
{
    struct oracle_block *block = &oracle->blocks[random_next(seed) % ORACLE_BLOCK_LIMIT];
    uint32_t operation = random_next(seed) % 8;
    size_t size_bytes = random_size(seed);
    uint32_t pattern = random_next(seed);

    if (block->address == NULL) {
        size_t alignment = (size_t)1 << random_next(seed) % 13;
        uint8_t *address = operation == 0
                               ? heap_allocate_aligned(heap, size_bytes, alignment, CALLER)
                           : operation == 1 ? heap_allocate_zeroed(heap, 1, size_bytes, CALLER)
                                            : heap_allocate(heap, size_bytes, CALLER);
        if (address == NULL)
            return;
        if (operation == 0)
            assert_int_equal((uintptr_t)address % alignment, 0);
        oracle_store(oracle, block, address, size_bytes, pattern);
    } else if (operation < 3 && size_bytes != 0) {
        uint8_t *moved = heap_reallocate(heap, block->address, size_bytes, CALLER);
        if (moved == NULL) {
            oracle_assert_intact(block);
            return;
        }
        assert_filled(moved, size_bytes < block->size_bytes ? size_bytes : block->size_bytes,
                      block->seed);
        oracle_forget(oracle, block);
        oracle_store(oracle, block, moved, size_bytes, pattern);
    } else {
        oracle_assert_intact(block);
        heap_free(heap, block->address, CALLER);
        oracle_forget(oracle, block);
    }
}

static void run_random(struct fixture *fixture, struct heap *heap, uint32_t seed, unsigned steps,
                       unsigned steps_per_check)
{
    struct oracle oracle = {0};
    for (unsigned step = 0; step < steps; step++) {
        random_step(heap, &oracle, &seed);
        if (step % steps_per_check == 0)
            oracle_assert_all(&oracle, heap);
    }
    for (size_t i = 0; i < ORACLE_BLOCK_LIMIT; i++) {
        if (oracle.blocks[i].address != NULL) {
            oracle_assert_intact(&oracle.blocks[i]);
            heap_free(heap, oracle.blocks[i].address, CALLER);
        }
    }
    assert_sound(heap);
    assert_int_equal(fixture->arena.fault_count, 0);
    struct heap_statistics after = statistics_of(heap);
    assert_int_equal(after.used_bytes, 0);
    assert_int_equal(after.live_block_count, 0);
    assert_int_equal(after.free_block_count, 1);
    assert_int_equal(after.allocation_count, after.free_count);
}

static void test_K17_random_operations_checked_after_every_step(void **state)
{
    for (uint32_t seed = 1; seed <= 4; seed++)
        run_random(*state, start_growing(*state, ARENA_BYTES), seed, 5000, 1);
}

static void test_K17_a_million_random_operations(void **state)
{
    struct fixture *fixture = *state;
    run_random(fixture, start_growing(fixture, ARENA_BYTES), 12345, 500000, 64);
    run_random(fixture, start_fixed(fixture, 262144), 54321, 250000, 64);
    fixture->arena.budget_bytes = 200 * HEAP_PAGE_SIZE_BYTES;
    run_random(fixture, start_growing(fixture, ARENA_BYTES), 777, 250000, 64);
}

/* --- K18: minima
 * -------------------------------------------------------------------------------------- */

static void test_K18_initialise_below_the_minimum_is_refused(void **state)
{
    struct fixture *fixture = *state;
    union heap_policies_storage untouched;
    memset(&untouched, 0x3c, sizeof untouched);
    for (size_t size_bytes = 0; size_bytes < 80; size_bytes += 16) {
        struct heap_configuration configuration = heap_arena_fixed(&fixture->arena, size_bytes);
        memset(&fixture->arena.storage, 0x3c, sizeof untouched);
        assert_int_equal(heap_initialise(&configuration, &fixture->heap), HEAP_TOO_SMALL);
        configuration.limit_bytes = 4096;
        assert_int_equal(heap_initialise(&configuration, &fixture->heap), HEAP_TOO_SMALL);
        assert_null(fixture->heap);
        assert_memory_equal(&fixture->arena.storage, &untouched, sizeof untouched);
    }
    struct heap *heap = start_fixed(fixture, 80);
    void *block = allocate(heap, 16);
    assert_null(heap_allocate(heap, 0, CALLER));
    assert_sound(heap);
    heap_free(heap, block, CALLER);
    assert_sound(heap);
}

static void test_K18_initialise_refuses_foreign_numbers(void **state)
{
    struct fixture *fixture = *state;
    struct heap_configuration good = heap_arena_fixed(&fixture->arena, 4096);
    struct heap_configuration bad = good;
    bad.base = (uint8_t *)good.base + 8;
    assert_int_equal(heap_initialise(&bad, &fixture->heap), HEAP_UNALIGNED);
    bad = good;
    bad.initial_bytes = 4095;
    assert_int_equal(heap_initialise(&bad, &fixture->heap), HEAP_UNALIGNED);
    bad = good;
    bad.limit_bytes = 4095;
    assert_int_equal(heap_initialise(&bad, &fixture->heap), HEAP_UNALIGNED);
    bad = good;
    bad.initial_bytes = 8192;
    assert_int_equal(heap_initialise(&bad, &fixture->heap), HEAP_TOO_LARGE);
    bad = good;
    bad.limit_bytes = SIZE_MAX - 15;
    assert_int_equal(heap_initialise(&bad, &fixture->heap), HEAP_TOO_LARGE);
    bad = good;
    bad.base = (void *)(UINTPTR_MAX - 4095);
    assert_int_equal(heap_initialise(&bad, &fixture->heap), HEAP_TOO_LARGE);
    bad = good;
    bad.base = NULL;
    assert_int_equal(heap_initialise(&bad, &fixture->heap), HEAP_TOO_SMALL);
    bad = heap_arena_growing(&fixture->arena, ARENA_BYTES);
    bad.base = fixture->arena.base + 16;
    assert_int_equal(heap_initialise(&bad, &fixture->heap), HEAP_UNALIGNED);
}

/* The storage is validated before anything is written to it. */
static void test_K18_initialise_refuses_storage_that_is_too_small(void **state)
{
    struct fixture *fixture = *state;
    struct heap_configuration good = heap_arena_fixed(&fixture->arena, 4096);
    struct heap_configuration bad = good;
    bad.storage = NULL;
    assert_int_equal(heap_initialise(&bad, &fixture->heap), HEAP_TOO_SMALL);
    bad = good;
    bad.storage_bytes = good.policy->storage_bytes - 1;
    assert_int_equal(heap_initialise(&bad, &fixture->heap), HEAP_TOO_SMALL);
    bad = good;
    bad.storage = (uint8_t *)good.storage + 8;
    assert_int_equal(heap_initialise(&bad, &fixture->heap), HEAP_UNALIGNED);
    assert_null(fixture->heap);
    good.storage_bytes = good.policy->storage_bytes;
    assert_int_equal(heap_initialise(&good, &fixture->heap), HEAP_OK);
    assert_ptr_equal(fixture->heap, good.storage);
}

static void test_K18_extend_below_the_minimum_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct heap_configuration configuration = heap_arena_fixed(&fixture->arena, 4096);
    configuration.limit_bytes = 8192;
    assert_int_equal(heap_initialise(&configuration, &fixture->heap), HEAP_OK);
    struct heap *heap = fixture->heap;

    heap_arena_set_usable(&fixture->arena, 8192);
    struct snapshot before = snapshot_take(fixture);
    assert_int_equal(heap_extend(heap, 0), HEAP_TOO_SMALL);
    assert_int_equal(heap_extend(heap, 32), HEAP_TOO_SMALL);
    assert_int_equal(heap_extend(heap, 100), HEAP_UNALIGNED);
    assert_int_equal(heap_extend(heap, 4112), HEAP_TOO_LARGE);
    snapshot_assert_same(&before, fixture);

    assert_int_equal(heap_extend(heap, 48), HEAP_OK);
    assert_sound(heap);
    (void)allocate(heap, 4000);
    assert_int_equal(heap_extend(heap, 4048), HEAP_OK);
    assert_sound(heap);
    (void)allocate(heap, 4000);
    assert_sound(heap);
}

/* --- Beyond the catalogue
 * ------------------------------------------------------------------------------ */

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

    /* "The largest request that succeeds without growing" is meant literally. */
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

#define ON_ARENA(test) cmocka_unit_test_setup_teardown(test, create_arena, destroy_arena)

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
        ON_ARENA(test_K9_every_bit_of_a_free_header_and_its_links),
        ON_ARENA(test_K9_smashed_neighbours_are_not_merged),
        ON_ARENA(test_K9_any_word_of_the_heap_may_be_smashed),
        ON_ARENA(test_K9_smashed_header_before_an_interior_pointer),
        ON_ARENA(test_K9_smashed_end_marker_ends_growth),
        ON_ARENA(test_check_compares_the_heap_with_its_state),
        ON_ARENA(test_K11_failed_growth_changes_nothing),
        ON_ARENA(test_K11_nth_growth_fails),
        ON_ARENA(test_K11_initial_growth_fails),
        ON_ARENA(test_K12_window_full),
        ON_ARENA(test_largest_block_of_a_growing_heap),
        ON_ARENA(test_growth_is_enough_for_the_request),
        ON_ARENA(test_free_tail_goes_back),
        ON_ARENA(test_K13_checkerboard_coalesces),
        ON_ARENA(test_smallest_that_fits_is_used),
        ON_ARENA(test_split_threshold),
        ON_ARENA(test_K14_zeroed_product_that_wraps_is_refused),
        ON_ARENA(test_K19_zeroing_leaves_no_stale_byte),
        ON_ARENA(test_K15_reallocation_of_null_and_to_zero),
        ON_ARENA(test_K15_every_pair_of_sizes_keeps_the_content),
        ON_ARENA(test_K15_growth_uses_free_memory_behind),
        ON_ARENA(test_K15_failure_leaves_the_old_block),
        ON_ARENA(test_K15_reallocation_keeps_the_alignment),
        ON_ARENA(test_K16_alignments_are_exact),
        ON_ARENA(test_K16_alignments_that_are_none_are_refused),
        ON_ARENA(test_K16_aligned_blocks_do_not_overlap),
        ON_ARENA(test_K17_random_operations_checked_after_every_step),
        ON_ARENA(test_K17_a_million_random_operations),
        ON_ARENA(test_K18_initialise_below_the_minimum_is_refused),
        ON_ARENA(test_K18_initialise_refuses_foreign_numbers),
        ON_ARENA(test_K18_initialise_refuses_storage_that_is_too_small),
        ON_ARENA(test_K18_extend_below_the_minimum_is_refused),
        ON_ARENA(test_statistics_are_exact),
        cmocka_unit_test(test_huge_heap),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
