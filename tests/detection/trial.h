/*
 * trial.h - one trial of a misuse: a fresh heap with random blocks, and what the heap reports.
 */
#ifndef TESTS_DETECTION_TRIAL_H
#define TESTS_DETECTION_TRIAL_H

#include <handoff/heap.h>

#include "tests/unit/support/random.h"

#define TRIAL_BLOCKS_MAX 4096
/* The first of these bytes are the heap. The others are foreign to it. */
#define TRIAL_HEAP_BYTES  ((size_t)2 << 20)
#define TRIAL_ARENA_BYTES ((size_t)4 << 20)

/* The caller of every operation, so that no header depends on the program's place. */
#define TRIAL_CALLER ((const void *)0x1000)

struct trial_block {
    uint8_t *start; /* NULL once it is freed */
    size_t size_bytes;
};

struct trial {
    struct heap *heap;
    struct random random;
    unsigned fault_count;
    size_t block_count;
    struct trial_block blocks[TRIAL_BLOCKS_MAX]; /* in order of allocation */
};

/* Map the memory for all trials. It is at the same address in every run. Exits if that fails. */
void trial_map_memory(void);

/* Start a heap without blocks. `number` decides every random choice. */
void trial_start(struct trial *trial, const struct heap_policy *policy, bool has_debug_layer,
                 uint64_t number);

/* Allocate, and remember the block. Exits if there is no memory. */
struct trial_block *trial_allocate(struct trial *trial, size_t size_bytes);

void trial_free(struct trial *trial, struct trial_block *block);

/* Allocate some hundred blocks of random sizes, and free a third of them. */
void trial_populate(struct trial *trial);

/* Return a random live block. If the policy frees the newest block only, it is the newest. */
struct trial_block *trial_choose(struct trial *trial);

uint8_t trial_random_byte(struct trial *trial);

/* Write this many random bytes. Some of them may equal the old ones, as in a real program. */
void trial_write(struct trial *trial, uint8_t *start, size_t bytes);

/* Free every block, the newest first. */
void trial_free_all(struct trial *trial);

/* Check the heap, then free every block if the check has passed. Return true if the heap has
 * reported a fault, now or before. */
bool trial_is_found(struct trial *trial);

#endif
