/*
 * bench_sizes.c - allocate and free blocks, in functions whose names contain the size, so that
 * callgrind counts the instructions of each size (tests/bench/bench_sizes.py).
 *
 *   bench_sizes --list                 print a line for each allocator that can run
 *   bench_sizes ALLOCATOR [ROUNDS]     run both modes
 *
 * The modes:
 *
 *   steady     allocate and free a block of this size, again and again
 *   turn       replace random blocks out of 64; each new block has a random size of the table
 *
 * All around lie 1,300 live blocks of a kernel's mix, and holes between them.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/diagnostics/heap_workload.h"
#include "tests/bench/heap/allocator.h"
#include "tests/bench/heap/laps.h"

#define REGION_BYTES ((size_t)16 << 20)
#define AROUND_COUNT 1300
#define TURN_COUNT   64
#define WARM_UP      100

/* The limits of classes and caches, pages and stacks, and sizes that no allocator was made for. */
#define SIZES(with)                                                                                \
    with(64) with(512) with(1000) with(1024) with(1040) with(1500) with(2048) with(3000)           \
        with(4096) with(8192) with(9000) with(16384) with(24000) with(32768) with(40000)           \
            with(65536)

/* Without the statement behind the call, the call would become a jump. */
#define STAY __asm__ volatile("" ::: "memory")

#define FUNCTIONS(size)                                                                            \
    TIMED timed_steady_##size(const struct bench_allocator *allocator, unsigned rounds)            \
    {                                                                                              \
        for (unsigned i = 0; i < rounds; i++)                                                      \
            allocator->free(allocator->allocate(size));                                            \
    }                                                                                              \
    TIMED timed_allocate_##size(const struct bench_allocator *allocator, void **ret_block)         \
    {                                                                                              \
        *ret_block = allocator->allocate(size);                                                    \
    }                                                                                              \
    TIMED timed_free_##size(const struct bench_allocator *allocator, void **block)                 \
    {                                                                                              \
        allocator->free(*block);                                                                   \
        STAY;                                                                                      \
    }

SIZES(FUNCTIONS)

struct size_functions {
    size_t size_bytes;
    void (*steady)(const struct bench_allocator *allocator, unsigned rounds);
    void (*allocate)(const struct bench_allocator *allocator, void **ret_block);
    void (*free)(const struct bench_allocator *allocator, void **block);
};

#define NAMES(size) {size, timed_steady_##size, timed_allocate_##size, timed_free_##size},

static const struct size_functions sizes[] = {SIZES(NAMES)};

#define SIZE_COUNT (sizeof sizes / sizeof sizes[0])

/* --- The blocks around ------------------------------------------------------------------------ */

static void *around[2 * AROUND_COUNT];

/* Allocate twice the number, and free every second block. */
static void surround(const struct bench_allocator *allocator)
{
    struct heap_workload workload = heap_workload_start(5);
    for (size_t i = 0; i < 2 * AROUND_COUNT; i++) {
        around[i] = allocator->allocate(heap_workload_kernel_size(&workload));
        if (around[i] == NULL)
            abort();
    }
    for (size_t i = 0; i < 2 * AROUND_COUNT; i += 2)
        allocator->free(around[i]);
}

/* --- Modes ------------------------------------------------------------------------------------ */

static void run_steady(const struct bench_allocator *allocator, unsigned rounds)
{
    for (size_t s = 0; s < SIZE_COUNT; s++) {
        for (unsigned i = 0; i < WARM_UP; i++)
            allocator->free(allocator->allocate(sizes[s].size_bytes));
        sizes[s].steady(allocator, rounds);
    }
}

/* The blocks of 64 places, with the size of each one. */
struct turn {
    struct heap_workload workload;
    void *blocks[TURN_COUNT];
    const struct size_functions *sizes[TURN_COUNT];
};

static void replace(struct turn *turn, size_t place, const struct bench_allocator *allocator)
{
    if (turn->blocks[place] != NULL)
        turn->sizes[place]->free(allocator, &turn->blocks[place]);
    turn->sizes[place] = &sizes[heap_workload_next(&turn->workload) % SIZE_COUNT];
    turn->sizes[place]->allocate(allocator, &turn->blocks[place]);
    if (turn->blocks[place] == NULL)
        abort();
}

static void run_turn(const struct bench_allocator *allocator, unsigned rounds)
{
    struct turn turn = {.workload = heap_workload_start(6)};
    for (size_t place = 0; place < TURN_COUNT; place++)
        replace(&turn, place, allocator);
    for (size_t i = 0; i < rounds * SIZE_COUNT; i++)
        replace(&turn, heap_workload_next(&turn.workload) % TURN_COUNT, allocator);
}

/* --- Running ---------------------------------------------------------------------------------- */

static bool can_run(const struct bench_allocator *allocator)
{
    const char *reason;
    return !allocator->frees_newest_only && allocator->start(REGION_BYTES, &reason);
}

static void list(void)
{
    for (size_t a = 0; bench_allocators[a] != NULL; a++) {
        if (can_run(bench_allocators[a]))
            printf("%s\n", bench_allocators[a]->name);
    }
}

static int run(const char *name, unsigned rounds)
{
    for (size_t a = 0; bench_allocators[a] != NULL; a++) {
        const struct bench_allocator *allocator = bench_allocators[a];
        if (strcmp(allocator->name, name) != 0 || !can_run(allocator))
            continue;
        surround(allocator);
        run_steady(allocator, rounds);
        run_turn(allocator, rounds);
        return 0;
    }
    (void)fprintf(stderr, "bench_sizes: %s is missing\n", name);
    return 1;
}

int main(int argument_count, char **arguments)
{
    if (argument_count < 2) {
        (void)fprintf(stderr, "usage: bench_sizes --list | ALLOCATOR [ROUNDS]\n");
        return 1;
    }
    bench_allocators_load();
    if (strcmp(arguments[1], "--list") == 0) {
        list();
        return 0;
    }
    return run(arguments[1], argument_count > 2 ? (unsigned)atoi(arguments[2]) : 200);
}
