/*
 * bench_heap.c - time the allocators over the same workloads, in one run.
 *
 *   bench_heap [--repeats N] [--only ALLOCATOR] [--workload NAME]
 *   bench_heap --operations WORKLOAD      print the number of operations of one repeat
 *
 * It prints one line for each figure: allocator, workload, figure. Lines about missing allocators
 * and about variants come before. Each figure is the least of N repeats. The allocators take turns,
 * so that other work on the machine affects all of them equally. The sequences of sizes and places
 * come from fixed seeds. They are made before the clock starts.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>

#include "kernel/diagnostics/heap_workload.h"
#include "tests/bench/heap/allocator.h"
#include "tests/bench/heap/laps.h"

#define REGION_BYTES ((size_t)16 << 20)

/* --- Helpers ---------------------------------------------------------------------------------- */

static struct heap_workload workload_state;

static uint64_t random_next(void)
{
    return heap_workload_next(&workload_state);
}

static void random_seed(uint64_t seed)
{
    workload_state = heap_workload_start(seed);
}

static size_t random_between(size_t least, size_t most)
{
    return heap_workload_between(&workload_state, least, most);
}

static size_t size_small(void)
{
    return random_between(16, 256);
}

static size_t size_uniform(void)
{
    return random_between(16, 1024);
}

static size_t size_kernel(void)
{
    return heap_workload_kernel_size(&workload_state);
}

/* --- Throughput ------------------------------------------------------------------------------- */

#define BULK_COUNT   1000
#define BULK_ROUNDS  50
#define CHURN_SLOTS  1000
#define CHURN_STEPS  50000
#define ORDER_COUNT  10000
#define RESIZE_STEPS 20000

/* The number of steps in a lap. */
#define LAP_STEPS 500

static struct laps *laps;

static void *blocks[65536];
static uint32_t places[CHURN_STEPS];
static uint32_t sizes[CHURN_STEPS];

TIMED timed_bulk(const struct bench_allocator *allocator)
{
    for (size_t i = 0; i < BULK_COUNT; i++)
        blocks[i] = allocator->allocate(64);
    for (size_t i = 0; i < BULK_COUNT; i++)
        allocator->free(blocks[i]);
}

static double bulk(const struct bench_allocator *allocator)
{
    laps_begin(laps);
    for (int round = 0; round < BULK_ROUNDS; round++) {
        timed_bulk(allocator);
        laps_end_one(laps);
    }
    return laps_ns_per_operation(laps, 2 * BULK_COUNT);
}

static void prepare_churn(size_t (*size)(void))
{
    random_seed(1);
    for (size_t i = 0; i < CHURN_STEPS; i++) {
        places[i] = (uint32_t)(random_next() % CHURN_SLOTS);
        sizes[i] = (uint32_t)size();
    }
}

static void free_all(const struct bench_allocator *allocator, size_t count)
{
    for (size_t i = count; i > 0; i--) {
        if (blocks[i - 1] != NULL)
            allocator->free(blocks[i - 1]);
        blocks[i - 1] = NULL;
    }
}

static void fill_churn(const struct bench_allocator *allocator)
{
    for (size_t i = 0; i < CHURN_SLOTS; i++)
        blocks[i] = allocator->allocate(sizes[i]);
}

TIMED timed_churn(const struct bench_allocator *allocator, size_t first)
{
    for (size_t i = first; i < first + LAP_STEPS; i++) {
        void **block = &blocks[places[i]];
        allocator->free(*block);
        *block = allocator->allocate(sizes[i]);
    }
}

/* Replace blocks in random order. A step is a free and an allocation. */
static double churn(const struct bench_allocator *allocator, size_t (*size)(void))
{
    prepare_churn(size);
    fill_churn(allocator);
    laps_begin(laps);
    for (size_t i = 0; i < CHURN_STEPS; i += LAP_STEPS) {
        timed_churn(allocator, i);
        laps_end_one(laps);
    }
    free_all(allocator, CHURN_SLOTS);
    return laps_ns_per_operation(laps, 2 * LAP_STEPS);
}

static double churn_uniform(const struct bench_allocator *allocator)
{
    return churn(allocator, size_uniform);
}

static double churn_kernel(const struct bench_allocator *allocator)
{
    return churn(allocator, size_kernel);
}

static void prepare_order(void)
{
    random_seed(2);
    for (size_t i = 0; i < ORDER_COUNT; i++) {
        sizes[i] = (uint32_t)size_small();
        places[i] = (uint32_t)i;
    }
    for (size_t i = ORDER_COUNT - 1; i > 0; i--) {
        size_t other = random_next() % (i + 1);
        uint32_t swapped = places[i];
        places[i] = places[other];
        places[other] = swapped;
    }
}

