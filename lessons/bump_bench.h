/*
 * bump_bench.h - one bump heap of the reader, and the state that it must have: lessons 4, 5 and 6.
 *
 * A bump heap leaves no choice. From the requests so far follow the only right address of the next
 * block and the only right value of `free`. The bench computes both by itself. bump_check.h compares.
 */
#ifndef LESSONS_BUMP_BENCH_H
#define LESSONS_BUMP_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "lessons/blocks.h"
#include "lessons/bump_heap.h"
#include "lessons/judge.h"

#define BENCH_FENCE_BYTES 64u /* before and behind a heap with a fence */
#define BENCH_FENCE_BYTE  0xfe

struct bench {
    struct judge *judge;
    uint8_t *start;
    uint64_t size_bytes;
    const char *hint;  /* said in place of every other hint, or NULL */
    bool has_memory;   /* false: the heap's bytes do not exist, only its addresses do */
    bool has_fence;    /* the bytes around the heap belong to the lesson */
    bool is_aligned;   /* the lesson has alignments: mention the end of each address */
    bool is_untouched; /* the reader's functions write nothing into the heap */
    struct blocks blocks;
    unsigned name_count; /* of blocks that have a letter */
    struct drawing shape;
    uint64_t used_bytes;          /* heap_start + used_bytes is the right value of `free` */
    uint64_t previous_used_bytes; /* the same before the last block */
};

struct bench_request {
    uint64_t size_bytes;
    uint64_t alignment_bytes; /* a power of two */
};

/* Begin with a heap that the reader has not seen yet. Fill its fence, if it has one. */
void bench_open(struct bench *bench);

/* From now on, "heap_start" in every sentence is the start of this heap. */
void bench_select(const struct bench *bench);

/* Return whether a request fits, and the offset of its block from the heap's start. */
bool bench_place(const struct bench *bench, struct bench_request request, uint64_t *ret_offset);

/* The next block is right: write it down, and fill it if it is real. Return its name. The other one
 * is for many blocks, which have no names and are one piece of the drawing. */
char bench_take(struct bench *bench, uint64_t offset, uint64_t size_bytes);
void bench_take_again(struct bench *bench, uint64_t offset, uint64_t size_bytes);

void bench_draw(const struct bench *bench);

/* Draw the wrong state, as far as it lies in the heap: a wrong block, as '!', or `free`. */
void bench_draw_wrong_block(const struct bench *bench, const void *address, uint64_t size_bytes);
void bench_draw_wrong_free(const struct bench *bench, const uint8_t *free);

#endif
