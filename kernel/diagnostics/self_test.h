/*
 * self_test.h - use the memory stack as a kernel does, then check every part of it.
 */
#ifndef KERNEL_DIAGNOSTICS_SELF_TEST_H
#define KERNEL_DIAGNOSTICS_SELF_TEST_H

#include "kernel/mm/paging/address_space.h"
#include "kernel/mm/early_heap.h"
#include "kernel/mm/frames/frame_allocator.h"
#include "kernel/mm/heap/include/handoff/heap.h"

struct self_test_result {
    unsigned passed_count;     /* steps that passed: all of them, since a failure panics */
    unsigned allocation_count; /* blocks that the steps allocated and freed */
};

/* Build strings, growing arrays and trees from kmalloc(), free them in random order, and run the
 * full checks of heap, frame allocator and early heap. Panics (PANIC_SELF_TEST) at the first
 * failure. `look(heap)` is called once, while blocks of many sizes are live. It does not change the
 * heap, or is NULL. Precondition: kmalloc_online(). The heap's live blocks are the same before and
 * after. */
struct self_test_result self_test_run(struct heap *heap, struct frame_allocator *frames,
                                      const struct early_heap *early_heap,
                                      void (*look)(const struct heap *heap));

/* Map, protect, split, merge and unmap on the live tables, and check that each takes effect at
 * once. Panic (PANIC_SELF_TEST) at the first failure. If there is not enough memory for a 2 MiB
 * page, that part is left out.
 *   shoot_down_count  the number of calls of the space's shoot_down callback so far
 * Return the number of steps that passed. The space is the same before and after. */
unsigned self_test_address_space(struct address_space *space, struct frame_allocator *frames,
                                 const uint64_t *shoot_down_count);

#endif
