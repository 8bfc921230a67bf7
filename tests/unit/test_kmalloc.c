/* kmalloc(): the code of its panics, its log, and the callers that it names. Catalogue group K. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/mm/kmalloc.h"
#include "tests/unit/support/heap_arena.h"
#include "tests/unit/support/log_stub.h"
#include "tests/unit/support/panic_stub.h"

#define ARENA_BYTES ((size_t)1 << 20)

static struct heap_arena arena;
/* The kernel has one heap; each test starts it anew at the same place. */
static struct heap *heap;

static int start_heap(void **state)
{
    (void)state;
    struct heap_configuration configuration = heap_arena_fixed(&arena, ARENA_BYTES);
    configuration.fault = kmalloc_fault;
    memset(&log_stub, 0, sizeof log_stub);
    return heap_initialise(&configuration, &heap) == HEAP_OK ? 0 : -1;
}

/* Runs first. */
static void test_use_before_online_panics(void **state)
{
    (void)state;
    void *volatile block = NULL;
    expect_panic(PANIC_HEAP_INIT, block = kmalloc(16));
    expect_panic(PANIC_HEAP_INIT, kfree(block));
    expect_panic(PANIC_HEAP_INIT, block = kcalloc(1, 16));
    expect_panic(PANIC_HEAP_INIT, block = krealloc(block, 16));
    expect_panic(PANIC_HEAP_INIT, block = kmalloc_aligned(16, 16));
    kmalloc_online(heap);
    block = kmalloc(16);
    assert_non_null(block);
    kfree(block);
    expect_panic(PANIC_HEAP_INIT, kmalloc_online(heap));
}

static void test_every_call_serves(void **state)
{
    (void)state;
    uint8_t *block = kmalloc(100);
    assert_int_equal(heap_usable_size(heap, block, NULL), 100);
    memset(block, 0x42, 100);
    block = krealloc(block, 1000);
    assert_non_null(block);
    assert_int_equal(block[99], 0x42);
    assert_null(krealloc(block, 0));
    assert_int_equal(log_stub.warning_count, 0);

    uint8_t *zeroed = kcalloc(10, 10);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(zeroed[i], 0);
    void *aligned = kmalloc_aligned(10, 4096);
    assert_int_equal((uintptr_t)aligned % 4096, 0);
    kfree(zeroed);
    kfree(aligned);
    kfree(NULL);
    struct heap_statistics statistics;
    heap_statistics(heap, &statistics);
    assert_int_equal(statistics.live_block_count, 0);
    assert_null(heap_check(heap));
}

/* The requested size, and the usage. */
static void assert_logged(const char *requested)
{
    assert_int_equal(log_stub.warning_count, 1);
    assert_int_equal(log_stub.hold_depth, 0);
    assert_non_null(strstr(log_stub.last_warning, "[heap] out of memory: "));
    assert_non_null(strstr(log_stub.last_warning, requested));
    assert_non_null(strstr(log_stub.last_warning, " used=100 "));
    assert_non_null(strstr(log_stub.last_warning, " limit=1048576 "));
    log_stub.warning_count = 0;
}

static void test_K2_K11_K14_exhaustion_is_logged_and_survived(void **state)
{
    (void)state;
    void *block = kmalloc(100);
    assert_non_null(block);
    assert_null(kmalloc(ARENA_BYTES));
    assert_logged("requested=1048576 ");
    assert_null(kmalloc(SIZE_MAX));
    assert_logged("requested=18446744073709551615 ");
    assert_null(krealloc(block, 2000000));
    assert_logged("requested=2000000 ");
    assert_null(kcalloc(SIZE_MAX, 2));
    assert_logged("requested=18446744073709551615 ");
    assert_null(kcalloc(1000, 3000));
    assert_logged("requested=3000000 ");
    assert_null(kmalloc_aligned(100, 1 << 20));
    assert_logged("requested=100 ");
    assert_int_equal(heap_usable_size(heap, block, NULL), 100);
    kfree(block);
    assert_null(heap_check(heap));
}

