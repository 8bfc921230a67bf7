/* The layer of heap_debug.h over each policy: the callers that it names, and the misuses that only
 * the layer finds. The tests of heap_policy_test.h check that it keeps the interface. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/mm/heap/include/handoff/heap_leaks.h"
#include "kernel/mm/heap/layers/heap_debug_state.h"
#include "kernel/mm/heap/policies/bump.h"
#include "kernel/mm/heap/policies/fast.h"
#include "kernel/mm/heap/policies/first_fit.h"
#include "kernel/mm/heap/policies/sealed_block.h"
#include "tests/unit/support/heap_arena.h"

#define MIB ((size_t)1 << 20)

static void *const ALLOCATOR = (void *)0x1111;
static void *const FREER = (void *)0x2222;
static void *const FINDER = (void *)0x3333;

struct fixture {
    const struct heap_policy *policy;
    struct heap_arena arena;
    struct heap *heap;
};

static int create_arena(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->policy = *state;
    heap_arena_create(&fixture->arena, 2 * MIB);
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
    heap_arena_set_debug(&fixture->arena, &configuration, true);
    assert_int_equal(heap_initialise(&configuration, &fixture->heap), HEAP_OK);
    fixture->arena.fault_count = 0;
    return fixture->heap;
}

static struct heap *start_fixed(struct fixture *fixture, size_t size_bytes)
{
    return start(fixture, heap_arena_fixed(&fixture->arena, size_bytes));
}

static uint8_t *allocate(struct heap *heap, size_t size_bytes)
{
    uint8_t *block = heap_allocate(heap, size_bytes, ALLOCATOR);
    assert_non_null(block);
    return block;
}

static struct heap_statistics statistics_of(const struct heap *heap)
{
    struct heap_statistics statistics;
    heap_statistics(heap, &statistics);
    return statistics;
}

static void assert_sound(const struct heap *heap)
{
    const char *problem = heap_check(heap);
    if (problem != NULL)
        fail_msg("heap_check: %s", problem);
}

static void assert_filled(const uint8_t *bytes, size_t count, uint8_t value)
{
    for (size_t i = 0; i < count; i++)
        assert_int_equal(bytes[i], value);
}

/* Expect exactly one new fault: of this kind, found by FINDER, about this block. */
static void assert_fault(struct fixture *fixture, enum heap_fault_kind kind, const void *block,
                         size_t size_bytes, const void *allocated_by, const void *freed_by)
{
    const struct heap_fault *fault = &fixture->arena.fault;
    assert_int_equal(fixture->arena.fault_count, 1);
    fixture->arena.fault_count = 0;
    if (fault->kind != kind)
        fail_msg("%s (%s) instead of %s", heap_fault_kind_name(fault->kind), fault->detail,
                 heap_fault_kind_name(kind));
    assert_ptr_equal(fault->block, block);
    assert_int_equal(fault->size_bytes, size_bytes);
    assert_ptr_equal(fault->allocated_by, allocated_by);
    assert_ptr_equal(fault->freed_by, freed_by);
    assert_int_equal(fault->is_free, freed_by != NULL);
    assert_ptr_equal(fault->caller, FINDER);
}

static void assert_corrupt(struct heap *heap)
{
    uint64_t failure_count = statistics_of(heap).failure_count;
    assert_null(heap_allocate(heap, 16, FINDER));
    assert_int_equal(statistics_of(heap).failure_count, failure_count + 1);
    assert_non_null(heap_check(heap));
}

/* --- The content of a block ------------------------------------------------------------------- */

static void test_new_bytes_have_a_pattern_and_zeroed_ones_none(void **state)
{
    struct heap *heap = start_fixed(*state, MIB);
    for (size_t size_bytes = 0; size_bytes < 600; size_bytes++) {
        uint8_t *block = allocate(heap, size_bytes);
        assert_filled(block, size_bytes, HEAP_DEBUG_NEW_BYTE);
        assert_int_equal(heap_usable_size(heap, block, FINDER), size_bytes);
        uint8_t *zeroed = heap_allocate_zeroed(heap, 1, size_bytes, ALLOCATOR);
        assert_filled(zeroed, size_bytes, 0);
        heap_free(heap, zeroed, FREER);
        heap_free(heap, block, FREER);
    }
    assert_sound(heap);
}

static void test_freed_bytes_have_a_pattern(void **state)
{
    struct heap *heap = start_fixed(*state, MIB);
    if (heap_frees_newest_only(heap))
        return;
    uint8_t *block = allocate(heap, 333);
    memset(block, 0x41, 333);
    heap_free(heap, block, FREER);
    assert_filled(block, 333, HEAP_DEBUG_FREED_BYTE);
}

