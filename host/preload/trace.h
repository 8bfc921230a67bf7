/*
 * trace.h - a program's calls of the malloc() family, recorded for the benchmark to replay.
 *
 * A trace is a file of records of 16 bytes in the machine's byte order. Blocks have numbers, given
 * in the order of their first record; a number is used again when its block is gone.
 *
 * Phase: trace_start() once; the others at any time, with one lock held around the call and the
 * recorded operation, so that the order is the real one.
 */
#ifndef HOST_PRELOAD_TRACE_H
#define HOST_PRELOAD_TRACE_H

#include <stddef.h>
#include <stdint.h>

enum trace_operation {
    TRACE_ALLOCATE = 1,
    TRACE_FREE = 2,
    TRACE_REALLOCATE = 3, /* to size_bytes; the block keeps its number */
};

struct trace_record {
    uint32_t operation;
    uint32_t block;
    uint64_t size_bytes;
};

/* Begin to record into a file of that name with "." and the process's number behind it, and say so
 * on standard error. NULL, and a file that cannot be made (which is said, too): nothing is
 * recorded. A child of fork() is not recorded. */
void trace_start(const char *path);
void trace_finish(void);

/* A NULL block, which stands for a failed call, is not recorded. */
void trace_allocate(const void *block, size_t size_bytes);
void trace_free(const void *block);
void trace_reallocate(const void *old_block, const void *new_block, size_t size_bytes);

#endif
