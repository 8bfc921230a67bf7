/*
 * bench_mixes.c - run the scripts of mix.h on the allocators.
 *
 *   bench_mixes --list                  print the mixes: name, share of sizes above 1 KiB, and the
 *                                       largest number of live bytes
 *   bench_mixes --time REPEATS          print ns per operation: allocator, mix, figure
 *   bench_mixes --fill                  print the live requested bytes at the first failure, per
 *                                       cent of the region: allocator, mix, figure
 *   bench_mixes --once ALLOCATOR MIX [OPERATIONS]
 *                                       run a script once. Each operation is a call of timed_one(),
 *                                       so that callgrind can count its instructions
 *
 * The allocators are timed in laps, in turns (laps.h).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/heap/allocator.h"
#include "tests/bench/heap/laps.h"
#include "tests/bench/heap/mix.h"

#define REGION_BYTES   ((size_t)16 << 20)
#define LAP_OPERATIONS 500
/* A policy that searches lists gets only this number of repeats. */
#define SLOW_NS      150.0
#define SLOW_REPEATS 2

static struct mix_script script;
static void *blocks[MIX_PLACES_MAX];

static _Noreturn void give_up(const char *what)
{
    (void)fprintf(stderr, "bench_mixes: %s\n", what);
    exit(1);
}

static bool can_run(const struct bench_allocator *allocator)
{
    const char *reason;
    return !allocator->frees_newest_only && allocator->start(REGION_BYTES, &reason);
}

/* Allocators with a region need no frees: they begin again with an empty region. */
static void free_what_is_left(const struct bench_allocator *allocator)
{
    for (size_t i = 0; i < MIX_PLACES_MAX; i++) {
        if (blocks[i] != NULL && !allocator->has_region)
            allocator->free(blocks[i]);
        blocks[i] = NULL;
    }
}

/* --- Time ------------------------------------------------------------------------------------- */

/* A block that was not allocated is NULL, and its free does nothing. */
TIMED timed_lap(const struct bench_allocator *allocator, const struct mix_operation *operations)
{
    for (size_t i = 0; i < LAP_OPERATIONS; i++) {
        void **block = &blocks[operations[i].place];
        if (operations[i].size_bytes != 0) {
            *block = allocator->allocate(operations[i].size_bytes);
        } else {
            allocator->free(*block);
            *block = NULL;
        }
    }
}

static void run_laps(const struct bench_allocator *allocator, struct laps *laps)
{
    laps_begin(laps);
    for (size_t i = 0; i + LAP_OPERATIONS <= script.operation_count; i += LAP_OPERATIONS) {
        timed_lap(allocator, &script.operations[i]);
        laps_end_one(laps);
    }
    free_what_is_left(allocator);
}

static void time_mix(const struct mix *mix, unsigned repeats)
{
    static struct laps laps[BENCH_ALLOCATORS_MAX];
    memset(laps, 0, sizeof laps);
    mix->build(&script);
    for (unsigned repeat = 0; repeat < repeats; repeat++) {
        for (size_t a = 0; bench_allocators[a] != NULL; a++) {
            bool is_slow =
                laps[a].count != 0 && laps_ns_per_operation(&laps[a], LAP_OPERATIONS) > SLOW_NS;
            if ((repeat < SLOW_REPEATS || !is_slow) && can_run(bench_allocators[a]))
                run_laps(bench_allocators[a], &laps[a]);
        }
    }
    for (size_t a = 0; bench_allocators[a] != NULL; a++) {
        if (laps[a].count != 0)
            printf("%s %s %.3f\n", bench_allocators[a]->name, mix->name,
                   laps_ns_per_operation(&laps[a], LAP_OPERATIONS));
    }
}

/* --- Instructions of each operation ----------------------------------------------------------- */

TIMED timed_one(const struct bench_allocator *allocator, const struct mix_operation *operation)
{
    void **block = &blocks[operation->place];
    if (operation->size_bytes != 0) {
        *block = allocator->allocate(operation->size_bytes);
    } else {
        allocator->free(*block);
        *block = NULL;
    }
}

