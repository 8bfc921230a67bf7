/* Free memory of the fast policy whose pages are given back. The arena refuses every access to such
 * pages, so a heap that touches one stops at that instruction. */
#include "kernel/mm/heap/heap_end.h"
#include "kernel/mm/heap/policies/fast_piece.h"
#include "kernel/mm/heap/policy.h"
#include "tests/unit/support/heap_oracle.h"
#include "tests/unit/support/heap_policy_test.h"

#define COUNT 300

static struct heap *start_restoring(struct fixture *fixture, size_t limit_bytes)
{
    heap_arena_set_usable(&fixture->arena, 0);
    struct heap_configuration configuration = heap_arena_growing(&fixture->arena, limit_bytes);
    heap_arena_restore_pages(&fixture->arena, &configuration);
    fixture->arena.grow_count = 0;
    return start(fixture, configuration);
}

static bool is_of_fast(const struct fixture *fixture)
{
    return strcmp(fixture->policy->name, "fast") == 0;
}

static void assert_figures(const struct fixture *fixture)
{
    assert_sound(fixture->heap);
    assert_int_equal(fixture->arena.fault_count, 0);
    assert_int_equal(statistics_of(fixture->heap).absent_bytes, fixture->arena.absent_bytes);
}

/* Allocate blocks of one size, and a block that stays above them. Free the others. */
static void build_and_free(struct heap *heap, void **blocks, size_t size_bytes)
{
    for (unsigned i = 0; i < COUNT; i++)
        blocks[i] = memset(allocate(heap, size_bytes), (int)i, size_bytes);
    (void)allocate(heap, 100);
    for (unsigned i = 0; i < COUNT; i++)
        heap_free(heap, blocks[i], CALLER);
}

/* --- What stays present ----------------------------------------------------------------------- */

/* The policy's pages have 8 KiB. Less than two of them between other blocks are not worth a call,
 * and a page at each end of a run of free memory may be only partly free. Before and behind the
 * absent pages lie 16 and 32 bytes that stay present. */
#define RUN_BYTES (4 * (size_t)8192 + 48)
/* After a trim, less than twice this much stays at the heap's end. */
#define END_BYTES HEAP_END_KEEP_BYTES

/* The runs of free memory in order of address, and the other memory between them. */
struct presence {
    const struct heap_arena *arena;
    size_t run_bytes;     /* of the last run, which the walk may have reached: present bytes */
    size_t longest_bytes; /* of the runs before it */
    size_t run_count;
    size_t other_bytes; /* live blocks and the heap's own */
    size_t other_count;
};

static size_t present_bytes(const struct heap_arena *arena, const struct heap_piece *piece)
{
    size_t first = (size_t)((const uint8_t *)piece->start - arena->base);
    size_t end = first + piece->extent_bytes;
    size_t bytes = piece->extent_bytes;
    for (size_t page = first / HEAP_PAGE_SIZE_BYTES; page * HEAP_PAGE_SIZE_BYTES < end; page++) {
        if (arena->absent[page])
            bytes -= HEAP_PAGE_SIZE_BYTES;
    }
    return bytes;
}

static void add_piece(void *context, const struct heap_piece *piece)
{
    struct presence *presence = context;
    if (piece->kind == HEAP_PIECE_FREE) {
        presence->run_count += presence->run_bytes == 0;
        presence->run_bytes += present_bytes(presence->arena, piece);
        return;
    }
    presence->longest_bytes = larger(presence->longest_bytes, presence->run_bytes);
    presence->run_bytes = 0;
    presence->other_bytes += piece->extent_bytes;
    presence->other_count++;
}

/* Between the runs lie the live block, the map of absent pages, and leaves of the map where a run of
 * absent pages begins and ends. */
static void assert_little_is_present(const struct fixture *fixture)
{
    struct presence presence = {.arena = &fixture->arena};
    heap_walk(fixture->heap, add_piece, &presence);
    assert_in_range(presence.other_count, 1, 4);
    assert_true(presence.other_bytes < 2048);
    assert_true(presence.longest_bytes <= RUN_BYTES);
    assert_true(presence.run_bytes < 2 * END_BYTES);
    size_t header_bytes = 16 * (presence.run_count * 3 + presence.other_count);
    assert_true(heap_size_bytes(fixture->heap) - fixture->arena.absent_bytes <=
                2 * END_BYTES + presence.other_count * RUN_BYTES + presence.other_bytes +
                    header_bytes);
}

/* --- Giving back ------------------------------------------------------------------------------ */

/* The heap does this by itself while the program frees. Only the last part waits for a trim. The
 * live block may be in a hole below the last blocks. Then the end moves down, too. */
