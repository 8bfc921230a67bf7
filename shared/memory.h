/*
 * memory.h - the four functions of <string.h> that loader and kernel use.
 *
 * Freestanding C has no <string.h>, but the compiler calls these functions by name. Loader and
 * kernel link shared/arch/…/memory.c. Host tests link the C library.
 */
#ifndef SHARED_MEMORY_H
#define SHARED_MEMORY_H

#include <stddef.h>

void *memcpy(void *restrict destination, const void *restrict source, size_t size_bytes);
void *memmove(void *destination, const void *source, size_t size_bytes);
void *memset(void *destination, int value, size_t size_bytes);
int memcmp(const void *a, const void *b, size_t size_bytes);

#endif
