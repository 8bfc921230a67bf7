/* Catalogue group K for each policy, alone and under the layer of heap_debug.h; test_heap.c looks
 * into best-fit alone, test_heap_debug.c into the layer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sanitizer/asan_interface.h>

#include <cmocka.h>

#include "kernel/mm/heap_policies.h"
#include "kernel/mm/heap/policies/sealed_block.h"
#include "kernel/mm/heap/policy.h"
#include "tests/unit/support/heap_arena.h"
#include "tests/unit/support/heap_episode.h"
#include "tests/unit/support/heap_oracle.h"
#include "tests/unit/support/random.h"

#define MIB         ((size_t)1 << 20)
#define ARENA_BYTES (8 * MIB)

/* What the tests run over. */
struct subject {
    const char *name;
    const struct heap_policy *policy;
    bool debug;
};

struct fixture {
    const struct heap_policy *policy;
    bool debug;
    struct heap_arena arena;
    struct heap *heap;
    struct random random;
};

static void *const CALLER = (void *)0x1111;
static void *const OTHER_CALLER = (void *)0x2222;

static int create_arena(void **state)
{
    const struct subject *subject = *state;
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->policy = subject->policy;
    fixture->debug = subject->debug;
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

static struct heap *start(struct fixture *fixture, struct heap_configuration configuration)
{
    configuration.policy = fixture->policy;
    heap_arena_set_debug(&fixture->arena, &configuration, fixture->debug);
    assert_int_equal(heap_initialise(&configuration, &fixture->heap), HEAP_OK);
    fixture->arena.fault_count = 0;
    return fixture->heap;
}

static struct heap *start_fixed(struct fixture *fixture, size_t size_bytes)
{
    return start(fixture, heap_arena_fixed(&fixture->arena, size_bytes));
}

static struct heap *start_growing(struct fixture *fixture, size_t limit_bytes)
{
    fixture->arena.grow_count = 0;
    return start(fixture, heap_arena_growing(&fixture->arena, limit_bytes));
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
    return statistics;
}

static void *allocate(struct heap *heap, size_t size_bytes)
{
    void *block = heap_allocate(heap, size_bytes, CALLER);
    assert_non_null(block);
    assert_int_equal((uintptr_t)block % HEAP_ALIGNMENT_BYTES, 0);
    return block;
}

static void assert_fault(struct fixture *fixture, enum heap_fault_kind kind)
{
    assert_int_equal(fixture->arena.fault_count, 1);
    if (fixture->arena.fault.kind != kind)
        fail_msg("%s (%s) instead of %s", heap_fault_kind_name(fixture->arena.fault.kind),
                 fixture->arena.fault.detail, heap_fault_kind_name(kind));
    assert_ptr_equal(fixture->arena.fault.caller, OTHER_CALLER);
    fixture->arena.fault_count = 0;
}

static void assert_no_problem(const char *problem)
{
    if (problem != NULL)
        fail_msg("%s", problem);
}

static uint32_t next_random(void *context)
{
    return (uint32_t)(random_next(context) >> 16);
}

/* Sizes at every edge that a policy may have. */
static const size_t SIZES[] = {0,   1,   7,   8,   9,   15,  16,  17,   23,   24,   25,  31,
                               32,  40,  47,  48,  63,  64,  65,  100,  128,  200,  255, 256,
                               257, 271, 272, 273, 500, 512, 999, 1024, 1048, 1049, 5000};
#define SIZE_COUNT (sizeof SIZES / sizeof SIZES[0])

/* Populations of a size: none; enough for slabs; so many that they are dense. */
static const unsigned POPULATIONS[] = {0, 150, 3000};
#define POPULATION_COUNT 3

/* Blocks of that size, so that the next one lies among them. */
static void populate(struct heap *heap, size_t size_bytes, unsigned count)
{
    for (unsigned i = 0; i < count && size_bytes <= 1024; i++)
        memset(allocate(heap, size_bytes), 0x41, size_bytes);
}

/* A heap in which no request succeeds any more. */
static void fill(struct heap *heap)
{
    for (size_t size_bytes = MIB; size_bytes != 0; size_bytes /= 2) {
        while (heap_allocate(heap, size_bytes, CALLER) != NULL)
            continue;
    }
    while (heap_allocate(heap, 0, CALLER) != NULL)
        continue;
}

/* --- K1 to K3, K14, K19: requests ------------------------------------------------------------- */

static void test_K1_size_zero_gives_a_block_of_its_own(void **state)
{
    struct heap *heap = start_fixed(*state, MIB);
    void *first = allocate(heap, 0);
    void *second = allocate(heap, 0);
    assert_ptr_not_equal(first, second);
    assert_int_equal(heap_usable_size(heap, first, CALLER), 0);
    heap_free(heap, second, CALLER);
    heap_free(heap, first, CALLER);
    assert_sound(heap);
    assert_int_equal(statistics_of(heap).live_block_count, 0);
}

/* Shipped elsewhere: the header is added to the size before that is judged, and wraps. */
static void test_K2_sizes_that_wrap_are_refused(void **state)
{
    struct heap *heap = start_growing(*state, ARENA_BYTES);
    uint8_t *block = allocate(heap, 40);
    memset(block, 0x77, 40);
    for (size_t below = 0; below <= 64; below++) {
        size_t size_bytes = SIZE_MAX - below;
        assert_null(heap_allocate(heap, size_bytes, CALLER));
        assert_null(heap_allocate(heap, size_bytes / 2, CALLER));
        assert_null(heap_allocate_zeroed(heap, 1, size_bytes, CALLER));
        assert_null(heap_allocate_aligned(heap, size_bytes, 4096, CALLER));
        assert_null(heap_allocate_aligned(heap, 16, (SIZE_MAX >> 1) + 1, CALLER));
        assert_null(heap_allocate_aligned(heap, size_bytes, (SIZE_MAX >> 1) + 1, CALLER));
        assert_null(heap_reallocate(heap, block, size_bytes, CALLER));
        assert_int_equal(statistics_of(heap).failure_count, (below + 1) * 7);
    }
    assert_sound(heap);
    for (size_t i = 0; i < 40; i++)
        assert_int_equal(block[i], 0x77);
}

static void test_K3_free_of_null_is_ignored(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_fixed(fixture, MIB);
    heap_free(heap, NULL, CALLER);
    assert_int_equal(heap_usable_size(heap, NULL, CALLER), 0);
    assert_int_equal(fixture->arena.fault_count, 0);
    assert_int_equal(statistics_of(heap).free_count, 0);
}

static void test_K14_zeroed_product_that_wraps_is_refused(void **state)
{
    struct heap *heap = start_fixed(*state, MIB);
    assert_null(heap_allocate_zeroed(heap, SIZE_MAX, 2, CALLER));
    assert_null(heap_allocate_zeroed(heap, 2, SIZE_MAX, CALLER));
    assert_null(heap_allocate_zeroed(heap, (size_t)1 << 32, ((size_t)1 << 32) + 1, CALLER));
    assert_int_equal(statistics_of(heap).failure_count, 3);
    assert_non_null(heap_allocate_zeroed(heap, 0, SIZE_MAX, CALLER));
    assert_non_null(heap_allocate_zeroed(heap, SIZE_MAX, 0, CALLER));
    assert_sound(heap);
}

static void test_K19_zeroing_leaves_no_stale_byte(void **state)
{
    for (size_t s = 0; s < SIZE_COUNT; s++) {
        struct heap *heap = start_fixed(*state, 8 * MIB);
        for (unsigned round = 0; round < 100; round++) {
            void *dirty = allocate(heap, SIZES[s]);
            memset(dirty, 0xcd, SIZES[s]);
            heap_free(heap, dirty, CALLER);
            uint8_t *block = heap_allocate_zeroed(heap, 1, SIZES[s], CALLER);
            assert_non_null(block);
            for (size_t i = 0; i < SIZES[s]; i++)
                assert_int_equal(block[i], 0);
        }
        assert_sound(heap);
    }
}

/* A request for zeros, or any other operation. False if something was not zero. */
static bool step_of_zeros(struct heap *heap, struct random *random, uint8_t **blocks, size_t *sizes,
                          size_t count)
{
    size_t i = random_below(random, count);
    bool is_large = random_below(random, 4) == 0;
    size_t size_bytes = random_below(random, is_large ? MIB : 3000);
    if (blocks[i] != NULL && random_below(random, 5) == 0) {
        uint8_t *moved = heap_reallocate(heap, blocks[i], size_bytes + 1, CALLER);
        blocks[i] = moved == NULL ? blocks[i] : moved;
        sizes[i] = moved == NULL ? sizes[i] : size_bytes + 1;
    } else if (blocks[i] != NULL) {
        heap_free(heap, blocks[i], CALLER);
        blocks[i] = NULL;
        return true;
    } else {
        sizes[i] = size_bytes;
        blocks[i] = heap_allocate_zeroed(heap, 1, size_bytes, CALLER);
        for (size_t at = 0; blocks[i] != NULL && at < size_bytes; at++) {
            if (blocks[i][at] != 0)
                return false;
        }
    }
    if (blocks[i] != NULL)
        memset(blocks[i], 0xcd, sizes[i]);
    return true;
}

/* The heap gives memory back and gets it again, as zeros or as it was left. */
static void test_K19_zeros_after_growing_and_shrinking(void **state)
{
    struct fixture *fixture = *state;
    for (uint64_t seed = 1; seed < 8; seed++) {
        struct heap_configuration configuration = heap_arena_growing(&fixture->arena, ARENA_BYTES);
        heap_arena_track_fresh(&fixture->arena, &configuration,
                               seed * UINT64_C(0x9e3779b97f4a7c15));
        struct heap *heap = start(fixture, configuration);
        bool newest_only = heap_frees_newest_only(heap);
        uint8_t *blocks[24] = {0};
        size_t sizes[24];
        fixture->random.state = seed;
        for (unsigned step = 0; step < 600; step++) {
            /* With one place its block is always the newest. */
            size_t count = newest_only ? 1 : random_below(&fixture->random, 23) + 1;
            if (!step_of_zeros(heap, &fixture->random, blocks, sizes, count))
                fail_msg("seed %u, step %u: a byte is not zero", (unsigned)seed, step);
            if (step % 50 == 0)
                heap_trim(heap);
        }
        assert_true(fixture->arena.shrink_count != 0);
        assert_int_equal(fixture->arena.fault_count, 0);
        assert_sound(heap);
    }
}

/* A request may take memory for records of the policy, give it back because there is too little,
 * and then be given the same memory as a block. `left_bytes` are free at the heap's end before. */
static void judge_zeros_where_little_is_left(struct fixture *fixture, size_t left_bytes)
{
    struct heap_configuration configuration = heap_arena_growing(&fixture->arena, 4 * MIB);
    struct heap_statistics statistics;
    heap_arena_track_fresh(&fixture->arena, &configuration, 0);
    struct heap *heap = start(fixture, configuration);
    (void)allocate(heap, 200);
    heap_statistics(heap, &statistics);
    (void)allocate(heap, statistics.largest_free_bytes - left_bytes);
    for (unsigned n = 0; n < 20; n++) {
        uint8_t *block = heap_allocate_zeroed(heap, 1, 200, CALLER);
        assert_non_null(block);
        for (size_t at = 0; at < 200; at++) {
            if (block[at] != 0)
                fail_msg("%zu bytes left, block %u: a byte is not zero", left_bytes, n);
        }
        memset(block, 0xcd, 200);
    }
    assert_sound(heap);
}

static void test_K19_zeros_where_records_were_given_back(void **state)
{
    for (size_t left_bytes = 4096; left_bytes < 12288; left_bytes += 240)
        judge_zeros_where_little_is_left(*state, left_bytes);
}

struct free_pieces {
    size_t least_bytes;
    size_t count; /* of at least that size */
    size_t total_bytes;
    uintptr_t place_sum;
    size_t other_count;
};

static void count_free_piece(void *context, const struct heap_piece *piece)
{
    struct free_pieces *pieces = context;
    if (piece->kind != HEAP_PIECE_FREE || piece->extent_bytes < pieces->least_bytes) {
        pieces->other_count++;
        return;
    }
    pieces->count++;
    pieces->total_bytes += piece->extent_bytes;
    pieces->place_sum += (uintptr_t)piece->start;
}

/* Free pieces are found without a look at the blocks that live. */
static void test_free_pieces_are_found_without_a_walk(void **state)
{
    struct fixture *fixture = *state;
    static void *blocks[3000];
    if (fixture->policy->functions->walk_free == NULL)
        return;
    struct heap *heap = start_fixed(fixture, ARENA_BYTES);
    for (size_t i = 0; i < 3000; i++)
        blocks[i] = heap_allocate(heap, random_below(&fixture->random, 6000), CALLER);
    for (unsigned round = 0; round < 8; round++) {
        for (size_t i = round; i < 3000; i += 8) {
            heap_free(heap, blocks[i], CALLER);
            blocks[i] = NULL;
        }
        struct free_pieces walked = {.least_bytes = round < 4 ? 4352 : 9000};
        struct free_pieces found = {.least_bytes = walked.least_bytes};
        fixture->policy->functions->walk(heap, count_free_piece, &walked);
        fixture->policy->functions->walk_free(heap, found.least_bytes, count_free_piece, &found);
        assert_int_equal(found.count, walked.count);
        assert_int_equal(found.total_bytes, walked.total_bytes);
        assert_int_equal(found.place_sum, walked.place_sum);
        assert_true(found.other_count <= walked.count + 16); /* of the first bin */
    }
    assert_sound(heap);
}

/* What is known to be zero is not written to: pages that the source says are zero, and are not, say
 * so. */
static void test_zeroing_leaves_fresh_pages_alone(void **state)
{
    struct fixture *fixture = *state;
    const size_t size_bytes = 3 * MIB;
    for (unsigned growths = 0; growths < 2; growths++) {
        struct heap_configuration configuration = heap_arena_growing(&fixture->arena, ARENA_BYTES);
        heap_arena_track_fresh(&fixture->arena, &configuration, 0);
        ASAN_UNPOISON_MEMORY_REGION(fixture->arena.base, ARENA_BYTES);
        memset(fixture->arena.base, 0x77, ARENA_BYTES);
        struct heap *heap = start(fixture, configuration);
        if (growths != 0)
            heap_free(heap, allocate(heap, 200000), CALLER);
        const uint8_t *block = heap_allocate_zeroed(heap, 1, size_bytes, CALLER);
        assert_non_null(block);
        size_t written_bytes = 0;
        for (size_t i = 0; i < size_bytes; i++)
            written_bytes += block[i] == 0;
        size_t edge_bytes = fixture->debug ? 2 * HEAP_DEBUG_EDGE_BYTES : 0;
        assert_true(written_bytes >= edge_bytes);
        assert_true(written_bytes <= edge_bytes + growths * 200000 + 1000);
        assert_sound(heap);
    }
}

/* Shipped elsewhere: more is said to be usable than may be written. */
static void test_usable_size_is_what_was_asked_for(void **state)
{
    for (size_t s = 0; s < SIZE_COUNT; s++) {
        struct heap *heap = start_fixed(*state, 8 * MIB);
        for (unsigned i = 0; i < 2000 && i * SIZES[s] < 4 * MIB; i++) {
            uint8_t *block = allocate(heap, SIZES[s]);
            assert_int_equal(heap_usable_size(heap, block, CALLER), SIZES[s]);
            memset(block, 0xff, SIZES[s]);
        }
        assert_sound(heap);
    }
}

/* --- K4 to K7: pointers that are no blocks ---------------------------------------------------- */

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

/* All blocks are freed, newest first; then each a second time, when it may have merged with others
 * or lie in pages that are no slab any more. */
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

/* A second free names the block as it was asked for, whatever it has been merged with since. */
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
    assert_string_equal(fault->detail, "the block is free already");
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
            /* What lies behind is a block, or free. */
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

/* The same of many blocks, when whatever was kept for such blocks has been given up. A block at the
 * end of all that may be named as free memory: that is where the policy keeps what it needs. And
 * what an earlier heap left passes for a note once in 2^17 times. */
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

/* Memory that never was a block, or is not known to have been one, is called what it is. */
static void test_K4_free_memory_is_not_taken_for_a_block(void **state)
{
    struct fixture *fixture = *state;
    const struct heap_fault *fault = &fixture->arena.fault;
    struct heap *heap = start_fixed(fixture, MIB);
    uint8_t *block = allocate(heap, 5000);
    heap_free(heap, block, CALLER);
    for (size_t offset = 1; offset < 8000; offset++) {
        heap_free(heap, block + offset, OTHER_CALLER);
        assert_fault(fixture, HEAP_FAULT_DOUBLE_FREE);
        assert_true(fault->is_free);
        assert_int_equal(fault->size_bytes, 0);
        assert_null(fault->allocated_by);
        assert_true(block + offset >= (const uint8_t *)fault->block);
        assert_true(block + offset < (const uint8_t *)fault->block + fault->free_bytes);
    }
    /* The memory is used again: what was freed there first does not count any more. */
    uint8_t *again = allocate(heap, 300);
    assert_ptr_equal(again, block);
    heap_free(heap, again, CALLER);
    assert_freed_block_is_named(fixture, block, 300);
    assert_sound(heap);
}

/* Of a freed block a part is used again, or went back to the page source: a second free names all
 * of it, or none. */
static void test_K4_what_is_left_of_a_freed_block(void **state)
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

/* Every address of the heap that is no live block, its own tables included, is refused. The blocks
 * are so many of one size, and so few of others. */
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

/* Whatever hash a word carries, one of these is right: it must not make a block that reaches beyond
 * the heap, nor one of no length. */
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

/* Many blocks are freed; then all of their memory is one block, and none of what is left in it of
 * the old ones passes for another. */
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
        /* Every other one first, so that each merges with what is on both sides; or newest first.
         */
        for (unsigned i = 300; i > 0 && first != 0 && !heap_frees_newest_only(heap); i -= 2)
            heap_free(heap, blocks[i - 1], CALLER);
        for (unsigned i = 300; i > 0; i--) {
            if (first == 0 || heap_frees_newest_only(heap) || i % 2 == 1)
                heap_free(heap, blocks[i - 1], CALLER);
        }
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

/* A block as it stands, with the headers before and behind it, is none at another address. */
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

/* --- K8, K9: writes where none may be --------------------------------------------------------- */

static const uint8_t DIFFERENCES[] = {0x01, 0x80, 0xff, 0x41 ^ 0xbf};

/* Change `count` bytes at `offset` of a block between two others, then free it. */
static void assert_overrun_is_found(struct fixture *fixture, size_t size_bytes, unsigned population,
                                    ptrdiff_t offset, size_t count, uint8_t difference)
{
    struct heap *heap = start_fixed(fixture, ARENA_BYTES);
    populate(heap, size_bytes, population);
    (void)allocate(heap, size_bytes);
    uint8_t *block = allocate(heap, size_bytes);
    memset(block, 0x41, size_bytes);
    if (!heap_frees_newest_only(heap))
        (void)allocate(heap, size_bytes);
    for (size_t i = 0; i < count; i++)
        block[offset + (ptrdiff_t)i] ^= difference;
    assert_non_null(heap_check(heap));
    heap_free(heap, block, OTHER_CALLER);
    assert_fault(fixture, HEAP_FAULT_OVERRUN);
    assert_ptr_equal(fixture->arena.fault.pointer, block);
    assert_null(heap_allocate(heap, 16, CALLER));
    heap_free(heap, block, CALLER);
    assert_int_equal(fixture->arena.fault_count, 0);
}

static void test_K8_overflow(void **state)
{
    for (size_t s = 0; s < SIZE_COUNT; s++) {
        for (size_t p = 0; p < 2; p++) {
            for (size_t d = 0; d < sizeof DIFFERENCES; d++) {
                assert_overrun_is_found(*state, SIZES[s], POPULATIONS[p], (ptrdiff_t)SIZES[s], 1,
                                        DIFFERENCES[d]);
                assert_overrun_is_found(*state, SIZES[s], POPULATIONS[p], (ptrdiff_t)SIZES[s], 8,
                                        DIFFERENCES[d]);
            }
        }
    }
}

static void test_K8_underflow(void **state)
{
    for (size_t s = 0; s < SIZE_COUNT; s++) {
        for (size_t d = 0; d < sizeof DIFFERENCES; d++) {
            assert_overrun_is_found(*state, SIZES[s], 0, -1, 1, DIFFERENCES[d]);
            assert_overrun_is_found(*state, SIZES[s], 0, -8, 8, DIFFERENCES[d]);
        }
    }
}

/* In a slab the bytes before a block are the end of another, so that may be what is reported; but
 * nothing is lost: one of the two frees finds it. */
static void test_K8_underflow_in_a_population(void **state)
{
    struct fixture *fixture = *state;
    for (size_t s = 0; s < SIZE_COUNT; s++) {
        for (size_t d = 0; d < sizeof DIFFERENCES; d++) {
            for (size_t count = 1; count <= 8; count += 7) {
                struct heap *heap = start_fixed(fixture, ARENA_BYTES);
                populate(heap, SIZES[s], 150);
                uint8_t *before = allocate(heap, SIZES[s]);
                memset(before, 0x41, SIZES[s]);
                uint8_t *block = allocate(heap, SIZES[s]);
                for (size_t i = 1; i <= count; i++)
                    *(block - i) ^= DIFFERENCES[d];
                assert_non_null(heap_check(heap));
                heap_free(heap, block, OTHER_CALLER);
                /* The low half of the last byte may be part of the other block's size. */
                assert_true(fixture->arena.fault_count == 1 || DIFFERENCES[d] < 0x10);
                if (fixture->arena.fault_count == 0)
                    heap_free(heap, before, OTHER_CALLER);
                assert_fault(fixture, HEAP_FAULT_OVERRUN);
            }
        }
    }
}

/* Each bit of a header, and of what a free block's payload holds of the heap, is changed; then the
 * heap is used until it falls on it. Whatever it does, it does not go on in silence. */
static void use_everything(struct heap *heap, void **blocks, unsigned count)
{
    for (unsigned i = count; i > 0; i--)
        heap_free(heap, blocks[i - 1], OTHER_CALLER);
    heap_trim(heap);
    while (heap_allocate(heap, 24, OTHER_CALLER) != NULL)
        continue;
}

static void test_K9_smashed_headers_and_links_are_found(void **state)
{
    struct fixture *fixture = *state;
    const unsigned count = 16;
    /* So that no block has room between its end and the next header. */
    const size_t least_bytes = fixture->debug ? 33 : 24;
    for (size_t word = 0; word < 2048 / 8; word++) {
        for (unsigned bit = 0; bit < 64; bit += 3) {
            struct heap *heap = start_fixed(fixture, 4096);
            void *blocks[16];
            for (unsigned i = 0; i < count; i++)
                blocks[i] = allocate(heap, least_bytes + 16 * (i % 4));
            if (!heap_frees_newest_only(heap)) {
                for (unsigned i = 1; i < count; i += 3) {
                    heap_free(heap, blocks[i], CALLER);
                    blocks[i] = NULL;
                }
                heap_trim(heap);
            }
            uint8_t *damaged = fixture->arena.base + 8 + word * 8 + bit / 8;
            *damaged ^= (uint8_t)(1 << bit % 8);
            bool is_found = heap_check(heap) != NULL;
            use_everything(heap, blocks, count);
            assert_int_equal(fixture->arena.fault_count, is_found);
        }
    }
}

/* The header of a free block between live ones is proved before its memory is handed out. */
static void test_K9_a_freed_block_is_proved_when_it_is_used_again(void **state)
{
    struct fixture *fixture = *state;
    for (size_t s = 0; s < SIZE_COUNT; s++) {
        for (unsigned bit = 0; bit < 64; bit++) {
            struct heap *heap = start_fixed(fixture, MIB);
            if (heap_frees_newest_only(heap))
                return;
            uint8_t *block = allocate(heap, SIZES[s]);
            (void)allocate(heap, 100);
            heap_free(heap, block, CALLER);
            block[-8 + (ptrdiff_t)(bit / 8)] ^= (uint8_t)(1 << bit % 8);
            assert_null(heap_allocate(heap, SIZES[s], OTHER_CALLER));
            assert_fault(fixture, HEAP_FAULT_CORRUPT);
        }
    }
}

/* Links that lead into a live block are proved before anything is written where they lead. */
static void test_K9_forged_links_write_nothing(void **state)
{
    struct fixture *fixture = *state;
    const size_t size_bytes = 4005; /* has a canary of its own: the next header is not it */
    for (unsigned which = 0; which < 2; which++) {
        struct heap *heap = start_fixed(fixture, MIB);
        if (heap_frees_newest_only(heap))
            return;
        uint8_t *victim = allocate(heap, size_bytes);
        memset(victim, 0x5a, size_bytes);
        uint8_t *before = allocate(heap, size_bytes);
        uint8_t *freed = allocate(heap, size_bytes);
        (void)allocate(heap, size_bytes);
        heap_free(heap, freed, CALLER);
        uint32_t links[2] = {0, 0};
        links[which] = (uint32_t)((victim - fixture->arena.base) / 16);
        memcpy(freed, links, sizeof links);
        heap_free(heap, before, OTHER_CALLER);
        assert_fault(fixture, HEAP_FAULT_CORRUPT);
        for (size_t i = 0; i < size_bytes; i++)
            assert_int_equal(victim[i], 0x5a);
    }
}

/* --- K11, K12: growth ------------------------------------------------------------------------- */

/* Each call of the page source fails once, for every n, under a random load. */
static void test_K11_nth_growth_fails(void **state)
{
    struct fixture *fixture = *state;
    static struct heap_oracle oracle;
    for (unsigned n = 1; n < 40; n++) {
        fixture->arena.failing_grow = 0;
        struct heap *heap = start_growing(fixture, ARENA_BYTES);
        fixture->arena.failing_grow = fixture->arena.grow_count + n;
        fixture->random.state = n;
        heap_oracle_begin(&oracle, heap, next_random, &fixture->random);
        for (unsigned step = 0; step < 600; step++) {
            assert_no_problem(heap_oracle_step(&oracle));
            if (step % 20 == 0)
                assert_no_problem(heap_oracle_check(&oracle));
        }
        assert_no_problem(heap_oracle_end(&oracle));
        assert_int_equal(fixture->arena.fault_count, 0);
    }
}

/* The usual step cannot be had any more, but what the request needs can. */
static void test_K11_growth_takes_what_there_is(void **state)
{
    struct fixture *fixture = *state;
    const size_t budget_bytes = 19 * HEAP_PAGE_SIZE_BYTES;
    struct heap *heap = start_growing(fixture, ARENA_BYTES);
    fixture->arena.budget_bytes = budget_bytes;
    while (heap_allocate(heap, 1000, CALLER) != NULL)
        continue;
    assert_int_equal(heap_size_bytes(heap), budget_bytes);
    assert_int_equal(statistics_of(heap).failure_count, 1);
    assert_sound(heap);
}

/* Growing for a request that fails all the same would take memory from everybody else. */
static void test_K12_a_request_that_cannot_fit_grows_nothing(void **state)
{
    struct heap *heap = start_growing(*state, MIB);
    (void)allocate(heap, 200000);
    size_t size_bytes = heap_size_bytes(heap);
    assert_null(heap_allocate(heap, MIB - 100000, CALLER));
    assert_int_equal(heap_size_bytes(heap), size_bytes);
    assert_sound(heap);
}

/* The last step of growth is what is left of the limit. */
static void test_K12_nothing_is_asked_for_beyond_the_limit(void **state)
{
    struct fixture *fixture = *state;
    const size_t limit_bytes = 21 * HEAP_PAGE_SIZE_BYTES;
    struct heap *heap = start_growing(fixture, limit_bytes);
    while (heap_allocate(heap, 1000, CALLER) != NULL)
        assert_true(fixture->arena.usable_bytes <= limit_bytes);
    assert_int_equal(heap_size_bytes(heap), limit_bytes);
    assert_int_equal(fixture->arena.usable_bytes, limit_bytes);
    assert_sound(heap);
}

static void test_K12_window_full(void **state)
{
    struct fixture *fixture = *state;
    for (size_t s = 0; s < SIZE_COUNT; s++) {
        struct heap *heap = start_growing(fixture, 2 * MIB);
        static void *blocks[MIB];
        size_t count = 0;
        while ((blocks[count] = heap_allocate(heap, SIZES[s], CALLER)) != NULL)
            count++;
        assert_int_equal(heap_size_bytes(heap), 2 * MIB);
        size_t overhead_bytes = fixture->debug ? 56 + 88 : 56;
        assert_true(count >= 2 * MIB / (SIZES[s] + overhead_bytes) - 8);
        assert_null(heap_allocate(heap, SIZES[s], CALLER));
        assert_sound(heap);
        size_t second = count;
        while (second > count / 2)
            heap_free(heap, blocks[--second], CALLER);
        while ((blocks[second] = heap_allocate(heap, SIZES[s], CALLER)) != NULL)
            second++;
        assert_true(second >= count - count / 20);
        while (second > 0)
            heap_free(heap, blocks[--second], CALLER);
        heap_trim(heap);
        assert_sound(heap);
        assert_int_equal(statistics_of(heap).free_block_count, 1);
        assert_true(heap_size_bytes(heap) <= MIB / 4);
    }
}

static void test_free_tail_goes_back(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_growing(fixture, ARENA_BYTES);
    void *small = allocate(heap, 100);
    void *large = allocate(heap, 6000000);
    memset(large, 0xee, 6000000);
    heap_free(heap, large, CALLER);
    assert_true(fixture->arena.usable_bytes <= MIB / 4);
    assert_int_equal(heap_size_bytes(heap), fixture->arena.usable_bytes);
    assert_sound(heap);

    /* Under the layer, so many blocks wait that the next one pushes one out. */
    for (unsigned i = 0; fixture->debug && i < 400; i++)
        heap_free(heap, allocate(heap, 8192), CALLER);
    /* What is left is no excuse for going back and forth. */
    unsigned calls = fixture->arena.grow_count + fixture->arena.shrink_count;
    for (unsigned i = 0; i < 100; i++)
        heap_free(heap, allocate(heap, 8192), CALLER);
    assert_int_equal(fixture->arena.grow_count + fixture->arena.shrink_count, calls);
    heap_free(heap, small, CALLER);
}

/* Between blocks that live, too, without touching what is the heap's or theirs. */
static void test_trimming_discards_free_pages(void **state)
{
    struct fixture *fixture = *state;
    static uint8_t *blocks[400];
    for (size_t size_bytes = 100; size_bytes <= 20000; size_bytes = size_bytes * 3 / 2 + 7) {
        struct heap *heap = start_growing(fixture, ARENA_BYTES);
        if (heap_frees_newest_only(heap))
            return;
        for (unsigned i = 0; i < 400; i++)
            blocks[i] = memset(allocate(heap, size_bytes), (int)i, size_bytes);
        /* One in eight stays, and the last. */
        size_t freed_bytes = 0;
        for (unsigned i = 0; i < 399; i++) {
            if (i % 8 == 0)
                continue;
            heap_free(heap, blocks[i], CALLER);
            blocks[i] = NULL;
            freed_bytes += size_bytes;
        }
        fixture->arena.discarded_bytes = 0;
        heap_trim(heap);
        assert_int_equal(fixture->arena.fault_count, 0);
        if (size_bytes > 4096)
            assert_true(fixture->arena.discarded_bytes > freed_bytes / 2);
        assert_true(fixture->arena.discarded_bytes <= heap_size_bytes(heap));
        assert_sound(heap);
        for (unsigned i = 0; i < 400; i++) {
            for (size_t k = 0; blocks[i] != NULL && k < size_bytes; k++)
                assert_int_equal(blocks[i][k], (uint8_t)i);
        }
        for (unsigned i = 0; i < 400; i++) {
            if (blocks[i] == NULL)
                blocks[i] = allocate(heap, size_bytes);
        }
        for (unsigned i = 0; i < 400; i++)
            heap_free(heap, blocks[i], CALLER);
        assert_sound(heap);
    }
}

/* Wherever free memory begins and ends in its pages, what the policy keeps there stays. */
static void test_trimming_leaves_links_and_footers(void **state)
{
    struct fixture *fixture = *state;
    for (size_t offset = 0; offset < HEAP_PAGE_SIZE_BYTES; offset += 16) {
        struct heap *heap = start_growing(fixture, ARENA_BYTES);
        if (heap_frees_newest_only(heap))
            return;
        (void)allocate(heap, offset + 2000);
        void *first = allocate(heap, 12000);
        (void)allocate(heap, 2000);
        void *second = allocate(heap, 12000 + offset);
        void *last = allocate(heap, 2000);
        heap_free(heap, first, CALLER);
        heap_free(heap, second, CALLER);
        fixture->arena.discarded_bytes = 0;
        heap_trim(heap);
        assert_true(fixture->arena.discarded_bytes >= 4 * HEAP_PAGE_SIZE_BYTES);
        assert_sound(heap);
        (void)allocate(heap, 12000);
        heap_free(heap, last, CALLER);
        assert_sound(heap);
        assert_int_equal(fixture->arena.fault_count, 0);
    }
}

/* --- K13: merging ------------------------------------------------------------------------------
 */

/* Of a full heap every third block is freed: as many of that size can be had again, and no more. */
static void test_K13_freed_blocks_serve_their_size_again(void **state)
{
    struct fixture *fixture = *state;
    static void *blocks[MIB / 16];
    for (size_t s = 0; s < SIZE_COUNT; s += 2) {
        struct heap *heap = start_fixed(fixture, MIB);
        if (heap_frees_newest_only(heap))
            return;
        size_t block_count = 0;
        size_t freed_count = 0;
        while ((blocks[block_count] = heap_allocate(heap, SIZES[s], CALLER)) != NULL)
            block_count++;
        for (size_t i = block_count / 3 * 3; i > 0; i -= 3, freed_count++)
            heap_free(heap, blocks[i - 1], CALLER);
        for (size_t i = 0; i < freed_count; i++)
            (void)allocate(heap, SIZES[s]);
        assert_null(heap_allocate(heap, SIZES[s], CALLER));
        assert_sound(heap);
    }
}

static void test_K13_checkerboard_merges(void **state)
{
    struct fixture *fixture = *state;
    for (size_t s = 0; s < SIZE_COUNT; s++) {
        struct heap *heap = start_fixed(fixture, ARENA_BYTES);
        if (heap_frees_newest_only(heap))
            return;
        struct heap_statistics original = statistics_of(heap);
        void *blocks[1000];
        for (unsigned i = 0; i < 1000; i++)
            blocks[i] = allocate(heap, SIZES[s]);
        for (unsigned i = 0; i < 1000; i += 2)
            heap_free(heap, blocks[i], CALLER);
        assert_sound(heap);
        for (unsigned i = 1; i < 1000; i += 2)
            heap_free(heap, blocks[i], CALLER);
        assert_sound(heap);
        /* All of it serves a single request, without being told to merge. */
        void *all = allocate(heap, original.largest_free_bytes);
        assert_sound(heap);
        heap_free(heap, all, CALLER);
        struct heap_statistics after = statistics_of(heap);
        assert_int_equal(after.free_block_count, 1);
        assert_int_equal(after.largest_free_bytes, original.largest_free_bytes);
    }
}

/* "The largest request that succeeds without growing" is meant literally. */
static void test_largest_free_block_can_be_had(void **state)
{
    struct fixture *fixture = *state;
    for (uint64_t seed = 1; seed < 40; seed++) {
        static struct heap_oracle oracle;
        struct heap *heap = start_fixed(fixture, MIB);
        fixture->random.state = seed;
        heap_oracle_begin(&oracle, heap, next_random, &fixture->random);
        for (unsigned step = 0; step < 300; step++)
            assert_no_problem(heap_oracle_step(&oracle));
        /* What waits counts as overhead, but serves before a request fails. */
        if (fixture->debug)
            heap_trim(heap);
        size_t largest_bytes = statistics_of(heap).largest_free_bytes;
        assert_null(heap_allocate(heap, largest_bytes + 1, CALLER));
        void *block = allocate(heap, largest_bytes);
        heap_free(heap, block, CALLER);
        assert_sound(heap);
    }
}

/* Blocks of all sizes until none is served; then some of them are freed. */
static void free_some_of_full(struct fixture *fixture, struct heap *heap)
{
    static void *blocks[MIB / 16];
    size_t count = 0;
    size_t most_bytes = (size_t)1 << (3 + random_below(&fixture->random, 12));
    while ((blocks[count] =
                heap_allocate(heap, random_below(&fixture->random, most_bytes), CALLER)) != NULL)
        count++;
    fill(heap);
    size_t one_in = 1 + random_below(&fixture->random, 10);
    for (size_t i = count; i > 0; i--) {
        if (heap_frees_newest_only(heap) ? false : random_below(&fixture->random, one_in) == 0)
            heap_free(heap, blocks[i - 1], CALLER);
    }
}

/* The same in heaps that are nearly full, where what is left may be slots: the largest request
 * succeeds without growing, one more byte does not, and everything below does. */
static void test_the_largest_request_is_exact(void **state)
{
    struct fixture *fixture = *state;
    for (uint64_t seed = 1; seed < 60; seed++) {
        struct heap_configuration configuration = heap_arena_growing(&fixture->arena, MIB);
        configuration.pages.shrink = NULL;
        struct heap *heap = start(fixture, configuration);
        fixture->random.state = seed;
        free_some_of_full(fixture, heap);
        if (fixture->debug)
            heap_trim(heap);
        fixture->arena.budget_bytes = fixture->arena.usable_bytes;
        size_t largest_bytes = statistics_of(heap).largest_free_bytes;
        assert_null(heap_allocate(heap, largest_bytes + 1, CALLER));
        fixture->arena.budget_bytes = ARENA_BYTES;
        size_t heap_bytes = heap_size_bytes(heap);
        void *block = heap_allocate(heap, largest_bytes, CALLER);
        assert_true(block != NULL || largest_bytes == 0);
        assert_int_equal(heap_size_bytes(heap), heap_bytes);
        heap_free(heap, block, CALLER);
        fixture->arena.budget_bytes = fixture->arena.usable_bytes;
        size_t smaller_bytes = random_below(&fixture->random, largest_bytes + 1);
        if (block != NULL && (!fixture->debug || heap_frees_newest_only(heap)))
            heap_free(heap, allocate(heap, smaller_bytes), CALLER);
        fixture->arena.budget_bytes = ARENA_BYTES;
        assert_sound(heap);
    }
}

/* Free blocks of nearly one size, which a policy may keep on one list, with nothing else free: the
 * one that fits is not the first on it. */
static void test_the_one_that_fits_is_found(void **state)
{
    const size_t fitting_bytes = 4200;
    for (size_t smaller_count = 1; smaller_count <= 20; smaller_count++) {
        struct heap *heap = start_fixed(*state, MIB);
        if (heap_frees_newest_only(heap))
            return;
        void *fitting = allocate(heap, fitting_bytes);
        void *smaller[20];
        for (size_t i = 0; i < smaller_count; i++) {
            (void)allocate(heap, 2000);
            smaller[i] = allocate(heap, 4104 + i % 5 * 16);
        }
        (void)allocate(heap, statistics_of(heap).largest_free_bytes);
        heap_free(heap, fitting, CALLER);
        for (size_t i = 0; i < smaller_count; i++)
            heap_free(heap, smaller[i], CALLER);
        assert_ptr_equal(allocate(heap, fitting_bytes), fitting);
        assert_sound(heap);
    }
}

/* --- K15: re-allocation ----------------------------------------------------------------------- */

static void test_K15_reallocation_of_null_and_to_zero(void **state)
{
    struct heap *heap = start_fixed(*state, MIB);
    void *block = heap_reallocate(heap, NULL, 50, CALLER);
    assert_non_null(block);
    assert_int_equal(heap_usable_size(heap, block, CALLER), 50);
    assert_null(heap_reallocate(heap, block, 0, CALLER));
    assert_int_equal(statistics_of(heap).live_block_count, 0);
    assert_int_equal(statistics_of(heap).failure_count, 0);
    assert_sound(heap);
}

static void test_K15_every_pair_of_sizes_keeps_the_content(void **state)
{
    struct fixture *fixture = *state;
    for (size_t p = 0; p < 2; p++) {
        struct heap *heap = start_fixed(fixture, ARENA_BYTES);
        populate(heap, 64, POPULATIONS[p]);
        populate(heap, 256, POPULATIONS[p]);
        for (size_t from = 0; from < SIZE_COUNT; from++) {
            for (size_t to = 1; to < SIZE_COUNT; to++) {
                uint8_t *block = allocate(heap, SIZES[from]);
                memset(block, 0x5a, SIZES[from]);
                block = heap_reallocate(heap, block, SIZES[to], CALLER);
                assert_non_null(block);
                size_t kept = SIZES[from] < SIZES[to] ? SIZES[from] : SIZES[to];
                for (size_t i = 0; i < kept; i++)
                    assert_int_equal(block[i], 0x5a);
                memset(block, 0xff, SIZES[to]);
                assert_int_equal(heap_usable_size(heap, block, CALLER), SIZES[to]);
                heap_free(heap, block, CALLER);
            }
            assert_sound(heap);
        }
        assert_int_equal(fixture->arena.fault_count, 0);
    }
}

/* However a policy keeps so many blocks of a size, the new size is exactly what was asked for. */
static void test_K15_one_byte_less_in_a_population(void **state)
{
    struct fixture *fixture = *state;
    for (size_t s = 1; s < SIZE_COUNT; s++) {
        for (size_t p = 0; p < POPULATION_COUNT; p++) {
            struct heap *heap = start_fixed(fixture, ARENA_BYTES);
            populate(heap, SIZES[s], POPULATIONS[p]);
            uint8_t *block = memset(allocate(heap, SIZES[s]), 0x42, SIZES[s]);
            block = heap_reallocate(heap, block, SIZES[s] - 1, CALLER);
            if (SIZES[s] == 1)
                continue;
            assert_non_null(block);
            assert_int_equal(heap_usable_size(heap, block, CALLER), SIZES[s] - 1);
            for (size_t i = 0; i < SIZES[s] - 1; i++)
                assert_int_equal(block[i], 0x42);
            assert_sound(heap);
        }
    }
}

static void test_K15_failure_leaves_the_old_block(void **state)
{
    struct fixture *fixture = *state;
    for (size_t s = 1; s < SIZE_COUNT; s++) {
        struct heap *heap = start_fixed(fixture, MIB);
        (void)allocate(heap, 200);
        uint8_t *block = allocate(heap, SIZES[s]);
        memset(block, 0x5a, SIZES[s]);
        assert_null(heap_reallocate(heap, block, MIB - 64, CALLER));
        assert_null(heap_reallocate(heap, block, 2 * MIB, CALLER));
        for (size_t i = 0; i < SIZES[s]; i++)
            assert_int_equal(block[i], 0x5a);
        assert_int_equal(heap_usable_size(heap, block, CALLER), SIZES[s]);
        heap_free(heap, block, CALLER);
        assert_int_equal(fixture->arena.fault_count, 0);
        assert_sound(heap);
    }
}

/* The old block's free meets a smashed link: there is nothing to go on with, though the content has
 * a new place already. */
static void test_K15_move_that_finds_a_fault_fails(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_fixed(fixture, MIB);
    if (heap_frees_newest_only(heap))
        return;
    void *room = allocate(heap, 20000);
    (void)allocate(heap, 3000);
    uint8_t *neighbour = allocate(heap, 3000);
    void *block = allocate(heap, 3000);
    (void)allocate(heap, 3000);
    heap_free(heap, room, CALLER);
    heap_free(heap, neighbour, CALLER);
    memset(neighbour, 0x7e, 16);
    assert_null(heap_reallocate(heap, block, 10000, CALLER));
    assert_int_equal(fixture->arena.fault_count, 1);
    assert_int_equal(fixture->arena.fault.kind, HEAP_FAULT_CORRUPT);
    assert_null(heap_allocate(heap, 10, CALLER));
}

/* Shipped elsewhere: a block that moves forgets what it was aligned to. */
static void test_K15_reallocation_keeps_the_alignment(void **state)
{
    struct heap *heap = start_fixed(*state, ARENA_BYTES);
    if (heap_frees_newest_only(heap))
        return;
    for (size_t alignment = 16; alignment <= MIB; alignment *= 2) {
        uint8_t *block = heap_allocate_aligned(heap, 100, alignment, CALLER);
        assert_non_null(block);
        memset(block, 0x5a, 100);
        void *behind = allocate(heap, 5000);
        uint8_t *moved = heap_reallocate(heap, block, 9000, CALLER);
        assert_non_null(moved);
        assert_int_equal((uintptr_t)moved % alignment, 0);
        moved = heap_reallocate(heap, moved, 20, CALLER);
        assert_int_equal((uintptr_t)moved % alignment, 0);
        for (size_t i = 0; i < 20; i++)
            assert_int_equal(moved[i], 0x5a);
        assert_sound(heap);
        heap_free(heap, moved, CALLER);
        heap_free(heap, behind, CALLER);
    }
}

/* A heap of 1 MiB, in which 64 KiB from the start there is an address aligned to 4 MiB. */
static struct heap *start_before_round_address(struct fixture *fixture)
{
    struct heap_configuration configuration = heap_arena_fixed(&fixture->arena, 8 * MIB);
    configuration.base = fixture->arena.base + 4 * MIB - 65536;
    configuration.initial_bytes = MIB;
    configuration.limit_bytes = MIB;
    return start(fixture, configuration);
}

/* An address may be aligned to more than was asked for, even to more than the heap's limit: what a
 * re-allocation keeps is what was asked for. */
static void test_K15_an_alignment_by_chance_binds_nobody(void **state)
{
    struct fixture *fixture = *state;
    static const size_t sizes[] = {1, 50, 100, 200, 5000};
    for (size_t alignment = 4096; alignment <= MIB / 2; alignment *= 2) {
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            struct heap *heap = start_before_round_address(fixture);
            (void)allocate(heap, 65000);
            uint8_t *block = heap_allocate_aligned(heap, 100, alignment, CALLER);
            assert_int_equal((uintptr_t)block % (4 * MIB), 0);
            /* Too large for what is free before the block. */
            if (!heap_frees_newest_only(heap))
                assert_true((uint8_t *)allocate(heap, 1000) > block);
            block = heap_reallocate(heap, block, sizes[s], CALLER);
            assert_non_null(block);
            assert_int_equal((uintptr_t)block % alignment, 0);
            assert_int_equal(statistics_of(heap).failure_count, 0);
            assert_sound(heap);
        }
    }
}