static void test_new_bytes_of_a_block_have_the_pattern(void **state)
{
    struct heap *heap = start_fixed(*state, MIB);
    for (size_t from = 1; from < 300; from += 7) {
        for (size_t to = from + 1; to < 400; to += 13) {
            uint8_t *block = allocate(heap, from);
            memset(block, 0x41, from);
            block = heap_reallocate(heap, block, to, ALLOCATOR);
            assert_non_null(block);
            assert_filled(block, from, 0x41);
            assert_filled(block + from, to - from, HEAP_DEBUG_NEW_BYTE);
            assert_int_equal(heap_usable_size(heap, block, FINDER), to);
            heap_free(heap, block, FREER);
        }
    }
    assert_sound(heap);
}

/* --- Writes beyond a block's end -------------------------------------------------------------- */

/* There are many blocks of one size, which the fast policy puts into slabs without canaries. */
static void test_overrun_of_any_block_of_a_mass_is_found(void **state)
{
    struct fixture *fixture = *state;
    enum { MASS = 1500 };
    static uint8_t *blocks[MASS];
    for (size_t size_bytes = 0; size_bytes <= 232; size_bytes += 7) {
        for (size_t count = 1; count <= 8; count += 7) {
            for (unsigned victim = 0; victim < MASS; victim += 311) {
                struct heap *heap = start_fixed(fixture, 2 * MIB);
                for (unsigned i = 0; i < MASS; i++)
                    blocks[i] = allocate(heap, size_bytes);
                for (size_t i = 0; i < count; i++)
                    blocks[victim][size_bytes + i] ^= 0x41;
                assert_non_null(heap_check(heap));
                heap_free(heap, blocks[victim], FINDER);
                assert_fault(fixture, HEAP_FAULT_OVERRUN, blocks[victim], size_bytes, ALLOCATOR,
                             NULL);
                assert_corrupt(heap);
            }
        }
    }
}

/* Every bit behind a block is checked, up to the block's end in the policy. */
static void assert_every_bit_is_watched(struct fixture *fixture, size_t size_bytes)
{
    struct heap *heap = start_fixed(fixture, 8192);
    uint8_t *block = allocate(heap, size_bytes);
    size_t total_bytes = heap_debug_of(heap)->layer.below.usable_size(heap, block, NULL);
    assert_true(total_bytes > size_bytes + 8);
    for (size_t bit = size_bytes * 8; bit < total_bytes * 8; bit++) {
        heap = start_fixed(fixture, 8192);
        assert_ptr_equal(allocate(heap, size_bytes), block);
        block[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_non_null(heap_check(heap));
        heap_free(heap, block, FINDER);
        assert_int_equal(fixture->arena.fault_count, 1);
        assert_int_equal(fixture->arena.fault.kind, HEAP_FAULT_OVERRUN);
        assert_ptr_equal(fixture->arena.fault.block, block);
        assert_int_equal(fixture->arena.fault.size_bytes, size_bytes);
        fixture->arena.fault_count = 0;
    }
}

/* The record ends at the end of the policy's block, or up to seven bytes before. */
static void test_every_bit_of_canary_and_record_is_watched(void **state)
{
    assert_every_bit_is_watched(*state, 41);
    assert_every_bit_is_watched(*state, 48);
}

/* The block is one of several, and its neighbours' headers may be overwritten, too. */
static const struct heap_fault *fault_of_write(struct fixture *fixture, size_t size_bytes,
                                               ptrdiff_t offset, size_t count)
{
    struct heap *heap = start_fixed(fixture, 65536);
    (void)allocate(heap, size_bytes);
    uint8_t *block = allocate(heap, size_bytes);
    if (!heap_frees_newest_only(heap))
        (void)allocate(heap, 200);
    memset(block + offset, 0x41, count);
    heap_free(heap, block, FINDER);
    assert_int_equal(fixture->arena.fault_count, 1);
    assert_int_equal(fixture->arena.fault.kind, HEAP_FAULT_OVERRUN);
    assert_ptr_equal(fixture->arena.fault.block, block);
    return &fixture->arena.fault;
}

static void test_K8_an_overrun_block_has_its_size_and_owner(void **state)
{
    static const size_t sizes[] = {0, 1, 8, 24, 25, 40, 100, 1000, 5000};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        for (size_t count = 1; count <= 200; count++) {
            const struct heap_fault *fault =
                fault_of_write(*state, sizes[s], (ptrdiff_t)sizes[s], count);
            assert_int_equal(fault->size_bytes, sizes[s]);
            if (count <= 64)
                assert_ptr_equal(fault->allocated_by, ALLOCATOR);
            else
                assert_true(fault->allocated_by == ALLOCATOR || fault->allocated_by == NULL);
        }
    }
}

