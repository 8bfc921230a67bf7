/*
 * fork.h - keep the heap usable in a child of fork().
 *
 * The preload library also provides fork() itself, since one case does not work with the C
 * library's: a signal handler that interrupted the heap, in a program with other threads.
 */
#ifndef HOST_PRELOAD_FORK_H
#define HOST_PRELOAD_FORK_H

/* Register the handlers of fork(). Call it once, before any other object registers handlers. */
void fork_prepare(void);

#endif
