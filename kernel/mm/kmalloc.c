#include "kernel/mm/kmalloc.h"

#include "kernel/log.h"
#include "kernel/panic.h"
#include "kernel/spinlock.h"

/* kmalloc() takes no heap as an argument, which is its point; so this is one of the few globals. */
static struct heap *kernel_heap;

/* Everything that moves memory between the heap, the page tables and the frames runs under it. */
static struct spinlock kernel_heap_lock;

void kmalloc_online(struct heap *heap)
{
    if (kernel_heap != NULL)
        panic(PANIC_HEAP_INIT, "the permanent heap is online already");
    kernel_heap = heap;
}

/* The heap, for this caller alone until unlock_heap(). */
static struct heap *lock_heap(void)
{
    if (kernel_heap == NULL)
        panic(PANIC_HEAP_INIT, "the permanent heap is used before it is online");
    spinlock_acquire(&kernel_heap_lock);
    return kernel_heap;
}

static void unlock_heap(void)
{
    spinlock_release(&kernel_heap_lock);
}

static enum panic_code panic_code_for(enum heap_fault_kind kind)
{
    switch (kind) {
    case HEAP_FAULT_DOUBLE_FREE:
        return PANIC_HEAP_DOUBLE_FREE;
    case HEAP_FAULT_BAD_POINTER:
        return PANIC_HEAP_BAD_POINTER;
    case HEAP_FAULT_OVERRUN:
        return PANIC_HEAP_OVERRUN;
    case HEAP_FAULT_CORRUPT:
        return PANIC_HEAP_CORRUPT;
    }
    return PANIC_HEAP_CORRUPT;
}

void kmalloc_fault(void *context, const struct heap_fault *fault)
{
    (void)context;
    /* Nobody continues after this; but what is printed may want to look at the heap. */
    if (kernel_heap_lock.is_taken)
        unlock_heap();
    enum panic_code code = panic_code_for(fault->kind);
    const char *kind = heap_fault_kind_name(fault->kind);
    if (fault->block == NULL)
        panic(code, "%s: %s; pointer %p, found by %p", kind, fault->detail, fault->pointer,
              fault->caller);
    if (fault->is_free)
        panic(code, "%s: %s; pointer %p, in free memory %p of %zu bytes, found by %p", kind,
              fault->detail, fault->pointer, fault->block, fault->size_bytes, fault->caller);
    panic(code, "%s: %s; pointer %p, block %p of %zu bytes, allocated by %p, found by %p", kind,
          fault->detail, fault->pointer, fault->block, fault->size_bytes, fault->allocated_by,
          fault->caller);
}

/* What a person needs to judge a request that failed: its size against what there is. */
static void *log_if_failed(void *block, size_t size_bytes, const void *caller)
{
    if (block != NULL)
        return block;
    struct heap_statistics usage;
    heap_statistics(lock_heap(), &usage);
    unlock_heap();
    log_warning("heap",
                "out of memory: requested=%zu caller=%p used=%zu free=%zu largest=%zu size=%zu "
                "limit=%zu blocks=%zu failures=%llu",
                size_bytes, caller, usage.used_bytes, usage.free_bytes, usage.largest_free_bytes,
                usage.size_bytes, usage.limit_bytes, usage.live_block_count,
                (unsigned long long)usage.failure_count);
    return NULL;
}

void *kmalloc(size_t size_bytes)
{
    void *block = heap_allocate(lock_heap(), size_bytes, HEAP_CALLER);
    unlock_heap();
    return log_if_failed(block, size_bytes, HEAP_CALLER);
}

void kfree(void *block)
{
    heap_free(lock_heap(), block, HEAP_CALLER);
    unlock_heap();
}

void *krealloc(void *block, size_t size_bytes)
{
    void *moved = heap_reallocate(lock_heap(), block, size_bytes, HEAP_CALLER);
    unlock_heap();
    if (block != NULL && size_bytes == 0)
        return NULL; /* freed, not failed */
    return log_if_failed(moved, size_bytes, HEAP_CALLER);
}

void *kcalloc(size_t count, size_t element_bytes)
{
    void *block = heap_allocate_zeroed(lock_heap(), count, element_bytes, HEAP_CALLER);
    unlock_heap();
    size_t size_bytes = 0;
    if (__builtin_mul_overflow(count, element_bytes, &size_bytes))
        size_bytes = SIZE_MAX;
    return log_if_failed(block, size_bytes, HEAP_CALLER);
}

void *kmalloc_aligned(size_t size_bytes, size_t alignment_bytes)
{
    void *block = heap_allocate_aligned(lock_heap(), size_bytes, alignment_bytes, HEAP_CALLER);
    unlock_heap();
    return log_if_failed(block, size_bytes, HEAP_CALLER);
}

size_t kmalloc_usable_size(const void *block)
{
    size_t size_bytes = heap_usable_size(lock_heap(), block, HEAP_CALLER);
    unlock_heap();
    return size_bytes;
}