static void test_K8_an_underrun_block_has_its_size_and_owner(void **state)
{
    static const size_t sizes[] = {0, 1, 8, 24, 25, 40, 100, 1000, 5000};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        for (size_t count = 1; count <= 64; count = count == 1 ? 8 : count * 2) {
            const struct heap_fault *fault =
                fault_of_write(*state, sizes[s], -(ptrdiff_t)count, count);
            assert_int_equal(fault->size_bytes, sizes[s]);
            assert_ptr_equal(fault->allocated_by, ALLOCATOR);
        }
    }
}

/* No old record remains there that could be taken for the block's record. */
static void test_K8_an_underrun_block_is_not_an_earlier_one(void **state)
{
    struct fixture *fixture = *state;
    for (size_t earlier = 0; earlier < 300; earlier += 7) {
        struct heap *heap = start_fixed(fixture, 65536);
        uint8_t *block = heap_allocate(heap, earlier, (void *)0x4444);
        heap_free(heap, block, FREER);
        heap_trim(heap);
        assert_ptr_equal(allocate(heap, 300), block);
        memset(block - 8, 0x41, 8);
        heap_free(heap, block, FINDER);
        assert_fault(fixture, HEAP_FAULT_OVERRUN, block, 300, ALLOCATOR, NULL);
    }
}

/* A header with a hash of 16 bits passes by chance. Its block is longer than the heap. Its record
 * would lie in memory that the arena has poisoned. */
static void test_a_forged_size_is_not_believed(void **state)
{
    struct fixture *fixture = *state;
    static const size_t sizes[] = {65536, 65536 + 4096, MIB, 2 * MIB};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        struct heap *heap = start_fixed(fixture, 65536);
        uint8_t *block = allocate(heap, 1000);
        struct sealed_secret secret = {0};
        if (fixture->policy == &heap_policy_best_fit)
            return; /* its seals have 64 bits */
        if (fixture->policy == &heap_policy_first_fit)
            secret = first_fit_of(heap)->secret;
        else if (fixture->policy == &heap_policy_bump)
            secret = bump_of(heap)->secret;
        else
            secret = fast_of(heap)->core.secret;
        sealed_write_header(secret, block, sealed_header(sizes[s] / 16, SEALED_LIVE));
        heap_free(heap, block, FINDER);
        assert_fault(fixture, HEAP_FAULT_OVERRUN, block, 1000, ALLOCATOR, NULL);
    }
}

/* --- The callers in a report ------------------------------------------------------------------ */

/* Faults that the policy finds and not the layer: the report has the caller's size, and the caller
 * that allocated. */
static void test_faults_from_below_are_in_the_caller_s_terms(void **state)
{
    struct fixture *fixture = *state;
    static const size_t sizes[] = {1, 40, 100, 272, 5000};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        struct heap *heap = start_fixed(fixture, MIB);
        for (unsigned i = 0; i < 300; i++)
            (void)allocate(heap, sizes[s] < 300 ? sizes[s] : 1);
        uint8_t *block = heap_allocate(heap, sizes[s], (void *)0x4444);
        heap_free(heap, block + 16, FINDER);
        assert_fault(fixture, HEAP_FAULT_BAD_POINTER, block, sizes[s], (void *)0x4444, NULL);
        assert_sound(heap);
        heap_free(heap, block, FREER);
        assert_int_equal(fixture->arena.fault_count, 0);
    }
}

static void test_a_second_free_names_the_first_caller(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_fixed(fixture, MIB);
    if (heap_frees_newest_only(heap))
        return;
    for (size_t size_bytes = 0; size_bytes < 600; size_bytes += 3) {
        uint8_t *block = allocate(heap, size_bytes);
        heap_free(heap, block, FREER);
        heap_free(heap, block, FINDER);
        assert_fault(fixture, HEAP_FAULT_DOUBLE_FREE, block, size_bytes, ALLOCATOR, FREER);
        assert_null(heap_reallocate(heap, block, 10, FINDER));
        assert_fault(fixture, HEAP_FAULT_DOUBLE_FREE, block, size_bytes, ALLOCATOR, FREER);
        assert_int_equal(heap_usable_size(heap, block, FINDER), 0);
        assert_fault(fixture, HEAP_FAULT_DOUBLE_FREE, block, size_bytes, ALLOCATOR, FREER);
        heap_free(heap, block + 16, FINDER);
        assert_fault(fixture, HEAP_FAULT_DOUBLE_FREE, block, size_bytes, ALLOCATOR, FREER);
    }
    assert_sound(heap);
    assert_int_equal(statistics_of(heap).free_count, 200);
}

