/*
 * fork.h - a heap that a child of fork() can use.
 *
 * The preload library serves fork() itself, too, for the one case that the C library's cannot: a
 * signal handler that interrupted the heap, beside other threads.
 */
#ifndef HOST_PRELOAD_FORK_H
#define HOST_PRELOAD_FORK_H

/* Once, before any other object registers handlers of fork(). */
void fork_prepare(void);

#endif
