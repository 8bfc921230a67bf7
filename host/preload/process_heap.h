/*
 * process_heap.h - the preload library's one heap, from the first call to the program's end.
 *
 * A fault is named on standard error, and the program aborts.
 */
#ifndef HOST_PRELOAD_PROCESS_HEAP_H
#define HOST_PRELOAD_PROCESS_HEAP_H

#include <handoff/heap.h>

#include "host/preload/heap_lock.h"

/* Read the settings. Once, by the constructor; the first call of process_heap_lock() does it if
 * that comes earlier. `environment` is as main() gets it. */
void process_heap_read_settings(char *const *environment);

extern struct heap *process_heap_online; /* NULL until the first call */

/* With the lock held: make it online. */
void process_heap_start(void);

/* The heap, for this caller only until process_heap_unlock(). */
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

/* At the program's end: end the trace, check what the quarantine holds, print the figures; as far
 * as the settings ask for it. */
void process_heap_finish(void);

#endif
