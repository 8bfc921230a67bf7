/*
 * cache.h - move bytes from the caches to RAM.
 */
#ifndef SHARED_ARCH_X86_64_CACHE_H
#define SHARED_ARCH_X86_64_CACHE_H

#include <stddef.h>
#include <stdint.h>

/* Every x86-64 CPU has CLFLUSH, and lines of 64 bytes (Intel SDM Vol. 2A, CLFLUSH). Longer lines
 * would be flushed more often than needed. */
#define CACHE_LINE_SIZE_BYTES 64

static inline void cache_flush(const void *start, size_t size_bytes)
{
    uintptr_t line = (uintptr_t)start & ~(uintptr_t)(CACHE_LINE_SIZE_BYTES - 1);
    for (; line < (uintptr_t)start + size_bytes; line += CACHE_LINE_SIZE_BYTES)
        __asm__ volatile("clflush (%0)" : : "r"(line) : "memory");
    __asm__ volatile("mfence" : : : "memory");
}

#endif
