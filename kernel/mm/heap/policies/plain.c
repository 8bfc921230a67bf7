/*
 * The operations of heap.h for policies that only divide memory. All work around the division is
 * here, once for all of them.
 */
#include "kernel/mm/heap/heap_end.h"
#include "kernel/mm/heap/heap_fault.h"
#include "kernel/mm/heap/heap_zero.h"
#include "kernel/mm/heap/policy.h"
#include "shared/memory.h"
#include "shared/power_of_two.h"

static const struct heap_plain_policy *plain_of(const struct heap *heap)
{
    return &heap->functions->plain;
}

/* Refuse a request that cannot succeed. The sizes of an accepted request can be added without
 * wrapping. An operation may call this again, since it may have found the heap corrupt. */
static bool request_is_possible(const struct heap *heap, const struct heap_request *request)
{
    size_t limit_bytes = heap->limit_bytes;
    return !heap->is_corrupt && request->size_bytes < limit_bytes &&
           request->alignment_bytes < limit_bytes - request->size_bytes;
}

/* Not inline, to keep the path of every call short. */
static __attribute__((noinline)) void *fail(struct heap *heap, const void *caller)
{
    heap->counters.failure_count++;
    heap_fault_report(heap, caller);
    return NULL;
}

static inline void *allocate(struct heap *heap, const struct heap_request *request)
{
    void *block = NULL;
    if (request_is_possible(heap, request)) {
        block = plain_of(heap)->allocate(heap, request);
        if (block == NULL && heap_end_grow_for(heap, request))
            block = plain_of(heap)->allocate(heap, request);
    }
    if (block == NULL)
        return fail(heap, request->caller);
    heap_zero_set_written(heap, (uint8_t *)block + request->size_bytes + HEAP_MARGIN_BYTES);
    heap_count_allocation(heap, request->size_bytes);
    return block;
}

/* False: a neighbour is corrupt, and the fault is recorded. */
static bool release(struct heap *heap, void *block, size_t size_bytes)
{
    if (!plain_of(heap)->release(heap, block))
        return false;
    heap_count_free(heap, size_bytes);
    heap_end_give_back(heap);
    return true;
}

static void *plain_allocate_aligned(struct heap *heap, size_t size_bytes, size_t alignment_bytes,
                                    const void *caller)
{
    if (!is_power_of_two(alignment_bytes))
        return fail(heap, caller);
    if (alignment_bytes < HEAP_ALIGNMENT_BYTES)
        alignment_bytes = HEAP_ALIGNMENT_BYTES;
    const struct heap_request request = {size_bytes, alignment_bytes, caller};
    return allocate(heap, &request);
}

static void *plain_allocate(struct heap *heap, size_t size_bytes, const void *caller)
{
    const struct heap_request request = {size_bytes, HEAP_ALIGNMENT_BYTES, caller};
    return allocate(heap, &request);
}

static void plain_free(struct heap *heap, void *block, const void *caller)
{
    struct heap_block_info info;
    if (block == NULL)
        return;
    if (!plain_of(heap)->validate(heap, block, &info) || !release(heap, block, info.size_bytes))
        heap_fault_report(heap, caller);
}

/* Change the size without moving the block. The heap grows behind its last block. The alignment has
 * no effect here. */
static bool resize(struct heap *heap, void *block, const struct heap_request *request)
{
    const struct heap_plain_policy *plain = plain_of(heap);
    if (request->size_bytes >= heap->limit_bytes)
        return false;
    if (plain->resize(heap, block, request))
        return true;
    size_t missing_bytes = heap->is_corrupt ? 0 : plain->missing(heap, block, request->size_bytes);
    return missing_bytes != 0 && heap_end_grow_by(heap, missing_bytes) &&
           plain->resize(heap, block, request);
}

/* Precondition: the block is live, and `info` describes it. */
static void *resize_or_move(struct heap *heap, void *block, const struct heap_block_info *info,
                            const struct heap_request *request)
{
    if (resize(heap, block, request)) {
        heap_zero_set_written(heap, (uint8_t *)block + request->size_bytes + HEAP_MARGIN_BYTES);
        heap_count_resize(heap, info->size_bytes, request->size_bytes);
        if (request->size_bytes < info->size_bytes)
            heap_end_give_back(heap);
        return block;
    }
    /* If the memory behind the block cannot be freed, the block cannot move. */
    if (heap->policy->frees_newest_only)
        return fail(heap, request->caller);
    void *moved = allocate(heap, request);
    if (moved != NULL) {
        size_t kept_bytes =
            info->size_bytes < request->size_bytes ? info->size_bytes : request->size_bytes;
        memcpy(moved, block, kept_bytes);
        if (!release(heap, block, info->size_bytes))
            return NULL;
    }
    return moved;
}

static void *plain_reallocate(struct heap *heap, void *block, size_t size_bytes, const void *caller)
{
    if (block == NULL)
        return plain_allocate(heap, size_bytes, caller);
    if (size_bytes == 0) {
        plain_free(heap, block, caller);
        return NULL;
    }
    struct heap_block_info info;
    void *resized = NULL;
    if (plain_of(heap)->validate(heap, block, &info)) {
        const struct heap_request request = {size_bytes, info.alignment_bytes, caller};
        resized = resize_or_move(heap, block, &info, &request);
    }
    heap_fault_report(heap, caller);
    return resized;
}

static size_t plain_usable_size(struct heap *heap, const void *block, const void *caller)
{
    struct heap_block_info info;
    if (block == NULL)
        return 0;
    if (plain_of(heap)->validate(heap, block, &info))
        return info.size_bytes;
    heap_fault_report(heap, caller);
    return 0;
}

const struct heap_operations plain_operations = {
    .allocate = plain_allocate,
    .allocate_aligned = plain_allocate_aligned,
    .free = plain_free,
    .reallocate = plain_reallocate,
    .usable_size = plain_usable_size,
};