/* Size and alignment together are more than the limit, which matters only to a block that moves. */
static void test_K15_growth_without_moving(void **state)
{
    struct heap *heap = start_before_round_address(*state);
    (void)allocate(heap, 65000);
    uint8_t *block = heap_allocate_aligned(heap, 100, MIB / 2, CALLER);
    assert_non_null(block);
    for (size_t size_bytes = 500000; size_bytes <= 900000; size_bytes += 50000)
        assert_ptr_equal(heap_reallocate(heap, block, size_bytes, CALLER), block);
    assert_int_equal(heap_usable_size(heap, block, CALLER), 900000);
    assert_int_equal(statistics_of(heap).failure_count, 0);
    assert_sound(heap);
}

/* True of a policy below the layer of heap_debug.h, which moves a block to find stale pointers. */
static bool grows_in_place(const struct fixture *fixture)
{
    return !fixture->debug || fixture->policy->frees_newest_only;
}

static void fill_with_pattern(uint8_t *block, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes; i++)
        block[i] = (uint8_t)(i % 251);
}

static void assert_pattern(const uint8_t *block, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes; i++)
        assert_int_equal(block[i], i % 251);
}

/* A vector behind which nothing lives: the heap grows by as much as the block lacks, with much or
 * little free at its end, and nothing is copied. */
