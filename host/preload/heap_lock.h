/*
 * heap_lock.h - the only lock of the preload library. If a thread would wait for ever, the program
 * ends with a message.
 */
#ifndef HOST_PRELOAD_HEAP_LOCK_H
#define HOST_PRELOAD_HEAP_LOCK_H

#include "host/preload/owned_lock.h"

extern struct owned_lock heap_lock;

/* Print the meaning of `result`, and end the program. Precondition: it is not OWNED_LOCK_TAKEN. */
_Noreturn void heap_lock_refuse(enum owned_lock_result result);

static inline void heap_lock_take(void)
{
    enum owned_lock_result result = owned_lock_take(&heap_lock);
    if (__builtin_expect(result != OWNED_LOCK_TAKEN, 0))
        heap_lock_refuse(result);
}

/* Take the lock. False: this thread already has it, and nothing has changed. */
static inline bool heap_lock_take_unless_own(void)
{
    if (owned_lock_is_own(&heap_lock))
        return false;
    heap_lock_take();
    return true;
}

#endif
