/*
 * bump_check.h - compare the reader's bump heap with its bench: lessons 4, 5 and 6.
 *
 * Each function returns whether all is right. If not, the lesson has said what is wrong.
 */
#ifndef LESSONS_BUMP_CHECK_H
#define LESSONS_BUMP_CHECK_H

#include "lessons/bump_bench.h"

/* Check the reader's heap after begin(), and draw it. */
bool bump_begun(struct bench *bench, const struct bump_heap *heap);

/* Check the reader's heap after an allocation that fits and has returned `address`. The first of
 * the two draws the heap; the other one is for many calls in one step. */
bool bump_allocated(struct bench *bench, const struct bump_heap *heap, void *address,
                    struct bench_request request);
bool bump_allocated_again(struct bench *bench, const struct bump_heap *heap, void *address,
                          struct bench_request request);

/* Check that nothing in the reader's heap has changed: its three addresses, its blocks, its fence. */
bool bump_unchanged(struct bench *bench, const struct bump_heap *heap);

#endif
