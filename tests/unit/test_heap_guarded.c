/* Blocks with pages of their own between pages that never are, over each policy that may have them,
 * alone and under the layer of heap_debug.h.
 * Catalogue group K. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sanitizer/asan_interface.h>

#include "kernel/mm/heap/include/handoff/heap.h"
#include "kernel/mm/heap/include/handoff/heap_leaks.h"
#include "kernel/mm/heap/layers/guarded_state.h"
#include "tests/unit/support/heap_arena.h"
#include "tests/unit/support/heap_oracle.h"
#include "tests/unit/support/random.h"

#define MIB          ((size_t)1 << 20)
#define PAGE_BYTES   HEAP_PAGE_SIZE_BYTES
#define ARENA_BYTES  (8 * MIB)
#define WINDOW_BYTES (64 * MIB)
#define LARGE_BYTES  ((size_t)8192)
/* So many freed places wait before the oldest is used again (guarded.c). */
#define WAITING_PLACES 1024

/* What the layer lies above. */
struct stack {
    const char *name;
    const struct heap_policy *policy;
    bool debug; /* with the layer of heap_debug.h between */
};

struct fixture {
    const struct stack *stack;
    struct heap_arena arena;
    struct heap *heap;
    struct random random;
};

static void *const CALLER = (void *)0x1111;
static void *const OTHER_CALLER = (void *)0x2222;

static int create_arena(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->stack = *state;
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

static struct heap_configuration configure(struct fixture *fixture, size_t window_bytes,
                                           size_t large_bytes, uint64_t sample_interval)
{
    heap_arena_destroy(&fixture->arena);
    heap_arena_create(&fixture->arena, ARENA_BYTES);
    struct heap_configuration configuration = heap_arena_growing(&fixture->arena, ARENA_BYTES);
    configuration.policy = fixture->stack->policy;
    heap_arena_set_debug(&fixture->arena, &configuration, fixture->stack->debug);
    heap_arena_add_guarded(&fixture->arena, &configuration, window_bytes, large_bytes,
                           sample_interval);
    return configuration;
}

static struct heap *start(struct fixture *fixture, uint64_t sample_interval)
{
    const struct heap_configuration configuration =
        configure(fixture, WINDOW_BYTES, LARGE_BYTES, sample_interval);
    assert_int_equal(heap_initialise(&configuration, &fixture->heap), HEAP_OK);
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
    return statistics;
}

static bool is_guarded(const struct heap *heap, const void *block)
{
    const struct guarded *guarded = guarded_of(heap);
    return guarded != NULL && (uintptr_t)block - guarded->base < guarded->window_bytes;
}

static uint8_t *allocate(struct heap *heap, size_t size_bytes)
{
    uint8_t *block = heap_allocate(heap, size_bytes, CALLER);
    assert_non_null(block);
    return block;
}

static uint8_t *allocate_guarded(struct heap *heap, size_t size_bytes)
{
    uint8_t *block = allocate(heap, size_bytes);
    assert_true(is_guarded(heap, block));
    return block;
}

static uint8_t *page_of(const uint8_t *address)
{
    return (uint8_t *)((uintptr_t)address & ~(uintptr_t)(PAGE_BYTES - 1));
}

static uint8_t *pages_end(const uint8_t *block, size_t size_bytes)
{
    return page_of(block + (size_bytes == 0 ? 1 : size_bytes) + PAGE_BYTES - 1);
}

/* Its own pages can be touched, those around them cannot, and it lies at their end. */
static void assert_guarded(const struct fixture *fixture, const uint8_t *block, size_t size_bytes,
                           size_t alignment_bytes)
{
    const uint8_t *start = page_of(block), *end = pages_end(block, size_bytes);
    size_t most_behind = alignment_bytes < PAGE_BYTES ? alignment_bytes : PAGE_BYTES;
    assert_int_equal((uintptr_t)block % alignment_bytes, 0);
    assert_true((size_t)(end - (block + size_bytes)) < most_behind + (size_bytes == 0));
    assert_true(heap_arena_is_usable(&fixture->arena, start, (size_t)(end - start)));
    assert_true(heap_arena_is_guarded(&fixture->arena, start - PAGE_BYTES, PAGE_BYTES));
    assert_true(heap_arena_is_guarded(&fixture->arena, end, PAGE_BYTES));
    assert_true(__asan_address_is_poisoned(start - 1) && __asan_address_is_poisoned(end));
}

static void assert_fault(struct fixture *fixture, enum heap_fault_kind kind, const char *detail,
                         const void *pointer, const void *block, size_t size_bytes)
{
    const struct heap_fault *fault = &fixture->arena.fault;
    assert_int_equal(fixture->arena.fault_count, 1);
    assert_string_equal(heap_fault_kind_name(fault->kind), heap_fault_kind_name(kind));
    assert_string_equal(fault->detail, detail);
    assert_ptr_equal(fault->pointer, pointer);
    assert_ptr_equal(fault->block, block);
    assert_int_equal(fault->size_bytes, size_bytes);
    assert_ptr_equal(fault->caller, OTHER_CALLER);
    assert_ptr_equal(fault->allocated_by, block == NULL ? NULL : CALLER);
    fixture->arena.fault_count = 0;
}

/* --- Where blocks lie ------------------------------------------------------------------------- */

static void test_large_block_lies_between_guard_pages(void **state)
{
    static const size_t SIZES[] = {LARGE_BYTES, 8193, 8208, 12287, 12288, 65536, 100001, 1000000};
    struct fixture *fixture = *state;
    struct heap *heap = start(fixture, 0);
    for (size_t i = 0; i < sizeof SIZES / sizeof SIZES[0]; i++) {
        uint8_t *block = allocate_guarded(heap, SIZES[i]);
        assert_guarded(fixture, block, SIZES[i], 16);
        assert_int_equal(heap_usable_size(heap, block, CALLER), SIZES[i]);
        memset(block, 0x5a, SIZES[i]);
        assert_sound(heap);
        heap_free(heap, block, CALLER);
        assert_true(heap_arena_is_guarded(&fixture->arena, block, SIZES[i]));
        assert_sound(heap);
    }
    assert_false(is_guarded(heap, allocate(heap, LARGE_BYTES - 1)));
    assert_int_equal(fixture->arena.fault_count, 0);
}

static void test_every_alignment(void **state)
{
    static const size_t SIZES[] = {0, 1, 15, 16, 17, 100, 4080, 4095, 4096, 4097, 8192, 70000};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof SIZES / sizeof SIZES[0]; i++) {
        struct heap *heap = start(fixture, 1);
        for (size_t alignment = 1; alignment <= MIB / 4; alignment *= 2) {
            uint8_t *block = heap_allocate_aligned(heap, SIZES[i], alignment, CALLER);
            assert_non_null(block);
            bool has_place =
                SIZES[i] >= LARGE_BYTES || (SIZES[i] <= PAGE_BYTES && alignment <= PAGE_BYTES);
            assert_int_equal(is_guarded(heap, block), has_place);
            assert_int_equal((uintptr_t)block % alignment, 0);
            if (has_place)
                assert_guarded(fixture, block, SIZES[i], alignment < 16 ? 16 : alignment);
            memset(block, 0xa5, SIZES[i]);
            uint8_t *moved = heap_reallocate(heap, block, 9000, CALLER);
            assert_non_null(moved);
            assert_int_equal((uintptr_t)moved % alignment, 0);
            heap_free(heap, moved, CALLER);
            assert_sound(heap);
        }
        assert_int_equal(fixture->arena.fault_count, 0);
        assert_int_equal(statistics_of(heap).live_block_count, 0);
    }
}

