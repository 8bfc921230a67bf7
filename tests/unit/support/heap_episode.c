#include "tests/unit/support/heap_episode.h"

#include <string.h>

#include "tests/unit/support/heap_arena.h"
#include "tests/unit/support/heap_oracle.h"
#include "tests/unit/support/random.h"

#define ARENA_BYTES            ((size_t)8 << 20)
#define OPERATIONS_PER_MISUSE  64
#define OPERATIONS_PER_DROUGHT 512 /* operations between two failing growths, about */
#define SHAPE_COUNT            6
#define SPREAD_OF_ADDRESSES    1000

static void *const CALLER = (void *)0x3333;

struct life {
    const struct heap_episode *episode;
    struct heap_arena arena;
    struct heap *heap;
    struct heap_oracle oracle;
    struct random random;
};

static uint32_t next_random(void *context)
{
    return (uint32_t)(random_next(context) >> 16);
}

/* Growing, growing with too few pages, and four fixed sizes, the first one a page. */
static struct heap_configuration configuration_of(struct life *life, unsigned shape)
{
    static const size_t fixed_bytes[] = {4096, 65536, 262144, 1 << 20};
    if (shape >= 2)
        return heap_arena_fixed(&life->arena, fixed_bytes[shape - 2]);
    if (shape == 1)
        life->arena.budget_bytes = 200 * HEAP_PAGE_SIZE_BYTES;
    return heap_arena_growing(&life->arena, ARENA_BYTES);
}

static bool begin(struct life *life)
{
    life->random.state = life->episode->seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
    heap_arena_create_shifted(&life->arena, ARENA_BYTES, life->episode->seed % SPREAD_OF_ADDRESSES);
    unsigned shape = (unsigned)(life->episode->seed % SHAPE_COUNT);
    struct heap_configuration configuration = configuration_of(life, shape);
    configuration.policy = life->episode->policy;
    configuration.secret = random_next(&life->random);
    if (life->episode->configure != NULL)
        life->episode->configure(&configuration);
    if (heap_initialise(&configuration, &life->heap) != HEAP_OK)
        return false;
    heap_oracle_begin(&life->oracle, life->heap, next_random, &life->random);
    life->oracle.block_limit = shape == 2 ? 40 : HEAP_ORACLE_BLOCK_LIMIT;
    return true;
}

/* --- Misuse ----------------------------------------------------------------------------------- */

static const char *expect_report(struct life *life, void *pointer, bool may_be_gone)
{
    heap_free(life->heap, pointer, CALLER);
    if (life->arena.fault_count != 1)
        return "a misuse was not reported";
    life->arena.fault_count = 0;
    enum heap_fault_kind expected = may_be_gone ? HEAP_FAULT_DOUBLE_FREE : HEAP_FAULT_BAD_POINTER;
    const struct heap_fault *fault = &life->arena.fault;
    /* Freed memory that went back with the heap's tail no longer belongs to the heap. */
    bool is_gone = may_be_gone && (uintptr_t)pointer >= (uintptr_t)life->arena.base +
                                                            heap_size_bytes(life->heap) - 64;
    if (fault->pointer != pointer || fault->caller != CALLER ||
        (fault->kind != expected && !(is_gone && fault->kind == HEAP_FAULT_BAD_POINTER)))
        return "a misuse was reported as something else";
    return NULL;
}

/* A pointer into a live block, or to one that has just been freed. */
static const char *misuse(struct life *life)
{
    struct heap_oracle *oracle = &life->oracle;
    if (oracle->block_count == 0)
        return NULL;
    size_t index = heap_frees_newest_only(life->heap)
                       ? oracle->block_count - 1
                       : random_below(&life->random, oracle->block_count);
    struct heap_oracle_block block = oracle->blocks[index];
    if (block.size_bytes > 1 && random_below(&life->random, 2) == 0) {
        size_t offset = 1 + random_below(&life->random, block.size_bytes - 1);
        return expect_report(life, block.address + offset, false);
    }
    const char *problem = heap_oracle_free(oracle, index);
    return problem == NULL ? expect_report(life, block.address, true) : problem;
}

/* --- The life --------------------------------------------------------------------------------- */

static const char *run_operation(struct life *life, unsigned number,
                                 struct heap_episode_counts *counts)
{
    if (random_below(&life->random, OPERATIONS_PER_DROUGHT) == 0)
        life->arena.failing_grow = life->arena.grow_count + 1;
    const char *problem = heap_oracle_step(&life->oracle);
    counts->operations++;
    if (problem == NULL && random_below(&life->random, OPERATIONS_PER_MISUSE) == 0) {
        problem = misuse(life);
        counts->misuses++;
    }
    if (problem == NULL && number % life->episode->operations_per_check == 0) {
        problem = heap_oracle_check(&life->oracle);
        counts->full_checks++;
    }
    if (problem == NULL && life->arena.fault_count != 0)
        problem = life->arena.fault.detail;
    return problem;
}

const char *heap_episode_run(const struct heap_episode *episode, struct heap_episode_counts *counts)
{
    static struct life life;
    memset(&life, 0, sizeof life);
    life.episode = episode;
    const char *problem = begin(&life) ? NULL : "the heap does not start";
    for (unsigned i = 0; i < episode->operation_count && problem == NULL; i++)
        problem = run_operation(&life, i, counts);
    if (problem == NULL)
        problem = heap_oracle_end(&life.oracle);
    if (problem == NULL && life.arena.fault_count != 0)
        problem = life.arena.fault.detail;
    counts->failures += life.oracle.failure_count;
    counts->growths += life.arena.grow_count;
    heap_arena_destroy(&life.arena);
    return problem;
}