static void test_leaks_of_every_policy_have_their_site(void **state)
{
    struct heap *heap = start_fixed(*state, MIB);
    (void)heap_allocate(heap, 100, (void *)0x10);
    (void)heap_allocate_aligned(heap, 33, 256, (void *)0x20);
    (void)heap_allocate_zeroed(heap, 10, 10, (void *)0x10);
    void *grown = heap_allocate(heap, 50, (void *)0x30);
    assert_non_null(heap_reallocate(heap, grown, 60, (void *)0x40));
    void *freed = heap_allocate(heap, 7, (void *)0x50);
    heap_free(heap, freed, FREER);
    struct heap_leaks leaks;
    heap_leaks_find(heap, &leaks);
    static const struct heap_leak_site expected[] = {
        {(void *)0x10, 2, 200}, {(void *)0x20, 1, 33}, {(void *)0x40, 1, 60}};
    assert_int_equal(leaks.site_count, 3);
    for (size_t i = 0; i < leaks.site_count; i++) {
        size_t e = 0;
        while (e < 2 && expected[e].allocated_by != leaks.sites[i].allocated_by)
            e++;
        assert_ptr_equal(leaks.sites[i].allocated_by, expected[e].allocated_by);
        assert_int_equal(leaks.sites[i].block_count, expected[e].block_count);
        assert_int_equal(leaks.sites[i].used_bytes, expected[e].used_bytes);
    }
}

/* --- Blocks in the quarantine ----------------------------------------------------------------- */

static void test_K10_write_after_free_names_both_callers(void **state)
{
    struct fixture *fixture = *state;
    static const size_t sizes[] = {1, 8, 24, 64, 100, 200, 1000};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        for (size_t offset = 0; offset < sizes[s] + 8; offset++) {
            struct heap *heap = start_fixed(fixture, 65536);
            if (heap_frees_newest_only(heap))
                return;
            uint8_t *block = allocate(heap, sizes[s]);
            memset(block, 0x41, sizes[s]);
            heap_free(heap, block, FREER);
            assert_sound(heap);
            block[offset] ^= 1;
            assert_non_null(heap_check(heap));
            while (fixture->arena.fault_count == 0 && heap_allocate(heap, 200, FINDER) != NULL)
                continue;
            const void *written = offset < sizes[s] ? block + offset : NULL;
            assert_ptr_equal(fixture->arena.fault.pointer, written);
            assert_fault(fixture, HEAP_FAULT_WRITE_AFTER_FREE, block, sizes[s], ALLOCATOR, FREER);
            assert_corrupt(heap);
        }
    }
}

/* For each way in which a block leaves the quarantine: by a trim, by the number of other blocks, or
 * by their size. */
static void test_K10_write_after_free_is_found_when_the_wait_ends(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned way = 0; way < 3; way++) {
        struct heap *heap = start_fixed(fixture, 2 * MIB);
        if (heap_frees_newest_only(heap))
            return;
        uint8_t *block = allocate(heap, 48);
        heap_free(heap, block, FREER);
        block[47] = 0;
        if (way == 0) {
            heap_trim(heap);
            assert_int_equal(fixture->arena.fault_count, 1);
            assert_int_equal(fixture->arena.fault.kind, HEAP_FAULT_WRITE_AFTER_FREE);
            assert_ptr_equal(fixture->arena.fault.freed_by, FREER);
        } else {
            for (unsigned i = 0; i < HEAP_DEBUG_QUARANTINE_LIMIT && fixture->arena.fault_count == 0;
                 i++)
                heap_free(heap, heap_allocate(heap, way == 1 ? 1 : 50000, NULL), FINDER);
            assert_fault(fixture, HEAP_FAULT_WRITE_AFTER_FREE, block, 48, ALLOCATOR, FREER);
        }
        assert_corrupt(heap);
    }
}

