/*
 * word_heap.h - a binary heap of 64-bit words, the largest on top, in memory of the caller.
 *
 * Pure. Push and pop take O(log count).
 */
#ifndef BOOTLOADER_PURE_WORD_HEAP_H
#define BOOTLOADER_PURE_WORD_HEAP_H

#include <stddef.h>
#include <stdint.h>

struct word_heap {
    uint64_t *words; /* the largest first */
    size_t count;
};

/* Precondition: there is memory for one more word. */
void word_heap_push(struct word_heap *heap, uint64_t word);

/* Take the largest word. Precondition: not empty. */
uint64_t word_heap_pop(struct word_heap *heap);

#endif
