/*
 * bump.h - the bump policy: what it offers beyond heap.h, and its state.
 *
 * Blocks can only be freed newest first; any other order is a fault (BAD_POINTER). A block that is
 * not the newest can be made smaller, and as large again as it was; beyond that heap_reallocate()
 * returns NULL. What it gives up is used again when the block behind it has been freed.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_BUMP_H
#define KERNEL_MM_HEAP_POLICIES_BUMP_H

#include <stddef.h>
#include <stdint.h>

struct heap;

struct bump_state {
    uint64_t secret;
    uint8_t *next; /* where the next block begins, if it needs no alignment */
    uint8_t *end;
    size_t live_block_count;
    /* What became of blocks that may be older than a mark. */
    uint8_t *marked;        /* no mark lies above */
    size_t change_count;    /* times that such a block was re-allocated or freed */
    size_t resize_count;    /* of these, re-allocations */
    size_t emptied_count;   /* change_count when the heap was last without blocks */
    uint8_t *lowest_change; /* since then: where the lowest such block began */
};

/* A point in the heap's life: it costs the heap nothing. Its fields are for bump.c only. */
struct bump_mark {
    uint8_t *next;
    size_t used_bytes;
    size_t asked_bytes; /* the same, as the heap's callers count (heap_debug.h) */
    size_t live_block_count;
    size_t change_count;
    size_t resize_count;
};

/* Precondition of all three: the heap's policy is bump. */

struct bump_mark heap_bump_mark(struct heap *heap);

/* Free all blocks that were allocated since the mark. A block that is older stays, also where it
 * was re-allocated since. The mark stays good while the blocks that are older than it live.
 *
 * Takes constant time, unless a block that is older than this mark was re-allocated since, or one
 * that is older than another mark was re-allocated or freed further down: it then looks at each
 * block that stays.
 *
 * A mark of which an older block was freed is a fault (DOUBLE_FREE), and frees nothing. Only one
 * case passes unseen: as many blocks live again, and the newest of them ends where the mark lies or
 * an older one was re-allocated since. That many of the oldest blocks then stay.
 *
 * The blocks' headers stay where they are: a pointer to one of them is a double free, but once its
 * memory is inside of a later block that nobody has written to, it may pass for a block. */
void heap_bump_release(struct heap *heap, struct bump_mark mark, const void *caller);

/* Free all blocks. */
void heap_bump_reset(struct heap *heap);

#endif
