/*
 * preload.c - serve a program's malloc() family from this project's heap:
 *
 *     LD_PRELOAD=build/host/libheap_preload.so program
 *
 *   HANDOFF_HEAP        the policy: fast (default), best-fit or first-fit
 *   HANDOFF_HEAP_DEBUG  set to anything: remember who allocated and freed each block, and find
 * writes to freed blocks, at the end at the latest (heap_debug.h) HANDOFF_HEAP_STATS  set to
 * anything: print the heap's figures when the program ends HANDOFF_HEAP_TRACE  record every call
 * into this file, with the process's number added to its name (host/trace.h)
 *
 * One heap, one lock. A fault is named on standard error, and the program aborts.
 */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "host/trace.h"
#include "kernel/mm/heap/policy.h"
#include "shared/format.h"
#include "shared/power_of_two.h"

#define EXPORTED __attribute__((visibility("default")))

/* Addresses cost nothing; the policies' own limits are not far above. */
#define RESERVED_BYTES ((size_t)32 << 30)
/* The step in which pages become usable, and stay so: a system call for each 64 KiB would cost more
 * than the heap does. */
#define COMMIT_BYTES ((size_t)4 << 20)

static pthread_mutex_t heap_lock = PTHREAD_MUTEX_INITIALIZER;
static struct heap heap;
static bool is_online;

/* --- What is said, without the C library's streams, which allocate -----------------------------
 */

static void say(const char *text)
{
    size_t length = strlen(text);
    while (length > 0) {
        ssize_t written = write(STDERR_FILENO, text, length);
        if (written <= 0)
            return;
        text += written;
        length -= (size_t)written;
    }
}

static _Noreturn void give_up(const char *text)
{
    say(text);
    abort();
}

/* The lock goes first: who handles SIGABRT may allocate. */
static void fault(void *context, const struct heap_fault *found)
{
    (void)context;
    char text[512];
    bool is_range = found->free_bytes != 0;
    format_text(text, sizeof text,
                "heap: %s: %s; pointer %p, %s %p of %zu bytes, allocated by %p, freed by %p, found "
                "in a call from %p\n",
                heap_fault_kind_name(found->kind), found->detail, found->pointer,
                is_range ? "in free memory" : "block", found->block,
                is_range ? found->free_bytes : found->size_bytes, found->allocated_by,
                found->freed_by, found->caller);
    (void)pthread_mutex_unlock(&heap_lock);
    give_up(text);
}

/* --- The page source ----------------------------------------------------------------------------
 */

struct reserve {
    uint8_t *base;
    size_t limit_bytes;
    size_t used_bytes;
    size_t committed_bytes; /* a multiple of COMMIT_BYTES, or the limit */
};

static struct reserve reserve;

static size_t commit_for(size_t bytes)
{
    size_t rounded = (bytes + COMMIT_BYTES - 1) / COMMIT_BYTES * COMMIT_BYTES;
    return rounded < reserve.limit_bytes ? rounded : reserve.limit_bytes;
}

static bool grow(void *context, size_t additional_bytes)
{
    (void)context;
    if (additional_bytes > reserve.limit_bytes - reserve.used_bytes)
        return false;
    size_t committed_bytes = commit_for(reserve.used_bytes + additional_bytes);
    if (committed_bytes > reserve.committed_bytes) {
        if (mprotect(reserve.base + reserve.committed_bytes,
                     committed_bytes - reserve.committed_bytes, PROT_READ | PROT_WRITE) != 0)
            return false;
        reserve.committed_bytes = committed_bytes;
    }
    reserve.used_bytes += additional_bytes;
    return true;
}

/* The addresses stay reserved; the memory goes back, in whole steps. */
static void shrink(void *context, size_t bytes)
{
    (void)context;
    reserve.used_bytes -= bytes;
    size_t keep_bytes = commit_for(reserve.used_bytes) + COMMIT_BYTES;
    if (keep_bytes >= reserve.committed_bytes)
        return;
    uint8_t *start = reserve.base + keep_bytes;
    size_t given_bytes = reserve.committed_bytes - keep_bytes;
    if (mmap(start, given_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED,
             -1, 0) != start)
        give_up("heap: the system does not take memory back\n");
    reserve.committed_bytes = keep_bytes;
}

/* --- The start ----------------------------------------------------------------------------------
 */

static const struct heap_policy *chosen_policy(void)
{
    const char *name = getenv("HANDOFF_HEAP");
    if (name == NULL || name[0] == '\0')
        return &heap_policy_fast;
    const struct heap_policy *policy = heap_policy_by_name(name);
    if (policy == NULL)
        give_up("heap: HANDOFF_HEAP is no policy: fast, best-fit or first-fit\n");
    if (policy->frees_newest_only)
        give_up("heap: HANDOFF_HEAP=bump frees in reverse order alone, which no program does\n");
    return policy;
}

/* Called with the lock held, by whichever call is the first: the C library allocates before any
 * constructor runs. */
static void go_online(void)
{
    const struct heap_policy *policy = chosen_policy();
    reserve.limit_bytes = policy->maximum_bytes < RESERVED_BYTES
                              ? policy->maximum_bytes / COMMIT_BYTES * COMMIT_BYTES
                              : RESERVED_BYTES;
    void *base = mmap(NULL, reserve.limit_bytes, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED)
        give_up("heap: no addresses to reserve (ulimit -v?)\n");
    reserve.base = base;

    uint64_t secret;
    if (getrandom(&secret, sizeof secret, GRND_NONBLOCK) != sizeof secret)
        secret = (uintptr_t)base ^ (uintptr_t)&secret;
    const struct heap_configuration configuration = {
        .policy = policy,
        .base = base,
        .limit_bytes = reserve.limit_bytes,
        .pages = {.grow = grow, .shrink = shrink},
        .secret = secret,
        .debug = getenv("HANDOFF_HEAP_DEBUG") != NULL,
        .fault = fault,
    };
    if (heap_initialise(&configuration, &heap) != HEAP_OK)
        give_up("heap: no memory to start with\n");
    is_online = true;
}

