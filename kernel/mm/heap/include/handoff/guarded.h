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
 * canaries, which are validated at the free. That a place has a power of two of pages costs
 * addresses, not memory, and finds the place of any address by one subtraction and two shifts: so
 * everything here takes constant time, but for the pages themselves. A place that is freed is the
 * last of its lane to be used again; until then its record says who allocated and who freed the
 * block.
 *
 * It lies above the layer of heap_debug.h, which knows nothing of guarded blocks: a record behind
 * the block would be where the guard page is to be, and a block in quarantine would stay usable.
 *
 * A policy that frees the newest block only (bump) cannot have this layer: a block that moves to
 * pages of its own must first be freed there. heap_initialise() then leaves the layer out.
 *
 * Freestanding, as the heap is. Phase and concurrency: as heap.h.
 */
#ifndef HANDOFF_GUARDED_H
#define HANDOFF_GUARDED_H

#include "heap.h"

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
    size_t window_bytes;      /* a multiple of the page */
    size_t large_bytes;       /* blocks of at least this size are large; SIZE_MAX for none */
    uint64_t sample_interval; /* one in so many blocks of up to a page is sampled, while these have
                                 no more than a quarter of the heap's limit; 0 for none */
    struct guarded_pages pages;
};

/* So that the smallest window has two lanes. */
#define GUARDED_WINDOW_MINIMUM_BYTES ((size_t)160 * 1024)

#define GUARDED_STORAGE_BYTES 1136

/* Memory for the layer's state. Its content is private. */
struct guarded_storage {
    _Alignas(HEAP_STORAGE_ALIGNMENT_BYTES) unsigned char content[GUARDED_STORAGE_BYTES];
};

/* The layer, for heap_configuration.guarded of one heap. The storage is the heap's then. The
 * configuration is copied; heap_initialise() refuses it if it cannot be served (UNALIGNED,
 * TOO_SMALL, TOO_LARGE). */
struct heap_layer *guarded_layer(struct guarded_storage *storage,
                                 const struct guarded_configuration *configuration);

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
