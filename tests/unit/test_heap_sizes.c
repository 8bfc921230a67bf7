/* Random requests of 1 byte to 40 KiB, for each policy that frees in any order. The requests come
 * in phases: all sizes, one size, medium sizes, and mostly frees. So slabs open, get sparse, and
 * are closed or dissolved while others fill. */
#include "kernel/diagnostics/heap_workload.h"
#include "kernel/mm/heap/heap_state.h"
#include "tests/unit/support/heap_policy_test.h"

#define LARGEST_BYTES   ((size_t)40 * 1024)
#define BLOCK_COUNT     600
#define OPERATIONS      6000
#define PHASE_LENGTH    1000
#define CHECK_DISTANCE  97
#define LONGEST_STRETCH 61 /* bytes between two that are compared */

enum phase { ALL_SIZES, ONE_SIZE, MEDIUM_SIZES, MOSTLY_FREES, PHASE_COUNT };

struct block {
    uint8_t *address; /* NULL for no block */
    size_t size_bytes;
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
};

/* --- Content ---------------------------------------------------------------------------------- */

static void assert_content(const struct block *block, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes; i += LONGEST_STRETCH)
        assert_int_equal(block->address[i], block->pattern);
    assert_int_equal(block->address[size_bytes - 1], block->pattern);
}

/* Each byte is written, so that a block which overlaps another changes its bytes. */
static void keep(struct run *run, struct block *block, uint8_t *address, size_t size_bytes)
{
    *block = (struct block){address, size_bytes, (uint8_t)heap_workload_next(&run->random)};
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

static void begin_phase(struct run *run)
{
    run->phase = heap_workload_next(&run->random) % PHASE_COUNT;
    run->phase_bytes = any_size(run);
    if (heap_workload_next(&run->random) % 4 == 0)
        heap_trim(run->heap);
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
        keep(run, block, address, size_bytes);
}

static void reallocate_one(struct run *run, struct block *block)
{
    size_t size_bytes = next_size(run);
    uint8_t *moved = heap_reallocate(run->heap, block->address, size_bytes, CALLER);
    if (moved == NULL)
        return;
    block->address = moved;
    assert_content(block, smaller(block->size_bytes, size_bytes));
    forget(run, block);
    keep(run, block, moved, size_bytes);
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

static void end(struct run *run)
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
}

static void run_seed(struct fixture *fixture, size_t size_bytes, uint64_t seed)
{
    static struct run run;
    run =
        (struct run){.heap = start_fixed(fixture, size_bytes), .random = heap_workload_start(seed)};
    if (heap_frees_newest_only(run.heap))
        return;
    for (unsigned i = 0; i < OPERATIONS; i++) {
        if (i % PHASE_LENGTH == 0)
            begin_phase(&run);
        operate(&run);
        if (i % CHECK_DISTANCE == 0)
            assert_figures(&run);
    }
    end(&run);
    assert_int_equal(fixture->arena.fault_count, 0);
}

/* The heap is full most of the time. */
static void test_short_memory(void **state)
{
    run_seed(*state, MIB, 1);
    run_seed(*state, MIB, 2);
}

static void test_enough_memory(void **state)
{
    run_seed(*state, ARENA_BYTES, 3);
    run_seed(*state, ARENA_BYTES, 4);
}

static const struct heap_policy_test TESTS[] = {
    TEST_OF_POLICY(test_short_memory),
    TEST_OF_POLICY(test_enough_memory),
};

int main(void)
{
    return heap_policy_test_run("all sizes", TESTS, sizeof TESTS / sizeof TESTS[0]);
}
