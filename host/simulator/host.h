/*
 * host.h - the simulator's use of the computer on which it runs.
 */
#ifndef HOST_SIMULATOR_HOST_H
#define HOST_SIMULATOR_HOST_H

#include <stddef.h>
#include <stdint.h>

/* Return memory, never NULL. If there is no memory, end the process with a message. The caller
 * frees it by free(). */
void *host_allocate(size_t size_bytes);
void *host_reallocate(void *block, size_t size_bytes);

/* Return the nanoseconds since an unknown time. */
uint64_t host_nanoseconds(void);

#endif
