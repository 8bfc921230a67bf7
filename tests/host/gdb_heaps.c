/*
 * Heaps of each policy with blocks of many sizes, for test_gdb.py. It prints each piece of a heap as
 * heap_walk() visits it, then calls heap_is_ready(), where gdb lists the same heap.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/mm/heap/include/handoff/heap_debug.h"
#include "kernel/mm/heap_policies.h"

#define MEMORY_BYTES ((size_t)1 << 20)
#define BLOCK_COUNT  2000
#define KEPT_PART    40 /* most slabs have few live blocks, so the fast policy dissolves some */

static _Alignas(4096) unsigned char memory[MEMORY_BYTES];
static union heap_policies_storage storage;
static struct heap_debug_storage debug;
static void *blocks[BLOCK_COUNT];

static void fail(void *context, const struct heap_fault *fault)
{
    (void)context;
    (void)fprintf(stderr, "gdb_heaps: %s\n", fault->detail);
    exit(1);
}

static struct heap *start(const struct heap_policy *policy, bool has_debug)
{
    struct heap *heap = NULL;
    const struct heap_configuration configuration = {
        .policy = policy,
        .storage = &storage,
        .storage_bytes = sizeof storage,
        .base = memory,
        .initial_bytes = sizeof memory,
        .limit_bytes = sizeof memory,
        .secret = 0x1234,
        .debug = has_debug ? heap_debug_layer(&debug) : NULL,
        .fault = fail,
    };
    if (heap_initialise(&configuration, &heap) != HEAP_OK)
        exit(1);
    return heap;
}

/* Allocate, free most of it, and shrink some blocks where they lie. */
__attribute__((noinline)) static void use(struct heap *heap)
{
    bool frees_newest_only = heap_frees_newest_only(heap);
    memset(blocks, 0, sizeof blocks);
    for (size_t i = 0; i < BLOCK_COUNT; i++)
        blocks[i] = heap_allocate(heap, i % 13 == 0 ? 2000 + i % 900 : i % 150, HEAP_CALLER);
    for (size_t i = BLOCK_COUNT; i-- > 0;) {
        bool stays = frees_newest_only ? i < BLOCK_COUNT / 2 : i % KEPT_PART == 0;
        if (!stays && blocks[i] != NULL) {
            heap_free(heap, blocks[i], HEAP_CALLER);
            blocks[i] = NULL;
        }
    }
    for (size_t i = 0; i < BLOCK_COUNT; i += KEPT_PART) {
        if (blocks[i] != NULL && i % (2 * KEPT_PART) == 0)
            blocks[i] = heap_reallocate(heap, blocks[i], 1 + i % 3, HEAP_CALLER);
    }
    void *large = heap_allocate_aligned(heap, 70000, 4096, HEAP_CALLER);
    if (large == NULL || heap_check(heap) != NULL)
        exit(1);
}

static void print_piece(void *context, const struct heap_piece *piece)
{
    static const char *const kinds[] = {
        [HEAP_PIECE_LIVE] = "live", [HEAP_PIECE_FREE] = "free", [HEAP_PIECE_OWN] = "own"};
    bool is_live = piece->kind == HEAP_PIECE_LIVE;
    (void)context;
    printf("walk: %p %s %zu\n", piece->start, kinds[piece->kind],
           is_live ? piece->size_bytes : piece->extent_bytes);
}

/* A breakpoint is here. */
__attribute__((noinline)) void heap_is_ready(const struct heap *heap);
void heap_is_ready(const struct heap *heap)
{
    __asm__ volatile("" : : "r"(heap) : "memory");
}

int main(void)
{
    static const char *const names[] = {"bump", "first-fit", "best-fit", "fast"};
    struct heap *none = (struct heap *)(void *)&storage;
    heap_is_ready(none); /* not set up yet */
    for (size_t i = 0; i < 2 * sizeof names / sizeof names[0]; i++) {
        struct heap *heap = start(heap_policies_find(names[i / 2]), i % 2 != 0);
        struct heap_statistics figures;
        use(heap);
        printf("heap: %s %s\n", names[i / 2], i % 2 != 0 ? "debug" : "plain");
        heap_walk(heap, print_piece, NULL);
        heap_statistics(heap, &figures);
        printf("figures: %zu %zu %llu\n", figures.used_bytes, figures.peak_used_bytes,
               (unsigned long long)figures.free_count);
        (void)fflush(stdout);
        heap_is_ready(heap);
    }
    return 0;
}
