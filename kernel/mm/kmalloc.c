#include "kernel/mm/kmalloc.h"

#include "kernel/core/log.h"
#include "kernel/core/panic.h"
#include "kernel/diagnostics/sanitizer/address.h"
#include "kernel/core/spinlock.h"
#include "shared/power_of_two.h"

/* This is one of the few globals, since kmalloc() does not take a heap as an argument. */
static struct heap *kernel_heap;

/* All code that moves memory between the heap, the page tables and the frames holds it. */
static struct spinlock kernel_heap_lock;

void kmalloc_online(struct heap *heap)
{
    if (kernel_heap != NULL)
        panic(PANIC_HEAP_INIT, "the permanent heap is already online");
    kernel_heap = heap;
    address_begin(heap_base(heap));
}

bool kmalloc_find_incident(const void *address, struct guarded_incident *ret_incident)
{
    return kernel_heap != NULL && guarded_find_incident(kernel_heap, address, ret_incident);
}

/* Lock and return the heap. Only this caller may use it until unlock_heap(). */
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
    case HEAP_FAULT_WRITE_AFTER_FREE:
        return PANIC_HEAP_CORRUPT;
    }
    return PANIC_HEAP_CORRUPT;
}

void kmalloc_fault(void *context, const struct heap_fault *fault)
{
    (void)context;
    /* The kernel stops after this. The lock is released because the panic may print the heap's
     * figures. */
    if (kernel_heap_lock.is_taken)
        unlock_heap();
    enum panic_code code = panic_code_for(fault->kind);
    const char *kind = heap_fault_kind_name(fault->kind);
    panic_note("allocated by", fault->allocated_by);
    panic_note("freed by", fault->freed_by);
    panic_note("found by", fault->caller);
    if (fault->block == NULL)
        panic(code, "%s: %s; pointer %p", kind, fault->detail, fault->pointer);
    bool is_range = fault->free_bytes != 0;
    const char *what = fault->is_free ? "freed block" : "block";
    size_t size_bytes = is_range ? fault->free_bytes : fault->size_bytes;
    if (size_bytes == 0)
        panic(code, "%s: %s; pointer %p, %s %p", kind, fault->detail, fault->pointer, what,
              fault->block);
    panic(code, "%s: %s; pointer %p, %s %p of %zu bytes", kind, fault->detail, fault->pointer,
          is_range ? "in free memory" : what, fault->block, size_bytes);
}

/* Log a failed request: its size, and the memory that the heap has. */
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

/* Return the size to request from the heap, with room for a red zone. */
static size_t padded(size_t size_bytes)
{
    size_t padded_bytes;
    if (__builtin_add_overflow(size_bytes, ADDRESS_RED_ZONE_BYTES, &padded_bytes))
        return SIZE_MAX;
    return padded_bytes;
}

static void *mark_live(void *block, size_t size_bytes)
{
    if (block != NULL)
        address_mark_live(block, size_bytes, padded(size_bytes));
    return block;
}

/* Call this under the lock, before the heap gets the block back. The heap reports a bad pointer. */
static void mark_free(struct heap *heap, const void *block, const void *caller)
{
    if (ADDRESS_RED_ZONE_BYTES != 0 && block != NULL)
        address_mark_free(block, heap_usable_size(heap, block, caller));
}

void *kmalloc(size_t size_bytes)
{
    void *block = heap_allocate(lock_heap(), padded(size_bytes), HEAP_CALLER);
    mark_live(block, size_bytes);
    unlock_heap();
    return log_if_failed(block, size_bytes, HEAP_CALLER);
}

void kfree(void *block)
{
    struct heap *heap = lock_heap();
    mark_free(heap, block, HEAP_CALLER);
    heap_free(heap, block, HEAP_CALLER);
    unlock_heap();
}

void *krealloc(void *block, size_t size_bytes)
{
    struct heap *heap = lock_heap();
    bool frees = block != NULL && size_bytes == 0;
    size_t old_bytes = ADDRESS_RED_ZONE_BYTES == 0 ? 0 : heap_usable_size(heap, block, HEAP_CALLER);
    void *moved = heap_reallocate(heap, block, frees ? 0 : padded(size_bytes), HEAP_CALLER);
    if (old_bytes != 0 && (moved != NULL || frees))
        address_mark_free(block, old_bytes);
    mark_live(moved, size_bytes);
    unlock_heap();
    if (frees)
        return NULL; /* freed, not failed */
    return log_if_failed(moved, size_bytes, HEAP_CALLER);
}

void *kcalloc(size_t count, size_t element_bytes)
{
    size_t size_bytes = 0;
    if (__builtin_mul_overflow(count, element_bytes, &size_bytes))
        size_bytes = SIZE_MAX;
    void *block = heap_allocate_zeroed(lock_heap(), padded(size_bytes), 1, HEAP_CALLER);
    mark_live(block, size_bytes);
    unlock_heap();
    return log_if_failed(block, size_bytes, HEAP_CALLER);
}

void *kmalloc_aligned(size_t size_bytes, size_t alignment_bytes)
{
    void *block =
        heap_allocate_aligned(lock_heap(), padded(size_bytes), alignment_bytes, HEAP_CALLER);
    mark_live(block, size_bytes);
    unlock_heap();
    if (!is_power_of_two(alignment_bytes)) {
        log_warning("heap", "not a power of two: alignment=%zu requested=%zu caller=%p",
                    alignment_bytes, size_bytes, HEAP_CALLER);
        return NULL;
    }
    return log_if_failed(block, size_bytes, HEAP_CALLER);
}