static void test_K15_the_last_block_grows_with_the_heap(void **state)
{
    struct fixture *fixture = *state;
    for (size_t step_bytes = 1000; step_bytes <= MIB; step_bytes += 60000) {
        struct heap *heap = start_growing(fixture, ARENA_BYTES);
        if (!grows_in_place(fixture))
            return;
        (void)allocate(heap, 100);
        size_t size_bytes = 3000;
        uint8_t *block = allocate(heap, size_bytes);
        fill_with_pattern(block, size_bytes);
        for (unsigned n = 0; n < 6; n++) {
            size_bytes += step_bytes;
            assert_ptr_equal(heap_reallocate(heap, block, size_bytes, CALLER), block);
        }
        assert_pattern(block, 3000);
        memset(block, 0xff, size_bytes);
        assert_true(heap_size_bytes(heap) < size_bytes + MIB / 4);
        assert_int_equal(fixture->arena.usable_bytes, heap_size_bytes(heap));
        assert_int_equal(heap_usable_size(heap, block, CALLER), size_bytes);
        struct heap_statistics statistics = statistics_of(heap);
        assert_int_equal(statistics.used_bytes, 100 + size_bytes);
        assert_int_equal(statistics.peak_used_bytes, 100 + size_bytes);
        assert_int_equal(statistics.live_block_count, 2);
        assert_int_equal(statistics.allocation_count, 2);
        assert_int_equal(statistics.free_count + statistics.failure_count, 0);
        assert_sound(heap);
    }
}

