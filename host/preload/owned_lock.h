/*
 * owned_lock.h - a lock that knows its owner at every instruction.
 *
 * The C library's mutexes learn theirs some instructions after they are taken. A signal handler
 * that comes in between, and wants the lock that its own thread has just got, waits for ever. Here
 * one compare-and-swap does both, so that it is told.
 *
 * A thread is known by the address of its thread-local memory. A thread's number would have to be
 * asked for and kept, and the kept one is wrong in a child of _Fork() or clone(), where another
 * thread may get it.
 *
 * Phase: any, also before the C library is ready: nothing is called but the kernel.
 * Concurrency: any. Linux, little-endian.
 */
#ifndef HOST_PRELOAD_OWNED_LOCK_H
#define HOST_PRELOAD_OWNED_LOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* All zeros is unlocked. */
struct owned_lock {
    _Atomic uint64_t owner; /* an address in the owner's thread-local memory; bit 0: others wait */
    pid_t process;          /* in which it was prepared or inherited; 0: neither */
};

enum owned_lock_result {
    OWNED_LOCK_TAKEN,
    OWNED_LOCK_IS_OWN, /* of this thread, which runs in a signal handler that interrupted itself */
    OWNED_LOCK_OWNER_IS_GONE, /* it is a thread of the parent, and this process has one thread */
    OWNED_LOCK_IS_BUSY,       /* the time is over */
};

/* Once, early: later a process that did not call owned_lock_inherit() is recognized. */
void owned_lock_prepare(struct owned_lock *lock);

/* Take it, waiting for other threads. Otherwise nothing is changed, and the result is
 * OWNED_LOCK_IS_OWN or OWNED_LOCK_OWNER_IS_GONE. */
enum owned_lock_result owned_lock_take(struct owned_lock *lock) __attribute__((warn_unused_result));

/* The same, but OWNED_LOCK_IS_BUSY after about so many seconds. */
enum owned_lock_result owned_lock_take_within(struct owned_lock *lock, unsigned limit_seconds)
    __attribute__((warn_unused_result));

/* Precondition: this thread has it. */
void owned_lock_release(struct owned_lock *lock);

/* True if this thread has it. */
bool owned_lock_is_own(const struct owned_lock *lock);

/* In a child of fork(): the lock is its only thread's if `is_taken`, else free. Nothing waits for
 * it. */
void owned_lock_inherit(struct owned_lock *lock, bool is_taken);

#endif
