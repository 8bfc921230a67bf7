/*
 * heap_oracle.h - random operations on a heap, beside a model of what it must hold.
 *
 * After each step the caller may have everything compared: the heap's own check, every byte of
 * every block, that no two blocks overlap, and all figures of the statistics that the model knows.
 */
#ifndef TESTS_UNIT_SUPPORT_HEAP_ORACLE_H
#define TESTS_UNIT_SUPPORT_HEAP_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/mm/heap/include/handoff/heap.h"

#define HEAP_ORACLE_BLOCK_LIMIT 512

struct heap_oracle_block {
    uint8_t *address;
    size_t size_bytes;
    size_t alignment_bytes;
    uint8_t pattern;
};

struct heap_oracle {
    struct heap *heap;
    /* Where the steps' decisions come from: any number. */
    uint32_t (*next)(void *context);
    void *context;
    size_t largest_bytes; /* of a request */

    /* The newest last where only that one may be freed; else in no order. */
    struct heap_oracle_block blocks[HEAP_ORACLE_BLOCK_LIMIT];
    size_t block_count;
    size_t block_limit; /* so many at most */
    size_t used_bytes;
    size_t peak_used_bytes;
    uint64_t free_count;
    uint64_t failure_count;
};

/* An oracle of an empty heap. */
void heap_oracle_begin(struct heap_oracle *ret_oracle, struct heap *heap,
                       uint32_t (*next)(void *context), void *context);

/* One operation: allocate, in one of four ways, re-allocate or free. NULL, or what is wrong. */
const char *heap_oracle_step(struct heap_oracle *oracle) __attribute__((warn_unused_result));

/* Free one of the blocks. NULL, or what is wrong. Precondition: index < block_count, and the last
 * one where only that may be freed. */
const char *heap_oracle_free(struct heap_oracle *oracle, size_t index)
    __attribute__((warn_unused_result));

/* Compare everything. NULL, or what is wrong. */
const char *heap_oracle_check(const struct heap_oracle *oracle) __attribute__((warn_unused_result));

/* Free every block and check that the heap is as it was when it was empty. */
const char *heap_oracle_end(struct heap_oracle *oracle) __attribute__((warn_unused_result));

#endif
