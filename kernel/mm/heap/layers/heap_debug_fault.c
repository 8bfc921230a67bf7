#include "kernel/mm/heap/layers/heap_debug_fault.h"

#include "kernel/mm/heap/heap_fault.h"
#include "kernel/mm/heap/layers/heap_debug_record.h"
#include "kernel/mm/heap/policy.h"

/* The search for a record ends after this distance, so its time is bounded. */
#define SEARCH_BYTES ((size_t)64 * 1024)

/* Name the block's owner. Precondition: the record can be trusted. */
static void describe(struct heap_fault *fault, const struct heap_debug_record *record)
{
    fault->is_free = record->state == HEAP_DEBUG_QUARANTINED;
    fault->size_bytes = record->size_bytes;
    fault->allocated_by = record->allocated_by;
    fault->freed_by = record->freed_by;
}

/* The record cannot be trusted, but the policy knows the block's length. Name the facts that are
 * left. */
static void describe_remains(const struct heap_debug *debug, struct heap_fault *fault,
                             const struct heap_debug_record *record, size_t total_bytes)
{
    fault->size_bytes = heap_debug_size_within(total_bytes);
    if (heap_debug_record_has_owner(debug, record, fault->size_bytes))
        fault->allocated_by = record->allocated_by;
}

void heap_debug_fault_record(struct heap *heap, enum heap_fault_kind kind, const void *pointer,
                             const uint8_t *block, size_t total_bytes, const char *detail)
{
    const struct heap_debug *debug = heap_debug_of(heap);
    struct heap_fault fault = {.kind = kind, .detail = detail, .pointer = pointer, .block = block};
    const struct heap_debug_record *record = heap_debug_record_at(block, total_bytes);
    if (heap_debug_record_is_sound(debug, record)) {
        describe(&fault, record);
    } else {
        describe_remains(debug, &fault, record, total_bytes);
        fault.is_free = kind == HEAP_FAULT_WRITE_AFTER_FREE;
    }
    (void)heap_fault_record_final(heap, &fault);
}

/* --- Faults that were found below ------------------------------------------------------------- */

/* Return how many of the bytes from `block` on are in the heap and can be read. */
static size_t readable_bytes(const struct heap *heap, const uint8_t *block, size_t bytes)
{
    size_t offset = (uintptr_t)block - (uintptr_t)heap->base;
    if (offset >= heap->size_bytes)
        return 0;
    bytes = smaller(bytes, heap->size_bytes - offset);
    return heap->functions->present_bytes == NULL
               ? bytes
               : heap->functions->present_bytes(heap, block, bytes);
}

/* A wrong header may pass the check by chance. Its size must not lead out of the heap. A block that
 * was freed may have lost its pages. */
static bool may_end_in_record(const struct heap *heap, const uint8_t *block, size_t total_bytes)
{
    return total_bytes >= HEAP_DEBUG_OVERHEAD_BYTES &&
           readable_bytes(heap, block, total_bytes) == total_bytes &&
           (uintptr_t)block % HEAP_DEBUG_RECORD_ALIGNMENT_BYTES == 0;
}

/* Find the record of a block whose length the policy no longer knows, for example after a write
 * before its start. The owner's seal identifies the record, since it covers the address and the
 * size. False: there is no such record near the block. */
static bool find_owner(const struct heap *heap, const uint8_t *block, struct heap_fault *fault)
{
    const struct heap_debug *debug = heap_debug_of(heap);
    size_t limit_bytes = readable_bytes(heap, block, SEARCH_BYTES);
    if ((uintptr_t)block % HEAP_DEBUG_RECORD_ALIGNMENT_BYTES != 0)
        return false;
    for (size_t total_bytes = HEAP_DEBUG_OVERHEAD_BYTES; total_bytes <= limit_bytes;
         total_bytes++) {
        const struct heap_debug_record *record = heap_debug_record_at(block, total_bytes);
        if (!heap_debug_record_has_owner(debug, record, heap_debug_size_within(total_bytes)))
            continue;
        describe_remains(debug, fault, record, total_bytes);
        return true;
    }
    return false;
}

/* The same as heap_debug_fault_explain(), for a block that may end in a record. */
static void explain_by_record(const struct heap *heap, struct heap_fault *fault,
                              const uint8_t *block, size_t total_bytes)
{
    const struct heap_debug *debug = heap_debug_of(heap);
    const struct heap_debug_record *record = heap_debug_record_at(block, total_bytes);
    bool is_free = fault->is_free;
    if (!heap_debug_record_is_sound(debug, record)) {
        size_t size_bytes = heap_debug_size_within(total_bytes);
        if (heap_debug_record_has_owner(debug, record, size_bytes) ||
            !find_owner(heap, block, fault))
            describe_remains(debug, fault, record, total_bytes);
        return;
    }
    describe(fault, record);
    fault->is_free |= is_free;
    if (fault->is_free && fault->kind == HEAP_FAULT_BAD_POINTER) {
        fault->kind = HEAP_FAULT_DOUBLE_FREE;
        fault->detail = "the pointer is into a block that was freed";
    }
}

/* The policy's size of the block is the requested size. */
void heap_debug_fault_explain(const struct heap *heap, struct heap_fault *fault)
{
    const uint8_t *block = fault->block;
    size_t total_bytes = fault->size_bytes;
    if (block == NULL || fault->free_bytes != 0)
        return;
    fault->size_bytes = 0;
    if (may_end_in_record(heap, block, total_bytes))
        explain_by_record(heap, fault, block, total_bytes);
    else
        (void)find_owner(heap, block, fault);
}
