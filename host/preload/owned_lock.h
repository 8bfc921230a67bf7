/*
 * owned_lock.h - a lock that knows its owner at every instruction.
 *
 * A mutex of the C library records its owner some instructions after it is taken. A signal handler
 * may run in between. If it wants the same lock, it waits for ever. Here one compare-and-swap takes
 * the lock and records the owner, so the handler gets an error.
 *
 * The address of its thread-local memory identifies a thread. A thread number would need a system
 * call and a copy. The copy would be wrong in a child of _Fork() or clone(), where another thread
 * may get the number.
 *
 * Phase: any, also before the C library is ready, since only the kernel is called. Concurrency:
 * any. Linux, little-endian.
 */
#ifndef HOST_PRELOAD_OWNED_LOCK_H
#define HOST_PRELOAD_OWNED_LOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* All zeros is unlocked. */
struct owned_lock {
    _Atomic uint64_t owner; /* an address in the owner's thread-local memory; bit 0: others wait */
    pid_t process;          /* the process that prepared or inherited it; 0: none */
};

enum owned_lock_result {
    OWNED_LOCK_TAKEN,
    OWNED_LOCK_IS_OWN, /* of this thread, which runs in a signal handler that interrupted itself */
    OWNED_LOCK_OWNER_IS_GONE, /* a thread of the parent; this process has one thread */
    OWNED_LOCK_IS_BUSY,       /* the time is over */
};

/* Record this process. Call it once, early, so that a later process that did not call
 * owned_lock_inherit() is recognized. */
void owned_lock_prepare(struct owned_lock *lock);

/* Take the lock; wait for other threads. On OWNED_LOCK_IS_OWN and OWNED_LOCK_OWNER_IS_GONE nothing
 * has changed. */
enum owned_lock_result owned_lock_take(struct owned_lock *lock) __attribute__((warn_unused_result));

/* The same, but return OWNED_LOCK_IS_BUSY after about this many seconds. */
enum owned_lock_result owned_lock_take_within(struct owned_lock *lock, unsigned limit_seconds)
    __attribute__((warn_unused_result));

/* Release the lock. Precondition: this thread has it. */
void owned_lock_release(struct owned_lock *lock);

/* True if this thread has it. */
bool owned_lock_is_own(const struct owned_lock *lock);

/* Initialise the lock in a child of fork(). The only thread owns it if `is_taken`, else it is free.
 * There is no waiter. */
void owned_lock_inherit(struct owned_lock *lock, bool is_taken);

#endif