static struct heap *lock(void)
{
    (void)pthread_mutex_lock(&heap_lock);
    if (__builtin_expect(!is_online, 0))
        go_online();
    return &heap;
}

static void unlock(void)
{
    (void)pthread_mutex_unlock(&heap_lock);
}

/* A child of fork() has one thread; the lock must not be held by one that it does not have. */
static void lock_for_fork(void)
{
    (void)lock();
}

__attribute__((constructor)) static void prepare(void)
{
    (void)pthread_atfork(lock_for_fork, unlock, unlock);
    trace_start(getenv("HANDOFF_HEAP_TRACE"));
}

__attribute__((destructor)) static void finish(void)
{
    trace_finish();
    if (getenv("HANDOFF_HEAP_DEBUG") != NULL) {
        heap_trim(lock());
        unlock();
    }
    if (getenv("HANDOFF_HEAP_STATS") == NULL)
        return;
    struct heap_statistics figures;
    heap_statistics(lock(), &figures);
    const char *policy = heap_policy_name(&heap);
    const char *problem = heap_check(&heap);
    unlock();
    char text[512];
    format_text(text, sizeof text,
                "heap: policy=%s size=%zu used=%zu peak=%zu blocks=%zu allocations=%llu "
                "frees=%llu failures=%llu check=%s\n",
                policy, figures.size_bytes, figures.used_bytes, figures.peak_used_bytes,
                figures.live_block_count, (unsigned long long)figures.allocation_count,
                (unsigned long long)figures.free_count, (unsigned long long)figures.failure_count,
                problem == NULL ? "passed" : problem);
    say(text);
}

/* --- The family ---------------------------------------------------------------------------------
 */

static void *or_error(void *block)
{
    if (block == NULL)
        errno = ENOMEM;
    return block;
}

EXPORTED void *malloc(size_t size_bytes)
{
    void *block = heap_allocate(lock(), size_bytes, HEAP_CALLER);
    trace_allocate(block, size_bytes);
    unlock();
    return or_error(block);
}

EXPORTED void free(void *block)
{
    int error = errno; /* which POSIX wants kept */
    heap_free(lock(), block, HEAP_CALLER);
    trace_free(block);
    unlock();
    errno = error;
}

EXPORTED void *calloc(size_t count, size_t element_bytes)
{
    void *block = heap_allocate_zeroed(lock(), count, element_bytes, HEAP_CALLER);
    trace_allocate(block, count * element_bytes);
    unlock();
    return or_error(block);
}

static void *reallocate(void *block, size_t size_bytes, const void *caller)
{
    void *moved = heap_reallocate(lock(), block, size_bytes, caller);
    trace_reallocate(block, moved, size_bytes);
    unlock();
    return block != NULL && size_bytes == 0 ? NULL : or_error(moved);
}

EXPORTED void *realloc(void *block, size_t size_bytes)
{
    return reallocate(block, size_bytes, HEAP_CALLER);
}

EXPORTED void *reallocarray(void *block, size_t count, size_t element_bytes)
{
    size_t size_bytes;
    if (__builtin_mul_overflow(count, element_bytes, &size_bytes))
        return or_error(NULL);
    return reallocate(block, size_bytes, HEAP_CALLER);
}

static void *allocate_aligned(size_t alignment_bytes, size_t size_bytes, const void *caller)
{
    void *block = heap_allocate_aligned(lock(), size_bytes, alignment_bytes, caller);
    trace_allocate(block, size_bytes);
    unlock();
    return block;
}

EXPORTED int posix_memalign(void **ret_block, size_t alignment_bytes, size_t size_bytes)
{
    if (!is_power_of_two(alignment_bytes) || alignment_bytes % sizeof(void *) != 0)
        return EINVAL;
    void *block = allocate_aligned(alignment_bytes, size_bytes, HEAP_CALLER);
    if (block == NULL)
        return ENOMEM;
    *ret_block = block;
    return 0;
}

EXPORTED void *memalign(size_t alignment_bytes, size_t size_bytes)
{
    if (!is_power_of_two(alignment_bytes)) {
        errno = EINVAL;
        return NULL;
    }
    return or_error(allocate_aligned(alignment_bytes, size_bytes, HEAP_CALLER));
}

EXPORTED void *aligned_alloc(size_t alignment_bytes, size_t size_bytes)
{
    if (!is_power_of_two(alignment_bytes)) {
        errno = EINVAL;
        return NULL;
    }
    return or_error(allocate_aligned(alignment_bytes, size_bytes, HEAP_CALLER));
}

EXPORTED void *valloc(size_t size_bytes)
{
    return or_error(allocate_aligned(HEAP_PAGE_SIZE_BYTES, size_bytes, HEAP_CALLER));
}

EXPORTED void *pvalloc(size_t size_bytes)
{
    size_t rounded_bytes;
    if (__builtin_add_overflow(size_bytes, HEAP_PAGE_SIZE_BYTES - 1, &rounded_bytes))
        return or_error(NULL);
    rounded_bytes -= rounded_bytes % HEAP_PAGE_SIZE_BYTES;
    return or_error(allocate_aligned(HEAP_PAGE_SIZE_BYTES, rounded_bytes, HEAP_CALLER));
}

EXPORTED size_t malloc_usable_size(void *block)
{
    size_t size_bytes = heap_usable_size(lock(), block, HEAP_CALLER);
    unlock();
    return size_bytes;
}