/* Its record is broken. So its size is unknown, but its address is known. */
static void test_K10_write_to_the_record_of_a_freed_block(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned others = 0; others < 3; others++) {
        struct heap *heap = start_fixed(fixture, MIB);
        if (heap_frees_newest_only(heap))
            return;
        uint8_t *block = allocate(heap, 48);
        uint8_t *later[3];
        for (unsigned i = 0; i < 3; i++)
            later[i] = allocate(heap, 48);
        heap_free(heap, block, FREER);
        for (unsigned i = 0; i < others; i++)
            heap_free(heap, later[i], FREER);
        block[48 + 24 + 9] ^= 1;
        assert_non_null(heap_check(heap));
        heap_free(heap, later[2], FINDER);
        if (others != 0)
            heap_trim(heap);
        assert_int_equal(fixture->arena.fault_count, 1);
        assert_int_equal(fixture->arena.fault.kind, HEAP_FAULT_WRITE_AFTER_FREE);
        assert_ptr_equal(fixture->arena.fault.block, block);
        assert_int_equal(fixture->arena.fault.size_bytes, 48);
        assert_ptr_equal(fixture->arena.fault.allocated_by, ALLOCATOR);
        assert_true(fixture->arena.fault.is_free);
        assert_corrupt(heap);
    }
}

static void test_freed_blocks_wait_in_order_up_to_both_limits(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_fixed(fixture, 2 * MIB);
    if (heap_frees_newest_only(heap))
        return;
    uint8_t *first = allocate(heap, 16);
    heap_free(heap, first, FREER);
    for (size_t i = 1; i < HEAP_DEBUG_QUARANTINE_LIMIT; i++) {
        uint8_t *block = allocate(heap, 16);
        assert_ptr_not_equal(block, first);
        heap_free(heap, block, FREER);
    }
    struct heap_statistics full = statistics_of(heap);
    assert_int_equal(full.quarantine_block_count, HEAP_DEBUG_QUARANTINE_LIMIT);
    assert_int_equal(full.live_block_count, 0);
    assert_int_equal(full.used_bytes, 0);
    assert_true(full.quarantine_bytes <= 2 * MIB / HEAP_DEBUG_QUARANTINE_PART);
    assert_true(full.overhead_bytes >= full.quarantine_bytes);
    assert_filled(first, 16, HEAP_DEBUG_FREED_BYTE);
    assert_sound(heap);

    /* One large block releases as many blocks as its bytes need. A block above the limit does not
     * wait at all. */
    heap_free(heap, allocate(heap, 400000), FREER);
    struct heap_statistics pushed = statistics_of(heap);
    assert_true(pushed.quarantine_block_count < HEAP_DEBUG_QUARANTINE_LIMIT / 2);
    assert_true(pushed.quarantine_bytes <= 2 * MIB / HEAP_DEBUG_QUARANTINE_PART);
    assert_true(pushed.quarantine_bytes > 2 * MIB / HEAP_DEBUG_QUARANTINE_PART - 200);
    heap_free(heap, allocate(heap, MIB), FREER);
    assert_int_equal(statistics_of(heap).quarantine_block_count, 0);
    assert_sound(heap);
}

/* A small heap has a quarantine, too, so that a program's first buffers are checked. */
static void test_K10_a_heap_that_may_grow_lets_its_first_blocks_wait(void **state)
{
    struct fixture *fixture = *state;
    static const size_t sizes[] = {1000, 16400, 65536, 100000, 130000};
    if (fixture->policy->frees_newest_only)
        return;
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        for (unsigned at_end = 0; at_end < 2; at_end++) {
            struct heap *heap = start(fixture, heap_arena_growing(&fixture->arena, 2 * MIB));
            uint8_t *block = allocate(heap, sizes[s]);
            heap_free(heap, block, FREER);
            assert_int_equal(statistics_of(heap).quarantine_block_count, 1);
            block[at_end ? sizes[s] - 100 : 30] = 1;
            heap_free(heap, allocate(heap, 50), FREER);
            heap_trim(heap);
            assert_int_equal(fixture->arena.fault_count, 1);
            assert_int_equal(fixture->arena.fault.kind, HEAP_FAULT_WRITE_AFTER_FREE);
            assert_int_equal(fixture->arena.fault.size_bytes, sizes[s]);
        }
    }
}

/* The quarantine has a part of the heap's limit, but no more than the minimum. Above that it has a
 * part of the heap's size. */
