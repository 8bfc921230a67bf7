/*
 * self_test.h - use the memory stack as a kernel would, then have every part check itself.
 */
#ifndef KERNEL_DIAGNOSTICS_SELF_TEST_H
#define KERNEL_DIAGNOSTICS_SELF_TEST_H

#include "kernel/mm/paging/address_space.h"
#include "kernel/mm/early_heap.h"
#include "kernel/mm/frames/frame_allocator.h"
#include "kernel/mm/heap/include/handoff/heap.h"

struct self_test_result {
    unsigned passed_count;     /* steps that passed: all of them, since a failure panics */
    unsigned allocation_count; /* blocks that the steps took from the heap and gave back */
};

/* Build strings, growing arrays and trees from kmalloc(), free them in random order, and run the
 * full checks of heap, frame allocator and early heap. Panics (PANIC_SELF_TEST) at the first
 * failure. `look(heap)` is called once, while blocks of many sizes are live; it leaves the heap as
 * it is, or is NULL. Precondition: kmalloc_online(). The heap's live blocks are the same before and
 * after. */
struct self_test_result self_test_run(struct heap *heap, struct frame_allocator *frames,
                                      const struct early_heap *early_heap,
                                      void (*look)(const struct heap *heap));

/* Map, protect, split, merge and unmap on the live tables, and see each take effect at once. Panics
 * (PANIC_SELF_TEST) at the first failure; too little memory for a 2 MiB page leaves that part out.
 *   shoot_down_count  how often the space's shoot_down callback was called so far
 * Returns the number of steps that passed. The space is the same before and after. */
unsigned self_test_address_space(struct address_space *space, struct frame_allocator *frames,
                                 const uint64_t *shoot_down_count);

#endif
