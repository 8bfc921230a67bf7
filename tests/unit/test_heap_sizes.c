/* Random requests of 1 byte to 40 KiB, for each policy that frees in any order. The requests come
 * in phases: all sizes, one size, medium sizes, and mostly frees. So slabs open, get sparse, and
 * are closed or dissolved while others fill. A request may fail only if the heap says that it has
 * no such block, and a heap with enough memory refuses none. */
#include "kernel/diagnostics/heap_workload.h"
#include "kernel/mm/heap/policies/fast.h"
#include "tests/unit/support/heap_policy_test.h"

#define LARGEST_BYTES   ((size_t)40 * 1024)
#define BLOCK_COUNT     900
#define OPERATIONS      40000
#define PHASE_LENGTH    2000
#define CHECK_DISTANCE  97
#define LONGEST_STRETCH 61 /* bytes between two that are compared */

enum phase { ALL_SIZES, ONE_SIZE, MEDIUM_SIZES, MOSTLY_FREES, PHASE_COUNT };

struct block {
    uint8_t *address; /* NULL for no block */
    size_t size_bytes;
    size_t alignment_bytes;
    uint8_t pattern;
};

struct run {
    struct heap *heap;
    struct heap_workload random;
    struct block blocks[BLOCK_COUNT];
    enum phase phase;
    size_t phase_bytes; /* the size in the phase ONE_SIZE */
    size_t live_count;
    size_t used_bytes;
    size_t failure_count;
    size_t fullest_bytes; /* the most that was used when a request failed */
    bool has_padded;      /* the fast policy has had slabs of this kind */
    bool has_dense;
    bool has_medium;
};

/* --- Content ---------------------------------------------------------------------------------- */

static void assert_content(const struct block *block, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes; i += LONGEST_STRETCH)
        assert_int_equal(block->address[i], block->pattern);
    assert_int_equal(block->address[size_bytes - 1], block->pattern);
}

/* Each byte is written, so that a block which overlaps another changes its bytes. */
static void keep(struct run *run, struct block *block, uint8_t *address, size_t size_bytes,
                 size_t alignment_bytes)
{
    *block = (struct block){address, size_bytes, alignment_bytes,
                            (uint8_t)heap_workload_next(&run->random)};
    memset(address, block->pattern, size_bytes);
    run->live_count++;
    run->used_bytes += size_bytes;
}

static void forget(struct run *run, struct block *block)
{
    run->live_count--;
    run->used_bytes -= block->size_bytes;
    block->address = NULL;
}

/* --- Operations ------------------------------------------------------------------------------- */

static size_t any_size(struct run *run)
{
    size_t most_bytes = (size_t)16 << heap_workload_next(&run->random) % 12;
    return heap_workload_between(&run->random, 1, smaller(most_bytes, LARGEST_BYTES));
}

static size_t next_size(struct run *run)
{
    if (run->phase == ONE_SIZE)
        return run->phase_bytes;
    if (run->phase == MEDIUM_SIZES)
        return heap_workload_between(&run->random, 1040, (size_t)16 * 1024);
    return any_size(run);
}

/* The one size is often a multiple of 16: the fast policy may put such blocks into dense slabs. */
static void begin_phase(struct run *run)
{
    run->phase = heap_workload_next(&run->random) % PHASE_COUNT;
    run->phase_bytes = heap_workload_next(&run->random) % 2 == 0
                           ? any_size(run)
                           : heap_workload_between(&run->random, 4, 32) * 16;
    if (heap_workload_next(&run->random) % 4 == 0)
        heap_trim(run->heap);
}

/* The policy has no block for the request. Then its figures say so. */
static void count_failure(struct run *run, size_t size_bytes, size_t alignment_bytes)
{
    if (alignment_bytes <= HEAP_ALIGNMENT_BYTES)
        assert_true(statistics_of(run->heap).largest_free_bytes < size_bytes);
    run->failure_count++;
    run->fullest_bytes = larger(run->fullest_bytes, run->used_bytes);
}

static void allocate_one(struct run *run, struct block *block)
{
    size_t size_bytes = next_size(run);
    size_t alignment_bytes = HEAP_ALIGNMENT_BYTES;
    if (heap_workload_next(&run->random) % 8 == 0)
        alignment_bytes <<= heap_workload_next(&run->random) % 9;
    uint8_t *address = heap_allocate_aligned(run->heap, size_bytes, alignment_bytes, CALLER);
    assert_int_equal((uintptr_t)address % alignment_bytes, 0);
    if (address != NULL)
        keep(run, block, address, size_bytes, alignment_bytes);
    else
        count_failure(run, size_bytes, alignment_bytes);
}

static void reallocate_one(struct run *run, struct block *block)
{
    size_t size_bytes = next_size(run);
    uint8_t *moved = heap_reallocate(run->heap, block->address, size_bytes, CALLER);
    if (moved == NULL) {
        count_failure(run, size_bytes, block->alignment_bytes);
        return;
    }
    block->address = moved;
    assert_content(block, smaller(block->size_bytes, size_bytes));
    forget(run, block);
    keep(run, block, moved, size_bytes, block->alignment_bytes);
}

