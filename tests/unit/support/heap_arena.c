#define _GNU_SOURCE /* MAP_ANONYMOUS, MAP_FIXED_NOREPLACE, MAP_NORESERVE */

#include "tests/unit/support/heap_arena.h"

#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* The content of a new page: any bytes but zeros. */
#define STALE_BYTE     0x5e
#define DISCARDED_BYTE 0x7b
/* A mapping above this size is not filled or poisoned, since that would cost the host real memory.
 */
#define WATCHED_LIMIT_BYTES ((size_t)1 << 30)

/* The search for an arena begins here. A heap's behaviour depends on its addresses, through the
 * hashes in its headers. So each run of a test uses the same addresses. ASan and the host put no
 * mappings here. HEAP_ARENA in the environment is a number; it moves the address by this many odd
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

/* Find the first free place. */
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
    free(arena->absent);
    if (arena->guarded_base == NULL)
        return;
    ASAN_UNPOISON_MEMORY_REGION(arena->guarded_base, arena->guarded_bytes);
    (void)munmap(arena->guarded_base, arena->guarded_bytes);
    free(arena->guarded_usable);
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

/* One budget for both windows, as in the kernel. */
static bool page_source_gives(struct heap_arena *arena, size_t bytes)
{
    arena->grow_count++;
    return arena->grow_count != arena->failing_grow &&
           bytes <= arena->budget_bytes + arena->absent_bytes - arena->usable_bytes -
                        arena->guarded_usable_bytes;
}

/* Let the host refuse every access to these pages, or allow it. Pages that change nothing are left
 * out; return how many bytes have changed. */
static size_t set_absent(struct heap_arena *arena, size_t offset_bytes, size_t bytes,
                         bool is_absent)
{
    size_t changed_bytes = 0;
    if (arena->absent == NULL)
        return 0;
    for (size_t page = offset_bytes / HEAP_PAGE_SIZE_BYTES;
         page < (offset_bytes + bytes) / HEAP_PAGE_SIZE_BYTES; page++) {
        if (arena->absent[page] == is_absent)
            continue;
        arena->absent[page] = is_absent;
        changed_bytes += HEAP_PAGE_SIZE_BYTES;
    }
    int protection = is_absent ? PROT_NONE : PROT_READ | PROT_WRITE;
    if (changed_bytes != 0 && mprotect(arena->base + offset_bytes, bytes, protection) != 0)
        misuse("the host does not protect pages");
    if (is_absent)
        arena->absent_bytes += changed_bytes;
    else
        arena->absent_bytes -= changed_bytes;
    return changed_bytes;
}

static bool grow(void *context, size_t additional_bytes)
{
    struct heap_arena *arena = context;
    if (additional_bytes == 0 || additional_bytes % HEAP_PAGE_SIZE_BYTES != 0)
        misuse("grow by a size that is no number of pages");
    if (additional_bytes > arena->size_bytes - arena->usable_bytes)
        misuse("grow beyond the limit");
    if (!page_source_gives(arena, additional_bytes))
        return false;
    heap_arena_set_usable(arena, arena->usable_bytes + additional_bytes);
    return true;
}

static void shrink(void *context, size_t bytes)
{
    struct heap_arena *arena = context;
    if (bytes == 0 || bytes % HEAP_PAGE_SIZE_BYTES != 0 || bytes > arena->usable_bytes)
        misuse("shrink by more than the heap has");
    arena->shrink_count++;
    (void)set_absent(arena, arena->usable_bytes - bytes, bytes, false);
    heap_arena_set_usable(arena, arena->usable_bytes - bytes);
}

static void require_pages(const struct heap_arena *arena, size_t offset_bytes, size_t bytes)
{
    if (bytes == 0 || bytes % HEAP_PAGE_SIZE_BYTES != 0 ||
        offset_bytes % HEAP_PAGE_SIZE_BYTES != 0 || offset_bytes > arena->usable_bytes ||
        bytes > arena->usable_bytes - offset_bytes)
        misuse("discard or restore what the heap does not have");
}

