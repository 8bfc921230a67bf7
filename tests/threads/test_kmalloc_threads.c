/* Several threads use the kernel's heap under TSan. Each thread stands for a CPU. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/mm/heap_policies.h"
#include "kernel/mm/kmalloc.h"

#define THREAD_COUNT    4
#define OPERATION_COUNT 20000
#define MAILBOX_COUNT   64
#define HEAP_BYTES      ((size_t)8 << 20)

/* One thread puts a block into a mailbox. Any thread takes it out, checks it and frees it. */
struct letter {
    uint32_t size_bytes;
    uint8_t fill;
    uint8_t text[];
};

static struct letter *mailboxes[MAILBOX_COUNT];
static unsigned spoilt_count;

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

static void open_letter(struct letter *letter)
{
    if (letter == NULL)
        return;
    for (uint32_t i = 0; i < letter->size_bytes; i++) {
        if (letter->text[i] != letter->fill)
            __atomic_add_fetch(&spoilt_count, 1, __ATOMIC_RELAXED);
    }
    kfree(letter);
}

static void *run_thread(void *argument)
{
    uint64_t random = (uintptr_t)argument;
    for (unsigned i = 0; i < OPERATION_COUNT; i++) {
        uint32_t size_bytes = (uint32_t)(next_random(&random) % (i % 16 == 0 ? 20000 : 400));
        struct letter *letter = kmalloc(sizeof *letter + size_bytes / 2);
        if (letter == NULL)
            continue;
        struct letter *grown = krealloc(letter, sizeof *letter + size_bytes);
        if (grown == NULL) {
            kfree(letter);
            continue;
        }
        grown->size_bytes = size_bytes;
        grown->fill = (uint8_t)next_random(&random);
        memset(grown->text, grown->fill, size_bytes);
        size_t box = next_random(&random) % MAILBOX_COUNT;
        open_letter(__atomic_exchange_n(&mailboxes[box], grown, __ATOMIC_ACQ_REL));
    }
    return NULL;
}

static union heap_policies_storage storage;
static struct heap *heap; /* in `storage`, whatever its policy */

static void start_heap(const struct heap_policy *policy, void *memory)
{
    const struct heap_configuration configuration = {
        .policy = policy,
        .storage = &storage,
        .storage_bytes = sizeof storage,
        .base = memory,
        .initial_bytes = HEAP_BYTES,
        .limit_bytes = HEAP_BYTES,
        .secret = UINT64_C(0x0123456789abcdef),
        .fault = kmalloc_fault,
    };
    assert_int_equal(heap_initialise(&configuration, &heap), HEAP_OK);
}

static void run_all_threads(void)
{
    pthread_t threads[THREAD_COUNT];
    for (uintptr_t i = 0; i < THREAD_COUNT; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_thread, (void *)(i + 1)), 0);
    for (size_t i = 0; i < THREAD_COUNT; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (size_t i = 0; i < MAILBOX_COUNT; i++) {
        open_letter(mailboxes[i]);
        mailboxes[i] = NULL;
    }
    assert_int_equal(spoilt_count, 0);
    assert_null(heap_check(heap));
    struct heap_statistics statistics;
    heap_statistics(heap, &statistics);
    assert_int_equal(statistics.live_block_count, 0);
    assert_true(statistics.free_count >= (uint64_t)THREAD_COUNT * OPERATION_COUNT);
}

static void test_threads_share_a_heap(void **state)
{
    (void)state;
    static const struct heap_policy *const POLICIES[] = {&heap_policy_fast, &heap_policy_best_fit,
                                                         &heap_policy_first_fit};
    void *memory = aligned_alloc(HEAP_PAGE_SIZE_BYTES, HEAP_BYTES);
    assert_non_null(memory);
    for (size_t i = 0; i < sizeof POLICIES / sizeof POLICIES[0]; i++) {
        start_heap(POLICIES[i], memory);
        if (i == 0)
            kmalloc_online(heap);
        run_all_threads();
    }
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_threads_share_a_heap)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
