#include "bootloader/pure/word_heap.h"

static void swap_words(uint64_t *a, uint64_t *b)
{
    uint64_t kept = *a;
    *a = *b;
    *b = kept;
}

void word_heap_push(struct word_heap *heap, uint64_t word)
{
    size_t place = heap->count++;
    heap->words[place] = word;
    while (place > 0 && heap->words[(place - 1) / 2] < heap->words[place]) {
        swap_words(&heap->words[(place - 1) / 2], &heap->words[place]);
        place = (place - 1) / 2;
    }
}

uint64_t word_heap_pop(struct word_heap *heap)
{
    uint64_t top = heap->words[0];
    heap->words[0] = heap->words[--heap->count];
    size_t place = 0;
    for (;;) {
        size_t larger = 2 * place + 1;
        if (larger >= heap->count)
            return top;
        if (larger + 1 < heap->count && heap->words[larger + 1] > heap->words[larger])
            larger++;
        if (heap->words[place] >= heap->words[larger])
            return top;
        swap_words(&heap->words[place], &heap->words[larger]);
        place = larger;
    }
}
