/*
 * owned_lock.h - a lock that knows its owner at every instruction.
 *
 * The C library's mutexes learn theirs some instructions after they are taken. A signal handler
 * that comes in between, and wants the lock that its own thread has just got, waits for ever. Here
 * one compare-and-swap does both, so that it is told.
 *
 * Phase: any, also before the C library is ready: nothing is called but the kernel.
 * Concurrency: any. Linux.
 */
#ifndef HOST_OWNED_LOCK_H
#define HOST_OWNED_LOCK_H

#include <stdbool.h>
#include <stdint.h>

/* All zeros is unlocked. */
struct owned_lock {
    _Atomic uint32_t owner; /* a thread's number; the highest bit: others wait */
};

/* Take it, waiting for other threads. False, and nothing changed, if this thread has it: the caller
 * runs in a signal handler that interrupted the owner. */
bool owned_lock_take(struct owned_lock *lock) __attribute__((warn_unused_result));

/* Precondition: this thread has it. */
void owned_lock_release(struct owned_lock *lock);

/* True if this thread has it. */
bool owned_lock_is_own(const struct owned_lock *lock);

/* In a child of fork(), whose only thread has a number of its own: the lock that its parent's
 * thread had is the child's if `is_taken`, else free. Nobody waits for it. */
void owned_lock_inherit(struct owned_lock *lock, bool is_taken);

#endif
