/*
 * timer.h - the timer of this processor, which raises INTERRUPT_TIMER (kernel/core/interrupts.h).
 *
 * The registers of a timer may have to be mapped. That is done here, so that the files of a CPU
 * (kernel/arch/) need no page tables.
 *
 * Phase: after the kernel's own tables are live. Concurrency: the caller serialises.
 */
#ifndef KERNEL_CORE_TIMER_H
#define KERNEL_CORE_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/mm/paging/address_space.h"

/* Begins as zeros. */
struct timer {
    bool is_prepared;
};

/* Find the timer, and map its registers in `space`, once. timer_start() does it too. Call it before
 * the address space is printed, so that the print is complete. Return false if this CPU has no such
 * timer, or if there is no memory to map it. */
bool timer_prepare(struct timer *timer, struct address_space *space);

/* Make the timer raise its interrupt periodically.
 *   period_ticks  of the timer's clock, a hundred MHz or more; > 0
 * It returns false as timer_prepare() does. */
bool timer_start(struct timer *timer, struct address_space *space, uint32_t period_ticks);

/* Stop the timer. Precondition: it was started. One more interrupt may still arrive. */
void timer_stop(void);

#endif
