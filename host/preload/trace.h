/*
 * trace.h - a program's calls of the malloc() family, recorded for the benchmark to replay.
 *
 * A trace is a file of records of 16 bytes in the machine's byte order. Blocks have numbers in the
 * order of their first record. A number is used again after its block is freed.
 *
 * Phase: trace_start() once, the others at any time. The caller holds one lock around the recorded
 * operation and the call, so that the order of the records is right.
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

/* Begin to record. The file's name is this name, "." and the process's number. Print a line on
 * standard error. For NULL nothing is recorded. If the file cannot be created, a message says so
 * and nothing is recorded. A child of fork() is not recorded. */
void trace_start(const char *path);
void trace_finish(void);

/* A NULL block, which stands for a failed call, is not recorded. */
void trace_allocate(const void *block, size_t size_bytes);
void trace_free(const void *block);
void trace_reallocate(const void *old_block, const void *new_block, size_t size_bytes);

#endif