static void test_requests_that_are_none_are_refused(void **state)
{
    static const size_t ALIGNMENTS[] = {0, 3, 24, SIZE_MAX};
    struct heap *heap = start(*state, 1);
    for (size_t i = 0; i < 4; i++) {
        assert_null(heap_allocate_aligned(heap, 100, ALIGNMENTS[i], CALLER));
        assert_null(heap_allocate_aligned(heap, 10000, ALIGNMENTS[i], CALLER));
    }
    assert_null(heap_allocate(heap, SIZE_MAX, CALLER));
    assert_null(heap_allocate(heap, SIZE_MAX - PAGE_BYTES, CALLER));
    assert_null(heap_allocate_aligned(heap, 10000, (size_t)1 << 63, CALLER));
    assert_null(heap_allocate_aligned(heap, SIZE_MAX / 2, SIZE_MAX / 2 + 1, CALLER));
    assert_int_equal(statistics_of(heap).failure_count, 12);
    assert_int_equal(statistics_of(heap).unguarded_count, 0);
    assert_sound(heap);
}

/* --- Misuse ----------------------------------------------------------------------------------- */

static const char BEFORE[] = "the bytes before the block were overwritten";
static const char BEHIND[] = "the bytes behind the block were overwritten";

static void assert_overrun_is_found(struct fixture *fixture, size_t size_bytes, size_t alignment,
                                    ptrdiff_t distance, uint8_t value)
{
    struct heap *heap = start(fixture, 1);
    uint8_t *block = heap_allocate_aligned(heap, size_bytes, alignment, CALLER);
    assert_guarded(fixture, block, size_bytes, alignment);
    memset(block, 0, size_bytes);
    block[distance] = value;
    assert_string_equal(heap_check(heap), distance < 0 ? BEFORE : BEHIND);
    heap_free(heap, block, OTHER_CALLER);
    assert_fault(fixture, HEAP_FAULT_OVERRUN, distance < 0 ? BEFORE : BEHIND, block, block,
                 size_bytes);
    assert_null(heap_allocate(heap, 10000, CALLER));
}

/* Every byte of the block's pages that is not the block's, and the bytes that overruns are made of.
 */
static void test_K8_bytes_around_a_block_are_proved(void **state)
{
    static const uint8_t VALUES[] = {0, 1, 'A', 0x7f, 0x80, 0xff};
    static const size_t SIZES[] = {0, 1, 100, 4090, 8200};
    static const size_t ALIGNMENTS[] = {16, 64, 4096};
    for (size_t i = 0; i < sizeof SIZES / sizeof SIZES[0]; i++) {
        for (size_t k = 0; k < 3; k++) {
            size_t room = (PAGE_BYTES - SIZES[i] % PAGE_BYTES) % PAGE_BYTES;
            size_t behind = -SIZES[i] & (ALIGNMENTS[k] - 1);
            if (SIZES[i] == 0)
                behind = ALIGNMENTS[k];
            assert_true(behind <= room || SIZES[i] == 0);
            for (size_t n = 0; n < behind; n += n < 16 ? 1 : 511)
                assert_overrun_is_found(*state, SIZES[i], ALIGNMENTS[k], (ptrdiff_t)(SIZES[i] + n),
                                        VALUES[n % 6]);
            size_t before = (SIZES[i] == 0 ? PAGE_BYTES : room) - behind;
            for (size_t n = 1; n <= before; n += n < 16 ? 1 : 509)
                assert_overrun_is_found(*state, SIZES[i], ALIGNMENTS[k], -(ptrdiff_t)n,
                                        VALUES[n % 6]);
        }
    }
}

static void test_K4_double_free(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start(fixture, 1);
    static const size_t SIZES[] = {0, 40, 10000};
    for (size_t i = 0; i < 3; i++) {
        uint8_t *block = allocate_guarded(heap, SIZES[i]);
        heap_free(heap, block, (void *)0x3333);
        allocate_guarded(heap, SIZES[i]);
        heap_free(heap, block, OTHER_CALLER);
        assert_ptr_equal(fixture->arena.fault.freed_by, (void *)0x3333);
        assert_true(fixture->arena.fault.is_free);
        assert_fault(fixture, HEAP_FAULT_DOUBLE_FREE, "the block is free already", block, block,
                     SIZES[i]);
        assert_null(heap_reallocate(heap, block, 20000, OTHER_CALLER));
        assert_fault(fixture, HEAP_FAULT_DOUBLE_FREE, "the block is free already", block, block,
                     SIZES[i]);
        assert_int_equal(heap_usable_size(heap, block, OTHER_CALLER), 0);
        assert_fault(fixture, HEAP_FAULT_DOUBLE_FREE, "the block is free already", block, block,
                     SIZES[i]);
        heap_free(heap, block + 1, OTHER_CALLER);
        assert_fault(fixture, HEAP_FAULT_DOUBLE_FREE, "the pointer is into memory that was freed",
                     block + 1, block, SIZES[i]);
    }
    assert_sound(heap);
    assert_int_equal(statistics_of(heap).live_block_count, 3);
}