/* The heap must accept any content there. */
static void discard(void *context, size_t offset_bytes, size_t bytes)
{
    struct heap_arena *arena = context;
    require_pages(arena, offset_bytes, bytes);
    arena->discarded_bytes += bytes;
    arena->discard_count++;
    if (is_watched(arena))
        memset(arena->base + offset_bytes, DISCARDED_BYTE, bytes);
    if (arena->absent != NULL && set_absent(arena, offset_bytes, bytes, true) != bytes)
        misuse("discard a page twice");
}

static bool restore(void *context, size_t offset_bytes, size_t bytes)
{
    struct heap_arena *arena = context;
    require_pages(arena, offset_bytes, bytes);
    arena->restore_count++;
    if (!page_source_gives(arena, bytes))
        return false;
    if (set_absent(arena, offset_bytes, bytes, false) != bytes)
        misuse("restore a page that is there");
    if (is_watched(arena))
        memset(arena->base + offset_bytes, STALE_BYTE, bytes);
    return true;
}

void heap_arena_restore_pages(struct heap_arena *arena, struct heap_configuration *configuration)
{
    if (arena->absent == NULL)
        arena->absent = calloc(arena->size_bytes / HEAP_PAGE_SIZE_BYTES, sizeof(bool));
    (void)set_absent(arena, 0, arena->size_bytes, false);
    arena->discard_count = 0;
    arena->restore_count = 0;
    configuration->pages.restore = restore;
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
        .storage = &arena->storage,
        .storage_bytes = sizeof arena->storage,
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
    configuration.pages = (struct heap_page_source){
        .context = arena, .grow = grow, .shrink = shrink, .discard = discard};
    return configuration;
}

void heap_arena_set_debug(struct heap_arena *arena, struct heap_configuration *configuration,
                          bool debug)
{
    configuration->debug = debug ? heap_debug_layer(&arena->debug) : NULL;
}

/* --- Pages that are zero ---------------------------------------------------------------------- */

static bool grow_fresh(void *context, size_t additional_bytes)
{
    struct heap_arena *arena = context;
    size_t old_bytes = arena->usable_bytes;
    if (additional_bytes > arena->size_bytes - old_bytes ||
        !page_source_gives(arena, additional_bytes))
        return false;
    arena->usable_bytes += additional_bytes;
    ASAN_UNPOISON_MEMORY_REGION(arena->base + old_bytes, additional_bytes);
    arena->fresh_bytes =
        arena->usable_bytes > arena->written_bytes ? arena->usable_bytes - arena->written_bytes : 0;
    arena->written_bytes += arena->fresh_bytes;
    return true;
}

/* No page, all pages, or the upper half of the returned pages become zeros. */
static void shrink_fresh(void *context, size_t bytes)
{
    struct heap_arena *arena = context;
    size_t dropped_bytes = 0;
    if ((arena->drops & 1) != 0)
        dropped_bytes = (arena->drops & 2) != 0 ? bytes : bytes / 2;
    arena->drops = arena->drops >> 2 | arena->drops << 62;
    size_t kept_bytes = arena->usable_bytes - dropped_bytes;
    if (dropped_bytes != 0) {
        ASAN_UNPOISON_MEMORY_REGION(arena->base, arena->written_bytes);
        memset(arena->base + kept_bytes, 0, arena->written_bytes - kept_bytes);
        arena->written_bytes = kept_bytes;
    }
    arena->shrink_count++;
    arena->usable_bytes -= bytes;
    ASAN_POISON_MEMORY_REGION(arena->base + arena->usable_bytes,
                              arena->size_bytes - arena->usable_bytes);
}

static size_t fresh_bytes(void *context)
{
    const struct heap_arena *arena = context;
    return arena->fresh_bytes;
}

void heap_arena_track_fresh(struct heap_arena *arena, struct heap_configuration *configuration,
                            uint64_t drops)
{
    if (!is_watched(arena) || configuration->initial_bytes != 0)
        misuse("fresh pages are for a watched heap that grows from nothing");
    ASAN_UNPOISON_MEMORY_REGION(arena->base, arena->size_bytes);
    memset(arena->base, 0, arena->size_bytes);
    ASAN_POISON_MEMORY_REGION(arena->base, arena->size_bytes);
    arena->written_bytes = 0;
    arena->drops = drops;
    configuration->pages = (struct heap_page_source){.context = arena,
                                                     .grow = grow_fresh,
                                                     .shrink = shrink_fresh,
                                                     .fresh_bytes = fresh_bytes,
                                                     .discard = discard};
}