static void run_once(const struct bench_allocator *allocator, const struct mix *mix, size_t most)
{
    if (!can_run(allocator))
        give_up("this allocator cannot run");
    mix->build(&script);
    for (size_t i = 0; i < script.operation_count && i < most; i++) {
        timed_one(allocator, &script.operations[i]);
        if (script.operations[i].size_bytes != 0 && blocks[script.operations[i].place] == NULL)
            give_up("the region has no room for this mix");
    }
}

/* --- Memory ----------------------------------------------------------------------------------- */

/* One block of four is freed, so that the region is not filled in order. */
static double fill(const struct bench_allocator *allocator, const struct mix *mix)
{
    static void *many[1 << 20];
    static uint32_t sizes[1 << 20];
    size_t count = 0, live_bytes = 0;
    struct heap_workload random = heap_workload_start(3);
    for (;;) {
        if (count != 0 && heap_workload_next(&random) % 4 == 0) {
            size_t victim = heap_workload_next(&random) % count;
            allocator->free(many[victim]);
            live_bytes -= sizes[victim];
            many[victim] = many[--count];
            sizes[victim] = sizes[count];
        }
        size_t size_bytes = mix->fill_size(&random);
        void *block = allocator->allocate(size_bytes);
        if (block == NULL || count == sizeof many / sizeof many[0])
            return 100.0 * (double)live_bytes / (double)REGION_BYTES;
        many[count] = block;
        sizes[count++] = (uint32_t)size_bytes;
        live_bytes += size_bytes;
    }
}

static void fill_all(const struct mix *mix)
{
    for (size_t a = 0; bench_allocators[a] != NULL && mix->fill_size != NULL; a++) {
        const struct bench_allocator *allocator = bench_allocators[a];
        if (allocator->has_region && can_run(allocator))
            printf("%s %s %.3f\n", allocator->name, mix->name, fill(allocator, mix));
    }
}

/* --- Running ---------------------------------------------------------------------------------- */

static void describe(const struct mix *mix)
{
    static uint32_t sizes[MIX_PLACES_MAX];
    size_t allocation_count = 0, above_count = 0, live_bytes = 0, most_bytes = 0;
    mix->build(&script);
    for (size_t i = 0; i < script.operation_count; i++) {
        const struct mix_operation *operation = &script.operations[i];
        live_bytes += operation->size_bytes;
        live_bytes -= operation->size_bytes == 0 ? sizes[operation->place] : 0;
        sizes[operation->place] = operation->size_bytes;
        most_bytes = live_bytes > most_bytes ? live_bytes : most_bytes;
        allocation_count += operation->size_bytes != 0;
        above_count += operation->size_bytes > 1024;
    }
    printf("%s %.3f %zu\n", mix->name, (double)above_count / (double)allocation_count, most_bytes);
}

static const struct bench_allocator *find_allocator(const char *name)
{
    for (size_t a = 0; bench_allocators[a] != NULL; a++) {
        if (strcmp(bench_allocators[a]->name, name) == 0)
            return bench_allocators[a];
    }
    give_up("unknown allocator");
}

static const struct mix *find_mix(const char *name)
{
    for (const struct mix *mix = mixes; mix->name != NULL; mix++) {
        if (strcmp(mix->name, name) == 0)
            return mix;
    }
    give_up("unknown mix");
}

int main(int argument_count, char **arguments)
{
    const char *mode = argument_count > 1 ? arguments[1] : "";
    bench_allocators_load();
    if (strcmp(mode, "--once") == 0 && argument_count >= 4) {
        run_once(find_allocator(arguments[2]), find_mix(arguments[3]),
                 argument_count > 4 ? strtoul(arguments[4], NULL, 10) : SIZE_MAX);
        return 0;
    }
    for (const struct mix *mix = mixes; mix->name != NULL; mix++) {
        if (strcmp(mode, "--list") == 0)
            describe(mix);
        else if (strcmp(mode, "--fill") == 0)
            fill_all(mix);
        else if (strcmp(mode, "--time") == 0 && argument_count > 2)
            time_mix(mix, (unsigned)atoi(arguments[2]));
        else
            give_up("usage: bench_mixes --list | --time REPEATS | --fill | --once ALLOCATOR MIX");
    }
    return 0;
}