/* Up to the last byte that a heap of the limit's size has, and no further. */
static void test_K12_the_last_block_grows_up_to_the_limit(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_fixed(fixture, MIB);
    size_t most_bytes = statistics_of(heap).largest_free_bytes;
    heap = start_growing(fixture, MIB);
    uint8_t *block = allocate(heap, 5000);
    fill_with_pattern(block, 5000);
    size_t heap_bytes = heap_size_bytes(heap);
    assert_null(heap_reallocate(heap, block, most_bytes + 1, CALLER));
    assert_int_equal(heap_size_bytes(heap), heap_bytes);
    assert_int_equal(heap_usable_size(heap, block, CALLER), 5000);
    assert_ptr_equal(heap_reallocate(heap, block, most_bytes, CALLER), block);
    assert_int_equal(heap_size_bytes(heap), MIB);
    assert_pattern(block, 5000);
    memset(block, 0xff, most_bytes);
    assert_sound(heap);
    assert_int_equal(fixture->arena.fault_count, 0);
}

/* The page source has exactly the pages that are needed; then none. */
static void test_K11_the_last_block_takes_what_there_is(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_growing(fixture, ARENA_BYTES);
    if (!grows_in_place(fixture))
        return;
    uint8_t *block = allocate(heap, 5000);
    fill_with_pattern(block, 5000);
    for (size_t page_count = 1; page_count < 20; page_count += 3) {
        size_t rest_bytes = statistics_of(heap).largest_free_bytes;
        size_t pages_bytes = page_count * HEAP_PAGE_SIZE_BYTES;
        size_t size_bytes = heap_usable_size(heap, block, CALLER) + rest_bytes + pages_bytes - 200;
        size_t heap_bytes = heap_size_bytes(heap);
        fixture->arena.budget_bytes = heap_bytes + pages_bytes - HEAP_PAGE_SIZE_BYTES;
        assert_null(heap_reallocate(heap, block, size_bytes, CALLER));
        assert_int_equal(heap_size_bytes(heap), heap_bytes);
        assert_pattern(block, 5000);
        assert_sound(heap);
        fixture->arena.budget_bytes = heap_bytes + pages_bytes;
        assert_ptr_equal(heap_reallocate(heap, block, size_bytes, CALLER), block);
        assert_int_equal(heap_size_bytes(heap), heap_bytes + pages_bytes);
        assert_pattern(block, 5000);
        assert_sound(heap);
    }
}

