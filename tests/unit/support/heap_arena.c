#define _GNU_SOURCE /* MAP_ANONYMOUS, MAP_FIXED_NOREPLACE, MAP_NORESERVE */

#include "tests/unit/support/heap_arena.h"

#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* What a page holds when it arrives: anything but zeros. */
#define STALE_BYTE 0x5e
/* In a mapping beyond this nothing is filled or poisoned: it would cost the host real memory. */
#define WATCHED_LIMIT_BYTES ((size_t)1 << 30)

/* Where arenas are looked for: what a heap does depends on its addresses, through the hashes in its
 * headers, so a test that takes whatever the host gives would take a chance. ASan and the host's
 * own mappings leave this alone. HEAP_ARENA in the environment, a number, moves it by so many odd
 * steps. */
#define FIRST_BASE     UINT64_C(0x200000000000)
#define STEP_BYTES     ((uint64_t)HEAP_PAGE_SIZE_BYTES * 0x10003)
#define DISTANCE_BYTES (UINT64_C(1) << 37) /* more than any arena */
#define ARENA_LIMIT    16u

static _Noreturn void misuse(const char *what)
{
    (void)fprintf(stderr, "heap_arena: %s\n", what);
    abort();
}

static bool is_watched(const struct heap_arena *arena)
{
    return arena->size_bytes <= WATCHED_LIMIT_BYTES;
}

/* The first place that is free. */
static void *map_steadily(size_t size_bytes, uint64_t step_count)
{
    uint64_t first = FIRST_BASE + step_count * STEP_BYTES;
    for (unsigned n = 0; n < ARENA_LIMIT; n++) {
        void *wanted = (void *)(uintptr_t)(first + n * DISTANCE_BYTES);
        void *base = mmap(wanted, size_bytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
        if (base == wanted)
            return base;
        if (base != MAP_FAILED)
            (void)munmap(base, size_bytes); /* a Linux before 4.17 takes it for a hint */
    }
    misuse("the host has no memory where arenas lie");
}

void heap_arena_create_shifted(struct heap_arena *arena, size_t size_bytes, uint64_t step_count)
{
    void *base = map_steadily(size_bytes, step_count);
    *arena =
        (struct heap_arena){.base = base, .size_bytes = size_bytes, .budget_bytes = size_bytes};
    if (is_watched(arena))
        ASAN_POISON_MEMORY_REGION(base, size_bytes);
}

void heap_arena_create(struct heap_arena *arena, size_t size_bytes)
{
    const char *shift = getenv("HEAP_ARENA");
    heap_arena_create_shifted(arena, size_bytes, shift == NULL ? 0 : strtoull(shift, NULL, 10));
}

void heap_arena_destroy(struct heap_arena *arena)
{
    if (is_watched(arena))
        ASAN_UNPOISON_MEMORY_REGION(arena->base, arena->size_bytes);
    (void)munmap(arena->base, arena->size_bytes);
}

void heap_arena_set_usable(struct heap_arena *arena, size_t size_bytes)
{
    size_t old_bytes = arena->usable_bytes;
    arena->usable_bytes = size_bytes;
    if (!is_watched(arena))
        return;
    if (size_bytes > old_bytes) {
        ASAN_UNPOISON_MEMORY_REGION(arena->base + old_bytes, size_bytes - old_bytes);
        memset(arena->base + old_bytes, STALE_BYTE, size_bytes - old_bytes);
    } else {
        ASAN_POISON_MEMORY_REGION(arena->base + size_bytes, old_bytes - size_bytes);
    }
}

static bool grow(void *context, size_t additional_bytes)
{
    struct heap_arena *arena = context;
    if (additional_bytes == 0 || additional_bytes % HEAP_PAGE_SIZE_BYTES != 0)
        misuse("grow by a size that is no number of pages");
    if (additional_bytes > arena->size_bytes - arena->usable_bytes)
        misuse("grow beyond the limit");
    arena->grow_count++;
    if (arena->grow_count == arena->failing_grow ||
        additional_bytes > arena->budget_bytes - arena->usable_bytes)
        return false;
    heap_arena_set_usable(arena, arena->usable_bytes + additional_bytes);
    return true;
}

static void shrink(void *context, size_t bytes)
{
    struct heap_arena *arena = context;
    if (bytes == 0 || bytes % HEAP_PAGE_SIZE_BYTES != 0 || bytes > arena->usable_bytes)
        misuse("shrink by what the heap does not have");
    arena->shrink_count++;
    heap_arena_set_usable(arena, arena->usable_bytes - bytes);
}

static void record_fault(void *context, const struct heap_fault *fault)
{
    struct heap_arena *arena = context;
    arena->fault_count++;
    arena->fault = *fault;
}

struct heap_configuration heap_arena_fixed(struct heap_arena *arena, size_t size_bytes)
{
    heap_arena_set_usable(arena, size_bytes);
    return (struct heap_configuration){
        .policy = &heap_policy_best_fit,
        .base = arena->base,
        .initial_bytes = size_bytes,
        .limit_bytes = size_bytes,
        .secret = UINT64_C(0x0123456789abcdef),
        .fault = record_fault,
        .fault_context = arena,
    };
}

struct heap_configuration heap_arena_growing(struct heap_arena *arena, size_t limit_bytes)
{
    struct heap_configuration configuration = heap_arena_fixed(arena, 0);
    configuration.limit_bytes = limit_bytes;
    configuration.pages =
        (struct heap_page_source){.context = arena, .grow = grow, .shrink = shrink};
    return configuration;
}