/* There is memory, but the caller is wrong. */
static void test_K16_invalid_alignment_is_logged(void **state)
{
    static const size_t ALIGNMENTS[] = {0, 3, 24, SIZE_MAX};
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        char alignment[64];
        (void)snprintf(alignment, sizeof alignment, "[heap] not a power of two: alignment=%zu ",
                       ALIGNMENTS[i]);
        assert_null(kmalloc_aligned(100, ALIGNMENTS[i]));
        assert_int_equal(log_stub.warning_count, i + 1);
        assert_int_equal(log_stub.hold_depth, 0);
        assert_non_null(strstr(log_stub.last_warning, alignment));
        assert_non_null(strstr(log_stub.last_warning, " requested=100 caller=0x"));
    }
    struct heap_statistics statistics;
    heap_statistics(heap, &statistics);
    assert_int_equal(statistics.failure_count, 4);
}

static void test_K4_double_free_panics(void **state)
{
    (void)state;
    void *block = kmalloc(100);
    kfree(block);
    expect_panic(PANIC_HEAP_DOUBLE_FREE, kfree(block));
    assert_non_null(strstr(panic_stub.message, "double free"));
    assert_non_null(strstr(panic_stub.message, "freed block"));
    char pointer[32];
    (void)snprintf(pointer, sizeof pointer, "%p", block);
    assert_non_null(strstr(panic_stub.message, pointer));
}

static void test_K5_K7_bad_pointers_panic(void **state)
{
    (void)state;
    uint8_t *block = kmalloc(100);
    static uint8_t elsewhere[16];
    expect_panic(PANIC_HEAP_BAD_POINTER, kfree(block + 16));
    assert_non_null(strstr(panic_stub.message, " of 100 bytes"));
    expect_panic(PANIC_HEAP_BAD_POINTER, kfree(block + 1));
    expect_panic(PANIC_HEAP_BAD_POINTER, kfree(elsewhere));
    void *volatile moved = NULL;
    expect_panic(PANIC_HEAP_BAD_POINTER, moved = krealloc(elsewhere, 10));
    assert_null(moved);
    expect_panic(PANIC_HEAP_BAD_POINTER, (void)heap_usable_size(heap, elsewhere, NULL));
    kfree(block);
}

/* Like a pointer of the early heap, it is in the direct map and not in the heap's window. */
static void test_K6_early_heap_pointer_panics(void **state)
{
    (void)state;
    void *early = malloc(4096);
    expect_panic(PANIC_HEAP_BAD_POINTER, kfree(early));
    free(early);
}

static void test_K8_overrun_panics_and_names_the_block(void **state)
{
    (void)state;
    uint8_t *block = kmalloc(40);
    block[40] ^= 1;
    expect_panic(PANIC_HEAP_OVERRUN, kfree(block));
    char pointer[48];
    (void)snprintf(pointer, sizeof pointer, "block %p of 40 bytes", (void *)block);
    assert_non_null(strstr(panic_stub.message, pointer));
    assert_non_null(panic_stub_noted("allocated by"));
    assert_null(panic_stub_noted("freed by"));
    assert_non_null(panic_stub_noted("found by"));
}

static void test_debug_panics_name_both_callers(void **state)
{
    (void)state;
    struct heap_configuration configuration = heap_arena_fixed(&arena, ARENA_BYTES);
    configuration.fault = kmalloc_fault;
    heap_arena_set_debug(&arena, &configuration, true);
    assert_int_equal(heap_initialise(&configuration, &heap), HEAP_OK);
    uint8_t *block = kmalloc(40);
    kfree(block);
    expect_panic(PANIC_HEAP_DOUBLE_FREE, kfree(block));
    assert_non_null(strstr(panic_stub.message, " of 40 bytes"));
    const void *freed_by = panic_stub_noted("freed by");
    assert_non_null(freed_by);
    assert_non_null(panic_stub_noted("allocated by"));
    assert_ptr_not_equal(panic_stub_noted("found by"), freed_by);
    block[7] ^= 1;
    /* This large request fails unless the quarantine is flushed. */
    void *volatile all = NULL;
    expect_panic(PANIC_HEAP_CORRUPT, all = kmalloc(ARENA_BYTES - 120));
    assert_null(all);
    assert_non_null(strstr(panic_stub.message, "write after free"));
    assert_ptr_equal(panic_stub_noted("freed by"), freed_by);
}

