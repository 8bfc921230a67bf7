/*
 * bad_access.h - print a message when an access to the heap's own memory faults.
 *
 * A long overrun also overwrites the heap's own data between the blocks. The heap may follow a
 * pointer there before it checks the canary of the block. The program still ends by the signal, as
 * without this handler.
 */
#ifndef HOST_PRELOAD_BAD_ACCESS_H
#define HOST_PRELOAD_BAD_ACCESS_H

/* Install the handler. Call it once, before the program runs. */
void bad_access_prepare(void);

#endif
