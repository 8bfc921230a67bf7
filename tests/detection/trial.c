#include "tests/detection/trial.h"

#include <handoff/heap_debug.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kernel/mm/heap_policies.h"

#define ARENA ((void *)0x3d0000000000)
/* So that a read before the first block stays inside. */
#define BEFORE_THE_HEAP_BYTES ((size_t)4096)

#define FAVOURITE_COUNT 8

static uint8_t *arena;

static _Noreturn void give_up(const char *why)
{
    (void)fprintf(stderr, "detection: %s\n", why);
    exit(2);
}

void trial_map_memory(void)
{
    arena = mmap(ARENA, TRIAL_ARENA_BYTES, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (arena != ARENA)
        give_up("the memory for the heaps is not available");
}

static void count_fault(void *context, const struct heap_fault *fault)
{
    (void)fault;
    ((struct trial *)context)->fault_count++;
}

void trial_start(struct trial *trial, const struct heap_policy *policy, bool has_debug_layer,
                 uint64_t number)
{
    static union heap_policies_storage storage;
    static struct heap_debug_storage debug;
    trial->random.state = (number + 1) * UINT64_C(0x9e3779b97f4a7c15);
    trial->fault_count = 0;
    trial->block_count = 0;
    const struct heap_configuration configuration = {
        .policy = policy,
        .storage = &storage,
        .storage_bytes = sizeof storage,
        .base = arena + BEFORE_THE_HEAP_BYTES,
        .initial_bytes = TRIAL_HEAP_BYTES,
        .limit_bytes = TRIAL_HEAP_BYTES,
        .secret = random_next(&trial->random),
        .debug = has_debug_layer ? heap_debug_layer(&debug) : NULL,
        .fault = count_fault,
        .fault_context = trial,
    };
    if (heap_initialise(&configuration, &trial->heap) != HEAP_OK)
        give_up("a heap does not start");
}

struct trial_block *trial_allocate(struct trial *trial, size_t size_bytes)
{
    if (trial->block_count == TRIAL_BLOCKS_MAX)
        give_up("a trial has too many blocks");
    struct trial_block *block = &trial->blocks[trial->block_count++];
    block->size_bytes = size_bytes;
    block->start = heap_allocate(trial->heap, size_bytes, TRIAL_CALLER);
    if (block->start == NULL)
        give_up("a heap has no memory");
    memset(block->start, trial_random_byte(trial), size_bytes);
    return block;
}

void trial_free(struct trial *trial, struct trial_block *block)
{
    heap_free(trial->heap, block->start, TRIAL_CALLER);
    block->start = NULL;
}

/* Most blocks are small. */
static size_t random_size(struct random *random)
{
    uint64_t kind = random_below(random, 20);
    if (kind < 16)
        return 1 + random_below(random, 256);
    return 1 + random_below(random, kind < 19 ? 1100 : 6000);
}

/* A program has many blocks of the sizes of its structures, and some others. */
void trial_populate(struct trial *trial)
{
    struct random *random = &trial->random;
    size_t favourites[FAVOURITE_COUNT];
    for (size_t i = 0; i < FAVOURITE_COUNT; i++)
        favourites[i] = random_size(random);
    size_t count = 200 + random_below(random, 300);
    for (size_t i = 0; i < count; i++) {
        bool is_other = random_below(random, 6) == 0;
        (void)trial_allocate(trial, is_other ? random_size(random)
                                             : favourites[random_below(random, FAVOURITE_COUNT)]);
    }
    for (size_t i = 0; i + 1 < count && !heap_frees_newest_only(trial->heap); i++) {
        if (random_below(random, 3) == 0)
            trial_free(trial, &trial->blocks[i]);
    }
}

struct trial_block *trial_choose(struct trial *trial)
{
    if (heap_frees_newest_only(trial->heap))
        return &trial->blocks[trial->block_count - 1];
    struct trial_block *block;
    do
        block = &trial->blocks[random_below(&trial->random, trial->block_count)];
    while (block->start == NULL);
    return block;
}

uint8_t trial_random_byte(struct trial *trial)
{
    return (uint8_t)random_below(&trial->random, 256);
}

void trial_write(struct trial *trial, uint8_t *start, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        start[i] = trial_random_byte(trial);
}

void trial_free_all(struct trial *trial)
{
    for (size_t i = trial->block_count; i > 0; i--) {
        if (trial->blocks[i - 1].start != NULL)
            trial_free(trial, &trial->blocks[i - 1]);
    }
}

/* A trial ends at its first report, as a program does. */
bool trial_is_found(struct trial *trial)
{
    if (heap_check(trial->heap) != NULL)
        return true;
    trial_free_all(trial);
    return trial->fault_count != 0;
}
