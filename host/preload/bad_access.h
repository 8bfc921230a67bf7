/*
 * bad_access.h - a word before a program dies of a heap that lost its own memory.
 *
 * A long overrun also destroys what the heap itself keeps between the blocks, and a pointer there
 * is followed before the overrun block's canary is looked at. The program dies of it as it would
 * have without this handler.
 */
#ifndef HOST_PRELOAD_BAD_ACCESS_H
#define HOST_PRELOAD_BAD_ACCESS_H

/* Once, before the program runs. */
void bad_access_prepare(void);

#endif
