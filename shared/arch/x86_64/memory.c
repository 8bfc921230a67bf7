/*
 * memory.c - the four functions that a freestanding C compiler calls by itself (GCC manual,
 * "Language Standards Supported by GCC"). Loader and kernel link it; host tests have the C
 * library's.
 *
 * The string instructions copy eight bytes per step. This is the shortest code. On every CPU with
 * fast strings it is also the fastest for pages and segments, which are copied here.
 */
#include <stdint.h>

#include "shared/memory.h"

void *memcpy(void *restrict destination, const void *restrict source, size_t size_bytes)
{
    void *to = destination;
    size_t words = size_bytes / 8;
    size_t tail = size_bytes % 8;
    __asm__ volatile("rep movsq\n\tmov %[tail], %%rcx\n\trep movsb"
                     : "+D"(to), "+S"(source), "+c"(words)
                     : [tail] "r"(tail)
                     : "memory");
    return destination;
}

void *memmove(void *destination, const void *source, size_t size_bytes)
{
    if ((uintptr_t)destination - (uintptr_t)source >= size_bytes)
        return memcpy(destination, source, size_bytes);

    /* The destination begins inside the source: copy from the end. */
    unsigned char *to = destination;
    const unsigned char *from = source;
    while (size_bytes-- > 0)
        to[size_bytes] = from[size_bytes];
    return destination;
}

void *memset(void *destination, int value, size_t size_bytes)
{
    void *to = destination;
    uint64_t pattern = (uint8_t)value * UINT64_C(0x0101010101010101);
    size_t words = size_bytes / 8;
    size_t tail = size_bytes % 8;
    __asm__ volatile("rep stosq\n\tmov %[tail], %%rcx\n\trep stosb"
                     : "+D"(to), "+c"(words)
                     : [tail] "r"(tail), "a"(pattern)
                     : "memory");
    return destination;
}

int memcmp(const void *a, const void *b, size_t size_bytes)
{
    const unsigned char *left = a;
    const unsigned char *right = b;
    for (size_t i = 0; i < size_bytes; i++) {
        if (left[i] != right[i])
            return left[i] < right[i] ? -1 : 1;
    }
    return 0;
}
