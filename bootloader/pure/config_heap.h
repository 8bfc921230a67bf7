/*
 * config_heap.h - the temporary heaps that handoff.conf asks for: sizes and places.
 *
 *   temp_heap = 1M, 4M below 4G, 64K from 1G
 *
 * Commas separate the heaps. `below` and `from` limit the addresses of a heap. A size of 0 is no
 * heap. Pure.
 */
#ifndef BOOTLOADER_PURE_CONFIG_HEAP_H
#define BOOTLOADER_PURE_CONFIG_HEAP_H

#include <stdint.h>

#define CONFIG_HEAP_LIMIT        8
#define CONFIG_TEMP_HEAP_DEFAULT (UINT64_C(1024) * 1024)
/* 16 GiB: a larger first heap is assumed to be a typing error. */
#define CONFIG_TEMP_HEAP_LIMIT (UINT64_C(16) * 1024 * 1024 * 1024)

/* At most one of the two limits is not 0. */
struct config_heap {
    uint64_t size_bytes; /* a multiple of 4096, not 0 */
    uint64_t from;       /* a multiple of 4096: the heap begins at or above it */
    uint64_t below;      /* the heap ends at or below it; 0 for no limit */
};

struct config_heaps {
    unsigned count;
    struct config_heap list[CONFIG_HEAP_LIMIT];
};

#endif
