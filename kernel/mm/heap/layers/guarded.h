/*
 * guarded.h - the outermost layer over a policy: blocks with pages of their own between pages that
 * never are.
 *
 * Large blocks get such pages, and of the small ones one in so many ("sampled"). An access beyond
 * their ends, and any access after the free, faults at the instruction that makes it. They lie in
 * addresses of their own, the guarded window:
 *
 *   base
 *   | records | lane: places of 2 pages | lane: places of 4 pages | … | guard page |
 *
 *   a place (a power of two of pages)
 *   | guard page | not usable … | canaries, block, canaries | guard page of the next place
 *                               ^ whole pages               ^ the place's end
 *
 * The block lies as far behind as its size and alignment allow; what is left of its pages are
 * canaries, which are proved at the free. That a place has a power of two of pages costs addresses,
 * not memory, and finds the place of any address by one subtraction and two shifts: so everything
 * here takes constant time, but for the pages themselves. A place that is freed is the last of its
 * lane to be used again; until then its record tells who allocated and who freed the block.
 *
 * It lies above the layer of heap_debug.h, which knows nothing of guarded blocks: a record behind
 * the block would be where the guard page is to be, and a block that waits would stay usable.
 *
 * A policy that frees the newest block only (bump) cannot have this layer: a block that moves to
 * pages of its own must first be freed there. heap_initialise() then leaves the layer out.
 *
 * Freestanding, as the heap is. Phase and concurrency: as heap.h.
 */
#ifndef KERNEL_MM_HEAP_LAYERS_GUARDED_H
#define KERNEL_MM_HEAP_LAYERS_GUARDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap;
struct heap_operations;

/* Makes pages of the window usable and takes them back. Both are multiples of HEAP_PAGE_SIZE_BYTES;
 * the offset counts from the window's base. */
struct guarded_pages {
    void *context;
    /* All of them, with any content. False, and nothing changed, if that cannot be had. */
    bool (*make_usable)(void *context, size_t offset_bytes, size_t bytes);
    /* Cannot fail. From then on every access to them faults, on all CPUs. */
    void (*take_back)(void *context, size_t offset_bytes, size_t bytes);
};

struct guarded_configuration {
    void *base;               /* a multiple of the page */
    size_t window_bytes;      /* a multiple of the page; 0 for no layer */
    size_t large_bytes;       /* blocks from this size on are large; SIZE_MAX for none */
    uint64_t sample_interval; /* one in so many blocks of up to a page is sampled, while these have
                                 no more than a quarter of the heap's limit; 0 for none */
    struct guarded_pages pages;
};

/* So that the smallest window has two lanes. */
#define GUARDED_WINDOW_MINIMUM_BYTES ((size_t)160 * 1024)

/* A lane has at least four places, and so many more bits than a page of addresses that the last of
 * these lanes has places of 64 GiB. */
#define GUARDED_LANE_LIMIT 24

/* --- State (guarded*.c alone use it) ---------------------------------------------------------- */

enum guarded_life { GUARDED_LIVE, GUARDED_FREED };

/* What is known of a place that was used. */
struct guarded_record {
    uintptr_t block;
    size_t size_bytes; /* as asked for */
    const void *allocated_by;
    const void *freed_by;
    uint32_t next_freed; /* in the lane: freed after this one */
    uint8_t alignment_shift;
    uint8_t life;
};

struct guarded_lane {
    struct guarded_record *records; /* one a place, usable as far as it was needed */
    size_t records_usable_bytes;
    uint32_t place_count;
    uint32_t touched_count; /* the places that were ever used are the first */
    uint32_t freed_count;
    uint32_t oldest_freed;
    uint32_t newest_freed;
};

struct guarded_state {
    const struct heap_operations *below;
    uintptr_t base;
    size_t window_bytes;
    size_t large_bytes;
    uint64_t countdown; /* to the next sampled block; from 0, which never comes back, for none */
    uint64_t random;
    uint64_t canary;
    uintptr_t lanes_start;
    unsigned lane_shift; /* a lane has 2^lane_shift bytes of addresses */
    unsigned lane_count;
    size_t usable_bytes; /* records and blocks */
    size_t used_bytes;   /* asked for by the live blocks */
    size_t live_count;
    uint64_t sampled_count;   /* so far */
    uint64_t unguarded_count; /* large or chosen, but there was no page or place: so far */
    struct guarded_lane lanes[GUARDED_LANE_LIMIT];
};

/* --- For the fault handler -------------------------------------------------------------------- */

enum guarded_incident_kind {
    GUARDED_BEFORE,    /* in front of a block, at this distance */
    GUARDED_BEHIND,    /* behind its end; the first byte behind has the distance 1 */
    GUARDED_USE_FREED, /* in a block that is freed; the distance from its start */
    GUARDED_INSIDE,    /* in a live block; the distance from its start */
    GUARDED_NOWHERE,   /* no block was ever near */
};

struct guarded_incident {
    enum guarded_incident_kind kind;
    const void *block; /* this and what follows is 0 for GUARDED_NOWHERE */
    size_t size_bytes;
    size_t distance_bytes;
    bool is_freed;
    const void *allocated_by;
    const void *freed_by; /* NULL unless the block is freed */
};

/* What an address in the guarded window is, for the report of a fault there. False if it is not in
 * the window. Only reads; while the heap is being changed the answer may be about the moment
 * before. */
bool guarded_find_incident(const struct heap *heap, const void *address,
                           struct guarded_incident *ret_incident);

#endif
