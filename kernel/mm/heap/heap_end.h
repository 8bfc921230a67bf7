/*
 * heap_end.h - the heap's end: it moves up before a request would fail, and down when much is free
 * before it.
 */
#ifndef KERNEL_MM_HEAP_HEAP_END_H
#define KERNEL_MM_HEAP_HEAP_END_H

#include "kernel/mm/heap/policy.h"

/* When the heap gives memory back, so much stays free at its end. */
#define HEAP_END_KEEP_BYTES ((size_t)64 * 1024)

/* Make the first step usable at the base of a heap that has no memory yet. *ret_bytes is its size.
 * False if it cannot be had. */
bool heap_end_start(const struct heap_configuration *configuration, size_t *ret_bytes);

/* What the page source says of the last growth; 0 if it says nothing. */
size_t heap_end_fresh_bytes(const struct heap_page_source *pages);

/* Grow by at least so many bytes, which are below the limit, in whole pages. False if they cannot
 * be had, or something is corrupt, recorded: the heap is as it was. */
bool heap_end_grow_by(struct heap *heap, size_t least_bytes);

/* Grow so that the request fits behind the last live block. False if that cannot be had. */
bool heap_end_grow_for(struct heap *heap, const struct heap_request *request);

/* Give what is free at the end back to the page source, if that is worth its cost. */
void heap_end_give_back(struct heap *heap);

#endif
