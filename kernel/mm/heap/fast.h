/*
 * fast.h - state of the fast policy. Only fast.c, fast_core.c and struct heap use it.
 *
 * All of it lies in struct heap, none in the heap's memory. Places are counted in granules of 16
 * bytes from the heap's base, so that they fit 32 bits; 0, where no block can be, stands for none.
 */
#ifndef KERNEL_MM_HEAP_FAST_H
#define KERNEL_MM_HEAP_FAST_H

#include <stddef.h>
#include <stdint.h>

/* --- fast_core.c: free memory, by size ------------------------------------------------------- */

/* One bin for each size below 64 granules (1 KiB), then 32 for each power of two up to 2^32 - 1
 * granules. */
#define FAST_LINEAR_BINS 64
#define FAST_BIN_COUNT   (FAST_LINEAR_BINS + (32 - 6) * 32)
#define FAST_BIN_WORDS   (FAST_BIN_COUNT / 64)

struct fast_core {
    uint64_t secret;
    uint8_t *base;
    uint8_t *end;
    uint8_t *top; /* block of the free memory at the end, which is in no bin */
    size_t top_units;
    uint64_t bin_summary; /* bit w: bin_bits[w] is not 0 */
    uint64_t bin_bits[FAST_BIN_WORDS];
    uint32_t bins[FAST_BIN_COUNT];
};

/* --- fast.c: what stands in front of it ------------------------------------------------------- */

/* Freed blocks of up to this many granules (1 KiB and a little) are kept by size, so many each. */
#define FAST_CACHED_UNITS_MAX 66
#define FAST_CACHE_DEPTH      8

struct fast_cache {
    uint32_t count;
    uint32_t depth;
    uint8_t *blocks[FAST_CACHE_DEPTH];
};

/* Sizes 0…15, 16…31, …, 256…271 with room for a canary; then exactly 16, 32, …, 224 without. */
#define FAST_PADDED_CLASSES 17
#define FAST_DENSE_CLASSES  14
#define FAST_CLASS_COUNT    (FAST_PADDED_CLASSES + FAST_DENSE_CLASSES)

/* A page has up to 255 slots. */
#define FAST_SLAB_WORDS 4

struct fast_slab;
struct fast_group;

/* In order of use; 64 bytes, so that an index is a shift. */
struct fast_class {
    uint64_t *live; /* bit i: slot i of `slots` holds a live block */
    uint64_t mask;  /* … is a slot; the next blocks come from those that are not live */
    uint8_t *slots;
    struct fast_slab *slab; /* in which they lie; NULL for none */
    uint32_t stride_bytes;
    uint32_t reciprocal;    /* 2^32 / stride, rounded up */
    uint16_t slot_count[2]; /* of a slab; of one in the last page of a group */
    uint32_t slab_count;
    uint32_t core_count;       /* live blocks of these sizes that lie in no slab */
    struct fast_slab *partial; /* the other slabs with free slots */
};

struct fast_state {
    uintptr_t group_floor;  /* groups are counted from here */
    size_t group_limit;     /* length of the map; 0 until there is one */
    struct fast_slab **map; /* the slabs of each 32 KiB; NULL where there is no group */
    uint8_t class_of[FAST_PADDED_CLASSES * 16]; /* by size; changes when a class becomes mass */
    struct fast_class classes[FAST_CLASS_COUNT];
    struct fast_group *groups; /* those with unused pages */
    size_t group_count;
    size_t empty_group_count;                            /* without a slab */
    struct fast_cache caches[FAST_CACHED_UNITS_MAX + 1]; /* by units */
    struct fast_core core;
};

#endif
