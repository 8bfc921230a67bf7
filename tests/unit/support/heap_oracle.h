/*
 * heap_oracle.h - random operations on a heap, compared with an oracle.
 *
 * After each step the caller may compare everything. This runs the heap's own check, and compares
 * every byte of every block. It checks that blocks do not overlap, and compares all figures that
 * the oracle knows.
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
    /* The seed of the steps can be any number. */
    uint32_t (*next)(void *context);
    void *context;
    size_t largest_bytes; /* of a request */

    /* The newest is last if only the newest may be freed; else in any order. */
    struct heap_oracle_block blocks[HEAP_ORACLE_BLOCK_LIMIT];
    size_t block_count;
    size_t block_limit; /* at most this many */
    size_t used_bytes;
    size_t peak_used_bytes;
    uint64_t free_count;
    uint64_t failure_count;
};

/* An oracle of an empty heap. */
void heap_oracle_begin(struct heap_oracle *ret_oracle, struct heap *heap,
                       uint32_t (*next)(void *context), void *context);

/* Run one operation: allocate in one of four ways, re-allocate or free. Return NULL, or the
 * problem. */
const char *heap_oracle_step(struct heap_oracle *oracle) __attribute__((warn_unused_result));

/* Free one of the blocks. Return NULL, or the problem. Precondition: index < block_count, and it is
 * the last index if only the newest block may be freed. */
const char *heap_oracle_free(struct heap_oracle *oracle, size_t index)
    __attribute__((warn_unused_result));

/* Compare everything. Return NULL, or the problem. */
const char *heap_oracle_check(const struct heap_oracle *oracle) __attribute__((warn_unused_result));

/* Free every block, and check that the heap's figures are those of an empty heap. */
const char *heap_oracle_end(struct heap_oracle *oracle) __attribute__((warn_unused_result));

#endif
