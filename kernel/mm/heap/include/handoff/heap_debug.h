/*
 * heap_debug.h - the debug layer over the policy. It records the callers that allocated and freed
 * each block, and finds writes to freed blocks.
 *
 * The layer adds a canary and a record behind the requested bytes:
 *
 *   block                     + size                                block + the policy's size
 *    | the caller's bytes       | canary, 24…31 bytes | struct heap_debug_record | canary, 0…7 |
 *
 * So the block keeps the address and the alignment that the policy chose. The layer always requests
 * 87 bytes more from the policy. So the policy's size gives the caller's size, even if the record
 * was overwritten.
 *
 * The record is sealed. It names the callers that allocated and freed the block. Its last words
 * have a second seal. So the size and the allocating caller are still known after an overrun of up
 * to 64 bytes.
 *
 * A freed block is filled with a pattern and waits in a quarantine before the policy gets it back.
 * So a write to it and a second free of it are found. The bytes of a new block have another
 * pattern. In a block of more than 128 KiB only the first and the last 64 KiB have these patterns:
 * the layer does not touch the pages between them. A write after free between them is not found.
 *
 * A policy that frees only the newest block (bump) has no quarantine. There a write after free is
 * not found.
 *
 * Phase and concurrency: as heap.h.
 */
#ifndef HANDOFF_HEAP_DEBUG_H
#define HANDOFF_HEAP_DEBUG_H

#include "heap.h"

/* The patterns of new and of freed bytes. A pointer made of 8 such bytes is not canonical on
 * x86-64, so its use faults (Intel SDM Vol. 1, 3.3.7.1). */
#define HEAP_DEBUG_NEW_BYTE   0xad
#define HEAP_DEBUG_FREED_BYTE 0xdf

/* This many bytes at each end of a block have the pattern. A block of up to twice this size has it
 * everywhere. */
#define HEAP_DEBUG_EDGE_BYTES ((size_t)64 * 1024)

/* The limits of the quarantine. The number of blocks bounds the time of heap_check(). All blocks
 * together have at most 1/PART of the heap's size. A heap that can still grow may keep up to 1/PART
 * of its limit, but no more than MINIMUM_BYTES. Before a request fails, the quarantine is flushed.
 */
#define HEAP_DEBUG_QUARANTINE_LIMIT         ((size_t)4096)
#define HEAP_DEBUG_QUARANTINE_PART          4
#define HEAP_DEBUG_QUARANTINE_MINIMUM_BYTES ((size_t)4 << 20)

#define HEAP_DEBUG_STORAGE_BYTES 160

/* Memory for the layer's state. Its content is private. */
struct heap_debug_storage {
    _Alignas(HEAP_STORAGE_ALIGNMENT_BYTES) unsigned char content[HEAP_DEBUG_STORAGE_BYTES];
};

/* Return the layer, for heap_configuration.debug of one heap. The heap then owns the storage.
 * Cannot fail. */
struct heap_layer *heap_debug_layer(struct heap_debug_storage *storage);

#endif
