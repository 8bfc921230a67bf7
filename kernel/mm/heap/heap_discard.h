/*
 * heap_discard.h - the pages inside of free memory, which heap_trim() offers to the page source.
 */
#ifndef KERNEL_MM_HEAP_HEAP_DISCARD_H
#define KERNEL_MM_HEAP_HEAP_DISCARD_H

struct heap;

/* Offer the pages. Does nothing if the page source has no `discard`. */
void heap_discard_free_pages(struct heap *heap);

#endif
