/*
 * bench_misuse.c - misuse an allocator once, and see whether the process notices it.
 *
 *   bench_misuse --list                   print the allocators: "allocator NAME"; then the misuses
 *   bench_misuse ALLOCATOR SEED MISUSE    do it
 *
 * Before the misuse there are blocks and holes. After it all blocks are freed, and new ones are
 * allocated, so that an allocator that checks later has the opportunity. If nothing is noticed, the
 * exit status is 0. The names of the misuses are those of tests/detection.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/diagnostics/heap_workload.h"
#include "tests/bench/heap/allocator.h"

#define REGION_BYTES ((size_t)4 << 20)
#define BLOCK_COUNT  200
/* All blocks again and again, until a quarantine has let go of the chosen block. */
#define FINISH_ROUNDS  40
#define SIZE_BYTES_MAX 600

struct trial {
    const struct bench_allocator *allocator;
    struct heap_workload random;
    uint8_t *blocks[BLOCK_COUNT]; /* NULL: a hole */
    size_t sizes[BLOCK_COUNT];
    size_t chosen;
};

/* Volatile, so that the compiler does not optimise the misuse away. */
static uint8_t *volatile target;

static void release(struct trial *trial, size_t i)
{
    trial->allocator->free(trial->blocks[i]);
    trial->blocks[i] = NULL;
}

static void populate(struct trial *trial)
{
    for (size_t i = 0; i < BLOCK_COUNT; i++) {
        trial->sizes[i] = heap_workload_between(&trial->random, 24, SIZE_BYTES_MAX);
        trial->blocks[i] = trial->allocator->allocate(trial->sizes[i]);
        memset(trial->blocks[i], 'a', trial->sizes[i]);
    }
    for (size_t i = 0; i < BLOCK_COUNT; i += 3)
        release(trial, i);
    trial->chosen = 1 + heap_workload_next(&trial->random) % (BLOCK_COUNT / 3 - 1) * 3;
    target = trial->blocks[trial->chosen];
}

/* Give the allocator the opportunity to notice. */
static void finish(struct trial *trial)
{
    for (size_t round = 0; round < FINISH_ROUNDS; round++) {
        for (size_t i = 0; i < BLOCK_COUNT; i++) {
            if (trial->blocks[i] != NULL)
                release(trial, i);
        }
        for (size_t i = 0; i < BLOCK_COUNT; i++) {
            trial->blocks[i] = trial->allocator->allocate(trial->sizes[i]);
            memset(trial->blocks[i], 'b', trial->sizes[i]);
        }
    }
}

/* --- Misuses: of the chosen block ------------------------------------------------------------- */

static void free_twice(struct trial *trial)
{
    release(trial, trial->chosen);
    trial->allocator->free(target);
}

/* The memory of the block may belong to another block by now. */
static void free_twice_later(struct trial *trial)
{
    release(trial, trial->chosen);
    for (size_t i = 0; i < BLOCK_COUNT; i += 3) {
        trial->sizes[i] = heap_workload_between(&trial->random, 24, SIZE_BYTES_MAX);
        trial->blocks[i] = trial->allocator->allocate(trial->sizes[i]);
    }
    trial->allocator->free(target);
}

static void free_interior(struct trial *trial)
{
    trial->allocator->free(target + 16);
}

static void free_foreign(struct trial *trial)
{
    static uint64_t not_a_block[64];
    target = (uint8_t *)&not_a_block[32];
    trial->allocator->free(target);
}

/* A copy of the block, with the memory before it, lies inside of a larger block. */
static void free_copy(struct trial *trial)
{
    uint8_t *holder = trial->allocator->allocate(4000);
    memcpy(holder + 64 - 32, target - 32, trial->sizes[trial->chosen] + 32);
    target = holder + 64;
    trial->allocator->free(target);
}

/* A fixed byte would equal a byte of a canary in one of 256 trials. */
static void change(uint8_t *first, size_t byte_count)
{
    for (size_t i = 0; i < byte_count; i++)
        first[i] ^= 0xff;
}

static void overrun(struct trial *trial, size_t bytes)
{
    change(target + trial->sizes[trial->chosen], bytes);
}

static void overrun_by_1(struct trial *trial)
{
    overrun(trial, 1);
}

static void overrun_by_8(struct trial *trial)
{
    overrun(trial, 8);
}

static void underrun_by_1(struct trial *trial)
{
    (void)trial;
    change(target - 1, 1);
}

static void underrun_by_8(struct trial *trial)
{
    (void)trial;
    change(target - 8, 8);
}

static void write_after_free(struct trial *trial, size_t offset)
{
    release(trial, trial->chosen);
    change(target + offset, 8);
}

static void write_after_free_at_0(struct trial *trial)
{
    write_after_free(trial, 0);
}

static void write_after_free_at_16(struct trial *trial)
{
    write_after_free(trial, 16);
}

struct misuse {
    const char *name;
    void (*run)(struct trial *trial);
};

static const struct misuse misuses[] = {
    {"double free", free_twice},
    {"double free, memory used again", free_twice_later},
    {"pointer into a block", free_interior},
    {"foreign pointer", free_foreign},
    {"copied block and headers", free_copy},
    {"overrun by 1", overrun_by_1},
    {"overrun by 8", overrun_by_8},
    {"underrun by 1", underrun_by_1},
    {"underrun by 8", underrun_by_8},
    {"write after free, at offset 0", write_after_free_at_0},
    {"write after free, at offset 16", write_after_free_at_16},
};

#define MISUSE_COUNT (sizeof misuses / sizeof misuses[0])

/* --- Running ---------------------------------------------------------------------------------- */

static bool can_run(const struct bench_allocator *allocator)
{
    const char *reason;
    return strcmp(allocator->name, "(harness)") != 0 && !allocator->frees_newest_only &&
           allocator->start(REGION_BYTES, &reason);
}

static int list(void)
{
    for (size_t a = 0; bench_allocators[a] != NULL; a++) {
        if (can_run(bench_allocators[a]))
            printf("allocator %s\n", bench_allocators[a]->name);
    }
    for (size_t i = 0; i < MISUSE_COUNT; i++)
        printf("misuse %s\n", misuses[i].name);
    return 0;
}

static int run(const struct bench_allocator *allocator, uint64_t seed, const char *name)
{
    for (size_t i = 0; i < MISUSE_COUNT; i++) {
        if (strcmp(misuses[i].name, name) != 0 || !can_run(allocator))
            continue;
        struct trial trial = {.allocator = allocator, .random = heap_workload_start(seed)};
        populate(&trial);
        misuses[i].run(&trial);
        finish(&trial);
        return 0;
    }
    return 2;
}

int main(int argument_count, char **arguments)
{
    bench_allocators_load();
    if (argument_count == 2 && strcmp(arguments[1], "--list") == 0)
        return list();
    for (size_t a = 0; argument_count == 4 && bench_allocators[a] != NULL; a++) {
        if (strcmp(bench_allocators[a]->name, arguments[1]) == 0)
            return run(bench_allocators[a], strtoull(arguments[2], NULL, 10), arguments[3]);
    }
    return 2;
}
