/*
 * heap_end.h - the heap's end. It moves up before a request would fail, and down when much memory
 * before it is free.
 */
#ifndef KERNEL_MM_HEAP_HEAP_END_H
#define KERNEL_MM_HEAP_HEAP_END_H

#include "kernel/mm/heap/policy.h"

/* This much memory stays free at the end when the heap gives memory back. */
#define HEAP_END_KEEP_BYTES ((size_t)64 * 1024)

/* Make the first step usable at the base of a heap without memory. Write its size to *ret_bytes.
 * False: there is no memory. */
bool heap_end_start(const struct heap_configuration *configuration, size_t *ret_bytes);

/* Return the result of the page source's fresh_bytes(); 0 without this function. Call it after a
 * growth. */
size_t heap_end_fresh_bytes(const struct heap_page_source *pages);

/* Grow by at least this many bytes, in whole pages. Precondition: the new size is not above the
 * limit. False: there is no memory, or the heap is corrupt and the fault is recorded. A failure
 * changes nothing. */
bool heap_end_grow_by(struct heap *heap, size_t least_bytes);

/* Restore discarded pages so that the request fits. Without such pages, grow so that it fits behind
 * the last live block. False: there is no memory. */
bool heap_end_grow_for(struct heap *heap, const struct heap_request *request);

/* The policy has cut these bytes off at the end: give them back to the page source. */
void heap_end_move_down(struct heap *heap, size_t bytes);

/* Give free memory at the end back to the page source, if there is enough to be worth the cost. */
void heap_end_give_back(struct heap *heap);

#endif