static void test_memory_under_a_live_block_goes_back(void **state)
{
    struct fixture *fixture = *state;
    if (!is_of_fast(fixture) || fixture->debug)
        return;
    for (size_t size_bytes = 500; size_bytes < 26000; size_bytes = size_bytes * 2 + 700) {
        static void *blocks[COUNT];
        struct heap *heap = start_restoring(fixture, ARENA_BYTES);
        build_and_free(heap, blocks, size_bytes);
        assert_figures(fixture);
        size_t freed_bytes = COUNT * size_bytes;
        if (freed_bytes > 3 * MIB)
            assert_true(fixture->arena.absent_bytes + 2 * MIB >= freed_bytes);
        assert_true(fixture->arena.discard_count <= 8 + freed_bytes / MIB);
        heap_trim(heap);
        assert_figures(fixture);
        assert_little_is_present(fixture);
    }
}

static bool is_slot(const struct heap *heap, void *block)
{
    return fast_piece_owner(fast_map_find(fast_of(heap), block), block) != &fast_no_slab;
}

/* The same when the last blocks of 3.5 MiB that are freed lie in slabs. */
static void test_memory_of_slabs_goes_back(void **state)
{
    static void *blocks[7 * MIB / 2 / 40];
    struct fixture *fixture = *state;
    if (!is_of_fast(fixture) || fixture->debug)
        return;
    for (size_t size_bytes = 40; size_bytes <= 4000; size_bytes *= 10) {
        struct heap *heap = start_restoring(fixture, ARENA_BYTES);
        size_t count = 7 * MIB / 2 / size_bytes;
        for (size_t i = 0; i < count; i++)
            blocks[i] = allocate(heap, size_bytes);
        (void)allocate(heap, 20000);
        for (size_t i = 0; i < count; i++) {
            if (is_slot(heap, blocks[i]))
                continue;
            heap_free(heap, blocks[i], CALLER);
            blocks[i] = NULL;
        }
        for (size_t i = 0; i < count; i++)
            heap_free(heap, blocks[i], CALLER);
        assert_true(fixture->arena.absent_bytes > MIB);
        assert_figures(fixture);
    }
}

/* A buffer that comes and goes below a live block keeps its pages. */
static void test_a_block_that_comes_and_goes_calls_nothing(void **state)
{
    struct fixture *fixture = *state;
    if (!is_of_fast(fixture) || fixture->debug)
        return;
    for (size_t size_bytes = 150000; size_bytes < 4 * MIB; size_bytes *= 3) {
        struct heap *heap = start_restoring(fixture, ARENA_BYTES);
        populate(heap, 100, 300); /* there is a map of slabs */
        void *block = allocate(heap, size_bytes);
        (void)allocate(heap, 2000);
        heap_free(heap, allocate(heap, 5000), CALLER); /* there is memory for a leaf of the map */
        for (unsigned i = 0; i < 200; i++) {
            heap_free(heap, block, CALLER);
            block = allocate(heap, size_bytes);
        }
        assert_figures(fixture);
        assert_true(fixture->arena.discard_count + fixture->arena.restore_count <= 2);
    }
}

/* Each round needs the pages again, so the heap looks less and less often. */
static void test_a_program_in_phases_calls_less_and_less(void **state)
{
    struct fixture *fixture = *state;
    if (!is_of_fast(fixture) || fixture->debug)
        return;
    static void *blocks[COUNT];
    struct heap *heap = start_restoring(fixture, 64 * MIB);
    build_and_free(heap, blocks, 20000);
    unsigned first_count = 0;
    for (unsigned round = 0; round < 8; round++) {
        for (unsigned i = 0; i < COUNT; i++)
            blocks[i] = allocate(heap, 20000);
        for (unsigned i = 0; i < COUNT; i++)
            heap_free(heap, blocks[i], CALLER);
        if (round == 0)
            first_count = fixture->arena.discard_count + fixture->arena.restore_count;
    }
    assert_true(fixture->arena.discard_count + fixture->arena.restore_count < 2 * first_count);
    assert_figures(fixture);
}

/* --- Taking again ----------------------------------------------------------------------------- */

static void test_absent_memory_is_used_before_the_heap_grows(void **state)
{
    struct fixture *fixture = *state;
    if (!is_of_fast(fixture) || fixture->debug)
        return;
    static void *blocks[COUNT];
    struct heap *heap = start_restoring(fixture, ARENA_BYTES);
    build_and_free(heap, blocks, 20000);
    heap_trim(heap);
    size_t size_bytes = heap_size_bytes(heap);
    size_t absent_bytes = fixture->arena.absent_bytes;
    uint8_t *block = heap_allocate_zeroed(heap, 1, 300000, CALLER);
    assert_non_null(block);
    for (size_t i = 0; i < 300000; i++)
        assert_int_equal(block[i], 0);
    assert_int_equal(heap_size_bytes(heap), size_bytes);
    size_t restored_bytes = absent_bytes - fixture->arena.absent_bytes;
    assert_true(restored_bytes >= 250000 && restored_bytes <= 320000);
    uint8_t *aligned = heap_allocate_aligned(heap, 200000, 65536, CALLER);
    assert_non_null(aligned);
    assert_int_equal((uintptr_t)aligned % 65536, 0);
    assert_int_equal(heap_size_bytes(heap), size_bytes);
    assert_figures(fixture);
    size_t largest_bytes = statistics_of(heap).largest_free_bytes;
    assert_true(largest_bytes > 3 * MIB);
    memset(allocate(heap, largest_bytes), 0x77, largest_bytes);
    assert_int_equal(heap_size_bytes(heap), size_bytes);
    assert_figures(fixture);
}

