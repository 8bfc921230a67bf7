/*
 * heap_settings.h - the permanent heap's policy, where its windows lie, how far it grows, which
 * blocks are guarded and whether all are watched, from the command line and the machine.
 *
 *   heap=fast         the policy (heap_policies.h)
 *   heap_window=16M   the addresses that the heap has at first, and the step in which it gets more
 *   heap_limit=1G     it never gets more than this
 *   heap_aslr=off     the windows begin at LAYOUT_HEAP_WINDOW_BASE and LAYOUT_GUARDED_HEAP_BASE
 *                     instead of random addresses
 *   heap_debug=on     the layer of heap_debug.h
 *   heap_guard=64K    blocks of at least this size lie between guard pages; off for none
 *   heap_sample=5000  one in so many small blocks does, too; 0 for none
 *
 * Pure. Phase: any.
 */
#ifndef KERNEL_MM_HEAP_SETTINGS_H
#define KERNEL_MM_HEAP_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/mm/heap_policies.h"
#include "shared/address.h"

#define HEAP_SETTINGS_WINDOW_BYTES (UINT64_C(16) << 20)
/* The self-test takes a third of it. */
#define HEAP_SETTINGS_MINIMUM_BYTES (UINT64_C(1) << 20)
/* Below what every policy can serve. */
#define HEAP_SETTINGS_MAXIMUM_BYTES (UINT64_C(32) << 30)
/* Without heap_limit= the heap may take a quarter of RAM, but no more than this. */
#define HEAP_SETTINGS_LIMIT_BYTES (UINT64_C(1) << 30)

/* A block of this size has at least 16 pages: what is rounded up to whole pages is below 6 %, and
 * mapping them costs less than writing to all of them once. */
#define HEAP_SETTINGS_LARGE_BYTES (UINT64_C(64) << 10)
/* Smaller blocks than a page are a matter of sampling. */
#define HEAP_SETTINGS_LARGE_MINIMUM_BYTES (UINT64_C(4) << 10)
/* The price for each block is below two instructions then (docs/DESIGN.md). */
#define HEAP_SETTINGS_SAMPLE_INTERVAL         UINT64_C(5000)
#define HEAP_SETTINGS_SAMPLE_INTERVAL_MAXIMUM UINT64_C(1000000000)
/* Addresses, not memory: room for blocks of up to 8 GiB, and for a quarter of a million of those
 * that take 16 pages. */
#define HEAP_SETTINGS_GUARDED_BYTES (UINT64_C(1) << 40)

struct heap_settings {
    const struct heap_policy *policy;
    struct virt_addr base;
    uint64_t window_bytes;
    uint64_t limit_bytes; /* >= window_bytes; for both windows together */
    bool is_randomised;
    bool debug;

    struct virt_addr guarded_base;
    uint64_t guarded_bytes;   /* of addresses; 0 if no block is guarded */
    uint64_t large_bytes;     /* blocks of at least this size are guarded; UINT64_MAX for none */
    uint64_t sample_interval; /* one in so many small blocks is; 0 for none */
};

/* What heap_settings_choose() could not use, as a constant clause; NULL where there was nothing. */
struct heap_settings_warnings {
    const char *window;
    const char *limit;
    const char *aslr;
    const char *debug;
    const char *guard;
    const char *sample;
};

/* Choose. A name that is no policy's leaves the default, fast, without a warning here: heap=strict
 * is for the early heap, and kernel/core/command_words.h warns of others. A value that is no
 * number, no multiple of the page or out of bounds is warned of, and the default serves. `random`
 * is 8 bytes of the handed-over seed that nothing else uses; NULL if there is none, and the bases
 * are then not random. */
void heap_settings_choose(const char *command_line, uint64_t ram_bytes, const uint64_t *random,
                          struct heap_settings *ret_settings,
                          struct heap_settings_warnings *ret_warnings);

#endif
