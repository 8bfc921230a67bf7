/*
 * heap_arena.h - memory and page source for a heap under test.
 *
 * One host mapping stands for the heap's window. Pages that the page source has not provided are
 * poisoned for AddressSanitizer. So it stops the heap at the instruction that accesses other
 * memory. A test can make the n-th call of grow fail. Faults are recorded.
 *
 * A second mapping stands for the guarded window, if there is one. Only the pages that the layer
 * has made usable can be touched.
 */
#ifndef TESTS_UNIT_SUPPORT_HEAP_ARENA_H
#define TESTS_UNIT_SUPPORT_HEAP_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/mm/heap/include/handoff/guarded.h"
#include "kernel/mm/heap/include/handoff/heap_debug.h"
#include "kernel/mm/heap_policies.h"

struct heap_arena {
    uint8_t *base;
    size_t size_bytes;   /* of the mapping */
    size_t usable_bytes; /* given to the heap */
    size_t budget_bytes; /* the page source provides at most this */
    unsigned grow_count; /* calls, with those that failed */
    unsigned shrink_count;
    size_t discarded_bytes; /* so far */
    unsigned discard_count; /* calls, with heap_arena_restore_pages() */
    unsigned restore_count; /* the same, with those that failed */
    size_t absent_bytes;    /* usable bytes whose pages are discarded now */
    bool *absent;           /* for each page; NULL without heap_arena_restore_pages() */
    unsigned failing_grow;  /* the call that fails, from 1; 0 for none */
    unsigned fault_count;
    struct heap_fault fault; /* the last one */

    /* With heap_arena_track_fresh(): */
    size_t written_bytes; /* the heap had these before; later pages arrive with zeros */
    size_t fresh_bytes;   /* of the last growth */
    uint64_t drops;       /* bits that choose how much of the returned pages becomes zeros */

    /* For the state of one heap of any policy, and its layers. */
    union heap_policies_storage storage;
    struct heap_debug_storage debug;
    struct guarded_storage guarded;

    uint8_t *guarded_base;       /* NULL for no guarded window */
    size_t guarded_bytes;        /* of its addresses */
    size_t guarded_usable_bytes; /* given to the heap, out of the same budget */
    bool *guarded_usable;        /* for each page */
    struct guarded_configuration guarded_configuration;
};

/* Map `size_bytes` (not backed by memory until touched), at the same address in every run. Aborts
 * if that fails. */
void heap_arena_create(struct heap_arena *arena, size_t size_bytes);
/* The same, at another address: `step_count` odd steps higher. */
void heap_arena_create_shifted(struct heap_arena *arena, size_t size_bytes, uint64_t step_count);
void heap_arena_destroy(struct heap_arena *arena);

/* A best-fit heap of fixed size: the first `size_bytes` of the arena. */
struct heap_configuration heap_arena_fixed(struct heap_arena *arena, size_t size_bytes);

/* A best-fit heap that grows through the page source up to `limit_bytes`. */
struct heap_configuration heap_arena_growing(struct heap_arena *arena, size_t limit_bytes);

/* Let the page source of a growing heap give zeros in new pages, and report it. Pages that the heap
 * gives back keep their content. The bits of `drops` choose which of them become zeros. */
void heap_arena_track_fresh(struct heap_arena *arena, struct heap_configuration *configuration,
                            uint64_t drops);

/* Let the page source of a growing heap take discarded pages away until the heap restores them. The
 * host's page tables refuse every access to them. A restore counts as a call of grow, and takes
 * from the same budget. */
void heap_arena_restore_pages(struct heap_arena *arena, struct heap_configuration *configuration);

/* Let the configuration use the layer of heap_debug.h, or not. */
void heap_arena_set_debug(struct heap_arena *arena, struct heap_configuration *configuration,
                          bool debug);

/* Let the configuration keep large blocks, and one block in `sample_interval`, in a guarded window
 * of this many bytes. Its calls count as calls of grow. Call it once for an arena. */
void heap_arena_add_guarded(struct heap_arena *arena, struct heap_configuration *configuration,
                            size_t window_bytes, size_t large_bytes, uint64_t sample_interval);

/* Return true if the heap can access all of these bytes of the guarded window; return true if it
 * can access any of them. */
bool heap_arena_is_usable(const struct heap_arena *arena, const void *start, size_t bytes);
bool heap_arena_is_guarded(const struct heap_arena *arena, const void *start, size_t bytes);

/* Make only the first `size_bytes` accessible. */
void heap_arena_set_usable(struct heap_arena *arena, size_t size_bytes);

#endif
