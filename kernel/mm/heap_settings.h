/*
 * heap_settings.h - choose the permanent heap's settings from the command line and the machine:
 * policy, windows, limit, guarded blocks and debug layer.
 *
 *   heap=fast         the policy (heap_policies.h)
 *   heap_window=16M   the addresses that the heap has at first, and the step in which it gets more
 *   heap_limit=1G     it never gets more than this
 *   heap_aslr=off     the windows begin at LAYOUT_HEAP_WINDOW_BASE and LAYOUT_GUARDED_HEAP_BASE
 *                     instead of random addresses
 *   heap_debug=on     the layer of heap_debug.h
 *   heap_guard=64K    blocks of at least this size lie between guard pages; off for none
 *   heap_sample=5000  one of this many small blocks does, too; 0 for none
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
/* Below the maximum of every policy. */
#define HEAP_SETTINGS_MAXIMUM_BYTES (UINT64_C(32) << 30)
/* Without heap_limit= the heap may take a quarter of RAM, but no more than this. */
#define HEAP_SETTINGS_LIMIT_BYTES (UINT64_C(1) << 30)

/* A block of this size has at least 16 pages. Rounding up to whole pages adds less than 6 %.
 * Mapping the pages costs less than writing to all of them once. */
#define HEAP_SETTINGS_LARGE_BYTES (UINT64_C(64) << 10)
/* Blocks below a page are guarded only as samples. */
#define HEAP_SETTINGS_LARGE_MINIMUM_BYTES (UINT64_C(4) << 10)
/* With this interval sampling costs less than two instructions for each block (docs/DESIGN.md). */
#define HEAP_SETTINGS_SAMPLE_INTERVAL         UINT64_C(5000)
#define HEAP_SETTINGS_SAMPLE_INTERVAL_MAXIMUM UINT64_C(1000000000)
/* This is address space, not memory. It has room for blocks of up to 8 GiB, and for a quarter of a
 * million blocks of 16 pages. */
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
    uint64_t sample_interval; /* one of this many small blocks is; 0 for none */
};

/* The warnings of heap_settings_choose(), each a constant clause; NULL for no warning. */
struct heap_settings_warnings {
    const char *window;
    const char *limit;
    const char *aslr;
    const char *debug;
    const char *guard;
    const char *sample;
};

/* Choose the settings. An unknown policy name selects the default, fast, without a warning here:
 * heap=strict is for the early heap, and kernel/core/command_words.h warns about other names. A
 * wrong value gets a warning, and the default is used. A value is wrong if it is not a number, not
 * a multiple of the page, or out of bounds. `random` is 8 bytes of the handoff's seed that no other
 * code uses. If it is NULL, the bases are not random. */
void heap_settings_choose(const char *command_line, uint64_t ram_bytes, const uint64_t *random,
                          struct heap_settings *ret_settings,
                          struct heap_settings_warnings *ret_warnings);

#endif