static void test_K5_K7_pointers_that_are_no_block(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start(fixture, 0);
    uint8_t *block = allocate_guarded(heap, 10000);
    const struct guarded *guarded = guarded_of(heap);
    uint8_t *const insides[] = {block + 1,  block + 16,        block - 1,
                                block - 16, block + 10000 - 1, page_of(block) - PAGE_BYTES};
    for (size_t i = 0; i < sizeof insides / sizeof insides[0]; i++) {
        heap_free(heap, insides[i], OTHER_CALLER);
        assert_fault(fixture, HEAP_FAULT_BAD_POINTER, "the pointer is not the start of a block",
                     insides[i], block, 10000);
    }
    uint8_t *const nowhere[] = {(uint8_t *)guarded->base, (uint8_t *)guarded->lanes_start - 16,
                                (uint8_t *)guarded->lanes_start, block + 100000,
                                (uint8_t *)guarded->base + guarded->window_bytes - 16};
    for (size_t i = 0; i < sizeof nowhere / sizeof nowhere[0]; i++) {
        heap_free(heap, nowhere[i], OTHER_CALLER);
        assert_fault(fixture, HEAP_FAULT_BAD_POINTER, "no block was ever at the pointer",
                     nowhere[i], NULL, 0);
    }
    /* Beside the window it is the policy that judges. */
    heap_free(heap, (uint8_t *)guarded->base + guarded->window_bytes, OTHER_CALLER);
    assert_int_equal(fixture->arena.fault_count, 1);
    assert_int_equal(fixture->arena.fault.kind, HEAP_FAULT_BAD_POINTER);
    fixture->arena.fault_count = 0;
    assert_sound(heap);
    heap_free(heap, block, CALLER);
    assert_int_equal(fixture->arena.fault_count, 0);
}

/* A block that the policy serves, and that was overrun, does not become a large one. */
static void test_K8_overrun_block_does_not_move(void **state)
{
    static const size_t SIZES[] = {50, 1000, 5000};
    struct fixture *fixture = *state;
    for (unsigned i = 0; i < 3; i++) {
        for (int behind = 0; behind < 2; behind++) {
            struct heap *heap = start(fixture, 0);
            uint8_t *block = allocate(heap, SIZES[i]);
            block[behind == 1 ? (ptrdiff_t)SIZES[i] : -1] ^= 0xff;
            assert_null(heap_reallocate(heap, block, 20000, OTHER_CALLER));
            assert_int_equal(fixture->arena.fault_count, 1);
            assert_int_equal(fixture->arena.fault.kind, HEAP_FAULT_OVERRUN);
            assert_int_equal(guarded_of(heap)->live_count, 0);
            fixture->arena.fault_count = 0;
        }
    }
}

/* A pointer that the policy refuses is reported once, although it is asked twice. */
static void test_bad_pointer_to_a_large_size(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start(fixture, 0);
    uint8_t *block = allocate(heap, 100);
    assert_null(heap_reallocate(heap, block + 16, 20000, OTHER_CALLER));
    assert_int_equal(fixture->arena.fault_count, 1);
    assert_sound(heap);
}

/* --- Addresses -------------------------------------------------------------------------------- */

static void test_addresses_come_back_late(void **state)
{
    struct fixture *fixture = *state;
    const struct heap_configuration configuration = configure(fixture, 512 * MIB, LARGE_BYTES, 0);
    assert_int_equal(heap_initialise(&configuration, &fixture->heap), HEAP_OK);
    struct heap *heap = fixture->heap;
    uint8_t *blocks[WAITING_PLACES];
    for (unsigned i = 0; i < WAITING_PLACES; i++) {
        blocks[i] = allocate_guarded(heap, LARGE_BYTES);
        assert_true(i == 0 || blocks[i] > blocks[i - 1]);
        heap_free(heap, blocks[i], CALLER);
    }
    assert_sound(heap);
    /* Oldest first, and none before. */
    for (unsigned i = 0; i < WAITING_PLACES; i++) {
        uint8_t *again = allocate_guarded(heap, LARGE_BYTES);
        assert_ptr_equal(again, blocks[i]);
        heap_free(heap, again, CALLER);
    }
    assert_sound(heap);
    assert_int_equal(statistics_of(heap).guarded_bytes % PAGE_BYTES, 0);
    assert_int_equal(statistics_of(heap).guarded_block_count, 0);
}

/* A window that is full, or too small for a block, is no failure: the policy serves. */
static void test_policy_serves_what_has_no_place(void **state)
{
    struct fixture *fixture = *state;
    const struct heap_configuration configuration =
        configure(fixture, GUARDED_WINDOW_MINIMUM_BYTES, LARGE_BYTES, 0);
    assert_int_equal(heap_initialise(&configuration, &fixture->heap), HEAP_OK);
    struct heap *heap = fixture->heap;
    assert_false(is_guarded(heap, allocate(heap, 100000)));
    assert_int_equal(statistics_of(heap).unguarded_count, 1);
    uint8_t *blocks[4];
    for (unsigned i = 0; i < 4; i++)
        blocks[i] = allocate_guarded(heap, LARGE_BYTES);
    assert_false(is_guarded(heap, allocate(heap, LARGE_BYTES)));
    assert_int_equal(statistics_of(heap).unguarded_count, 2);
    heap_free(heap, blocks[2], CALLER);
    assert_ptr_equal(allocate_guarded(heap, LARGE_BYTES), blocks[2]);
    assert_sound(heap);
}

#define TIB_BYTES ((size_t)1 << 40)

static bool give_any(void *context, size_t offset_bytes, size_t bytes)
{
    (void)context;
    (void)offset_bytes;
    (void)bytes;
    return true;
}

