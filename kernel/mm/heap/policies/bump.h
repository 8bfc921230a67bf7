/*
 * bump.h - the state of the bump policy.
 *
 * Blocks can only be freed newest first; any other order is a fault (BAD_POINTER). A block that is
 * not the newest can be made smaller, and as large again as it was; beyond that heap_reallocate()
 * returns NULL. What it gives up is used again when the block behind it has been freed.
 */
#ifndef KERNEL_MM_HEAP_POLICIES_BUMP_H
#define KERNEL_MM_HEAP_POLICIES_BUMP_H

#include <stddef.h>
#include <stdint.h>

struct bump_state {
    uint64_t secret;
    uint8_t *next; /* where the next block begins, if it needs no alignment */
    uint8_t *end;
    size_t live_block_count;
};

#endif