static void test_quarantine_grows_with_the_heap(void **state)
{
    static const struct {
        size_t limit_bytes, live_bytes, quarantine_bytes;
    } cases[] = {{8 * MIB, 0, 2 * MIB},
                 {64 * MIB, 0, HEAP_DEBUG_QUARANTINE_MINIMUM_BYTES},
                 {64 * MIB, 40 * MIB, 10 * MIB}};
    struct fixture *fixture = *state;
    if (fixture->policy->frees_newest_only)
        return;
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        struct heap_arena arena;
        heap_arena_create(&arena, 64 * MIB);
        struct heap *heap = start(fixture, heap_arena_growing(&arena, cases[c].limit_bytes));
        (void)allocate(heap, cases[c].live_bytes);
        for (unsigned i = 0; i < 400; i++)
            heap_free(heap, allocate(heap, 50000), FREER);
        assert_in_range(statistics_of(heap).quarantine_bytes, cases[c].quarantine_bytes - 60000,
                        cases[c].quarantine_bytes + cases[c].quarantine_bytes / 2);
        assert_true(statistics_of(heap).quarantine_bytes <=
                    (heap_size_bytes(heap) / 4 > cases[c].quarantine_bytes
                         ? heap_size_bytes(heap) / 4
                         : cases[c].quarantine_bytes));
        assert_int_equal(arena.fault_count, 0);
        heap_arena_destroy(&arena);
    }
}

/* The page source has no more memory. The quarantine is used before any request fails. */
static void test_quarantine_serves_when_the_heap_cannot_grow(void **state)
{
    struct fixture *fixture = *state;
    if (fixture->policy->frees_newest_only)
        return;
    struct heap *heap = start(fixture, heap_arena_growing(&fixture->arena, 2 * MIB));
    uint8_t *blocks[5];
    for (unsigned i = 0; i < 5; i++)
        blocks[i] = allocate(heap, 100000);
    for (unsigned i = 0; i < 5; i++)
        heap_free(heap, blocks[i], FREER);
    assert_int_equal(statistics_of(heap).quarantine_block_count, 5);
    assert_non_null(heap_allocate(heap, 2 * MIB - 50000, ALLOCATOR));
    assert_int_equal(statistics_of(heap).quarantine_block_count, 0);
    assert_int_equal(statistics_of(heap).failure_count, 0);
    assert_int_equal(fixture->arena.fault_count, 0);
}

/* Unused pages in the middle of a large block stay unchanged. */
static void test_only_the_ends_of_a_large_block_have_patterns(void **state)
{
    struct fixture *fixture = *state;
    const size_t edge = HEAP_DEBUG_EDGE_BYTES;
    for (size_t size_bytes = 2 * edge - 9; size_bytes < 2 * edge + 9000; size_bytes += 1000) {
        size_t middle_bytes = size_bytes <= 2 * edge ? 0 : size_bytes - 2 * edge;
        heap_arena_set_usable(&fixture->arena, 0); /* its content is stale again */
        struct heap *heap = start_fixed(fixture, 2 * MIB);
        uint8_t *block = allocate(heap, size_bytes);
        assert_filled(block, edge, HEAP_DEBUG_NEW_BYTE);
        assert_filled(block + edge, middle_bytes < 8 ? 0 : middle_bytes - 8, 0x5e);
        assert_filled(block + edge + middle_bytes, size_bytes - edge - middle_bytes,
                      HEAP_DEBUG_NEW_BYTE);
        if (heap_frees_newest_only(heap))
            continue;
        heap_free(heap, block, FREER);
        assert_filled(block, edge, HEAP_DEBUG_FREED_BYTE);
        assert_filled(block + edge, middle_bytes < 8 ? 0 : middle_bytes - 8, 0x5e);
        assert_filled(block + edge + middle_bytes, size_bytes - edge - middle_bytes,
                      HEAP_DEBUG_FREED_BYTE);
        heap_trim(heap);
        assert_int_equal(fixture->arena.fault_count, 0);
    }
}

static void test_K10_a_write_to_the_ends_of_a_large_block_is_found(void **state)
{
    struct fixture *fixture = *state;
    const size_t size_bytes = 300001;
    static const size_t offsets[] = {0, 65535, 300001 - 65536, 300000};
    for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
        struct heap *heap = start_fixed(fixture, 2 * MIB);
        if (heap_frees_newest_only(heap))
            return;
        uint8_t *block = allocate(heap, size_bytes);
        heap_free(heap, block, FREER);
        block[150000] = 1; /* not found */
        assert_sound(heap);
        block[offsets[i]] = 1;
        assert_non_null(heap_check(heap));
        heap_trim(heap);
        assert_int_equal(fixture->arena.fault_count, 1);
        assert_ptr_equal(fixture->arena.fault.pointer, block + offsets[i]);
        assert_int_equal(fixture->arena.fault.kind, HEAP_FAULT_WRITE_AFTER_FREE);
        assert_ptr_equal(fixture->arena.fault.freed_by, FREER);
    }
}