/* The heap cannot grow: the block moves to where there is room, or stays as it was. */
static void test_K11_the_last_block_moves_if_the_heap_cannot_grow(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_growing(fixture, ARENA_BYTES);
    if (!grows_in_place(fixture))
        return;
    bool moves = !heap_frees_newest_only(heap);
    uint8_t *hole = allocate(heap, 500000);
    (void)allocate(heap, 5000);
    uint8_t *block = allocate(heap, 200000);
    fill_with_pattern(block, 200000);
    if (moves)
        heap_free(heap, hole, CALLER);
    fixture->arena.budget_bytes = fixture->arena.usable_bytes;
    assert_null(heap_reallocate(heap, block, 700000, CALLER));
    assert_int_equal(statistics_of(heap).failure_count, 1);
    assert_int_equal(heap_usable_size(heap, block, CALLER), 200000);
    assert_pattern(block, 200000);
    assert_sound(heap);
    uint8_t *moved = heap_reallocate(heap, block, 450000, CALLER);
    assert_ptr_equal(moved, moves ? hole : NULL);
    assert_pattern(moves ? moved : block, 200000);
    assert_sound(heap);
}

/* Something lives behind the block, at once or behind a free block that is too small: the heap
 * does not grow for it, since a hole has room. */
static void judge_block_before_another(struct fixture *fixture, bool has_gap)
{
    struct heap *heap = start_growing(fixture, ARENA_BYTES);
    bool moves = !heap_frees_newest_only(heap);
    uint8_t *hole = allocate(heap, 500000);
    uint8_t *block = allocate(heap, 200000);
    fill_with_pattern(block, 200000);
    uint8_t *gap = allocate(heap, 20000);
    uint8_t *last = allocate(heap, 5000);
    fill_with_pattern(last, 5000);
    if (moves)
        heap_free(heap, hole, CALLER);
    if (moves && has_gap)
        heap_free(heap, gap, CALLER);
    unsigned grow_count = fixture->arena.grow_count;
    uint8_t *moved = heap_reallocate(heap, block, 400000, CALLER);
    assert_true((moved != NULL) == moves);
    if (!fixture->debug)
        assert_ptr_equal(moved, moves ? hole : NULL);
    if (!fixture->debug || !moves)
        assert_int_equal(fixture->arena.grow_count, grow_count);
    assert_pattern(moves ? moved : block, 200000);
    assert_pattern(last, 5000);
    assert_sound(heap);
}

static void test_K15_a_block_before_another_does_not_grow_the_heap(void **state)
{
    judge_block_before_another(*state, false);
    judge_block_before_another(*state, true);
}

/* A free block behind, and something that lives behind that. */
static void test_K15_growth_into_a_free_block_behind(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_growing(fixture, ARENA_BYTES);
    if (fixture->debug || heap_frees_newest_only(heap))
        return;
    uint8_t *block = allocate(heap, 5000);
    fill_with_pattern(block, 5000);
    void *behind = allocate(heap, 2 * MIB);
    uint8_t *last = allocate(heap, 5000);
    fill_with_pattern(last, 5000);
    heap_free(heap, behind, CALLER);
    unsigned grow_count = fixture->arena.grow_count;
    for (size_t size_bytes = 50000; size_bytes < 2 * MIB; size_bytes *= 2)
        assert_ptr_equal(heap_reallocate(heap, block, size_bytes, CALLER), block);
    assert_ptr_equal(heap_reallocate(heap, block, 2 * MIB + 5000, CALLER), block);
    assert_int_equal(fixture->arena.grow_count, grow_count);
    assert_pattern(block, 5000);
    memset(block, 0xff, 2 * MIB + 5000);
    assert_pattern(last, 5000);
    assert_sound(heap);
}

/* What a block grows by is a step of the heap, which would be worth giving back. */
static void test_growth_behind_a_block_does_not_go_back_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_growing(fixture, ARENA_BYTES);
    if (!grows_in_place(fixture))
        return;
    size_t size_bytes = 6 * MIB;
    uint8_t *block = allocate(heap, size_bytes);
    for (unsigned n = 0; n < 20; n++) {
        size_bytes += HEAP_PAGE_SIZE_BYTES;
        assert_ptr_equal(heap_reallocate(heap, block, size_bytes, CALLER), block);
    }
    assert_int_equal(fixture->arena.shrink_count, 0);
    assert_true(fixture->arena.grow_count <= 3);
    assert_ptr_equal(heap_reallocate(heap, block, 5000, CALLER), block);
    assert_int_equal(fixture->arena.shrink_count, 1);
    assert_sound(heap);
}

/* What was written into the pages that a block grew by is not zero when they are free again. */
static void test_K19_zeros_behind_a_block_that_grew(void **state)
{
    struct fixture *fixture = *state;
    for (size_t grown_bytes = 70000; grown_bytes < 400000; grown_bytes += 30000) {
        struct heap_configuration configuration = heap_arena_growing(&fixture->arena, ARENA_BYTES);
        heap_arena_track_fresh(&fixture->arena, &configuration, 0);
        struct heap *heap = start(fixture, configuration);
        uint8_t *block = allocate(heap, 3000);
        block = heap_reallocate(heap, block, grown_bytes, CALLER);
        assert_non_null(block);
        memset(block, 0xcd, grown_bytes);
        block = heap_reallocate(heap, block, 3000, CALLER);
        assert_non_null(block);
        uint8_t *zeros = heap_allocate_zeroed(heap, 1, 600000, CALLER);
        assert_non_null(zeros);
        for (size_t i = 0; i < 600000; i++)
            assert_int_equal(zeros[i], 0);
        assert_sound(heap);
    }
}

