/*
 * heap_episode.h - a heap's life from its first page to its last block, by a number.
 *
 * The number (the seed) decides everything: how large the heap is and whether it grows, where it
 * lies, which calls of the page source fail, every operation, and which of them are misuses. So a
 * failure is repeated by its seed alone.
 */
#ifndef TESTS_UNIT_SUPPORT_HEAP_EPISODE_H
#define TESTS_UNIT_SUPPORT_HEAP_EPISODE_H

#include <stdint.h>

#include "kernel/mm/heap/include/handoff/heap.h"

struct heap_episode {
    const struct heap_policy *policy;
    uint64_t seed;
    unsigned operation_count;
    unsigned operations_per_check; /* so many from one full check to the next */
    /* Changes the configuration before the heap starts, for layers over the policy. NULL: none. */
    void (*configure)(struct heap_configuration *configuration);
};

struct heap_episode_counts {
    uint64_t operations;
    uint64_t full_checks;
    uint64_t misuses;  /* each was reported, as what it was */
    uint64_t failures; /* requests that could not be served */
    uint64_t growths;  /* calls of the page source, failed ones included */
};

/* Run it and add to *counts. NULL, or what is wrong; the heap is not looked at any more then. */
const char *heap_episode_run(const struct heap_episode *episode, struct heap_episode_counts *counts)
    __attribute__((warn_unused_result));

#endif
