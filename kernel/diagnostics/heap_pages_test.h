/*
 * heap_pages_test.h - pages inside of the heap that go back to the frames: on request only
 * (`self-test=heap-pages`).
 */
#ifndef KERNEL_DIAGNOSTICS_HEAP_PAGES_TEST_H
#define KERNEL_DIAGNOSTICS_HEAP_PAGES_TEST_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/mm/frames/frame_allocator.h"
#include "kernel/mm/heap/include/handoff/heap.h"

/* Sizes of blocks: slots of slabs, and blocks of their own. Both are below the least size that the
 * guarded layer serves by default. Medium blocks come first: the heap gives back their pages while
 * they are freed. Then it needs the pages again, so it waits longer, and the large ones need a
 * heap_trim(). */
#define HEAP_PAGES_TEST_MEDIUM_BYTES ((size_t)6 * 1024)
#define HEAP_PAGES_TEST_LARGE_BYTES  ((size_t)32 * 1024)

struct heap_pages_test_result {
    uint64_t freed_bytes;    /* under one live block */
    uint64_t returned_bytes; /* of frames that were free afterwards */
    uint64_t absent_bytes;   /* of the heap, without frames */
};

/* Allocate up to 8 MiB in blocks of one of these sizes, and free all but the highest one. Most
 * of their frames must be free then. Allocate them again, and check their content. Panic
 * (PANIC_SELF_TEST) at the first failure. Return false if the heap's policy does not give such
 * pages back, or heap_debug.h keeps freed blocks, or there is no memory. Precondition:
 * kmalloc_online(). The heap's live blocks are the same before and after. */
bool heap_pages_test_run(struct heap *heap, const struct frame_allocator *frames,
                         size_t block_bytes, struct heap_pages_test_result *ret_result);

#endif
