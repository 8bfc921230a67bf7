/*
 * heap_debug.h - a layer over the policy that knows who allocated and freed each block, and finds
 * writes to freed blocks.
 *
 * Each request is made longer by a canary and a record behind the bytes that were asked for:
 *
 *   block                     + size                        block + what the policy was asked for
 *    | the caller's bytes       | canary, 24…31 bytes | struct heap_debug_record | canary, 0…7 |
 *
 * so the block stays where the policy put it, aligned. The policy is always asked for 87 bytes
 * more. So its size of a block says the caller's, even where the record was overwritten.
 *
 * The record is sealed, and names who allocated the block and who freed it. Its last words have a
 * seal of their own: who allocated a block of which size is known after an overrun of up to 64
 * bytes.
 *
 * What is freed is filled with a pattern and stays in a quarantine before the policy gets it back,
 * so that a write to it and a second free of it are found. The bytes of a new block have
 * another pattern. Of a block of more than 128 KiB only the first and the last 64 KiB have these
 * patterns, so that pages which nobody touches stay untouched: a write after free between them is
 * not found.
 *
 * A policy that frees the newest block only (bump) has no quarantine, and a write after free is not
 * found there.
 *
 * Phase and concurrency: as heap.h.
 */
#ifndef HANDOFF_HEAP_DEBUG_H
#define HANDOFF_HEAP_DEBUG_H

#include "heap.h"

/* What the new and the freed bytes hold. A pointer of 8 of them is no address: using it faults
 * (non-canonical, Intel SDM Vol. 1, 3.3.7.1). */
#define HEAP_DEBUG_NEW_BYTE   0xad
#define HEAP_DEBUG_FREED_BYTE 0xdf

/* So much at either end of a block has a pattern: all of a block that is not larger than both. */
#define HEAP_DEBUG_EDGE_BYTES ((size_t)64 * 1024)

/* At most so many blocks are in the quarantine, which bounds the time of heap_check(); and together
 * no more than this part of the heap as it is now, or of what it may become if that is less than
 * the minimum. The quarantine serves a request that would fail otherwise. */
#define HEAP_DEBUG_QUARANTINE_LIMIT         ((size_t)4096)
#define HEAP_DEBUG_QUARANTINE_PART          4
#define HEAP_DEBUG_QUARANTINE_MINIMUM_BYTES ((size_t)4 << 20)

#define HEAP_DEBUG_STORAGE_BYTES 144

/* Memory for the layer's state. Its content is private. */
struct heap_debug_storage {
    _Alignas(HEAP_STORAGE_ALIGNMENT_BYTES) unsigned char content[HEAP_DEBUG_STORAGE_BYTES];
};

/* The layer, for heap_configuration.debug of one heap. The storage is the heap's then. Cannot fail.
 */
struct heap_layer *heap_debug_layer(struct heap_debug_storage *storage);

#endif
