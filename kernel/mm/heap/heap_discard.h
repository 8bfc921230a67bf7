/*
 * heap_discard.h - the pages inside of free memory, which heap_trim() offers to the page source.
 */
#ifndef KERNEL_MM_HEAP_HEAP_DISCARD_H
#define KERNEL_MM_HEAP_HEAP_DISCARD_H

struct heap;

/* Nothing if the page source does not want them. */
void heap_discard_free_pages(struct heap *heap);

#endif
