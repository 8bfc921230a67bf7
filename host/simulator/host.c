#define _POSIX_C_SOURCE 200809L /* clock_gettime */

#include "host/simulator/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void *host_allocate(size_t size_bytes)
{
    return host_reallocate(NULL, size_bytes);
}

void *host_reallocate(void *block, size_t size_bytes)
{
    void *moved = realloc(block, size_bytes == 0 ? 1 : size_bytes);
    if (moved == NULL) {
        (void)fprintf(stderr, "simulate: this computer has no memory left\n");
        exit(1);
    }
    return moved;
}

uint64_t host_nanoseconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