/* Nothing is left to move to: smaller is possible all the same. */
static void test_K15_smaller_never_fails(void **state)
{
    struct fixture *fixture = *state;
    static uint8_t *blocks[600];
    for (size_t from = 1; from <= 600; from += from < 100 ? 9 : 77) {
        for (size_t to = 1; to <= from; to += to < 20 ? 3 : from / 5 + 1) {
            struct heap *heap = start_fixed(fixture, 2 * MIB);
            for (unsigned i = 0; i < 600; i++)
                blocks[i] = memset(allocate(heap, from), 0x41, from);
            for (size_t size_bytes = MIB; size_bytes > 0; size_bytes /= 2) {
                while (heap_allocate(heap, size_bytes, CALLER) != NULL)
                    continue;
            }
            assert_null(heap_allocate(heap, 0, CALLER));
            uint64_t failure_count = statistics_of(heap).failure_count;
            for (unsigned i = 0; i < 600; i++) {
                uint8_t *block = heap_reallocate(heap, blocks[i], to, CALLER);
                assert_non_null(block);
                assert_int_equal(heap_usable_size(heap, block, CALLER), to);
                for (size_t k = 0; k < to; k++)
                    assert_int_equal(block[k], 0x41);
            }
            assert_int_equal(statistics_of(heap).failure_count, failure_count);
            assert_sound(heap);
        }
    }
}

/* Precondition: the heap is full. */
static void shrink_in_full_heap(struct heap *heap, uint8_t *block, size_t old_bytes,
                                size_t size_bytes)
{
    uint64_t failure_count = statistics_of(heap).failure_count;
    uint8_t *shrunk = heap_reallocate(heap, block, size_bytes, CALLER);
    assert_non_null(shrunk);
    assert_int_equal(heap_usable_size(heap, shrunk, CALLER), size_bytes);
    assert_int_equal(statistics_of(heap).failure_count, failure_count);
    for (size_t i = 0; i < size_bytes; i++)
        assert_int_equal(shrunk[i], (uint8_t)(old_bytes + i));
    memset(shrunk, 0x20, size_bytes);
    assert_sound(heap);
}

/* A block, and so many others of its size, with numbered bytes; nothing else is left then. */
static uint8_t *block_in_full_heap(struct fixture *fixture, size_t old_bytes, unsigned population)
{
    struct heap *heap = start_fixed(fixture, 2 * MIB);
    populate(heap, old_bytes, old_bytes <= 512 ? population : 150);
    uint8_t *block = allocate(heap, old_bytes);
    for (size_t i = 0; i < old_bytes; i++)
        block[i] = (uint8_t)(old_bytes + i);
    fill(heap);
    return block;
}

/* Larger alignments than a header holds. At an address that happens to have a larger one still, the
 * block is re-allocated as it was asked for. */
static void test_K15_K16_large_alignments_are_kept(void **state)
{
    struct fixture *fixture = *state;
    if (fixture->policy != &heap_policy_fast)
        return;
    for (size_t alignment_bytes = MIB / 4; alignment_bytes <= MIB; alignment_bytes *= 2) {
        struct heap *heap = start_fixed(fixture, ARENA_BYTES);
        uint8_t *block = heap_allocate_aligned(heap, 100, alignment_bytes, CALLER);
        assert_non_null(block);
        for (size_t size_bytes = 50; size_bytes < MIB; size_bytes = size_bytes * 3 + 1) {
            (void)allocate(heap, 100);
            block = heap_reallocate(heap, block, size_bytes, CALLER);
            assert_non_null(block);
            assert_int_equal((uintptr_t)block % alignment_bytes, 0);
            assert_int_equal(heap_usable_size(heap, block, CALLER), size_bytes);
            memset(block, 0xff, size_bytes);
            assert_sound(heap);
        }
    }
    /* The address has a larger alignment, of which the heap has no second one. */
    uintptr_t place = ((uintptr_t)fixture->arena.base + 65536 + 4 * MIB - 1) & -(4 * MIB);
    struct heap_configuration configuration = heap_arena_fixed(&fixture->arena, ARENA_BYTES);
    configuration.base = (void *)(place - 65536);
    configuration.initial_bytes = configuration.limit_bytes = 2 * MIB;
    struct heap *heap = start(fixture, configuration);
    void *block = heap_allocate_aligned(heap, 100, MIB / 2, CALLER);
    assert_ptr_equal(block, (void *)place);
    assert_true((uintptr_t)allocate(heap, 100000) > place);
    block = heap_reallocate(heap, block, 200, CALLER);
    assert_non_null(block);
    assert_int_equal((uintptr_t)block % (MIB / 2), 0);
}

/* A block that becomes smaller needs no memory, so there is no excuse. */
static void test_K15_to_become_smaller_never_fails(void **state)
{
    static const size_t old_sizes[] = {2, 16, 17, 32, 48, 64, 255, 256, 512, 600, 1039, 1040, 5000};
    struct fixture *fixture = *state;
    if (fixture->policy->frees_newest_only)
        return;
    for (size_t s = 0; s < sizeof old_sizes / sizeof old_sizes[0]; s++) {
        for (size_t p = 0; p < POPULATION_COUNT; p++) {
            size_t old_bytes = old_sizes[s];
            uint8_t *block = block_in_full_heap(fixture, old_bytes, POPULATIONS[p]);
            struct heap *heap = fixture->heap;
            size_t size_bytes = old_bytes - 1 - (old_bytes * 7 + p) % (old_bytes - 1);
            shrink_in_full_heap(heap, block, old_bytes, size_bytes);
            /* It is a block like any other: it can be freed, and what it was is known. */
            heap_free(heap, block, CALLER);
            assert_int_equal(fixture->arena.fault_count, 0);
            assert_sound(heap);
        }
    }
}

/* Where a shortened block was, one of the old size is as long as it was asked for. */
static void test_K15_a_shortened_block_leaves_nothing(void **state)
{
    struct fixture *fixture = *state;
    if (fixture->policy->frees_newest_only)
        return;
    for (size_t s = 0; s < SIZE_COUNT; s++) {
        size_t old_bytes = SIZES[s];
        for (size_t p = 0; p < POPULATION_COUNT && old_bytes >= 2; p++) {
            uint8_t *block = block_in_full_heap(fixture, old_bytes, POPULATIONS[p]);
            struct heap *heap = fixture->heap;
            block = heap_reallocate(heap, block, old_bytes / 2, CALLER);
            assert_non_null(block);
            heap_free(heap, block, CALLER);
            uint8_t *again = heap_allocate(heap, old_bytes, CALLER);
            if (again == NULL)
                continue;
            memset(again, 0xff, old_bytes);
            assert_int_equal(heap_usable_size(heap, again, CALLER), old_bytes);
            assert_sound(heap);
            heap_free(heap, again, CALLER);
            assert_int_equal(fixture->arena.fault_count, 0);
        }
    }
}

/* Nothing is free but where one block was: it serves every smaller one, and says how large it is.
 */
static void test_one_free_block_serves_all_that_fit(void **state)
{
    struct fixture *fixture = *state;
    if (fixture->policy->frees_newest_only)
        return;
    for (size_t s = 0; s < SIZE_COUNT; s++) {
        for (size_t p = 0; p < POPULATION_COUNT; p++) {
            uint8_t *only_free = block_in_full_heap(fixture, SIZES[s], POPULATIONS[p]);
            struct heap *heap = fixture->heap;
            heap_free(heap, only_free, CALLER);
            if (fixture->debug)
                heap_trim(heap);
            assert_true(statistics_of(heap).largest_free_bytes >= SIZES[s]);
            for (size_t size_bytes = 0; size_bytes <= SIZES[s]; size_bytes += SIZES[s] / 5 + 1) {
                uint8_t *block = allocate(heap, size_bytes);
                memset(block, 0xff, size_bytes);
                assert_int_equal(heap_usable_size(heap, block, CALLER), size_bytes);
                assert_sound(heap);
                heap_free(heap, block, CALLER);
                if (fixture->debug)
                    heap_trim(heap);
            }
            assert_sound(heap);
        }
    }
}

/* As long as it is short, each of its sizes can be had, and each byte behind it is watched. */
static void test_K8_K15_a_shortened_block_is_watched(void **state)
{
    static const size_t old_sizes[] = {16, 32, 64, 512, 600, 1000};
    struct fixture *fixture = *state;
    if (fixture->policy->frees_newest_only)
        return;
    for (size_t s = 0; s < sizeof old_sizes / sizeof old_sizes[0]; s++) {
        for (size_t p = 1; p < POPULATION_COUNT; p++) {
            size_t old_bytes = old_sizes[s];
            uint8_t *block = block_in_full_heap(fixture, old_bytes, POPULATIONS[p]);
            struct heap *heap = fixture->heap;
            size_t step_bytes = old_bytes / 9 + 1;
            for (size_t size_bytes = old_bytes - 1; size_bytes > step_bytes;
                 size_bytes -= step_bytes) {
                block = heap_reallocate(heap, block, size_bytes, CALLER);
                assert_non_null(block);
                assert_int_equal(heap_usable_size(heap, block, CALLER), size_bytes);
                assert_sound(heap);
            }
            size_t size_bytes = heap_usable_size(heap, block, CALLER);
            block[size_bytes] = 'x';
            assert_non_null(heap_check(heap));
            heap_free(heap, block, OTHER_CALLER);
            assert_fault(fixture, HEAP_FAULT_OVERRUN);
            assert_int_equal(fixture->arena.fault.size_bytes, size_bytes);
        }
    }
}

/* --- K16: alignment ----------------------------------------------------------------------------
 */

/* Shipped elsewhere: aligned blocks that overlap their neighbours. */
static void test_K16_alignments_are_exact_and_blocks_apart(void **state)
{
    struct heap *heap = start_fixed(*state, ARENA_BYTES);
    uint8_t *blocks[700];
    size_t sizes[700];
    size_t count = 0;
    for (size_t alignment = 1; alignment <= 65536; alignment *= 2) {
        for (size_t size_bytes = 0; size_bytes <= 4096; size_bytes = size_bytes * 3 + 1) {
            for (unsigned twice = 0; twice < 3; twice++) {
                uint8_t *block = twice == 2
                                     ? allocate(heap, size_bytes)
                                     : heap_allocate_aligned(heap, size_bytes, alignment, CALLER);
                assert_non_null(block);
                if (twice < 2)
                    assert_int_equal((uintptr_t)block % (alignment < 16 ? 16 : alignment), 0);
                memset(block, (int)(count & 0xff), size_bytes);
                sizes[count] = size_bytes;
                blocks[count++] = block;
            }
        }
        assert_sound(heap);
    }
    while (count-- > 0) {
        for (size_t i = 0; i < sizes[count]; i++)
            assert_int_equal(blocks[count][i], count & 0xff);
        heap_free(heap, blocks[count], CALLER);
    }
    heap_trim(heap);
    assert_sound(heap);
    assert_int_equal(statistics_of(heap).free_block_count, 1);
}

static void test_K16_alignments_that_are_none_are_refused(void **state)
{
    struct heap *heap = start_fixed(*state, MIB);
    static const size_t alignments[] = {0, 3, 24, 48, 4095, SIZE_MAX};
    for (size_t i = 0; i < sizeof alignments / sizeof alignments[0]; i++)
        assert_null(heap_allocate_aligned(heap, 16, alignments[i], CALLER));
    assert_int_equal(statistics_of(heap).failure_count, 6);
    assert_int_equal(statistics_of(heap).live_block_count, 0);
}

