#include "kernel/mm/heap/policies/sealed_block.h"

#include "kernel/mm/heap/heap_fault.h"
#include "kernel/mm/heap/policy.h"

/* The multiplier is that of a linear congruential generator: the words do not repeat soon. */
struct sealed_secret sealed_begin_life(void *base, uint64_t secret)
{
    uint64_t *word = base;
    *word = (*word + 1) * UINT64_C(0x5851f42d4c957f2d);
    uint64_t life = *word ^ (uintptr_t)base;
    return (struct sealed_secret){
        .headers = heap_key_derive(secret, HEAP_KEY_HEADERS, life),
        .canaries = heap_key_derive(secret, HEAP_KEY_CANARIES, life),
    };
}

bool sealed_record_overwritten(struct heap *heap, const uint8_t *block)
{
    const struct heap_fault fault = {
        .kind = HEAP_FAULT_CORRUPT,
        .detail = "a header, footer or free-list link was overwritten",
        .pointer = block,
    };
    return heap_fault_record(heap, &fault);
}

/* Describe a pointer into the free block of a sound header. */
static struct heap_fault fault_of_free(struct sealed_secret secret, const uint8_t *block,
                                       uint64_t header, const uint8_t *pointer)
{
    uint64_t freed;
    struct heap_fault fault = {.kind = HEAP_FAULT_DOUBLE_FREE, .is_free = true};
    if ((uintptr_t)pointer % SEALED_UNIT_BYTES == 0 && sealed_read_freed(secret, pointer, &freed)) {
        fault.block = pointer;
        fault.size_bytes = sealed_size(freed);
        fault.detail = "the block is already free";
        return fault;
    }
    fault.block = block;
    fault.free_bytes = sealed_capacity_bytes(sealed_units(header));
    fault.detail = "the pointer is into memory that was freed";
    return fault;
}

/* Describe a pointer into the block of a sound header. */
static struct heap_fault fault_of_block(struct sealed_secret secret, const uint8_t *block,
                                        uint64_t header, const uint8_t *pointer)
{
    bool is_start = block == pointer;
    struct heap_fault fault = {.kind = HEAP_FAULT_BAD_POINTER};
    if (pointer < block || (header & SEALED_OWN) != 0) {
        fault.detail = "the pointer is into the heap's own memory";
        return fault;
    }
    if ((header & SEALED_LIVE) == 0)
        return fault_of_free(secret, block, header, pointer);
    fault.block = block;
    fault.size_bytes = sealed_size(header);
    fault.detail = "the pointer is not the start of a block";
    if (is_start) {
        fault.kind = HEAP_FAULT_OVERRUN;
        fault.detail = "the bytes behind the block were overwritten";
    }
    return fault;
}

/* Only a walk from the first header finds the true headers. */
struct heap_fault sealed_fault_of(struct sealed_secret secret, const uint8_t *first,
                                  const uint8_t *end, const uint8_t *pointer)
{
    uint64_t header;
    const uint8_t *block = first;
    if (pointer < first - SEALED_UNIT_BYTES || pointer >= end)
        return (struct heap_fault){.kind = HEAP_FAULT_BAD_POINTER,
                                   .detail = "the pointer does not belong to this heap"};
    while (sealed_read_header(secret, block, &header) &&
           sealed_extent_is_inside(block, header, end) &&
           sealed_next(block, sealed_units(header)) <= pointer)
        block = sealed_next(block, sealed_units(header));
    if (sealed_read_header(secret, block, &header))
        return fault_of_block(secret, block, header, pointer);
    if (block == pointer)
        return (struct heap_fault){.kind = HEAP_FAULT_OVERRUN,
                                   .block = block,
                                   .detail = "the header before the block was overwritten"};
    return (struct heap_fault){.kind = HEAP_FAULT_CORRUPT,
                               .block = block,
                               .detail = "a header at a lower address was overwritten"};
}

bool sealed_record_fault_of(struct heap *heap, struct sealed_secret secret, const uint8_t *first,
                            const uint8_t *end, const void *pointer)
{
    struct heap_fault fault = sealed_fault_of(secret, first, end, pointer);
    fault.pointer = pointer;
    return heap_fault_record(heap, &fault);
}

struct heap_piece sealed_piece(const uint8_t *block, uint64_t header)
{
    bool is_live = (header & SEALED_LIVE) != 0;
    enum heap_piece_kind kind = HEAP_PIECE_FREE;
    if (is_live)
        kind = HEAP_PIECE_LIVE;
    else if ((header & SEALED_OWN) != 0)
        kind = HEAP_PIECE_OWN;
    return (struct heap_piece){
        .kind = kind,
        .start = block,
        .extent_bytes = sealed_capacity_bytes(sealed_units(header)),
        .size_bytes = is_live ? sealed_size(header) : 0,
    };
}
