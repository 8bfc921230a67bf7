/*
 * bump.h - the bump policy: what it offers beyond heap.h, and its state.
 *
 * Blocks can only be freed newest first; any other order is a fault (BAD_POINTER). A block that is
 * not the newest can be made smaller, but not larger: heap_reallocate() returns NULL.
 */
#ifndef KERNEL_MM_HEAP_BUMP_H
#define KERNEL_MM_HEAP_BUMP_H

#include <stddef.h>
#include <stdint.h>

struct heap;

struct bump_state {
    uint64_t secret;
    uint8_t *next; /* where the next block begins, if it needs no alignment */
    uint8_t *end;
    size_t live_block_count;
};

/* A point in the heap's life: it costs the heap nothing. */
struct bump_mark {
    uint8_t *next;
    size_t used_bytes;
    size_t asked_bytes; /* the same, as the heap's callers count (heap_debug.h) */
    size_t live_block_count;
};

/* Precondition of all three: the heap's policy is bump. */

struct bump_mark heap_bump_mark(const struct heap *heap);

/* Free all blocks that were allocated since the mark, in constant time. The mark stays good. A mark
 * that lies behind the last block, since what was there was freed, is a fault (DOUBLE_FREE).
 * The blocks' headers stay where they are: a pointer to one of them is a double free, but once its
 * memory is inside of a later block that nobody has written to, it may pass for a block. */
void heap_bump_release(struct heap *heap, struct bump_mark mark, const void *caller);

/* Free all blocks. */
void heap_bump_reset(struct heap *heap);

#endif