static void allocate_all(const struct bench_allocator *allocator)
{
    for (size_t i = 0; i < ORDER_COUNT; i++)
        blocks[i] = allocator->allocate(sizes[i]);
}

/* Untimed. A running system allocates from memory that was used before. */
static void warm_up(const struct bench_allocator *allocator)
{
    prepare_order();
    allocate_all(allocator);
    for (size_t i = 0; i < ORDER_COUNT; i++)
        allocator->free(blocks[allocator->frees_newest_only ? ORDER_COUNT - 1 - i : places[i]]);
}

TIMED timed_allocate(const struct bench_allocator *allocator, size_t first)
{
    for (size_t i = first; i < first + LAP_STEPS; i++)
        blocks[i] = allocator->allocate(sizes[i]);
}

static double allocate_many(const struct bench_allocator *allocator)
{
    warm_up(allocator);
    laps_begin(laps);
    for (size_t i = 0; i < ORDER_COUNT; i += LAP_STEPS) {
        timed_allocate(allocator, i);
        laps_end_one(laps);
    }
    free_all(allocator, ORDER_COUNT);
    return laps_ns_per_operation(laps, LAP_STEPS);
}

TIMED timed_free_lifo(const struct bench_allocator *allocator, size_t end)
{
    for (size_t i = end; i > end - LAP_STEPS; i--)
        allocator->free(blocks[i - 1]);
}

static double free_lifo(const struct bench_allocator *allocator)
{
    warm_up(allocator);
    allocate_all(allocator);
    laps_begin(laps);
    for (size_t i = ORDER_COUNT; i > 0; i -= LAP_STEPS) {
        timed_free_lifo(allocator, i);
        laps_end_one(laps);
    }
    return laps_ns_per_operation(laps, LAP_STEPS);
}

TIMED timed_free_fifo(const struct bench_allocator *allocator, size_t first)
{
    for (size_t i = first; i < first + LAP_STEPS; i++)
        allocator->free(blocks[i]);
}

static double free_fifo(const struct bench_allocator *allocator)
{
    warm_up(allocator);
    allocate_all(allocator);
    laps_begin(laps);
    for (size_t i = 0; i < ORDER_COUNT; i += LAP_STEPS) {
        timed_free_fifo(allocator, i);
        laps_end_one(laps);
    }
    return laps_ns_per_operation(laps, LAP_STEPS);
}

TIMED timed_free_random(const struct bench_allocator *allocator, size_t first)
{
    for (size_t i = first; i < first + LAP_STEPS; i++)
        allocator->free(blocks[places[i]]);
}

static double free_random(const struct bench_allocator *allocator)
{
    warm_up(allocator);
    allocate_all(allocator);
    laps_begin(laps);
    for (size_t i = 0; i < ORDER_COUNT; i += LAP_STEPS) {
        timed_free_random(allocator, i);
        laps_end_one(laps);
    }
    return laps_ns_per_operation(laps, LAP_STEPS);
}

TIMED timed_resize(const struct bench_allocator *allocator, size_t first)
{
    for (size_t i = first; i < first + LAP_STEPS; i++) {
        void **block = &blocks[places[i]];
        *block = allocator->reallocate(*block, sizes[i]);
    }
}

/* Change the size of random blocks. */
static double resize(const struct bench_allocator *allocator)
{
    prepare_churn(size_uniform);
    fill_churn(allocator);
    laps_begin(laps);
    for (size_t i = 0; i < RESIZE_STEPS; i += LAP_STEPS) {
        timed_resize(allocator, i);
        laps_end_one(laps);
    }
    free_all(allocator, CHURN_SLOTS);
    return laps_ns_per_operation(laps, LAP_STEPS);
}

/* --- The worst single operation --------------------------------------------------------------- */

/* As with laps, the figure of an operation is its least time over all repeats. */
#define EACH_COUNT (2 * CHURN_STEPS)
static uint32_t *cycles;
static double ns_per_cycle;
static uint64_t timer_cycles;

static uint64_t stamp(void)
{
    unsigned core;
    return __rdtscp(&core);
}

static void calibrate(void)
{
    uint64_t from = stamp();
    double started = bench_now_ns();
    while (bench_now_ns() - started < 20e6)
        continue;
    ns_per_cycle = (bench_now_ns() - started) / (double)(stamp() - from);
    timer_cycles = UINT64_MAX;
    for (int i = 0; i < 10000; i++) {
        uint64_t first = stamp();
        uint64_t elapsed = stamp() - first;
        if (elapsed < timer_cycles)
            timer_cycles = elapsed;
    }
}

