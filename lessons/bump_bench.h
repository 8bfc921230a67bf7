/*
 * bump_bench.h - one bump heap of the reader, and what it must look like: for lessons 4, 5 and 6.
 *
 * A bump heap leaves no choice. From the requests so far follow the only right address of the next
 * block and the only right value of `free`. The bench computes both by itself, and compares.
 */
#ifndef LESSONS_BUMP_BENCH_H
#define LESSONS_BUMP_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "lessons/blocks.h"
#include "lessons/bump_heap.h"
#include "lessons/judge.h"

#define BENCH_FENCE_BYTES 64u /* before and behind a heap with a fence */

struct bench {
    struct judge *judge;
    uint8_t *start;
    uint64_t size_bytes;
    const char *hint; /* said in place of every other hint, or NULL */
    bool has_memory;  /* false: the heap's bytes do not exist, only its addresses do */
    bool has_fence;   /* the bytes around the heap belong to the lesson */
    bool is_aligned;  /* the lesson has alignments: mention the end of each address */
    struct blocks blocks;
    struct drawing shape;
    uint64_t used_bytes; /* heap_start + used_bytes is the right value of `free` */
};

struct bench_request {
    uint64_t size_bytes;
    uint64_t alignment_bytes; /* a power of two */
};

/* Begin with a heap that the reader has not seen yet. Fill its fence, if it has one. */
void bench_open(struct bench *bench);

/* From now on, "heap_start" in the judge's sentences is the start of this heap. */
void bench_select(const struct bench *bench);

/* Return whether a request fits, and the offset of its block from the heap's start. */
bool bench_place(const struct bench *bench, struct bench_request request, uint64_t *ret_offset);

/* Check the reader's heap after begin(), and draw it. */
bool bench_begun(struct bench *bench, const struct bump_heap *heap);

/* Check the reader's heap after an allocation that fits and has returned `address`. The first of
 * the two draws the heap; the other one is for many calls in one step. */
bool bench_allocated(struct bench *bench, const struct bump_heap *heap, void *address,
                     struct bench_request request);
bool bench_allocated_again(struct bench *bench, const struct bump_heap *heap, void *address,
                           struct bench_request request);

/* Check that nothing in the reader's heap has changed: its three addresses, its blocks, its fence. */
bool bench_unchanged(struct bench *bench, const struct bump_heap *heap);

void bench_draw(const struct bench *bench);

#endif
