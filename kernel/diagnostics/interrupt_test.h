/*
 * interrupt_test.h - the heap under interrupts: on request only (`self-test=interrupts`).
 */
#ifndef KERNEL_DIAGNOSTICS_INTERRUPT_TEST_H
#define KERNEL_DIAGNOSTICS_INTERRUPT_TEST_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/core/timer.h"
#include "kernel/mm/paging/address_space.h"
#include "kernel/mm/heap/include/handoff/heap.h"

struct interrupt_test_result {
    uint64_t operation_count; /* kmalloc() and kfree() of the interrupted code */
    uint64_t interrupt_count; /* each of which allocated, and mostly freed, too */
    uint64_t deferred_count;  /* of them, those that arrived while the heap was locked */
};

/* Allocate and free 100,000 times while a timer's handler does the same. Continue until a thousand
 * interrupts have arrived, and one of them inside of the heap. Then check the whole heap. Panic
 * (PANIC_SELF_TEST) if a block's content has changed, or if the check fails. Return false, and do
 * nothing, if there is no timer. Preconditions: kmalloc_online(); interrupts are off, and are off
 * again after it. */
bool interrupt_test_run(struct heap *heap, struct timer *timer, struct address_space *space,
                        struct interrupt_test_result *ret_result);

#endif
