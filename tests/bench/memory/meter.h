/*
 * meter.h - count the live bytes of a program's blocks, and the resident memory that it takes for
 * them.
 *
 * Every byte of a block is written, so that it is resident. The table of blocks is written before
 * the count begins, so that the figures contain only the allocator's memory.
 *
 * Phase: any. Concurrency: one thread.
 */
#ifndef TESTS_BENCH_MEMORY_METER_H
#define TESTS_BENCH_MEMORY_METER_H

#include <stddef.h>
#include <stdint.h>

struct block {
    void *start; /* NULL: there is none */
    size_t size_bytes;
};

/* Begin to count, with a table of `count` blocks. None of them exists. */
struct block *meter_begin(size_t count);

/* Allocate a block, and fill it. Precondition: there is none in this place of the table. */
void meter_take(struct block *block, size_t size_bytes);

/* Free the block, if there is one. */
void meter_give(struct block *block);

/* Change the size of a block, and fill the new part. */
void meter_resize(struct block *block, size_t size_bytes);

/* Return a number below `limit`. Each run gets the same numbers. */
size_t meter_random(size_t limit);

/* Print "peak-live peak-resident end-live end-resident", in bytes. Resident memory counts from
 * meter_begin(). */
void meter_report(void);

#endif
