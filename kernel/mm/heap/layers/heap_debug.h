/*
 * heap_debug.h - a layer above the policy that remembers who, and finds who wrote where none may.
 *
 * Each request is made longer by a canary and a record behind the bytes that were asked for:
 *
 *   block                     + size                        block + what the policy was asked for
 *    | the caller's bytes       | canary, 24…31 bytes | struct heap_debug_record | canary, 0…7 |
 *
 * so the block stays where the policy put it, aligned. The policy is asked for exactly so many
 * bytes more that what it knows of a block tells the caller's size, even where the record was
 * overwritten.
 *
 * The record is sealed, and names who allocated the block and who freed it. Its last words have a
 * seal of their own: who allocated a block of which size is known after an overrun of up to 64
 * bytes.
 *
 * What is freed is filled with a pattern and waits in a queue before the policy gets it back, so
 * that a write to it is found, and a second free of it is proved. The bytes of a new block have
 * another pattern. Of a block of more than 128 KiB only the first and the last 64 KiB have these
 * patterns, so that pages which nobody touches stay untouched: a write after free between them is
 * not found.
 *
 * A policy that frees newest first alone (bump) cannot let blocks wait: it has no queue, and a
 * write after free is not found there.
 *
 * Phase and concurrency: as heap.h. What heap.c calls is in layer.h.
 */
#ifndef KERNEL_MM_HEAP_LAYERS_HEAP_DEBUG_H
#define KERNEL_MM_HEAP_LAYERS_HEAP_DEBUG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/mm/heap/heap_counters.h"

struct heap_operations;
struct heap_debug_record;

/* What the new and the freed bytes hold. A pointer of 8 of them is no address: using it faults
 * (non-canonical, Intel SDM Vol. 1, 3.3.7.1). */
#define HEAP_DEBUG_NEW_BYTE   0xad
#define HEAP_DEBUG_FREED_BYTE 0xdf

/* So much at either end of a block has a pattern: all of a block that is not larger than both. */
#define HEAP_DEBUG_EDGE_BYTES ((size_t)64 * 1024)

/* So many blocks wait at most, which bounds the time of heap_check(); and together no more than
 * this part of the heap as it is now, or of what it may become if that is less than the minimum.
 * What waits serves a request that would fail otherwise. */
#define HEAP_DEBUG_WAITING_LIMIT         ((size_t)4096)
#define HEAP_DEBUG_WAITING_PART          4
#define HEAP_DEBUG_WAITING_MINIMUM_BYTES ((size_t)4 << 20)

struct heap_debug_state {
    const struct heap_operations *below; /* the table that this layer calls */
    struct heap_counters counters;       /* of what the heap's callers asked for */
    uint64_t secret;
    uint8_t *oldest; /* of the blocks that wait; NULL if none does */
    uint8_t *newest;
    struct heap_debug_record *newest_record;
    size_t newest_bytes; /* as asked for */
    size_t waiting_count;
    size_t waiting_bytes; /* as the policy was asked for them */
};

#endif