static void test_K8_underrun_panics(void **state)
{
    (void)state;
    uint8_t *block = kmalloc(40);
    block[-1] ^= 1;
    expect_panic(PANIC_HEAP_OVERRUN, kfree(block));
}

static void test_K9_smashed_link_panics(void **state)
{
    (void)state;
    void **block = kmalloc(40);
    kfree(block);
    void *volatile again = NULL;
    *block = block;
    expect_panic(PANIC_HEAP_CORRUPT, again = kmalloc(40));
    assert_null(again);
}

/* The report of a freed guarded block has the exact byte, and the caller that freed the block. */
static void test_guarded_blocks_are_named(void **state)
{
    (void)state;
    struct heap_configuration configuration = heap_arena_fixed(&arena, ARENA_BYTES);
    struct guarded_incident incident;
    configuration.fault = kmalloc_fault;
    assert_false(kmalloc_find_incident(arena.base, &incident));
    arena.budget_bytes += ARENA_BYTES; /* the heap has all of it */
    heap_arena_add_guarded(&arena, &configuration, (size_t)16 << 20, 8192, 0);
    assert_int_equal(heap_initialise(&configuration, &heap), HEAP_OK);
    uint8_t *block = kmalloc(10000);
    assert_non_null(block);
    assert_true(kmalloc_find_incident(block + 10000, &incident));
    assert_int_equal(incident.kind, GUARDED_BEHIND);
    assert_non_null(incident.allocated_by);
    assert_null(incident.freed_by);
    assert_false(kmalloc_find_incident(arena.base, &incident));
    kfree(block);
    assert_true(kmalloc_find_incident(block, &incident));
    assert_int_equal(incident.kind, GUARDED_USE_FREED);
    expect_panic(PANIC_HEAP_DOUBLE_FREE, kfree(block));
    char expected[128];
    (void)snprintf(expected, sizeof expected, "freed block %p of 10000 bytes", (void *)block);
    assert_non_null(strstr(panic_stub.message, expected));
    assert_ptr_equal(panic_stub_noted("allocated by"), incident.allocated_by);
    assert_ptr_equal(panic_stub_noted("freed by"), incident.freed_by);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_use_before_online_panics, start_heap),
        cmocka_unit_test_setup(test_every_call_serves, start_heap),
        cmocka_unit_test_setup(test_K2_K11_K14_exhaustion_is_logged_and_survived, start_heap),
        cmocka_unit_test_setup(test_K16_invalid_alignment_is_logged, start_heap),
        cmocka_unit_test_setup(test_K4_double_free_panics, start_heap),
        cmocka_unit_test_setup(test_K5_K7_bad_pointers_panic, start_heap),
        cmocka_unit_test_setup(test_K6_early_heap_pointer_panics, start_heap),
        cmocka_unit_test_setup(test_K8_overrun_panics_and_names_the_block, start_heap),
        cmocka_unit_test_setup(test_debug_panics_name_both_callers, start_heap),
        cmocka_unit_test_setup(test_K8_underrun_panics, start_heap),
        cmocka_unit_test_setup(test_K9_smashed_link_panics, start_heap),
        cmocka_unit_test_setup(test_guarded_blocks_are_named, start_heap),
    };
    heap_arena_create(&arena, ARENA_BYTES);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    heap_arena_destroy(&arena);
    return failed;
}