/* --- K17: random operations against an oracle ----------------------------------------------------
 */

static void run_random(struct fixture *fixture, struct heap *heap, uint64_t seed, unsigned steps,
                       unsigned steps_per_check, size_t block_limit)
{
    static struct heap_oracle oracle;
    fixture->random.state = seed;
    heap_oracle_begin(&oracle, heap, next_random, &fixture->random);
    oracle.block_limit = block_limit;
    for (unsigned step = 0; step < steps; step++) {
        assert_no_problem(heap_oracle_step(&oracle));
        if (step % steps_per_check == 0)
            assert_no_problem(heap_oracle_check(&oracle));
    }
    assert_no_problem(heap_oracle_end(&oracle));
    assert_int_equal(fixture->arena.fault_count, 0);
}

static void test_K17_random_operations_checked_after_every_step(void **state)
{
    /* Each check looks at all that waits, too. */
    unsigned steps = ((struct fixture *)*state)->debug ? 600 : 2000;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        run_random(*state, start_growing(*state, ARENA_BYTES), seed, steps, 1, 400);
        run_random(*state, start_fixed(*state, 65536), seed + 10, steps, 1, 100);
        run_random(*state, start_fixed(*state, MIB), seed + 20, steps, 1, 512);
    }
}

static void with_debug(struct heap_configuration *configuration)
{
    static struct heap_debug_storage debug;
    configuration->debug = heap_debug_layer(&debug);
}

/* Millions of them: tests/long/heap_operations.c. Fewer under the layer, which takes longer. */
static void test_K17_many_random_operations(void **state)
{
    const struct fixture *fixture = *state;
    struct heap_episode_counts counts = {0};
    unsigned operation_count = fixture->debug ? 10000 : 50000;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        const struct heap_episode episode = {.policy = fixture->policy,
                                             .seed = seed,
                                             .operation_count = operation_count,
                                             .operations_per_check = 1000,
                                             .configure = fixture->debug ? with_debug : NULL};
        assert_no_problem(heap_episode_run(&episode, &counts));
    }
    assert_int_equal(counts.operations, 20 * operation_count);
    assert_true(counts.misuses > counts.operations / 100);
    assert_true(counts.failures > counts.operations / 100 && counts.growths > 50);
}

/* --- K18: minima -------------------------------------------------------------------------------
 */

/* Shipped elsewhere: a region that is too small is taken, and written beyond its end. The arena is
 * poisoned there. */
static void test_K18_small_heaps(void **state)
{
    struct fixture *fixture = *state;
    union heap_policies_storage untouched;
    memset(&untouched, 0x3c, sizeof untouched);
    bool refused = true;
    for (size_t size_bytes = 0; size_bytes <= 512; size_bytes += 16) {
        struct heap_configuration configuration = heap_arena_fixed(&fixture->arena, size_bytes);
        configuration.policy = fixture->policy;
        memset(&fixture->arena.storage, 0x3c, sizeof untouched);
        enum heap_status status = heap_initialise(&configuration, &fixture->heap);
        if (status != HEAP_OK) {
            assert_int_equal(status, HEAP_TOO_SMALL);
            assert_true(refused);
            assert_memory_equal(&fixture->arena.storage, &untouched, sizeof untouched);
            continue;
        }
        refused = false;
        struct heap *heap = fixture->heap;
        void *block = heap_allocate(heap, 1, CALLER);
        while (heap_allocate(heap, 1, CALLER) != NULL)
            continue;
        assert_non_null(block);
        assert_sound(heap);
    }
    assert_false(refused);
}

/* Shipped elsewhere: two regions that touch are never merged. */
static void test_K18_extending_in_steps(void **state)
{
    struct fixture *fixture = *state;
    for (size_t step_bytes = 16; step_bytes <= 4096; step_bytes += 16 + step_bytes / 4 / 16 * 16) {
        struct heap_configuration configuration = heap_arena_fixed(&fixture->arena, 4096);
        configuration.limit_bytes = 65536;
        struct heap *heap = start(fixture, configuration);
        heap_arena_set_usable(&fixture->arena, 65536);
        assert_int_equal(heap_extend(heap, 0), HEAP_TOO_SMALL);
        assert_int_equal(heap_extend(heap, 100), HEAP_UNALIGNED);
        assert_int_equal(heap_extend(heap, 65536), HEAP_TOO_LARGE);
        void *first = allocate(heap, 1000);
        while (heap_size_bytes(heap) + step_bytes <= 65536) {
            enum heap_status status = heap_extend(heap, step_bytes);
            if (status == HEAP_TOO_SMALL)
                break;
            assert_int_equal(status, HEAP_OK);
            assert_sound(heap);
        }
        assert_int_equal(statistics_of(heap).free_block_count, 1);
        void *rest = allocate(heap, statistics_of(heap).largest_free_bytes);
        assert_sound(heap);
        heap_free(heap, rest, CALLER);
        heap_free(heap, first, CALLER);
        assert_sound(heap);
        heap_arena_set_usable(&fixture->arena, 4096);
    }
}

/* --- Sizes that other heaps have cut ------------------------------------------------------------
 */

/* Shipped elsewhere: gaps beyond 256 KiB or 16 MiB misread, since a tag is cut. */
static void test_huge_heap(void **state)
{
    struct fixture *fixture = *state;
    const size_t size_bytes = (size_t)40 << 30;
    struct fixture huge = {.policy = fixture->policy};
    heap_arena_create(&huge.arena, size_bytes);
    struct heap *heap = start_fixed(&huge, size_bytes);
    static const size_t sizes[] = {((size_t)9 << 30) + 5, ((size_t)16 << 20) + 1, 300000,
                                   ((size_t)17 << 30) + 3, ((size_t)5 << 30) - 7};
    uint8_t *blocks[5];
    for (unsigned i = 0; i < 5; i++) {
        blocks[i] = allocate(heap, sizes[i]);
        blocks[i][0] = (uint8_t)i;
        blocks[i][sizes[i] - 1] = (uint8_t)(i + 1);
        (void)allocate(heap, 300000);
        assert_sound(heap);
    }
    assert_null(heap_allocate(heap, sizes[0], CALLER));
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(heap_usable_size(heap, blocks[i], CALLER), sizes[i]);
        assert_int_equal(blocks[i][0], i);
        assert_int_equal(blocks[i][sizes[i] - 1], i + 1);
    }
    if (!heap_frees_newest_only(heap)) {
        heap_free(heap, blocks[3], CALLER);
        heap_free(heap, blocks[1], CALLER);
        assert_sound(heap);
        assert_ptr_equal(allocate(heap, sizes[3]), blocks[3]);
        assert_ptr_equal(allocate(heap, sizes[1]), blocks[1]);
        assert_sound(heap);
    }
    blocks[4][sizes[4]] ^= 1;
    heap_free(heap, blocks[4], OTHER_CALLER);
    assert_fault(&huge, HEAP_FAULT_OVERRUN);
    heap_arena_destroy(&huge.arena);

    struct heap_configuration beyond = heap_arena_fixed(&huge.arena, 0);
    beyond.policy = fixture->policy;
    beyond.initial_bytes = 4096;
    beyond.limit_bytes = (size_t)1 << 36;
    assert_int_equal(heap_initialise(&beyond, &heap), HEAP_TOO_LARGE);
}

/* --- The policies' own ------------------------------------------------------------------------ */

static void test_bump_frees_newest_first_alone(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_fixed(fixture, 65536);
    if (!heap_frees_newest_only(heap))
        return;
    uint8_t *older = allocate(heap, 100);
    uint8_t *newer = heap_allocate_aligned(heap, 100, 4096, CALLER);
    heap_free(heap, older, OTHER_CALLER);
    assert_fault(fixture, HEAP_FAULT_BAD_POINTER);
    assert_ptr_equal(fixture->arena.fault.block, older);
    assert_int_equal(fixture->arena.fault.size_bytes, 100);
    assert_null(heap_reallocate(heap, older, 5000, CALLER));
    assert_int_equal(statistics_of(heap).failure_count, 1);
    assert_ptr_equal(heap_reallocate(heap, older, 90, CALLER), older);
    assert_ptr_equal(heap_reallocate(heap, newer, 5000, CALLER), newer);
    heap_free(heap, newer, CALLER);
    heap_free(heap, older, CALLER);
    assert_int_equal(fixture->arena.fault_count, 0);
    assert_sound(heap);
    assert_int_equal(statistics_of(heap).used_bytes, 0);
}

/* A block that is not the newest: smaller at any time, as large again, no larger. */
static void test_bump_older_blocks_change_their_size(void **state)
{
    struct fixture *fixture = *state;
    for (size_t from = 1; from < 200; from += 3) {
        for (size_t to = 1; to < from; to += 5) {
            struct heap *heap = start_fixed(fixture, 8192);
            if (!heap_frees_newest_only(heap))
                return;
            uint8_t *block = memset(allocate(heap, from), 0x41, from);
            uint8_t *newer =
                to % 2 == 0 ? allocate(heap, 30) : heap_allocate_aligned(heap, 30, 256, CALLER);
            while (heap_allocate(heap, 16, CALLER) != NULL)
                continue;
            for (size_t size_bytes = from; size_bytes > to; size_bytes -= (size_bytes - to + 1) / 2)
                assert_ptr_equal(heap_reallocate(heap, block, size_bytes, CALLER), block);
            assert_ptr_equal(heap_reallocate(heap, block, to, CALLER), block);
            assert_sound(heap);
            assert_ptr_equal(heap_reallocate(heap, block, from, CALLER), block);
            assert_sound(heap);
            assert_null(heap_reallocate(heap, block, (size_t)(newer - block) + 1, CALLER));
            assert_ptr_equal(heap_reallocate(heap, block, to, CALLER), block);
            assert_sound(heap);
            for (size_t i = 0; i < to; i++)
                assert_int_equal(block[i], 0x41);
            assert_int_equal(heap_usable_size(heap, newer, CALLER), 30);
            assert_int_equal(fixture->arena.fault_count, 0);
        }
    }
}

/* As an allocation would, a re-allocation makes the heap grow. */
static void test_bump_newest_block_grows_with_the_heap(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_growing(fixture, ARENA_BYTES);
    if (!heap_frees_newest_only(heap))
        return;
    uint8_t *older = allocate(heap, 100);
    uint8_t *block = memset(allocate(heap, 100), 0x41, 100);
    for (size_t size_bytes = 1000; size_bytes < 7 * MIB; size_bytes *= 2)
        assert_ptr_equal(heap_reallocate(heap, block, size_bytes, CALLER), block);
    assert_null(heap_reallocate(heap, block, ARENA_BYTES - 100, CALLER));
    unsigned grow_count = fixture->arena.grow_count;
    assert_null(heap_reallocate(heap, older, 300000, CALLER));
    assert_int_equal(fixture->arena.grow_count, grow_count);
    assert_int_equal(block[99], 0x41);
    assert_ptr_equal(heap_reallocate(heap, block, 100, CALLER), block);
    assert_true(heap_size_bytes(heap) <= MIB / 4);
    assert_sound(heap);
}

