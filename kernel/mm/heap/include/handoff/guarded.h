/*
 * guarded.h - the guarded layer: some blocks have pages of their own, between pages that are never
 * mapped. It is the outermost layer over a policy.
 *
 * Large blocks get such pages. Some small blocks get them, too: a sample. An access beyond the
 * pages of such a block faults at once. So does an access after the free. Guarded blocks lie in a
 * separate range of addresses, the guarded window:
 *
 *   base
 *   | records | lane: places of 2 pages | lane: places of 4 pages | … | guard page |
 *
 *   a place (a power of two of pages)
 *   | guard page | not usable … | canaries, block, canaries | guard page of the next place
 *                               ^ whole pages               ^ the place's end
 *
 * The block lies as close to the end of its place as its size and alignment allow. Canaries fill
 * the rest of its pages. They are validated when the block is freed. Each place has a power of two
 * of pages. This costs addresses, not memory. One subtraction and two shifts find the place of an
 * address. So each operation takes constant time, apart from the work on the pages. A freed place
 * waits in its lane's reuse queue. Until the place is used again, its record names the callers that
 * allocated and freed the block.
 *
 * This layer is above the layer of heap_debug.h, so guarded blocks have no debug record and no
 * quarantine. A record behind the block would lie in the guard page. A block in quarantine would
 * stay mapped.
 *
 * A policy that frees only the newest block (bump) cannot have this layer. A block that moves to
 * guarded pages must be freed in the policy, in any order. heap_initialise() leaves the layer out
 * over such a policy.
 *
 * Freestanding, like the heap. Phase and concurrency: as heap.h.
 */
#ifndef HANDOFF_GUARDED_H
#define HANDOFF_GUARDED_H

#include "heap.h"

/* The functions that map and unmap pages of the window. Offset and size are multiples of
 * HEAP_PAGE_SIZE_BYTES. The offset counts from the window's base. */
struct guarded_pages {
    void *context;
    /* Map all of these pages; their content may be anything. False: it failed and changed nothing.
     */
    bool (*make_usable)(void *context, size_t offset_bytes, size_t bytes);
    /* Unmap these pages. Cannot fail. Afterwards every access to them faults, on all CPUs. */
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

/* The smallest window has two lanes. */
#define GUARDED_WINDOW_MINIMUM_BYTES ((size_t)160 * 1024)

#define GUARDED_STORAGE_BYTES 1136

/* Memory for the layer's state. Its content is private. */
struct guarded_storage {
    _Alignas(HEAP_STORAGE_ALIGNMENT_BYTES) unsigned char content[GUARDED_STORAGE_BYTES];
};

/* Return the layer, for heap_configuration.guarded of one heap. The heap then owns the storage. The
 * configuration is copied. heap_initialise() refuses a wrong one (UNALIGNED, TOO_SMALL, TOO_LARGE).
 */
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
    const void *block; /* this member and all below are 0 for GUARDED_NOWHERE */
    size_t size_bytes;
    size_t distance_bytes;
    bool is_freed;
    const void *allocated_by;
    const void *freed_by; /* NULL unless the block is freed */
};

/* Write to *ret_incident which block an address in the guarded window belongs to. A page-fault
 * handler calls it for its report. False: the address is not in the window. It only reads. If an
 * operation of the heap was interrupted, the answer may describe the state before that operation.
 */
bool guarded_find_incident(const struct heap *heap, const void *address,
                           struct guarded_incident *ret_incident);

#endif
