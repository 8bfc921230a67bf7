/*
 * preload.c - serve a program's malloc() family from this project's heap:
 *
 *     LD_PRELOAD=build/host/libheap_preload.so program
 *
 * The environment has the settings (host/preload/settings.h). One heap, one lock (process_heap.h).
 */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

#include "host/preload/bad_access.h"
#include "host/preload/fork.h"
#include "host/preload/process_heap.h"
#include "host/preload/trace.h"
#include "shared/power_of_two.h"

#define EXPORTED __attribute__((visibility("default")))

/* The library is linked with -z initfirst. So this constructor runs before all others, also before
 * the C library's. */
__attribute__((constructor)) static void prepare(int argument_count, char **arguments,
                                                 char **environment)
{
    (void)argument_count;
    (void)arguments;
    owned_lock_prepare(&heap_lock);
    process_heap_read_settings(environment);
    fork_prepare();
    bad_access_prepare();
}

__attribute__((destructor)) static void finish(void)
{
    process_heap_finish();
}

/* --- The malloc() family ---------------------------------------------------------------------- */

static void *or_error(void *block)
{
    if (block == NULL)
        errno = ENOMEM;
    return block;
}

EXPORTED void *malloc(size_t size_bytes)
{
    void *block = heap_allocate(process_heap_lock(), size_bytes, HEAP_CALLER);
    trace_allocate(block, size_bytes);
    process_heap_unlock();
    return or_error(block);
}

EXPORTED void free(void *block)
{
    int error = errno; /* POSIX requires that free() keeps it */
    heap_free(process_heap_lock(), block, HEAP_CALLER);
    trace_free(block);
    process_heap_unlock();
    errno = error;
}

EXPORTED void *calloc(size_t count, size_t element_bytes)
{
    void *block = heap_allocate_zeroed(process_heap_lock(), count, element_bytes, HEAP_CALLER);
    trace_allocate(block, count * element_bytes);
    process_heap_unlock();
    return or_error(block);
}

static void *reallocate(void *block, size_t size_bytes, const void *caller)
{
    void *moved = heap_reallocate(process_heap_lock(), block, size_bytes, caller);
    trace_reallocate(block, moved, size_bytes);
    process_heap_unlock();
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
    void *block = heap_allocate_aligned(process_heap_lock(), size_bytes, alignment_bytes, caller);
    trace_allocate(block, size_bytes);
    process_heap_unlock();
    return block;
}

EXPORTED int posix_memalign(void **ret_block, size_t alignment_bytes, size_t size_bytes)
{
    if (!is_power_of_two(alignment_bytes) || alignment_bytes % sizeof(void *) != 0)
        return EINVAL;
    void *block = allocate_aligned(alignment_bytes, size_bytes, HEAP_CALLER);
    if (or_error(block) == NULL)
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
    size_t size_bytes = heap_usable_size(process_heap_lock(), block, HEAP_CALLER);
    process_heap_unlock();
    return size_bytes;
}
