/*
 * mix.h - workloads whose sizes and lifetimes are not ours: published statistics of kernels, of
 * networks and of file systems, and the shapes of textbooks. A workload is a script: a list of
 * allocations and frees that is made before the clock starts, and is the same for every allocator.
 */
#ifndef TESTS_BENCH_HEAP_MIX_H
#define TESTS_BENCH_HEAP_MIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/diagnostics/heap_workload.h"

#define MIX_OPERATIONS_MAX 40000u
#define MIX_PLACES_MAX     16384u
#define MIX_COUNT_MAX      16u

/* Each place holds at most one block. */
struct mix_operation {
    uint32_t place;
    uint32_t size_bytes; /* 0: free the block of this place */
};

struct mix_script {
    struct heap_workload random;
    size_t operation_count;
    struct mix_operation operations[MIX_OPERATIONS_MAX];
    /* The places that hold no block, and those that do. */
    size_t free_count, live_count;
    uint32_t free_places[MIX_PLACES_MAX], live_places[MIX_PLACES_MAX];
};

struct mix {
    const char *name;
    void (*build)(struct mix_script *script);
    /* NULL, or the sizes by which a region is filled until the first failure. */
    size_t (*fill_size)(struct heap_workload *random);
};

/* The list ends with an entry without a name. */
extern const struct mix mixes[MIX_COUNT_MAX];

/* --- Building a script (mix.c) ---------------------------------------------------------------- */

/* Begin an empty script. */
void mix_begin(struct mix_script *script, uint64_t seed);
/* False if the script has no more room for operations. */
bool mix_has_room(const struct mix_script *script);
/* Add an allocation, and return its place. */
uint32_t mix_allocate(struct mix_script *script, size_t size_bytes);
/* Add a free of the live block with this number, counted from the oldest one. The newest block
 * takes its number. */
void mix_free(struct mix_script *script, size_t live_index);
/* Add a free of the block at this place. Precondition: mix_allocate() returned the place. */
void mix_free_place(struct mix_script *script, uint32_t place);

/* --- Sizes (mix_sizes.c) ---------------------------------------------------------------------- */

size_t mix_size_server(struct heap_workload *random);
size_t mix_size_host(struct heap_workload *random);
size_t mix_size_packet(struct heap_workload *random);
size_t mix_size_file(struct heap_workload *random);
/* A third above 1 KiB, up to 16 KiB. Each power of two is equally frequent in its part. */
size_t mix_size_third(struct heap_workload *random);

#endif