/* There are no frames for the pages: the request fails, and nothing is lost. */
static void test_a_restore_that_fails_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    if (!is_of_fast(fixture) || fixture->debug)
        return;
    static void *blocks[COUNT];
    struct heap *heap = start_restoring(fixture, ARENA_BYTES);
    build_and_free(heap, blocks, 20000);
    heap_trim(heap);
    size_t budget_bytes = fixture->arena.budget_bytes;
    size_t absent_bytes = fixture->arena.absent_bytes;
    fixture->arena.budget_bytes = heap_size_bytes(heap) - absent_bytes + 65536;
    assert_null(heap_allocate(heap, 500000, CALLER));
    assert_int_equal(fixture->arena.absent_bytes, absent_bytes);
    assert_figures(fixture);
    (void)allocate(heap, 50000);
    assert_null(heap_allocate(heap, 100000, CALLER));
    assert_figures(fixture);
    fixture->arena.budget_bytes = budget_bytes;
    (void)allocate(heap, 500000);
    assert_figures(fixture);
}

/* --- The end ---------------------------------------------------------------------------------- */

static void test_absent_memory_at_the_end_is_cut_off(void **state)
{
    struct fixture *fixture = *state;
    if (!is_of_fast(fixture) || fixture->debug)
        return;
    struct heap *heap = start_restoring(fixture, ARENA_BYTES);
    void *low = allocate(heap, 2 * MIB);
    void *middle = allocate(heap, 100);
    void *high = allocate(heap, 3 * MIB);
    void *top = allocate(heap, 100000);
    heap_free(heap, high, CALLER);
    heap_free(heap, low, CALLER);
    heap_trim(heap);
    assert_true(fixture->arena.absent_bytes > 9 * MIB / 2);
    assert_figures(fixture);
    heap_free(heap, top, CALLER);
    assert_true(heap_size_bytes(heap) < 9 * MIB / 4);
    assert_figures(fixture);
    heap_free(heap, middle, CALLER);
    heap_trim(heap); /* the map of absent pages may lie at the end */
    assert_true(heap_size_bytes(heap) < MIB / 4);
    assert_int_equal(fixture->arena.absent_bytes, 0);
    assert_figures(fixture);
}

/* The blocks between absent memory are freed first, so that one free lets all of it lie at the end.
 * The map of absent pages may stay there, and keep what is before it. It has room below. */
static void test_all_absent_memory_at_the_end_is_cut_off(void **state)
{
    struct fixture *fixture = *state;
    if (!is_of_fast(fixture) || fixture->debug)
        return;
    void *large[5];
    void *small[5];
    struct heap *heap = start_restoring(fixture, ARENA_BYTES);
    void *room = allocate(heap, 16000);
    for (unsigned i = 0; i < 5; i++) {
        large[i] = allocate(heap, MIB);
        small[i] = allocate(heap, 100);
    }
    void *top = allocate(heap, 100000);
    heap_free(heap, room, CALLER);
    for (unsigned i = 0; i < 5; i++)
        heap_free(heap, large[i], CALLER);
    heap_trim(heap);
    for (unsigned i = 0; i < 5; i++)
        heap_free(heap, small[i], CALLER);
    assert_true(fixture->arena.absent_bytes > 9 * MIB / 2);
    heap_free(heap, top, CALLER);
    assert_true(heap_size_bytes(heap) < 5 * MIB / 2);
    assert_figures(fixture);
}

/* --- Pointers --------------------------------------------------------------------------------- */

/* Expect one fault. Count it if it is a double free: where the map of absent pages lies now, the
 * pointer is into the heap's own memory. */
static void expect_refused(struct fixture *fixture, unsigned *double_free_count)
{
    bool is_double = fixture->arena.fault.kind == HEAP_FAULT_DOUBLE_FREE;
    assert_fault(fixture, is_double ? HEAP_FAULT_DOUBLE_FREE : HEAP_FAULT_BAD_POINTER);
    *double_free_count += is_double;
}

