/*
 * bench_limits.c - count the instructions of the fast policy's worst single operation, by the limit
 * of the heap. If the policy takes constant time, the figures of a row are equal.
 *
 * It prints one line for each figure: pattern, limit in MiB, instructions of the worst call, mean
 * instructions of a call. It reserves addresses, but no memory. The page source only counts, and so
 * the figures include only the work of the heap. If the policy refuses a limit, the line has the
 * word "refused".
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "kernel/mm/heap/include/handoff/heap_fast.h"
#include "tests/unit/support/steps.h"

#define MIB    ((size_t)1 << 20)
#define ROUNDS 10

static struct heap_fast_storage storage;
static struct heap *heap;
static uint64_t worst;
static uint64_t total;
static uint64_t call_count;

static bool grow(void *context, size_t additional_bytes)
{
    (void)context;
    (void)additional_bytes;
    return true;
}

static void shrink(void *context, size_t bytes)
{
    (void)context;
    (void)bytes;
}

static void fault(void *context, const struct heap_fault *what)
{
    (void)context;
    (void)fprintf(stderr, "heap fault: %s: %s\n", heap_fault_kind_name(what->kind), what->detail);
    abort();
}

/* --- Calls that are counted ------------------------------------------------------------------- */

static void note(uint64_t steps)
{
    worst = steps > worst ? steps : worst;
    total += steps;
    call_count++;
}

static void *allocate(size_t size_bytes)
{
    steps_begin(UINT64_MAX);
    void *block = heap_allocate(heap, size_bytes, NULL);
    note(steps_end());
    return block;
}

static void release(void *block)
{
    steps_begin(UINT64_MAX);
    heap_free(heap, block, NULL);
    note(steps_end());
}

/* --- Patterns --------------------------------------------------------------------------------- */

/* Allocate small blocks, which programs have besides the large ones. They are not counted. */
static void populate(size_t count)
{
    for (size_t i = 0; i < count; i++)
        (void)heap_allocate(heap, 64, NULL);
}

static void back_and_forth(size_t size_bytes)
{
    populate(3000);
    for (unsigned i = 0; i < ROUNDS; i++)
        release(allocate(size_bytes));
}

static void small(size_t limit_bytes)
{
    void *blocks[60];
    (void)limit_bytes;
    for (unsigned i = 0; i < 60; i++)
        blocks[i] = allocate(i % 16 * 60);
    for (unsigned i = 0; i < 60; i++)
        release(blocks[i]);
}

static void hundred_kilobytes(size_t limit_bytes)
{
    (void)limit_bytes;
    back_and_forth(100000);
}

static void more_kilobytes(size_t limit_bytes)
{
    (void)limit_bytes;
    back_and_forth(140000);
}

static void megabyte(size_t limit_bytes)
{
    (void)limit_bytes;
    back_and_forth(1000000);
}

/* Grow a heap that has half of its limit. */
static void growth(size_t limit_bytes)
{
    populate(3000);
    (void)heap_allocate(heap, limit_bytes / 2, NULL);
    for (unsigned i = 0; i < 50; i++)
        (void)allocate(50000);
}

static void failing(size_t limit_bytes)
{
    populate(3000);
    (void)heap_allocate(heap, limit_bytes / 2, NULL);
    for (unsigned i = 0; i < ROUNDS; i++)
        (void)allocate(limit_bytes / 8 * 7);
}

/* Free many slabs, until the policy keeps no more. A request that does not fit flushes them all. */
static void flush(size_t limit_bytes)
{
    static void *blocks[60000];
    size_t count = 0;
    for (size_t size_bytes = 40; size_bytes <= 1000; size_bytes += 64) {
        for (unsigned i = 0; i < 120000 / size_bytes; i++)
            blocks[count++] = heap_allocate(heap, size_bytes, NULL);
    }
    while (count != 0)
        heap_free(heap, blocks[--count], NULL);
    (void)allocate(limit_bytes / 8 * 7);
}

/* Use slabs at both ends of the heap. */
static void far_slabs(size_t limit_bytes)
{
    populate(3000);
    (void)heap_allocate(heap, limit_bytes / 4 * 3, NULL);
    for (unsigned i = 0; i < 50; i++)
        (void)allocate(900);
}

static const struct pattern {
    const char *name;
    void (*run)(size_t limit_bytes);
} patterns[] = {
    {"small", small},           {"100-KB", hundred_kilobytes},
    {"140-KB", more_kilobytes}, {"1-MB", megabyte},
    {"growth", growth},         {"failing", failing},
    {"far-slabs", far_slabs},   {"flush", flush},
};

/* --- Running ---------------------------------------------------------------------------------- */

static void *reserve(size_t size_bytes)
{
    void *base = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    return base;
}

static void run(const struct pattern *pattern, size_t limit_bytes)
{
    void *base = reserve(limit_bytes);
    const struct heap_configuration configuration = {.policy = &heap_policy_fast,
                                                     .storage = &storage,
                                                     .storage_bytes = sizeof storage,
                                                     .base = base,
                                                     .limit_bytes = limit_bytes,
                                                     .secret = UINT64_C(0x0123456789abcdef),
                                                     .pages = {.grow = grow, .shrink = shrink},
                                                     .fault = fault};
    if (heap_initialise(&configuration, &heap) == HEAP_OK) {
        worst = total = call_count = 0;
        pattern->run(limit_bytes);
        printf("%s %zu %llu %.1f\n", pattern->name, limit_bytes / MIB, (unsigned long long)worst,
               (double)total / (double)call_count);
    } else {
        printf("%s %zu refused\n", pattern->name, limit_bytes / MIB);
    }
    (void)munmap(base, limit_bytes);
}

int main(void)
{
    static const size_t limits[] = {16, 128, 1024, 8 * 1024, 32 * 1024, 64 * 1024 - 1, 1024 * 1024};
    for (size_t p = 0; p < sizeof patterns / sizeof patterns[0]; p++) {
        for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
            run(&patterns[p], limits[i] * MIB);
    }
    return 0;
}