static void take_any(void *context, size_t offset_bytes, size_t bytes)
{
    (void)context;
    (void)offset_bytes;
    (void)bytes;
}

/* As large as the kernel's: nothing is cut off on the way to places and back. */
static void test_window_of_a_tebibyte(void **state)
{
    struct fixture *fixture = *state;
    struct heap_arena window;
    heap_arena_create(&window, TIB_BYTES);
    struct heap_configuration configuration = heap_arena_growing(&fixture->arena, ARENA_BYTES);
    configuration.policy = fixture->stack->policy;
    heap_arena_set_debug(&fixture->arena, &configuration, fixture->stack->debug);
    const struct guarded_configuration guarded = {.base = window.base,
                                                  .window_bytes = TIB_BYTES,
                                                  .large_bytes = 65536,
                                                  .pages = {NULL, give_any, take_any}};
    configuration.guarded = guarded_layer(&fixture->arena.guarded, &guarded);
    assert_int_equal(heap_initialise(&configuration, &fixture->heap), HEAP_OK);
    struct heap *heap = fixture->heap;
    size_t largest = 0;
    for (size_t size = 131072; size < TIB_BYTES; size = size * 2) {
        for (unsigned i = 0; i < 3; i++) {
            uint8_t *block = heap_allocate(heap, size - PAGE_BYTES + i, CALLER);
            if (block == NULL)
                continue;
            largest = size;
            block[0] = 1;
            block[size - PAGE_BYTES + i - 1] = 1;
            assert_int_equal((uintptr_t)(block + size - PAGE_BYTES + i + 15) / 16 * 16 % PAGE_BYTES,
                             0);
            struct guarded_incident incident;
            assert_true(guarded_find_incident(heap, block, &incident));
            assert_ptr_equal(incident.block, block);
        }
    }
    assert_int_equal(largest, (size_t)8 << 30);
    assert_sound(heap);
    heap_arena_destroy(&window);
}

/* --- Sampling --------------------------------------------------------------------------------- */

static void test_samples(void **state)
{
    static const uint64_t INTERVALS[] = {1, 2, 10, 100};
    struct fixture *fixture = *state;
    for (unsigned i = 0; i < 4; i++) {
        struct heap *heap = start(fixture, INTERVALS[i]);
        unsigned sampled_count = 0;
        for (unsigned n = 0; n < 500 * INTERVALS[i]; n++) {
            uint8_t *block = n % 2 == 0 ? allocate(heap, n % 300)
                                        : heap_allocate_aligned(heap, n % 300, 64, CALLER);
            sampled_count += is_guarded(heap, block);
            heap_free(heap, block, CALLER);
        }
        assert_in_range(sampled_count, INTERVALS[i] == 1 ? 500 : 440,
                        INTERVALS[i] == 1 ? 500 : 560);
        assert_int_equal(statistics_of(heap).sampled_count, sampled_count);
        assert_sound(heap);
    }
    struct heap *heap = start(fixture, 0);
    for (unsigned n = 0; n < 10000; n++) {
        uint8_t *block = allocate(heap, 100);
        assert_false(is_guarded(heap, block));
        heap_free(heap, block, CALLER);
    }
}

/* What is longer than a page, and not large, leaves its turn to the next. */
/* Twice the interval does not wrap to 1, which would make each block a sample. */
static void test_interval_beyond_all_blocks(void **state)
{
    struct heap *heap = start(*state, (UINT64_C(1) << 63) + 1);
    for (unsigned i = 0; i < 100; i++)
        (void)allocate(heap, 100);
    assert_int_equal(statistics_of(heap).sampled_count, 0);
    assert_sound(heap);
}

/* Where each small block would get a page, most of the memory is still the policy's. */
static void test_samples_leave_the_policy_its_memory(void **state)
{
    struct fixture *fixture = *state;
    struct heap_configuration configuration = configure(fixture, WINDOW_BYTES, LARGE_BYTES, 1);
    configuration.limit_bytes = MIB;
    fixture->arena.budget_bytes = MIB;
    assert_int_equal(heap_initialise(&configuration, &fixture->heap), HEAP_OK);
    struct heap *heap = fixture->heap;
    uint8_t *first = allocate_guarded(heap, 400);
    while (heap_allocate(heap, 400, CALLER) != NULL)
        continue;
    struct heap_statistics statistics = statistics_of(heap);
    assert_true(statistics.used_bytes > MIB / 2);
    assert_int_equal(statistics.guarded_block_count, MIB / 4 / PAGE_BYTES);
    assert_int_equal(statistics.unguarded_count,
                     statistics.live_block_count - statistics.guarded_block_count);
    heap_free(heap, first, CALLER);
    (void)allocate_guarded(heap, 400);
    assert_sound(heap);
}

static void test_sample_waits_for_a_small_block(void **state)
{
    struct heap *heap = start(*state, 1);
    assert_false(is_guarded(heap, allocate(heap, PAGE_BYTES + 1)));
    assert_false(is_guarded(heap, allocate(heap, LARGE_BYTES - 1)));
    allocate_guarded(heap, PAGE_BYTES);
    assert_sound(heap);
}

/* --- Re-allocation ---------------------------------------------------------------------------- */

static void assert_filled(const uint8_t *block, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes; i++)
        assert_int_equal(block[i], (uint8_t)(i * 7));
}

static void fill(uint8_t *block, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes; i++)
        block[i] = (uint8_t)(i * 7);
}

static void test_K15_every_pair_of_sizes(void **state)
{
    static const size_t SIZES[] = {0, 1, 50, 4096, 8191, 8192, 8193, 12288, 12289, 30000, 200000};
    struct fixture *fixture = *state;
    for (unsigned sampled = 0; sampled < 2; sampled++) {
        struct heap *heap = start(fixture, sampled);
        for (size_t i = 0; i < 11; i++) {
            for (size_t k = 1; k < 11; k++) {
                uint8_t *block = allocate(heap, SIZES[i]);
                fill(block, SIZES[i]);
                uint8_t *moved = heap_reallocate(heap, block, SIZES[k], CALLER);
                assert_non_null(moved);
                assert_filled(moved, SIZES[i] < SIZES[k] ? SIZES[i] : SIZES[k]);
                assert_int_equal(heap_usable_size(heap, moved, CALLER), SIZES[k]);
                if (SIZES[k] >= LARGE_BYTES)
                    assert_true(is_guarded(heap, moved));
                assert_sound(heap);
                heap_free(heap, moved, CALLER);
            }
        }
        assert_null(heap_reallocate(heap, allocate(heap, 10000), 0, CALLER));
        assert_int_equal(statistics_of(heap).live_block_count, 0);
        assert_int_equal(fixture->arena.fault_count, 0);
    }
}

