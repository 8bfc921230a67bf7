/*
 * spinlock.h - mutual exclusion between CPUs, and with this CPU's interrupt handlers.
 *
 * The holder is not interrupted (interrupts.h). So a handler may take the same lock: it runs only
 * after the release. Code between acquire and release must not wait, log or panic. Code that finds
 * an error first releases the lock, then reports the error.
 *
 * A lock is not recursive. A processor that waits longer than any holder needs panics
 * (PANIC_LOCK_STUCK), because a hung machine reports nothing.
 */
#ifndef KERNEL_CORE_SPINLOCK_H
#define KERNEL_CORE_SPINLOCK_H

#include <stdbool.h>

#include "kernel/core/interrupts.h"

struct spinlock {
    bool is_taken;
};

/* The slow part of spinlock_acquire(). */
void spinlock_wait(struct spinlock *lock);

static inline void spinlock_acquire(struct spinlock *lock)
{
    interrupts_hold();
    if (__builtin_expect(__atomic_exchange_n(&lock->is_taken, true, __ATOMIC_ACQUIRE), 0))
        spinlock_wait(lock);
}

static inline void spinlock_release(struct spinlock *lock)
{
    __atomic_store_n(&lock->is_taken, false, __ATOMIC_RELEASE);
    interrupts_release();
}

#endif
