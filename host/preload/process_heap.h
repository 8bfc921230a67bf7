/*
 * process_heap.h - the only heap of the preload library, from the first call to the program's end.
 *
 * A fault is reported on standard error, and the program aborts.
 */
#ifndef HOST_PRELOAD_PROCESS_HEAP_H
#define HOST_PRELOAD_PROCESS_HEAP_H

#include <handoff/heap.h>

#include "host/preload/heap_lock.h"

/* Read the settings, once. The constructor does it, or an earlier first call of
 * process_heap_lock(). `environment` is the environment that main() gets. */
void process_heap_read_settings(char *const *environment);

extern struct heap *process_heap_online; /* NULL until the first call */

/* Create the heap. Precondition: the lock is held. */
void process_heap_start(void);

/* Lock and return the heap. Only this caller may use it until process_heap_unlock(). */
static inline struct heap *process_heap_lock(void)
{
    heap_lock_take();
    if (__builtin_expect(process_heap_online == NULL, 0))
        process_heap_start();
    return process_heap_online;
}

static inline void process_heap_unlock(void)
{
    owned_lock_release(&heap_lock);
}

/* Call this at the program's end. It ends the trace, checks the blocks in the quarantine and prints
 * the figures, as the settings request. */
void process_heap_finish(void);

#endif