/* It cannot fail, gives pages back, and what lies behind is guarded anew. */
static void test_K15_large_block_gets_smaller_in_place(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start(fixture, 0);
    uint8_t *block = allocate_guarded(heap, 100000);
    fill(block, 100000);
    fixture->arena.budget_bytes = 0;
    for (size_t size = 100000; size >= LARGE_BYTES; size -= 999) {
        assert_ptr_equal(heap_reallocate(heap, block, size, CALLER), block);
        const uint8_t *end = pages_end(block, size);
        assert_true(
            heap_arena_is_usable(&fixture->arena, page_of(block), (size_t)(end - page_of(block))));
        assert_true(heap_arena_is_guarded(&fixture->arena, end, 100000));
        assert_filled(block, size);
        assert_int_equal(statistics_of(heap).used_bytes, size);
        assert_sound(heap);
    }
    size_t size = heap_usable_size(heap, block, CALLER);
    block[size] ^= 0xff;
    heap_free(heap, block, OTHER_CALLER);
    assert_fault(fixture, HEAP_FAULT_OVERRUN, BEHIND, block, block, size);
}

/* To a size that the policy would serve, had it room. */
static void test_K15_getting_smaller_needs_no_memory(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start(fixture, 0);
    uint8_t *block = heap_allocate_aligned(heap, 100000, 64, CALLER);
    assert_true(is_guarded(heap, block));
    fill(block, 100000);
    fixture->arena.budget_bytes = 0;
    while (heap_allocate(heap, 5000, CALLER) != NULL)
        ;
    uint64_t failure_count = statistics_of(heap).failure_count;
    for (size_t size = 5000; size > 0; size /= 10) {
        while (heap_allocate(heap, size, CALLER) != NULL)
            ;
        failure_count++;
        assert_ptr_equal(heap_reallocate(heap, block, size, CALLER), block);
        assert_true(
            heap_arena_is_guarded(&fixture->arena, pages_end(block, size), 100000 - PAGE_BYTES));
        assert_filled(block, size);
        assert_int_equal(heap_usable_size(heap, block, CALLER), size);
        assert_int_equal(statistics_of(heap).failure_count, failure_count);
        assert_sound(heap);
    }
    heap_free(heap, block, CALLER);
    assert_int_equal(fixture->arena.fault_count, 0);
}

/* Found by fuzz_heap_oracle. A large block that the policy serves, since there was no page for it,
 * stays unguarded when it gets smaller, and is guarded when it grows. */
static void test_K15_unguarded_block_gets_smaller(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start(fixture, 0);
    fixture->arena.failing_grow = fixture->arena.grow_count + 1;
    uint8_t *block = allocate(heap, 30000);
    assert_false(is_guarded(heap, block));
    fill(block, 30000);
    block = heap_reallocate(heap, block, 20000, CALLER);
    assert_false(is_guarded(heap, block));
    assert_filled(block, 20000);
    assert_int_equal(heap_usable_size(heap, block, CALLER), 20000);
    uint8_t *moved = heap_reallocate(heap, block, 60000, CALLER);
    assert_true(is_guarded(heap, moved));
    assert_filled(moved, 20000);
    assert_int_equal(statistics_of(heap).unguarded_count, 1);
    assert_int_equal(statistics_of(heap).used_bytes, 60000);
    assert_sound(heap);
}

static void test_K15_failure_leaves_the_old_block(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start(fixture, 0);
    uint8_t *small = allocate(heap, 1000);
    uint8_t *large = allocate_guarded(heap, 20000);
    fill(small, 1000);
    fill(large, 20000);
    fixture->arena.budget_bytes = fixture->arena.usable_bytes + fixture->arena.guarded_usable_bytes;
    assert_null(heap_reallocate(heap, small, 2 * MIB, CALLER));
    assert_null(heap_reallocate(heap, large, 2 * MIB, CALLER));
    assert_filled(small, 1000);
    assert_filled(large, 20000);
    assert_int_equal(statistics_of(heap).failure_count, 2);
    assert_int_equal(statistics_of(heap).unguarded_count, 0);
    assert_sound(heap);
    heap_free(heap, small, CALLER);
    heap_free(heap, large, CALLER);
    assert_int_equal(fixture->arena.fault_count, 0);
}

/* The free of the policy's block finds its neighbour smashed, after the content has moved. */
static void test_K15_move_that_finds_a_fault_fails(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start(fixture, 0);
    uint8_t *neighbour = allocate(heap, 3000);
    uint8_t *small = allocate(heap, 3000);
    (void)allocate(heap, 3000);
    heap_free(heap, neighbour, CALLER);
    memset(neighbour, 0x7e, 16);
    if (fixture->stack->debug) { /* where it waits, nobody looks at more than its record yet */
        memset(neighbour + 3000, 0x7e, 32);
        assert_null(heap_reallocate(heap, small, 20000, CALLER));
        assert_int_equal(fixture->arena.fault.kind, HEAP_FAULT_WRITE_AFTER_FREE);
    } else {
        assert_null(heap_reallocate(heap, small, 20000, CALLER));
        assert_int_equal(fixture->arena.fault.kind, HEAP_FAULT_CORRUPT);
    }
    assert_int_equal(fixture->arena.fault_count, 1);
    assert_null(heap_allocate(heap, 20000, CALLER));
}

/* --- The page source fails -------------------------------------------------------------------- */

/* Each call of the page source fails once: the block is then the policy's, or there is none, and no
 * page is lost. */