static void test_a_request_that_would_fail_is_served_from_the_quarantine(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_fixed(fixture, 65536);
    if (heap_frees_newest_only(heap))
        return;
    uint8_t *blocks[64];
    size_t count = 0;
    while (count < 64 && (blocks[count] = heap_allocate(heap, 1000, ALLOCATOR)) != NULL)
        count++;
    assert_in_range(count, 30, 62);
    uint8_t *freed = blocks[count / 2];
    heap_free(heap, freed, FREER);
    assert_int_equal(statistics_of(heap).quarantine_block_count, 1);
    assert_ptr_equal(heap_allocate(heap, 1000, ALLOCATOR), freed);
    assert_int_equal(statistics_of(heap).quarantine_block_count, 0);
    assert_int_equal(statistics_of(heap).failure_count, 1);

    /* The quarantine is not flushed for requests that can never succeed. */
    heap_free(heap, freed, FREER);
    assert_null(heap_allocate(heap, 65536, ALLOCATOR));
    assert_null(heap_allocate_aligned(heap, 16, 65536, ALLOCATOR));
    assert_null(heap_allocate_aligned(heap, 16, 24, ALLOCATOR));
    assert_null(heap_allocate(heap, SIZE_MAX - 20, ALLOCATOR));
    assert_int_equal(statistics_of(heap).quarantine_block_count, 1);
    heap_trim(heap);
    assert_int_equal(statistics_of(heap).quarantine_block_count, 0);
    assert_sound(heap);
}

/* --- Re-allocation ---------------------------------------------------------------------------- */

static void test_a_stale_pointer_after_reallocation_is_found(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_fixed(fixture, MIB);
    if (heap_frees_newest_only(heap))
        return;
    static const size_t sizes[] = {99, 100, 101, 3000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint8_t *block = allocate(heap, 100);
        uint8_t *moved = heap_reallocate(heap, block, sizes[i], FREER);
        assert_non_null(moved);
        assert_ptr_not_equal(moved, block);
        heap_free(heap, block, FINDER);
        assert_fault(fixture, HEAP_FAULT_DOUBLE_FREE, block, 100, ALLOCATOR, FREER);
        heap_free(heap, moved, FREER);
    }
    assert_sound(heap);
}

/* There is no room for two blocks, so the policy resizes the block in place. */
static void test_reallocation_without_room_to_move(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_fixed(fixture, 65536);
    uint8_t *block = allocate(heap, 30000);
    memset(block, 0x41, 30000);
    assert_ptr_equal(heap_reallocate(heap, block, 50000, FREER), block);
    assert_filled(block, 30000, 0x41);
    assert_filled(block + 30000, 20000, HEAP_DEBUG_NEW_BYTE);
    struct heap_statistics longer = statistics_of(heap);
    assert_int_equal(longer.used_bytes, 50000);
    assert_int_equal(longer.peak_used_bytes, 50000);
    assert_int_equal(longer.free_count, 0);
    assert_sound(heap);
    assert_ptr_equal(heap_reallocate(heap, block, 40000, FREER), block);
    assert_int_equal(heap_usable_size(heap, block, FINDER), 40000);
    assert_null(heap_reallocate(heap, block, 65500, FREER));
    assert_null(heap_reallocate(heap, block, SIZE_MAX - 8, FREER));
    assert_int_equal(statistics_of(heap).failure_count, 2);
    assert_filled(block, 30000, 0x41);
    block[40000] ^= 1;
    heap_free(heap, block, FINDER);
    assert_fault(fixture, HEAP_FAULT_OVERRUN, block, 40000, FREER, NULL);
}

/* --- Bump ------------------------------------------------------------------------------------- */

static void test_bump_refuses_an_order_and_counts_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start_fixed(fixture, 65536);
    if (!heap_frees_newest_only(heap))
        return;
    uint8_t *older = allocate(heap, 100);
    memset(older, 0x41, 100);
    uint8_t *newer = allocate(heap, 200);
    heap_free(heap, older, FINDER);
    assert_fault(fixture, HEAP_FAULT_BAD_POINTER, older, 100, ALLOCATOR, NULL);
    assert_filled(older, 100, 0x41);
    assert_int_equal(statistics_of(heap).free_count, 0);
    assert_int_equal(statistics_of(heap).used_bytes, 300);
    heap_free(heap, newer, FREER);
    heap_free(heap, older, FREER);
    assert_int_equal(statistics_of(heap).free_count, 2);
    assert_int_equal(statistics_of(heap).quarantine_block_count, 0);
    assert_sound(heap);
}

