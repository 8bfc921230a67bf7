#include "kernel/mm/heap/policies/fast_validate.h"

#include "kernel/mm/heap/heap_fault.h"
#include "kernel/mm/heap/policies/fast_absent.h"
#include "kernel/mm/heap/policies/fast_map.h"
#include "kernel/mm/heap/policies/fast_piece.h"
#include "kernel/mm/heap/policies/fast_tombstone.h"

static void record(struct heap *heap, enum heap_fault_kind kind, const uint8_t *block,
                   size_t size_bytes, const void *pointer, const char *detail)
{
    const struct heap_fault fault = {.kind = kind,
                                     .detail = detail,
                                     .pointer = pointer,
                                     .block = block,
                                     .is_free = block != NULL && kind == HEAP_FAULT_DOUBLE_FREE,
                                     .size_bytes = size_bytes};
    (void)heap_fault_record(heap, &fault);
}

/* Record the fault of a pointer into a slab that is not an intact live slot. */
static void record_slot(struct heap *heap, const struct fast_slab *slab, const uint8_t *pointer)
{
    ptrdiff_t offset = pointer - slab->slots;
    if (offset < 0 || offset / slab->stride_bytes >= slab->slot_count) {
        record(heap, HEAP_FAULT_BAD_POINTER, NULL, 0, pointer,
               "the pointer is into the heap's own memory");
        return;
    }
    unsigned index = (unsigned)(offset / slab->stride_bytes);
    const uint8_t *slot = fast_slot_at(slab, index);
    size_t size_bytes = fast_slot_size(fast_of(heap), slab, index);
    if (fast_slot_is_free(slab, index))
        record(heap, HEAP_FAULT_DOUBLE_FREE, slot, size_bytes, pointer,
               "the block is already free");
    else if (slot != pointer)
        record(heap, HEAP_FAULT_BAD_POINTER, slot, size_bytes, pointer,
               "the pointer is not the start of a block");
    else if (!slab->is_dissolved && !fast_slot_before_is_intact(slab, slot))
        record(heap, HEAP_FAULT_OVERRUN, slot, size_bytes, pointer,
               "the byte before the block was overwritten");
    else
        record(heap, HEAP_FAULT_OVERRUN, slot, size_bytes, pointer,
               "the bytes behind the block were overwritten");
}

/* Describe a pointer into absent memory. What was freed there is not known any more. False: it is
 * not such a pointer. */
static bool record_absent(struct heap *heap, const uint8_t *pointer)
{
    struct heap_fault fault = {.kind = HEAP_FAULT_DOUBLE_FREE,
                               .detail = "the pointer is into memory that was freed",
                               .pointer = pointer,
                               .is_free = true};
    fault.block = fast_absent_find(fast_of(heap), pointer, &fault.free_bytes);
    if (fault.block != NULL)
        (void)heap_fault_record(heap, &fault);
    return fault.block != NULL;
}

/* True if the address was a slot of a slab that is dissolved, or closed, and whose memory has not
 * been used since. *ret_size_bytes is the last requested size, as far as it is known. */
static bool was_slot(const struct fast_state *fast, const struct heap_fault *fault,
                     const uint8_t *pointer, size_t *ret_size_bytes)
{
    const struct fast_slab *slab = fast_map_find(fast, pointer);
    bool is_unused = fault->free_bytes != 0;
    bool is_own = fault->kind == HEAP_FAULT_BAD_POINTER && fault->block == NULL;
    if (slab->is_dissolved && (is_unused || is_own) &&
        fast_piece_was_slot(fast->core.secret, slab, pointer, ret_size_bytes))
        return true;
    return is_unused && fast_tombstone_find_slot(fast, pointer, ret_size_bytes);
}

/* Describe a pointer that is neither in a slab nor a block of the core. */
static void record_block(struct heap *heap, const uint8_t *pointer)
{
    size_t size_bytes;
    const struct fast_core *core = &fast_of(heap)->core;
    if (fast_of(heap)->absent.units != 0 && record_absent(heap, pointer))
        return;
    struct heap_fault fault = sealed_fault_of(core->secret, fast_first(core), core->end, pointer);
    fault.pointer = pointer;
    if (was_slot(fast_of(heap), &fault, pointer, &size_bytes))
        record(heap, HEAP_FAULT_DOUBLE_FREE, pointer, size_bytes, pointer,
               "the block is already free");
    else
        (void)heap_fault_record(heap, &fault);
}

bool fast_validate_other_slot(struct heap *heap, const struct fast_slab *slab, const uint8_t *slot,
                              unsigned *ret_index, size_t *ret_size_bytes)
{
    if (slab == &fast_absent_slab) {
        record_block(heap, slot);
        return false;
    }
    if (!fast_slab_is_sound(fast_of(heap), slab)) {
        record(heap, HEAP_FAULT_CORRUPT, NULL, 0, slot, "a slab's record was overwritten");
        return false;
    }
    if (fast_slot_find(slab, slot, ret_index) && !fast_slot_is_free(slab, *ret_index) &&
        fast_slot_read(fast_of(heap), slab, *ret_index, ret_size_bytes) &&
        (!slab->is_dissolved || fast_piece_is_intact(fast_of(heap), slab, *ret_index)))
        return true;
    record_slot(heap, slab, slot);
    return false;
}

bool fast_validate_block(struct heap *heap, const uint8_t *block, uint64_t *ret_header)
{
    const struct fast_core *core = &fast_of(heap)->core;
    if (sealed_block_is_intact(core->secret, fast_first(core), core->end, block, ret_header))
        return true;
    record_block(heap, block);
    return false;
}