static void test_K11_nth_call_of_the_page_source_fails(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned n = 1; n < 80; n++) {
        struct heap *heap = start(fixture, 3);
        fixture->arena.failing_grow = fixture->arena.grow_count + n;
        uint8_t *blocks[150];
        for (unsigned i = 0; i < 150; i++) {
            blocks[i] = heap_allocate(heap, i % 4 == 0 ? 9000 + i * 50 : i * 20, CALLER);
            assert_non_null(blocks[i]);
            assert_int_equal(guarded_of(heap)->usable_bytes, fixture->arena.guarded_usable_bytes);
            assert_sound(heap);
        }
        assert_in_range(statistics_of(heap).unguarded_count, 0, 1);
        for (unsigned i = 0; i < 150; i++)
            heap_free(heap, blocks[i], CALLER);
        assert_sound(heap);
        assert_int_equal(statistics_of(heap).guarded_bytes, fixture->arena.guarded_usable_bytes);
    }
}

/* All or nothing, of the pages of one block and of its record. */
static void test_K11_failed_block_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned failing = 1; failing <= 2; failing++) {
        struct heap *heap = start(fixture, 0);
        struct guarded before = *guarded_of(heap);
        before.unguarded_count++;
        fixture->arena.failing_grow = fixture->arena.grow_count + failing;
        uint8_t *block = allocate(heap, 10000);
        assert_false(is_guarded(heap, block));
        assert_memory_equal(&before, guarded_of(heap), sizeof before);
        assert_int_equal(fixture->arena.guarded_usable_bytes, 0);
        allocate_guarded(heap, 10000);
        assert_sound(heap);
    }
}

static void test_K12_until_there_is_no_memory(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start(fixture, 2);
    fixture->arena.budget_bytes = MIB;
    void *blocks[3000];
    size_t count = 0;
    while ((blocks[count] = heap_allocate(heap, count * 37 % 12000, CALLER)) != NULL)
        count++;
    assert_int_equal(statistics_of(heap).failure_count, 1);
    assert_int_equal(statistics_of(heap).live_block_count, count);
    assert_sound(heap);
    while (count > 0)
        heap_free(heap, blocks[--count], CALLER);
    assert_sound(heap);
    assert_int_equal(statistics_of(heap).used_bytes, 0);
    assert_int_equal(fixture->arena.fault_count, 0);
}

/* --- Against the oracle ----------------------------------------------------------------------- */

static uint32_t next_random(void *context)
{
    return (uint32_t)(random_next(context) >> 16);
}

struct oracle_run {
    size_t window_bytes;
    size_t large_bytes;
    uint64_t sample_interval;
    unsigned failing; /* every so many calls of the page source; 0 for none */
    unsigned steps;
};

static void run_oracle(struct fixture *fixture, const struct oracle_run *run)
{
    static struct heap_oracle oracle;
    const struct heap_configuration configuration =
        configure(fixture, run->window_bytes, run->large_bytes, run->sample_interval);
    assert_int_equal(heap_initialise(&configuration, &fixture->heap), HEAP_OK);
    struct heap *heap = fixture->heap;
    fixture->arena.failing_grow = run->failing;
    fixture->random.state = run->sample_interval + run->failing + 1;
    heap_oracle_begin(&oracle, heap, next_random, &fixture->random);
    for (unsigned step = 0; step < run->steps; step++) {
        const char *problem = heap_oracle_step(&oracle);
        if (problem == NULL)
            problem = heap_oracle_check(&oracle);
        if (problem != NULL)
            fail_msg("step %u: %s", step, problem);
        if (run->failing != 0 && fixture->arena.grow_count >= fixture->arena.failing_grow)
            fixture->arena.failing_grow = fixture->arena.grow_count + run->failing;
        assert_int_equal(guarded_of(heap)->usable_bytes, fixture->arena.guarded_usable_bytes);
    }
    const char *problem = heap_oracle_end(&oracle);
    if (problem != NULL)
        fail_msg("end: %s", problem);
    assert_int_equal(fixture->arena.fault_count, 0);
}

static void test_K17_random_operations_checked_after_every_step(void **state)
{
    static const struct oracle_run RUNS[] = {
        {WINDOW_BYTES, LARGE_BYTES, 0, 0, 1000},
        {WINDOW_BYTES, LARGE_BYTES, 1, 0, 1000},
        {WINDOW_BYTES, 100, 5, 0, 1000},
        {WINDOW_BYTES, SIZE_MAX, 3, 0, 1000},
        {WINDOW_BYTES, 0, 1, 0, 500},
    };
    for (size_t i = 0; i < sizeof RUNS / sizeof RUNS[0]; i++)
        run_oracle(*state, &RUNS[i]);
}

static void test_K11_K17_random_operations_with_failures(void **state)
{
    for (unsigned failing = 2; failing < 6; failing++)
        run_oracle(*state, &(struct oracle_run){WINDOW_BYTES, 4000, 2, failing, 500});
}

/* Most blocks that should be guarded are not, and go back and forth. */
static void test_K12_K17_random_operations_in_a_full_window(void **state)
{
    static const size_t LARGE[] = {0, 50, 4000};
    for (size_t i = 0; i < sizeof LARGE / sizeof LARGE[0]; i++)
        run_oracle(*state,
                   &(struct oracle_run){GUARDED_WINDOW_MINIMUM_BYTES, LARGE[i], 2, 0, 1000});
}

/* --- Looking at it ---------------------------------------------------------------------------- */

static void test_statistics_are_exact(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start(fixture, 0);
    size_t size_before = statistics_of(heap).size_bytes;
    uint8_t *first = allocate_guarded(heap, 10000);
    uint8_t *second = allocate_guarded(heap, 8192);
    struct heap_statistics statistics = statistics_of(heap);
    assert_int_equal(statistics.used_bytes, 18192);
    assert_int_equal(statistics.peak_used_bytes, 18192);
    assert_int_equal(statistics.live_block_count, 2);
    assert_int_equal(statistics.guarded_block_count, 2);
    /* 3 and 2 pages, and a page of records in each of two lanes: places of 4 pages for both. */
    assert_int_equal(statistics.guarded_bytes, 6 * PAGE_BYTES);
    assert_int_equal(statistics.size_bytes, size_before + 6 * PAGE_BYTES);
    assert_int_equal(statistics.size_bytes,
                     statistics.used_bytes + statistics.free_bytes + statistics.overhead_bytes);
    heap_free(heap, first, CALLER);
    heap_free(heap, second, CALLER);
    statistics = statistics_of(heap);
    assert_int_equal(statistics.used_bytes, 0);
    assert_int_equal(statistics.allocation_count, 2);
    assert_int_equal(statistics.free_count, 2);
    assert_int_equal(statistics.guarded_bytes, PAGE_BYTES);
}

