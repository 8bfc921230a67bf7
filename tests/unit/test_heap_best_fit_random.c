/* Random operations on a best-fit heap, compared with a separate oracle: catalogue K17. */
#include "tests/unit/support/best_fit_test.h"

#define ORACLE_BLOCK_LIMIT 128

struct oracle_block {
    uint8_t *address; /* NULL for no block */
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

/* Check that every block has its address and content, and that no two share a byte. Each block has
 * a different pattern, so an overlap changes a byte. Patterns may agree by chance, so the ranges
 * are compared, too. */
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

/* Mostly small, sometimes large, like the requests of a kernel. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_ARENA(test_K17_random_operations_checked_after_every_step),
        ON_ARENA(test_K17_a_million_random_operations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
