/*
 * memory.h - the four functions of <string.h> that a freestanding program may rely on.
 *
 * Freestanding C has no <string.h>, but the compiler calls these by name. Loader and kernel link
 * shared/arch/…/memory.c; host tests take the C library's.
 */
#ifndef SHARED_MEMORY_H
#define SHARED_MEMORY_H

#include <stddef.h>

void *memcpy(void *restrict destination, const void *restrict source, size_t size_bytes);
void *memmove(void *destination, const void *source, size_t size_bytes);
void *memset(void *destination, int value, size_t size_bytes);
int memcmp(const void *a, const void *b, size_t size_bytes);

#endif