/* Whatever the policy records: a guarded block has its caller. */
static void test_leaks_name_the_caller(void **state)
{
    struct heap *heap = start(*state, 0);
    for (unsigned i = 0; i < 3; i++)
        allocate_guarded(heap, 10000);
    assert_non_null(heap_allocate(heap, 20000, OTHER_CALLER));
    struct heap_leaks leaks;
    heap_leaks_find(heap, &leaks);
    assert_int_equal(leaks.site_count, 2);
    assert_ptr_equal(leaks.sites[0].allocated_by, CALLER);
    assert_int_equal(leaks.sites[0].block_count, 3);
    assert_int_equal(leaks.sites[0].used_bytes, 30000);
    assert_ptr_equal(leaks.sites[1].allocated_by, OTHER_CALLER);
}

static void test_check_compares_records_with_the_state(void **state)
{
    struct heap *heap = start(*state, 0);
    uint8_t *block = allocate_guarded(heap, 10000);
    heap_free(heap, allocate_guarded(heap, 10000), CALLER);
    struct guarded *guarded = guarded_of(heap);
    struct guarded_lane *lane = &guarded->lanes[1];
    assert_int_equal(lane->touched_count, 2);
    size_t *const figures[] = {&guarded->usable_bytes, &guarded->live_count,
                               &lane->records[0].size_bytes};
    for (unsigned i = 0; i < 3; i++) {
        ++*figures[i];
        assert_non_null(heap_check(heap));
        --*figures[i];
        assert_sound(heap);
    }
    lane->newest_freed = 0;
    assert_string_equal(heap_check(heap), "the reuse queue does not end with the newest");
    lane->newest_freed = 1;
    lane->oldest_freed = 0;
    assert_string_equal(heap_check(heap), "a place in the reuse queue is not a freed one");
    lane->oldest_freed = 1;
    lane->freed_count = 0;
    assert_string_equal(heap_check(heap), "a place was lost");
    lane->freed_count = 1;
    lane->records[0].block += 4 * PAGE_BYTES;
    assert_string_equal(heap_check(heap), "a guarded block is not in its place");
    lane->records[0].block -= 4 * PAGE_BYTES;
    assert_sound(heap);
    heap_free(heap, block, CALLER);
}

/* --- What a fault of the CPU is about --------------------------------------------------------- */

static void assert_incident(const struct heap *heap, const uint8_t *address,
                            enum guarded_incident_kind kind, size_t distance, const uint8_t *block,
                            size_t size_bytes)
{
    struct guarded_incident incident;
    assert_true(guarded_find_incident(heap, address, &incident));
    assert_int_equal(incident.kind, kind);
    assert_int_equal(incident.distance_bytes, distance);
    assert_ptr_equal(incident.block, block);
    assert_int_equal(incident.size_bytes, size_bytes);
    assert_ptr_equal(incident.allocated_by, block == NULL ? NULL : CALLER);
    assert_int_equal(incident.is_freed, kind == GUARDED_USE_FREED);
    assert_ptr_equal(incident.freed_by, kind == GUARDED_USE_FREED ? OTHER_CALLER : NULL);
}

static void test_incidents_name_the_block(void **state)
{
    struct heap *heap = start(*state, 0);
    const struct guarded *guarded = guarded_of(heap);
    struct guarded_incident incident;
    assert_incident(heap, (uint8_t *)guarded->base, GUARDED_NOWHERE, 0, NULL, 0);
    assert_incident(heap, (uint8_t *)guarded->lanes_start, GUARDED_NOWHERE, 0, NULL, 0);

    uint8_t *first = allocate_guarded(heap, 8192);
    uint8_t *second = allocate_guarded(heap, 8192);
    uint8_t *third = allocate_guarded(heap, 8200);
    assert_incident(heap, first, GUARDED_INSIDE, 0, first, 8192);
    assert_incident(heap, first + 8191, GUARDED_INSIDE, 8191, first, 8192);
    assert_incident(heap, first + 8192, GUARDED_BEHIND, 1, first, 8192);
    assert_incident(heap, first + 8192 + 100, GUARDED_BEHIND, 101, first, 8192);
    assert_incident(heap, second - 1, GUARDED_BEFORE, 1, second, 8192);
    assert_incident(heap, third + 8200, GUARDED_BEHIND, 1, third, 8200);
    assert_incident(heap, third + 8208, GUARDED_BEHIND, 9, third, 8200);

    heap_free(heap, second, OTHER_CALLER);
    assert_incident(heap, second, GUARDED_USE_FREED, 0, second, 8192);
    assert_incident(heap, second + 8000, GUARDED_USE_FREED, 8000, second, 8192);
    assert_false(guarded_find_incident(heap, (uint8_t *)guarded->base - 1, &incident));
    assert_false(guarded_find_incident(heap, heap_base(heap), &incident));
}

/* The last place of a lane: what lies behind is the next lane's first place, or nothing. */
static void test_incident_behind_a_lane(void **state)
{
    struct fixture *fixture = *state;
    const struct heap_configuration configuration =
        configure(fixture, GUARDED_WINDOW_MINIMUM_BYTES, 100, 0);
    assert_int_equal(heap_initialise(&configuration, &fixture->heap), HEAP_OK);
    struct heap *heap = fixture->heap;
    assert_int_equal(guarded_of(heap)->lane_count, 2);
    uint8_t *block = NULL;
    for (unsigned i = 0; i < 8; i++)
        block = allocate_guarded(heap, 112);
    assert_incident(heap, block + 112, GUARDED_BEHIND, 1, block, 112);
    for (unsigned i = 0; i < 4; i++)
        block = allocate_guarded(heap, 8192);
    assert_incident(heap, block + 8192, GUARDED_BEHIND, 1, block, 8192);
}

