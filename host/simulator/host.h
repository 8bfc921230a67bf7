/*
 * host.h - what the simulator takes from the machine that it runs on.
 */
#ifndef HOST_SIMULATOR_HOST_H
#define HOST_SIMULATOR_HOST_H

#include <stddef.h>
#include <stdint.h>

/* Never NULL: ends the process with a sentence if there is no memory. Freed by free(). */
void *host_allocate(size_t size_bytes);
void *host_reallocate(void *block, size_t size_bytes);

/* Nanoseconds since an unknown moment. */
uint64_t host_nanoseconds(void);

#endif