/* The heap reports a pointer into absent memory, and does not read there. */
static void test_pointers_into_absent_memory_are_reported(void **state)
{
    struct fixture *fixture = *state;
    if (!is_of_fast(fixture) || fixture->debug)
        return;
    static void *blocks[COUNT];
    unsigned double_free_count = 0;
    struct heap *heap = start_restoring(fixture, ARENA_BYTES);
    build_and_free(heap, blocks, 20000);
    heap_trim(heap);
    for (unsigned i = 0; i < COUNT; i++) {
        for (size_t offset_bytes = 0; offset_bytes < 20000; offset_bytes += 2512) {
            heap_free(heap, (uint8_t *)blocks[i] + offset_bytes, OTHER_CALLER);
            expect_refused(fixture, &double_free_count);
        }
        assert_null(heap_reallocate(heap, blocks[i], 5, OTHER_CALLER));
        expect_refused(fixture, &double_free_count);
        assert_int_equal(heap_usable_size(heap, blocks[i], OTHER_CALLER), 0);
        expect_refused(fixture, &double_free_count);
    }
    assert_true(double_free_count >= COUNT * 10 - 20);
    assert_figures(fixture);
}

/* --- Everything ------------------------------------------------------------------------------- */

/* Random operations, with each call of the page source failing once, and the heap trimmed often. */
static void test_random_operations_with_absent_memory(void **state)
{
    struct fixture *fixture = *state;
    static struct heap_oracle oracle;
    unsigned restored = 0;
    for (unsigned n = 0; n < 40; n++) {
        fixture->arena.failing_grow = 0;
        struct heap *heap = start_restoring(fixture, ARENA_BYTES);
        fixture->arena.failing_grow = n % 2 == 0 ? 0 : fixture->arena.grow_count + n;
        fixture->random.state = n;
        heap_oracle_begin(&oracle, heap, next_random, &fixture->random);
        oracle.largest_bytes = 20000 + 20000 * (size_t)n;
        oracle.block_limit = 40 + n;
        for (unsigned step = 0; step < 600; step++) {
            assert_no_problem(heap_oracle_step(&oracle));
            if (step % 16 == 0)
                heap_trim(heap);
            assert_no_problem(heap_oracle_check(&oracle));
        }
        assert_no_problem(heap_oracle_end(&oracle));
        assert_int_equal(fixture->arena.fault_count, 0);
        assert_int_equal(fixture->arena.absent_bytes, 0);
        restored += fixture->arena.restore_count;
    }
    assert_true(!is_of_fast(fixture) || restored > 100);
}

/* The debug layer's record was at the end of the block, which has no pages any more. */
static void test_K4_second_free_of_a_block_without_pages_is_reported(void **state)
{
    struct fixture *fixture = *state;
    if (!is_of_fast(fixture))
        return;
    for (size_t size_bytes = 100000; size_bytes < MIB; size_bytes += 7000) {
        struct heap *heap = start_restoring(fixture, ARENA_BYTES);
        populate(heap, 100, 300); /* there is a map of slabs */
        uint8_t *block = allocate(heap, size_bytes);
        (void)allocate(heap, 70000);
        heap_free(heap, block, CALLER);
        heap_trim(heap);
        assert_true(fixture->arena.absent_bytes != 0);
        size_t present_bytes = heap->functions->present_bytes(heap, block, size_bytes);
        assert_in_range(present_bytes, 1, 2 * 8192);
        (void)*(const volatile uint8_t *)(block + present_bytes - 1);
        assert_int_equal(heap->functions->present_bytes(heap, block, present_bytes), present_bytes);
        assert_int_equal(heap->functions->present_bytes(heap, block + present_bytes, 1), 0);
        heap_free(heap, block, OTHER_CALLER);
        assert_fault(fixture, HEAP_FAULT_DOUBLE_FREE);
        assert_true(fixture->arena.fault.is_free);
        heap_free(heap, block + 64, OTHER_CALLER);
        assert_fault(fixture, HEAP_FAULT_DOUBLE_FREE);
        assert_sound(heap);
    }
}

static const struct heap_policy_test TESTS[] = {
    TEST(test_K4_second_free_of_a_block_without_pages_is_reported),
    TEST(test_memory_under_a_live_block_goes_back),
    TEST(test_memory_of_slabs_goes_back),
    TEST(test_a_block_that_comes_and_goes_calls_nothing),
    TEST(test_a_program_in_phases_calls_less_and_less),
    TEST(test_absent_memory_is_used_before_the_heap_grows),
    TEST(test_a_restore_that_fails_changes_nothing),
    TEST(test_absent_memory_at_the_end_is_cut_off),
    TEST(test_all_absent_memory_at_the_end_is_cut_off),
    TEST(test_pointers_into_absent_memory_are_reported),
    TEST(test_random_operations_with_absent_memory),
};

int main(void)
{
    return heap_policy_test_run("heap absent", TESTS, sizeof TESTS / sizeof TESTS[0]);
}