/* --- Beginning -------------------------------------------------------------------------------- */

static void assert_status(struct fixture *fixture, const struct guarded_configuration *guarded,
                          enum heap_status status)
{
    struct heap *heap = NULL;
    struct heap_configuration configuration = heap_arena_growing(&fixture->arena, ARENA_BYTES);
    configuration.policy = fixture->stack->policy;
    configuration.guarded = guarded_layer(&fixture->arena.guarded, guarded);
    assert_int_equal(heap_initialise(&configuration, &heap), status);
}

static void test_K18_configurations_are_validated(void **state)
{
    struct fixture *fixture = *state;
    (void)configure(fixture, WINDOW_BYTES, LARGE_BYTES, 0);
    struct guarded_configuration guarded = fixture->arena.guarded_configuration;
    guarded.base = (uint8_t *)guarded.base + 16;
    assert_status(fixture, &guarded, HEAP_UNALIGNED);
    guarded.base = NULL;
    assert_status(fixture, &guarded, HEAP_TOO_SMALL);
    guarded.base = fixture->arena.guarded_base;
    guarded.window_bytes = WINDOW_BYTES + 16;
    assert_status(fixture, &guarded, HEAP_UNALIGNED);
    guarded.window_bytes = GUARDED_WINDOW_MINIMUM_BYTES - PAGE_BYTES;
    assert_status(fixture, &guarded, HEAP_TOO_SMALL);
    guarded.window_bytes = SIZE_MAX - PAGE_BYTES + 1;
    assert_status(fixture, &guarded, HEAP_TOO_LARGE);
    guarded.window_bytes = GUARDED_WINDOW_MINIMUM_BYTES;
    assert_status(fixture, &guarded, HEAP_OK);
}

/* A block between guard pages could be freed in any order, which a bump heap refuses. */
static void test_bump_has_no_guarded_blocks(void **state)
{
    struct fixture *fixture = *state;
    struct heap *heap = start(fixture, 1);
    uint8_t *older = allocate(heap, 100);
    uint8_t *newer = allocate(heap, 100000);
    assert_false(is_guarded(heap, older));
    assert_false(is_guarded(heap, newer));
    heap_free(heap, newer, CALLER);
    heap_free(heap, older, CALLER);
    assert_int_equal(statistics_of(heap).live_block_count, 0);
    assert_sound(heap);
}

struct policy_test {
    const char *name;
    void (*run)(void **state);
};

#define TEST(function)                                                                             \
    {                                                                                              \
#function, function                                                                        \
    }

static const struct policy_test TESTS[] = {
    TEST(test_large_block_lies_between_guard_pages),
    TEST(test_every_alignment),
    TEST(test_requests_that_are_none_are_refused),
    TEST(test_K8_bytes_around_a_block_are_proved),
    TEST(test_K4_double_free),
    TEST(test_K5_K7_pointers_that_are_no_block),
    TEST(test_K8_overrun_block_does_not_move),
    TEST(test_bad_pointer_to_a_large_size),
    TEST(test_addresses_come_back_late),
    TEST(test_policy_serves_what_has_no_place),
    TEST(test_window_of_a_tebibyte),
    TEST(test_samples),
    TEST(test_interval_beyond_all_blocks),
    TEST(test_samples_leave_the_policy_its_memory),
    TEST(test_sample_waits_for_a_small_block),
    TEST(test_K15_every_pair_of_sizes),
    TEST(test_K15_large_block_gets_smaller_in_place),
    TEST(test_K15_getting_smaller_needs_no_memory),
    TEST(test_K15_unguarded_block_gets_smaller),
    TEST(test_K15_failure_leaves_the_old_block),
    TEST(test_K15_move_that_finds_a_fault_fails),
    TEST(test_K11_nth_call_of_the_page_source_fails),
    TEST(test_K11_failed_block_changes_nothing),
    TEST(test_K12_until_there_is_no_memory),
    TEST(test_K17_random_operations_checked_after_every_step),
    TEST(test_K11_K17_random_operations_with_failures),
    TEST(test_K12_K17_random_operations_in_a_full_window),
    TEST(test_statistics_are_exact),
    TEST(test_leaks_name_the_caller),
    TEST(test_check_compares_records_with_the_state),
    TEST(test_incidents_name_the_block),
    TEST(test_incident_behind_a_lane),
    TEST(test_K18_configurations_are_validated),
};
#define TEST_COUNT (sizeof TESTS / sizeof TESTS[0])

static const struct stack STACKS[] = {
    {"first-fit", &heap_policy_first_fit, false},
    {"best-fit", &heap_policy_best_fit, false},
    {"fast", &heap_policy_fast, false},
    {"first-fit-debug", &heap_policy_first_fit, true},
    {"best-fit-debug", &heap_policy_best_fit, true},
    {"fast-debug", &heap_policy_fast, true},
};
static const struct stack BUMP = {"bump", &heap_policy_bump, false};
#define STACK_COUNT (sizeof STACKS / sizeof STACKS[0])

static struct CMUnitTest test_of(const char *name, void (*run)(void **state),
                                 const struct stack *stack)
{
    return (struct CMUnitTest){
        .name = name,
        .test_func = run,
        .setup_func = create_arena,
        .teardown_func = destroy_arena,
        .initial_state = (void *)(uintptr_t)stack,
    };
}

int main(void)
{
    static struct CMUnitTest tests[STACK_COUNT * TEST_COUNT + 1];
    static char names[STACK_COUNT * TEST_COUNT][100];
    for (size_t i = 0; i < STACK_COUNT * TEST_COUNT; i++) {
        const struct policy_test *test = &TESTS[i % TEST_COUNT];
        const struct stack *stack = &STACKS[i / TEST_COUNT];
        (void)snprintf(names[i], sizeof names[i], "%s: %s", stack->name, test->name);
        tests[i] = test_of(names[i], test->run, stack);
    }
    tests[STACK_COUNT * TEST_COUNT] =
        test_of("bump: test_bump_has_no_guarded_blocks", test_bump_has_no_guarded_blocks, &BUMP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
