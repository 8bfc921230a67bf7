/*
 * heap_episode.h - run random operations on a heap, from its first page to its last block.
 *
 * A number, the seed, decides everything: the heap's size and address, whether it grows, the
 * failing calls of the page source, each operation and each misuse. So the seed is enough to repeat
 * a failure.
 */
#ifndef TESTS_UNIT_SUPPORT_HEAP_EPISODE_H
#define TESTS_UNIT_SUPPORT_HEAP_EPISODE_H

#include <stdint.h>

#include "kernel/mm/heap/include/handoff/heap.h"

struct heap_episode {
    const struct heap_policy *policy;
    uint64_t seed;
    unsigned operation_count;
    unsigned operations_per_check; /* the number of operations between two full checks */
    /* Changes the configuration before the heap starts, for layers over the policy. NULL: none. */
    void (*configure)(struct heap_configuration *configuration);
};

struct heap_episode_counts {
    uint64_t operations;
    uint64_t full_checks;
    uint64_t misuses;  /* each was reported with the right kind */
    uint64_t failures; /* requests that failed */
    uint64_t growths;  /* calls of the page source, failed ones included */
};

/* Run it and add to *counts. Return NULL, or the problem. After a problem the heap is not checked
 * further. */
const char *heap_episode_run(const struct heap_episode *episode, struct heap_episode_counts *counts)
    __attribute__((warn_unused_result));

#endif