/* What is behind the older block that is made smaller was overwritten. */
static void test_bump_resize_proves_what_is_behind(void **state)
{
    struct fixture *fixture = *state;
    if (fixture->debug || !fixture->policy->frees_newest_only)
        return;
    for (unsigned is_behind_gap = 0; is_behind_gap < 2; is_behind_gap++) {
        struct heap *heap = start_fixed(fixture, 65536);
        uint8_t *block = allocate(heap, 40);
        uint8_t *newer =
            is_behind_gap ? heap_allocate_aligned(heap, 40, 256, CALLER) : allocate(heap, 40);
        newer[-8] ^= 1;
        /* Where there is no gap that header is the block's canary. */
        assert_null(heap_reallocate(heap, block, 20, OTHER_CALLER));
        assert_fault(fixture, is_behind_gap ? HEAP_FAULT_CORRUPT : HEAP_FAULT_OVERRUN);
    }
}

/* The footer of the gap that an alignment left says where the next block is to begin. */
static void test_bump_gap_is_proved(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned bit = 0; bit < 64; bit++) {
        struct heap *heap = start_fixed(fixture, 65536);
        if (!heap_frees_newest_only(heap))
            return;
        (void)allocate(heap, 100);
        uint8_t *block = heap_allocate_aligned(heap, 100, 4096, CALLER);
        block[-16 + (ptrdiff_t)(bit / 8)] ^= (uint8_t)(1 << bit % 8);
        assert_non_null(heap_check(heap));
        heap_free(heap, block, OTHER_CALLER);
        assert_fault(fixture, HEAP_FAULT_CORRUPT);
    }
}

static size_t largest_block(struct heap *heap)
{
    return statistics_of(heap).largest_free_bytes;
}

static void test_an_empty_megabyte_is_usable(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_fixed(fixture, MIB);
    void *block = allocate(heap, largest_block(heap));
    heap_free(heap, block, CALLER);
    assert_true((double)largest_block(heap) >= 0.9999 * (double)MIB);
}

/* Live bytes per mille of the region when it is full of blocks of one size. */
static unsigned fill_with(struct fixture *fixture, size_t size_bytes)
{
    const size_t region_bytes = 16 * MIB;
    struct fixture large = {.policy = fixture->policy};
    heap_arena_create(&large.arena, region_bytes);
    struct heap *heap = start_fixed(&large, region_bytes);
    size_t count = 0;
    while (heap_allocate(heap, size_bytes, CALLER) != NULL)
        count++;
    assert_sound(heap);
    heap_arena_destroy(&large.arena);
    return (unsigned)(count * size_bytes * 1000 / region_bytes);
}

static void test_fast_uses_memory_well(void **state)
{
    struct fixture *fixture = *state;
    if (fixture->policy != &heap_policy_fast)
        return;
    assert_true(fill_with(fixture, 64) >= 980);
    assert_true(fill_with(fixture, 24) >= 749);
    assert_true(fill_with(fixture, 16) >= 970);
    assert_true(fill_with(fixture, 128) >= 960);
    assert_true(fill_with(fixture, 1000) >= 970);
    assert_true(fill_with(fixture, 4096) >= 980);
}

/* Thousands of blocks of sizes with slabs, up and down: all memory comes back each time. */
static void test_fast_slabs_come_and_go(void **state)
{
    struct fixture *fixture = *state;
    static void *blocks[40000];
    if (fixture->policy != &heap_policy_fast)
        return;
    struct heap *heap = start_fixed(fixture, ARENA_BYTES);
    size_t original = largest_block(heap);
    for (unsigned round = 0; round < 4; round++) {
        size_t count = 0;
        fixture->random.state = round + 1;
        while (count < 40000 && (blocks[count] = heap_allocate(
                                     heap, random_below(&fixture->random, 280), CALLER)) != NULL)
            count++;
        assert_sound(heap);
        for (size_t i = count; i > 1; i--) {
            size_t other = random_below(&fixture->random, i);
            void *swapped = blocks[i - 1];
            blocks[i - 1] = blocks[other];
            blocks[other] = swapped;
        }
        for (size_t i = 0; i < count; i++) {
            heap_free(heap, blocks[i], CALLER);
            if (i % 1000 == 0)
                assert_sound(heap);
        }
        assert_sound(heap);
        if (fixture->debug)
            heap_trim(heap);
        assert_int_equal(largest_block(heap), original);
        heap_free(heap, allocate(heap, original), CALLER);
    }
    assert_int_equal(fixture->arena.fault_count, 0);
}

/* --- A second life in the same memory ------------------------------------------------------------
 */

/* What an earlier heap left there, with the same secret, is nothing to this one. */
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

static void test_names(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_fixed(fixture, MIB);
    assert_ptr_equal(heap_policies_find(heap_policy_name(heap)), fixture->policy);
    assert_null(heap_policies_find("fastest"));
    assert_null(heap_policies_find(""));
}

/* --- Running -------------------------------------------------------------------------------------
 */

struct policy_test {
    const char *name;
    CMUnitTestFunction run;
    bool is_of_policy; /* about what the policy alone does: not under the layer */
};

#define TEST(function)                                                                             \
    {                                                                                              \
#function, function, false                                                                 \
    }
#define TEST_OF_POLICY(function)                                                                   \
    {                                                                                              \
#function, function, true                                                                  \
    }

static const struct policy_test TESTS[] = {
    TEST(test_K1_size_zero_gives_a_block_of_its_own),
    TEST(test_K2_sizes_that_wrap_are_refused),
    TEST(test_K3_free_of_null_is_ignored),
    TEST(test_K4_double_free_at_once),
    TEST(test_K4_double_free_later),
    TEST(test_K4_a_freed_block_is_named),
    TEST(test_K4_many_freed_blocks_are_named),
    TEST_OF_POLICY(test_K4_free_memory_is_not_taken_for_a_block),
    TEST(test_K4_what_is_left_of_a_freed_block),
    TEST(test_K5_K7_interior_and_unaligned_pointers),
    TEST(test_K6_K7_foreign_pointers),
    TEST(test_K7_every_pointer_but_the_blocks_is_refused),
    TEST(test_K7_a_forged_header_leads_nowhere),
    TEST(test_K7_remains_of_freed_blocks_are_no_blocks),
    TEST(test_K7_a_copied_block_leads_nowhere),
    TEST(test_K8_overflow),
    TEST(test_K8_underflow),
    TEST(test_K8_underflow_in_a_population),
    TEST(test_K9_smashed_headers_and_links_are_found),
    TEST_OF_POLICY(test_K9_a_freed_block_is_proved_when_it_is_used_again),
    TEST_OF_POLICY(test_K9_forged_links_write_nothing),
    TEST(test_K11_nth_growth_fails),
    TEST(test_K11_growth_takes_what_there_is),
    TEST(test_K12_a_request_that_cannot_fit_grows_nothing),
    TEST(test_K12_nothing_is_asked_for_beyond_the_limit),
    TEST(test_K12_window_full),
    TEST(test_free_tail_goes_back),
    TEST(test_trimming_discards_free_pages),
    TEST(test_trimming_leaves_links_and_footers),
    TEST(test_free_pieces_are_found_without_a_walk),
    TEST_OF_POLICY(test_K13_freed_blocks_serve_their_size_again),
    TEST(test_K13_checkerboard_merges),
    TEST(test_largest_free_block_can_be_had),
    TEST(test_the_largest_request_is_exact),
    TEST(test_the_one_that_fits_is_found),
    TEST(test_K14_zeroed_product_that_wraps_is_refused),
    TEST(test_K15_reallocation_of_null_and_to_zero),
    TEST(test_K15_every_pair_of_sizes_keeps_the_content),
    TEST(test_K15_one_byte_less_in_a_population),
    TEST(test_K15_K16_large_alignments_are_kept),
    TEST(test_K15_to_become_smaller_never_fails),
    TEST(test_K15_a_shortened_block_leaves_nothing),
    TEST(test_one_free_block_serves_all_that_fit),
    TEST(test_K8_K15_a_shortened_block_is_watched),
    TEST(test_K15_failure_leaves_the_old_block),
    TEST_OF_POLICY(test_K15_move_that_finds_a_fault_fails),
    TEST(test_K15_reallocation_keeps_the_alignment),
    TEST(test_K15_an_alignment_by_chance_binds_nobody),
    TEST(test_K15_growth_without_moving),
    TEST(test_K15_the_last_block_grows_with_the_heap),
    TEST(test_K12_the_last_block_grows_up_to_the_limit),
    TEST(test_K11_the_last_block_takes_what_there_is),
    TEST(test_K11_the_last_block_moves_if_the_heap_cannot_grow),
    TEST(test_K15_a_block_before_another_does_not_grow_the_heap),
    TEST(test_K15_growth_into_a_free_block_behind),
    TEST(test_growth_behind_a_block_does_not_go_back_at_once),
    TEST(test_K19_zeros_behind_a_block_that_grew),
    TEST(test_K15_smaller_never_fails),
    TEST(test_K16_alignments_are_exact_and_blocks_apart),
    TEST(test_K16_alignments_that_are_none_are_refused),
    TEST(test_K17_random_operations_checked_after_every_step),
    TEST(test_K17_many_random_operations),
    TEST(test_K18_small_heaps),
    TEST(test_K18_extending_in_steps),
    TEST(test_K19_zeroing_leaves_no_stale_byte),
    TEST(test_K19_zeros_after_growing_and_shrinking),
    TEST(test_K19_zeros_where_records_were_given_back),
    TEST(test_zeroing_leaves_fresh_pages_alone),
    TEST(test_usable_size_is_what_was_asked_for),
    TEST(test_huge_heap),
    TEST(test_bump_frees_newest_first_alone),
    TEST(test_bump_older_blocks_change_their_size),
    TEST(test_bump_newest_block_grows_with_the_heap),
    TEST(test_bump_resize_proves_what_is_behind),
    TEST(test_bump_gap_is_proved),
    TEST_OF_POLICY(test_an_empty_megabyte_is_usable),
    TEST_OF_POLICY(test_fast_uses_memory_well),
    TEST(test_fast_slabs_come_and_go),
    TEST(test_remains_of_an_earlier_heap),
    TEST(test_names),
};
#define TEST_COUNT (sizeof TESTS / sizeof TESTS[0])

static const struct subject SUBJECTS[] = {
    {"bump", &heap_policy_bump, false},
    {"first-fit", &heap_policy_first_fit, false},
    {"best-fit", &heap_policy_best_fit, false},
    {"fast", &heap_policy_fast, false},
    {"bump+debug", &heap_policy_bump, true},
    {"first-fit+debug", &heap_policy_first_fit, true},
    {"best-fit+debug", &heap_policy_best_fit, true},
    {"fast+debug", &heap_policy_fast, true},
};
#define SUBJECT_COUNT (sizeof SUBJECTS / sizeof SUBJECTS[0])

int main(void)
{
    static struct CMUnitTest tests[SUBJECT_COUNT * TEST_COUNT];
    static char names[SUBJECT_COUNT * TEST_COUNT][100];
    size_t count = 0;
    for (size_t i = 0; i < SUBJECT_COUNT * TEST_COUNT; i++) {
        const struct policy_test *test = &TESTS[i % TEST_COUNT];
        const struct subject *subject = &SUBJECTS[i / TEST_COUNT];
        if (test->is_of_policy && subject->debug)
            continue;
        (void)snprintf(names[count], sizeof names[count], "%s: %s", subject->name, test->name);
        tests[count] = (struct CMUnitTest){
            .name = names[count],
            .test_func = test->run,
            .setup_func = create_arena,
            .teardown_func = destroy_arena,
            .initial_state = (void *)(uintptr_t)subject,
        };
        count++;
    }
    const char *filter = getenv("HEAP_TESTS");
    if (filter != NULL)
        cmocka_set_test_filter(filter);
    return _cmocka_run_group_tests("heap policies", tests, count, NULL, NULL);
}