/* --- The guarded window ----------------------------------------------------------------------- */

/* All pages of the range change from one state to the other. */
static void change_pages(struct heap_arena *arena, size_t offset_bytes, size_t bytes, bool usable)
{
    if (bytes == 0 || bytes % HEAP_PAGE_SIZE_BYTES != 0 ||
        offset_bytes % HEAP_PAGE_SIZE_BYTES != 0 || offset_bytes > arena->guarded_bytes ||
        bytes > arena->guarded_bytes - offset_bytes)
        misuse("pages beyond the guarded window, or none");
    for (size_t i = 0; i < bytes / HEAP_PAGE_SIZE_BYTES; i++) {
        bool *page = &arena->guarded_usable[offset_bytes / HEAP_PAGE_SIZE_BYTES + i];
        if (*page == usable)
            misuse("a guarded page is made usable, or taken back, twice");
        *page = usable;
    }
}

static bool make_usable(void *context, size_t offset_bytes, size_t bytes)
{
    struct heap_arena *arena = context;
    if (!page_source_gives(arena, bytes))
        return false;
    change_pages(arena, offset_bytes, bytes, true);
    arena->guarded_usable_bytes += bytes;
    ASAN_UNPOISON_MEMORY_REGION(arena->guarded_base + offset_bytes, bytes);
    memset(arena->guarded_base + offset_bytes, STALE_BYTE, bytes);
    return true;
}

static void take_back(void *context, size_t offset_bytes, size_t bytes)
{
    struct heap_arena *arena = context;
    change_pages(arena, offset_bytes, bytes, false);
    arena->guarded_usable_bytes -= bytes;
    arena->shrink_count++;
    ASAN_POISON_MEMORY_REGION(arena->guarded_base + offset_bytes, bytes);
}

void heap_arena_add_guarded(struct heap_arena *arena, struct heap_configuration *configuration,
                            size_t window_bytes, size_t large_bytes, uint64_t sample_interval)
{
    if (arena->guarded_base != NULL)
        misuse("there is a guarded window already");
    uint8_t *base = map_steadily(window_bytes, 0);
    arena->guarded_base = base;
    arena->guarded_bytes = window_bytes;
    arena->guarded_usable = calloc(window_bytes / HEAP_PAGE_SIZE_BYTES, sizeof(bool));
    ASAN_POISON_MEMORY_REGION(base, window_bytes);
    arena->guarded_configuration = (struct guarded_configuration){
        .base = base,
        .window_bytes = window_bytes,
        .large_bytes = large_bytes,
        .sample_interval = sample_interval,
        .pages = {.context = arena, .make_usable = make_usable, .take_back = take_back},
    };
    configuration->guarded = guarded_layer(&arena->guarded, &arena->guarded_configuration);
}

static size_t usable_pages(const struct heap_arena *arena, const void *start, size_t bytes)
{
    size_t offset = (size_t)((const uint8_t *)start - arena->guarded_base);
    size_t last = (offset + bytes - 1) / HEAP_PAGE_SIZE_BYTES;
    size_t count = 0;
    for (size_t page = offset / HEAP_PAGE_SIZE_BYTES; page <= last; page++)
        count += arena->guarded_usable[page];
    return count;
}

bool heap_arena_is_usable(const struct heap_arena *arena, const void *start, size_t bytes)
{
    size_t offset = (size_t)((const uint8_t *)start - arena->guarded_base);
    size_t page_count = (offset + bytes - 1) / HEAP_PAGE_SIZE_BYTES - offset / HEAP_PAGE_SIZE_BYTES;
    return usable_pages(arena, start, bytes) == page_count + 1;
}

bool heap_arena_is_guarded(const struct heap_arena *arena, const void *start, size_t bytes)
{
    return usable_pages(arena, start, bytes) == 0;
}