static void operate(struct run *run)
{
    struct block *block = &run->blocks[heap_workload_next(&run->random) % BLOCK_COUNT];
    unsigned kind = heap_workload_next(&run->random) % 8;
    if (block->address == NULL) {
        if (run->phase != MOSTLY_FREES || kind < 4)
            allocate_one(run, block);
        return;
    }
    assert_content(block, block->size_bytes);
    assert_int_equal(heap_usable_size(run->heap, block->address, CALLER), block->size_bytes);
    if (kind == 0) {
        reallocate_one(run, block);
        return;
    }
    if (run->phase == ONE_SIZE && kind != 1 && block->size_bytes == run->phase_bytes)
        return; /* so that nearly all blocks get this size */
    heap_free(run->heap, block->address, CALLER);
    forget(run, block);
}

/* --- Runs ------------------------------------------------------------------------------------- */

static void assert_figures(const struct run *run)
{
    assert_sound(run->heap);
    assert_int_equal(statistics_of(run->heap).live_block_count, run->live_count);
    assert_int_equal(statistics_of(run->heap).used_bytes, run->used_bytes);
}

/* The largest request that succeeds is the one that the figures name. */
static void assert_largest(const struct run *run)
{
    size_t largest_bytes = statistics_of(run->heap).largest_free_bytes;
    assert_null(heap_allocate(run->heap, largest_bytes + 1, CALLER));
    heap_free(run->heap, allocate(run->heap, largest_bytes), CALLER);
}

static void note_slabs(struct run *run)
{
    const struct fast_class *classes = fast_of(run->heap)->classes;
    for (size_t i = 0; i < FAST_CLASS_COUNT; i++) {
        bool has_slab = classes[i].slot_count != 0;
        run->has_padded |= has_slab && i < FAST_PADDED_CLASSES;
        run->has_dense |= has_slab && i >= FAST_PADDED_CLASSES && i < FAST_FIRST_MEDIUM;
        run->has_medium |= has_slab && i >= FAST_FIRST_MEDIUM;
    }
}

/* All memory is one free block again. */
static void end(struct run *run, size_t all_bytes)
{
    for (size_t i = 0; i < BLOCK_COUNT; i++) {
        if (run->blocks[i].address == NULL)
            continue;
        assert_content(&run->blocks[i], run->blocks[i].size_bytes);
        heap_free(run->heap, run->blocks[i].address, CALLER);
        forget(run, &run->blocks[i]);
    }
    heap_trim(run->heap);
    assert_figures(run);
    assert_int_equal(statistics_of(run->heap).largest_free_bytes, all_bytes);
}

/* Return what happened. False: the policy does not free in any order. */
static bool run_seed(struct fixture *fixture, size_t size_bytes, uint64_t seed, struct run *ret_run)
{
    *ret_run =
        (struct run){.heap = start_fixed(fixture, size_bytes), .random = heap_workload_start(seed)};
    size_t all_bytes = statistics_of(ret_run->heap).largest_free_bytes;
    if (heap_frees_newest_only(ret_run->heap))
        return false;
    for (unsigned i = 0; i < OPERATIONS; i++) {
        if (i % PHASE_LENGTH == 0)
            begin_phase(ret_run);
        operate(ret_run);
        if (i % CHECK_DISTANCE != 0)
            continue;
        assert_figures(ret_run);
        if (fixture->policy == &heap_policy_fast)
            note_slabs(ret_run);
        if (i % (8 * CHECK_DISTANCE) == 0)
            assert_largest(ret_run);
    }
    end(ret_run, all_bytes);
    assert_int_equal(fixture->arena.fault_count, 0);
    return true;
}

static void assert_all_kinds_of_slabs(const struct fixture *fixture, const struct run *run)
{
    bool is_fast = fixture->policy == &heap_policy_fast;
    assert_int_equal(run->has_padded, is_fast);
    assert_int_equal(run->has_dense, is_fast);
    assert_int_equal(run->has_medium, is_fast);
}

/* The heap is full most of the time. Its blocks take seven of eight bytes when they take the most. */
static void test_short_memory(void **state)
{
    static struct run run;
    for (uint64_t seed = 1; seed <= 2; seed++) {
        if (!run_seed(*state, MIB, seed, &run))
            return;
        assert_true(run.failure_count > OPERATIONS / 16);
        assert_true(run.fullest_bytes >= MIB - MIB / 8);
    }
}

/* All blocks together take less than the heap has, so that each request succeeds. */
static void test_enough_memory(void **state)
{
    static struct run run;
    for (uint64_t seed = 3; seed <= 5; seed += 2) {
        if (!run_seed(*state, ARENA_BYTES, seed, &run))
            return;
        assert_int_equal(run.failure_count, 0);
        assert_all_kinds_of_slabs(*state, &run);
    }
}

static const struct heap_policy_test TESTS[] = {
    TEST_OF_POLICY(test_short_memory),
    TEST_OF_POLICY(test_enough_memory),
};

int main(void)
{
    return heap_policy_test_run("all sizes", TESTS, sizeof TESTS / sizeof TESTS[0]);
}