/* --- Its cost --------------------------------------------------------------------------------- */

static void test_without_it_there_is_nothing_above_the_policy(void **state)
{
    struct fixture *fixture = *state;
    struct heap_configuration configuration = heap_arena_fixed(&fixture->arena, MIB);
    configuration.policy = fixture->policy;
    assert_int_equal(heap_initialise(&configuration, &fixture->heap), HEAP_OK);
    assert_memory_equal(&fixture->heap->operations, fixture->policy->functions->operations,
                        sizeof fixture->heap->operations);
}

/* The heap gives back unused memory when the quarantine is empty. */
static void test_the_heap_shrinks_when_it_is_trimmed(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start(fixture, heap_arena_growing(&fixture->arena, 2 * MIB));
    uint8_t *blocks[100];
    for (unsigned i = 0; i < 100; i++)
        blocks[i] = allocate(heap, 10000);
    for (unsigned i = 100; i > 0; i--)
        heap_free(heap, blocks[i - 1], FREER);
    heap_trim(heap);
    assert_true(heap_size_bytes(heap) <= MIB / 4);
    assert_int_equal(statistics_of(heap).free_block_count, 1);
    assert_sound(heap);
    assert_int_equal(fixture->arena.fault_count, 0);
}

/* --- Running ---------------------------------------------------------------------------------- */

#define TEST(function)                                                                             \
    {                                                                                              \
#function, function, create_arena, destroy_arena, NULL                                     \
    }

static const struct CMUnitTest TESTS[] = {
    TEST(test_new_bytes_have_a_pattern_and_zeroed_ones_none),
    TEST(test_freed_bytes_have_a_pattern),
    TEST(test_new_bytes_of_a_block_have_the_pattern),
    TEST(test_overrun_of_any_block_of_a_mass_is_found),
    TEST(test_every_bit_of_canary_and_record_is_watched),
    TEST(test_K8_an_overrun_block_has_its_size_and_owner),
    TEST(test_K8_an_underrun_block_has_its_size_and_owner),
    TEST(test_K8_an_underrun_block_is_not_an_earlier_one),
    TEST(test_a_forged_size_is_not_believed),
    TEST(test_faults_from_below_are_in_the_caller_s_terms),
    TEST(test_a_second_free_names_the_first_caller),
    TEST(test_leaks_of_every_policy_have_their_site),
    TEST(test_K10_write_after_free_names_both_callers),
    TEST(test_K10_write_after_free_is_found_when_the_wait_ends),
    TEST(test_K10_write_to_the_record_of_a_freed_block),
    TEST(test_freed_blocks_wait_in_order_up_to_both_limits),
    TEST(test_K10_a_heap_that_may_grow_lets_its_first_blocks_wait),
    TEST(test_quarantine_grows_with_the_heap),
    TEST(test_quarantine_serves_when_the_heap_cannot_grow),
    TEST(test_only_the_ends_of_a_large_block_have_patterns),
    TEST(test_K10_a_write_to_the_ends_of_a_large_block_is_found),
    TEST(test_a_request_that_would_fail_is_served_from_the_quarantine),
    TEST(test_a_stale_pointer_after_reallocation_is_found),
    TEST(test_reallocation_without_room_to_move),
    TEST(test_bump_refuses_an_order_and_counts_nothing),
    TEST(test_without_it_there_is_nothing_above_the_policy),
    TEST(test_the_heap_shrinks_when_it_is_trimmed),
};
#define TEST_COUNT (sizeof TESTS / sizeof TESTS[0])

static const struct heap_policy *const POLICIES[] = {&heap_policy_bump, &heap_policy_first_fit,
                                                     &heap_policy_best_fit, &heap_policy_fast};
#define POLICY_COUNT (sizeof POLICIES / sizeof POLICIES[0])

int main(void)
{
    static struct CMUnitTest tests[POLICY_COUNT * TEST_COUNT];
    static char names[POLICY_COUNT * TEST_COUNT][100];
    for (size_t i = 0; i < POLICY_COUNT * TEST_COUNT; i++) {
        const struct heap_policy *policy = POLICIES[i / TEST_COUNT];
        tests[i] = TESTS[i % TEST_COUNT];
        (void)snprintf(names[i], sizeof names[i], "%s: %s", policy->name, tests[i].name);
        tests[i].name = names[i];
        tests[i].initial_state = (void *)(uintptr_t)policy;
    }
    return _cmocka_run_group_tests("heap debug", tests, POLICY_COUNT * TEST_COUNT, NULL, NULL);
}
