/*
 * timer.h - this processor's own timer, which raises INTERRUPT_TIMER (kernel/core/interrupts.h).
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

/* Find the timer and map its registers in `space`, once. timer_start() does it too. Call it before
 * the address space is printed, so that the print is complete. False if this CPU has no such timer,
 * or if there is no memory to map it. */
bool timer_prepare(struct timer *timer, struct address_space *space);

/* Let the timer raise its interrupt again and again.
 *   period_ticks  of the timer's clock, some hundred MHz or more; > 0
 * False as timer_prepare(). */
bool timer_start(struct timer *timer, struct address_space *space, uint32_t period_ticks);

/* Precondition: it was started. One interrupt may still be under way. */
void timer_stop(void);

#endif