static int compare_cycles(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void note(size_t i, uint64_t elapsed)
{
    uint64_t net = elapsed < timer_cycles ? 0 : elapsed - timer_cycles;
    if (net < cycles[i])
        cycles[i] = (uint32_t)net;
}

static void time_each(const struct bench_allocator *allocator)
{
    prepare_churn(size_uniform);
    fill_churn(allocator);
    for (size_t i = 0; i < CHURN_STEPS; i++) {
        void **block = &blocks[places[i]];
        uint64_t started = stamp();
        allocator->free(*block);
        uint64_t freed = stamp();
        *block = allocator->allocate(sizes[i]);
        uint64_t allocated = stamp();
        note(2 * i, freed - started);
        note(2 * i + 1, allocated - freed);
    }
    free_all(allocator, CHURN_SLOTS);
}

/* Return the time that all operations except the `above` slowest ones stay below. */
static double worst_but(size_t above)
{
    static uint32_t sorted[EACH_COUNT];
    memcpy(sorted, cycles, sizeof sorted);
    qsort(sorted, EACH_COUNT, sizeof sorted[0], compare_cycles);
    return sorted[EACH_COUNT - 1 - above] * ns_per_cycle;
}

static double worst_p999(const struct bench_allocator *allocator)
{
    time_each(allocator);
    return worst_but(EACH_COUNT / 1000);
}

static double worst_max(const struct bench_allocator *allocator)
{
    time_each(allocator);
    return worst_but(0);
}

/* --- Use of memory: live requested bytes, per cent of the region, at the first failure -------- */

static void *many_blocks[1 << 20];
static uint32_t many_sizes[1 << 20];

/* There is one free for every three allocations, so that the region is not filled in order. */
static double fill_region(const struct bench_allocator *allocator, size_t (*size)(void))
{
    size_t count = 0, live_bytes = 0;
    random_seed(3);
    for (;;) {
        if (count != 0 && random_next() % 4 == 0) {
            size_t victim = random_next() % count;
            allocator->free(many_blocks[victim]);
            live_bytes -= many_sizes[victim];
            count--;
            many_blocks[victim] = many_blocks[count];
            many_sizes[victim] = many_sizes[count];
        }
        size_t bytes = size();
        void *block = allocator->allocate(bytes);
        if (block == NULL)
            return 100.0 * (double)live_bytes / (double)REGION_BYTES;
        many_blocks[count] = block;
        many_sizes[count++] = (uint32_t)bytes;
        live_bytes += bytes;
    }
}

static size_t size_64(void)
{
    return 64;
}

static size_t size_24(void)
{
    return 24;
}

static double use_uniform(const struct bench_allocator *allocator)
{
    return fill_region(allocator, size_uniform);
}

static double use_kernel(const struct bench_allocator *allocator)
{
    return fill_region(allocator, size_kernel);
}

static double use_64(const struct bench_allocator *allocator)
{
    return fill_region(allocator, size_64);
}

static double use_24(const struct bench_allocator *allocator)
{
    return fill_region(allocator, size_24);
}

/* Return the largest block that an empty heap of 1 MiB can allocate. */
static double use_empty(const struct bench_allocator *allocator)
{
    const size_t region_bytes = (size_t)1 << 20;
    size_t least = 0, most = region_bytes;
    while (least < most) {
        size_t middle = (least + most + 1) / 2;
        void *block = allocator->allocate(middle);
        if (block != NULL) {
            allocator->free(block);
            least = middle;
        } else {
            most = middle - 1;
        }
    }
    return 100.0 * (double)least / (double)region_bytes;
}

/* --- Running ---------------------------------------------------------------------------------- */

struct workload {
    const char *name;
    size_t region_bytes;
    bool needs_region; /* a figure of memory: exact, measured once, and more is better */
    bool newest_first; /* it frees only the newest block */
    unsigned operations;
    double (*run)(const struct bench_allocator *allocator);
};

static const struct workload workloads[] = {
    {"bulk-64", REGION_BYTES, false, false, 2 * BULK_COUNT *BULK_ROUNDS, bulk},
    {"churn", REGION_BYTES, false, false, 2 * CHURN_STEPS, churn_uniform},
    {"kernel-mix", REGION_BYTES, false, false, 2 * CHURN_STEPS, churn_kernel},
    {"allocate", REGION_BYTES, false, true, ORDER_COUNT, allocate_many},
    {"free-lifo", REGION_BYTES, false, true, ORDER_COUNT, free_lifo},
    {"free-fifo", REGION_BYTES, false, false, ORDER_COUNT, free_fifo},
    {"free-random", REGION_BYTES, false, false, ORDER_COUNT, free_random},
    {"reallocate", REGION_BYTES, false, false, RESIZE_STEPS, resize},
    {"p99.9", REGION_BYTES, false, false, 1, worst_p999},
    {"max", REGION_BYTES, false, false, 1, worst_max},
    {"use-16-1024", REGION_BYTES, true, false, 1, use_uniform},
    {"use-kernel", REGION_BYTES, true, false, 1, use_kernel},
    {"use-64", REGION_BYTES, true, false, 1, use_64},
    {"use-24", REGION_BYTES, true, false, 1, use_24},
    {"use-empty-1M", (size_t)1 << 20, true, true, 1, use_empty},
};

#define WORKLOAD_COUNT (sizeof workloads / sizeof workloads[0])

/* A policy that searches lists is slow and gets only a few repeats: its figure is then exact
 * enough. It needs more than one, because one repeat may have been interrupted. */
#define SLOW_NS      100.0
#define SLOW_REPEATS 3

static struct laps laps_of[BENCH_ALLOCATORS_MAX];
static uint32_t cycles_of[BENCH_ALLOCATORS_MAX][EACH_COUNT];

static void run_workload(const struct workload *workload, const char *only, int repeats)
{
    double least[BENCH_ALLOCATORS_MAX];
    memset(laps_of, 0, sizeof laps_of);
    memset(cycles_of, 0xff, sizeof cycles_of);
    for (int repeat = 0; repeat < (workload->needs_region ? 1 : repeats); repeat++) {
        for (size_t a = 0; bench_allocators[a] != NULL; a++) {
            const struct bench_allocator *allocator = bench_allocators[a];
            const char *reason;
            if ((only != NULL && strcmp(only, allocator->name) != 0) ||
                (workload->needs_region && !allocator->has_region) ||
                (!workload->newest_first && allocator->frees_newest_only) ||
                !bench_allocators[a]->start(workload->region_bytes, &reason)) {
                least[a] = -1;
                continue;
            }
            if (only == NULL && repeat >= SLOW_REPEATS && least[a] > SLOW_NS &&
                workload->operations > 1)
                continue;
            laps = &laps_of[a];
            cycles = cycles_of[a];
            double figure = workload->run(allocator);
            if (repeat == 0 || figure < least[a])
                least[a] = figure;
        }
    }
    for (size_t a = 0; bench_allocators[a] != NULL; a++) {
        if (least[a] >= 0)
            printf("%s %s %.3f\n", bench_allocators[a]->name, workload->name, least[a]);
    }
}

static int print_operations(const char *name)
{
    for (size_t w = 0; w < WORKLOAD_COUNT; w++) {
        if (strcmp(name, workloads[w].name) == 0)
            printf("%u\n", workloads[w].operations);
    }
    return 0;
}

/* Print "NAME - REASON" for a missing allocator, and "NAME variant-of NAME" for a variant. */
static void describe_allocators(void)
{
    for (size_t a = 0; bench_allocators[a] != NULL; a++) {
        const struct bench_allocator *allocator = bench_allocators[a];
        const char *reason = "";
        if (!allocator->start(REGION_BYTES, &reason))
            printf("%s - %s\n", allocator->name, reason);
        if (allocator->variant_of != NULL)
            printf("%s variant-of %s\n", allocator->name, allocator->variant_of);
    }
}

int main(int argument_count, char **arguments)
{
    int repeats = 15;
    const char *only = NULL, *workload = NULL;
    for (int i = 1; i + 1 < argument_count; i += 2) {
        if (strcmp(arguments[i], "--repeats") == 0)
            repeats = atoi(arguments[i + 1]);
        else if (strcmp(arguments[i], "--only") == 0)
            only = arguments[i + 1];
        else if (strcmp(arguments[i], "--workload") == 0)
            workload = arguments[i + 1];
        else if (strcmp(arguments[i], "--operations") == 0)
            return print_operations(arguments[i + 1]);
    }
    bench_allocators_load();
    if (only == NULL)
        describe_allocators();
    calibrate();
    for (size_t w = 0; w < WORKLOAD_COUNT; w++) {
        if (workload == NULL || strcmp(workload, workloads[w].name) == 0)
            run_workload(&workloads[w], only, repeats);
    }
    return 0;
}
