/*
 * heap.h - a heap over one contiguous range of memory whose end moves.
 *
 *   base                                             base + size_bytes          base + limit_bytes
 *    |  blocks and free memory, laid out by the policy  |  may be added by grow()      |
 *
 * How memory is divided is a policy (struct heap_policy, policy.h); this header is the interface
 * that all policies serve. The heap is freestanding: it is given mapped memory and, optionally, a
 * page source that moves its end; it knows nothing of page tables, logs or panics. All of its state
 * is in struct heap, so there may be many.
 *
 * Blocks are aligned to HEAP_ALIGNMENT_BYTES. The policy proves each pointer that comes back: a
 * double free, a pointer that it never gave out and a write outside of a block are reported through
 * the fault callback with the block, its size and the callers, never ignored.
 *
 * `caller` in the calls below is the code address to name in such a report (HEAP_CALLER, or NULL).
 *
 * Phase: any. Concurrency: the caller serialises calls on one heap.
 */
#ifndef KERNEL_MM_HEAP_HEAP_H
#define KERNEL_MM_HEAP_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/mm/heap/policies/best_fit.h"
#include "kernel/mm/heap/policies/bump.h"
#include "kernel/mm/heap/policies/fast.h"
#include "kernel/mm/heap/policies/first_fit.h"
#include "kernel/mm/heap/layers/guarded.h"
#include "kernel/mm/heap/heap_counters.h"
#include "kernel/mm/heap/layers/heap_debug.h"

_Static_assert(
    sizeof(size_t) == 8 && sizeof(void *) == 8,
    "the heap is for 64-bit targets: its headers are words of 64 bits with 32 for a length, and "
    "two pointers are a unit");

/* The alignment of every block: that of the largest scalar type of the ABI (System V x86-64 psABI
 * 3.1.2, long double and __int128). */
#define HEAP_ALIGNMENT_BYTES ((size_t)16)

/* The unit in which the page source moves the heap's end. */
#define HEAP_PAGE_SIZE_BYTES ((size_t)4096)

#define HEAP_CALLER __builtin_return_address(0)

enum heap_status {
    HEAP_OK = 0,
    HEAP_UNALIGNED, /* an address or size is not a multiple of HEAP_ALIGNMENT_BYTES (with a page
                       source: of HEAP_PAGE_SIZE_BYTES) */
    HEAP_TOO_SMALL, /* below the policy's minimum */
    HEAP_TOO_LARGE, /* the range wraps, or is beyond the policy's maximum or the heap's limit */
    HEAP_NO_MEMORY, /* the page source gave nothing */
};

/* A constant English name: "ok", "too small", … Never NULL. */
const char *heap_status_name(enum heap_status status);

enum heap_fault_kind {
    HEAP_FAULT_DOUBLE_FREE,      /* the block is free already */
    HEAP_FAULT_BAD_POINTER,      /* interior, unaligned, or not of this heap */
    HEAP_FAULT_OVERRUN,          /* written beyond the end or before the start of a block */
    HEAP_FAULT_CORRUPT,          /* the heap's own links or free memory were overwritten */
    HEAP_FAULT_WRITE_AFTER_FREE, /* a freed block was written to; only with `debug` */
};

/* A constant English name: "double free", … Never NULL. */
const char *heap_fault_kind_name(enum heap_fault_kind kind);

/* What a misuse or a corruption looks like to a person. */
struct heap_fault {
    enum heap_fault_kind kind;
    const char *detail;       /* a constant clause, for behind a colon */
    const void *pointer;      /* what the call was given, or the first byte that was written after
                                 it was freed; NULL if there is none */
    const void *block;        /* the block that is concerned, live or freed; NULL if unknown */
    bool is_free;             /* it was freed */
    size_t size_bytes;        /* as it was asked for; 0 if unknown */
    size_t free_bytes;        /* if not 0, the freed block is not known any more: `block` is free
                                 memory of that many bytes, which it has become a part of */
    const void *caller;       /* of the call that found it */
    const void *allocated_by; /* caller that allocated the block; NULL if unknown */
    const void *freed_by;     /* caller that freed it first; NULL if none did, or it is unknown */
};

/* Moves the heap's end. Sizes are multiples of HEAP_PAGE_SIZE_BYTES. */
struct heap_page_source {
    void *context;
    /* Make the next `additional_bytes` behind the heap's end usable. False, and nothing changed, if
     * that cannot be had. NULL for a heap of fixed size. */
    bool (*grow)(void *context, size_t additional_bytes);
    /* Take back the last `bytes` bytes. Cannot fail. NULL if memory is never given back. */
    void (*shrink)(void *context, size_t bytes);
    /* How many bytes before the heap's end read as zero, since they were never the heap's or became
     * new pages after it gave them back. Asked after each grow(). It may say fewer than there are.
     * NULL if that is not known of any: heap_allocate_zeroed() then writes all zeros itself. */
    size_t (*fresh_bytes)(void *context);
    /* What these bytes from `offset_bytes` behind the base hold is not needed any more: their
     * memory may serve others until the heap touches it again, which may find anything there. They
     * stay usable. Called by heap_trim() only. NULL if memory is given back at the end only. */
    void (*discard)(void *context, size_t offset_bytes, size_t bytes);
};

struct heap;
struct heap_policy; /* policy.h */

/* One pointer that moves up; freed newest first (bump.h, bump.c). */
extern const struct heap_policy heap_policy_bump;
/* A list of free blocks, the first that fits (first_fit.c). */
extern const struct heap_policy heap_policy_first_fit;
/* Doubly linked segments, the smallest that fits (best_fit.c). */
extern const struct heap_policy heap_policy_best_fit;
/* Slabs, exact-size caches and segregated free lists; constant time (fast.c). */
extern const struct heap_policy heap_policy_fast;

/* The policy of that name ("bump", "first-fit", "best-fit", "fast"), or NULL. */
const struct heap_policy *heap_policy_by_name(const char *name);

struct heap_configuration {
    const struct heap_policy *policy;
    void *base;           /* aligned as HEAP_UNALIGNED says */
    size_t initial_bytes; /* usable at `base` now; 0 lets the page source give the first step */
    size_t limit_bytes;   /* the heap never grows beyond; >= initial_bytes */
    struct heap_page_source pages;
    uint64_t secret; /* random: makes the seals of the headers unpredictable */
    bool debug;      /* remember the callers, and find writes to freed blocks (heap_debug.h) */
    /* Blocks between guard pages, over any policy but bump (guarded.h); all 0 for none. */
    struct guarded_configuration guarded;
    /* Never NULL. Called once for each fault. Not to return in a kernel. Where it returns, the call
     * that found the fault fails, and after OVERRUN, CORRUPT or WRITE_AFTER_FREE every later call
     * fails too (heap_free() then does nothing). It may not call the heap. */
    void (*fault)(void *context, const struct heap_fault *fault);
    void *fault_context;
};

/* What serves the calls of the same names below. It stands in the heap itself, so that a call costs
 * one indirect jump, and so that a heap which was found corrupt is given operations that serve
 * nothing, which costs the sound ones no test. */
struct heap_operations {
    void *(*allocate)(struct heap *heap, size_t size_bytes, const void *caller);
    void *(*allocate_aligned)(struct heap *heap, size_t size_bytes, size_t alignment_bytes,
                              const void *caller);
    void (*free)(struct heap *heap, void *block, const void *caller);
    void *(*reallocate)(struct heap *heap, void *block, size_t size_bytes, const void *caller);
    size_t (*usable_size)(struct heap *heap, const void *block, const void *caller);
};

/* Read only for callers: everything has a function. */
struct heap {
    struct heap_operations operations; /* of the outermost layer */
    struct heap_counters counters;     /* of the policy's blocks; without `debug` of all */
    size_t size_bytes;                 /* usable now */
    bool is_corrupt;                   /* nothing is served any more */
    struct heap_fault recorded_fault; /* of the running operation (heap_fault.h); no detail: none */
    bool has_grown_again;             /* after it gave memory back, into what it had given back */
    size_t tail_keep_bytes;           /* so much stays free at the end when memory is given back */
    size_t largest_bytes;             /* size_bytes before memory was given back last */
    uintptr_t written_end; /* from here to the heap's end all is zero but for its last bytes */
    uintptr_t clean_start; /* a new block is zero from here on */
    union {                /* the policy's own */
        struct bump_state bump;
        struct first_fit_state first_fit;
        struct best_fit_state best_fit;
        struct fast_state fast;
    };
    struct heap_debug_state debug; /* only with configuration.debug */
    struct guarded_state guarded;
    struct heap_configuration configuration;
};

/* Start a heap.
 * Failures: UNALIGNED, TOO_SMALL, TOO_LARGE, NO_MEMORY; *ret_heap is then not written.
 * Ownership: the range [base, base + limit_bytes), and the guarded window, are the heap's until
 * nobody uses it any more. */
enum heap_status heap_initialise(const struct heap_configuration *configuration,
                                 struct heap *ret_heap) __attribute__((warn_unused_result));

/* The caller has made `additional_bytes` behind the end usable himself (a heap without page
 * source). Failures: UNALIGNED, TOO_SMALL, TOO_LARGE; nothing is then changed. */
enum heap_status heap_extend(struct heap *heap, size_t additional_bytes)
    __attribute__((warn_unused_result));

/* A block of at least `size_bytes` bytes with undefined content; the caller owns it until
 * heap_free(). Size 0 gives a block of its own, which must be freed like any other.
 * NULL if the heap is exhausted and cannot grow. */
static inline __attribute__((warn_unused_result)) void *
heap_allocate(struct heap *heap, size_t size_bytes, const void *caller)
{
    return heap->operations.allocate(heap, size_bytes, caller);
}

/* The same, filled with zeros, for `count` elements. NULL also if count × element wraps. Pages that
 * are known to read as zero (heap_page_source.fresh_bytes) are not written to; with `debug` they
 * are at the ends (HEAP_DEBUG_EDGE_BYTES). */
void *heap_allocate_zeroed(struct heap *heap, size_t count, size_t element_bytes,
                           const void *caller) __attribute__((warn_unused_result));

/* The same at a multiple of `alignment_bytes`, any power of two (below HEAP_ALIGNMENT_BYTES it
 * makes no difference). NULL also for an alignment that is 0 or no power of two. */
static inline __attribute__((warn_unused_result)) void *
heap_allocate_aligned(struct heap *heap, size_t size_bytes, size_t alignment_bytes,
                      const void *caller)
{
    return heap->operations.allocate_aligned(heap, size_bytes, alignment_bytes, caller);
}

/* Give a block back. NULL is ignored. Anything else that is not a live block of this heap, and a
 * block beyond whose bounds was written, is reported as a fault. */
static inline void heap_free(struct heap *heap, void *block, const void *caller)
{
    heap->operations.free(heap, block, caller);
}

/* Change a block's size, keeping its first min(old, new) bytes and its alignment; it may move.
 * A NULL block allocates. Size 0 frees the block and returns NULL.
 * Otherwise NULL means that there is no memory: the old block is then untouched and still owned. */
static inline __attribute__((warn_unused_result)) void *
heap_reallocate(struct heap *heap, void *block, size_t size_bytes, const void *caller)
{
    void *resized = heap->operations.reallocate(heap, block, size_bytes, caller);
    /* It may have moved before its old place was found corrupt. */
    return heap->is_corrupt ? NULL : resized;
}

/* How many bytes of a live block may be used: exactly what was asked for, since the bytes behind
 * carry a canary. 0 for NULL. A pointer that is not a live block is reported as a fault. */
static inline size_t heap_usable_size(struct heap *heap, const void *block, const void *caller)
{
    return heap->operations.usable_size(heap, block, caller);
}

/* Merge the freed memory that is kept apart, by the policy for speed or by `debug`; give back what
 * is then free at the end, and let the page source have the pages inside of other free memory. The
 * heap merges by itself when it would otherwise fail, and what the policy keeps apart also when it
 * would grow. Takes time in proportion to the heap's blocks; over the fast policy without `debug`,
 * to its free memory only. After it, a double free may be named as a pointer into free memory only,
 * without the block. */
void heap_trim(struct heap *heap);

struct heap_statistics {
    size_t size_bytes;     /* used + free + overhead, guarded pages among them */
    size_t limit_bytes;    /* it may grow to this, guarded pages apart */
    size_t used_bytes;     /* asked for by the live blocks */
    size_t free_bytes;     /* could be asked for, if it were one block a free piece */
    size_t overhead_bytes; /* headers and rounding; with `debug` also records and what waits */
    size_t peak_used_bytes;
    size_t largest_free_bytes; /* the largest request that succeeds without growing, and without
                                  what waits */
    size_t waiting_bytes;      /* of freed blocks that `debug` keeps from being used again, with
                                  their records; part of the overhead */
    size_t waiting_block_count;
    size_t live_block_count;
    size_t free_block_count;
    uint64_t allocation_count;
    uint64_t free_count;
    uint64_t failure_count;
    size_t guarded_block_count; /* of the live ones, those with pages of their own */
    size_t guarded_bytes;       /* these pages, and their records */
    uint64_t sampled_count;     /* small blocks so far that were given such pages */
    uint64_t unguarded_count;   /* blocks so far for which there were none */
};

void heap_statistics(const struct heap *heap, struct heap_statistics *ret_statistics);

/* The policy's name: "best-fit". */
const char *heap_policy_name(const struct heap *heap);

/* True if the policy refuses, as a fault, to free any block but the newest. */
bool heap_frees_newest_only(const struct heap *heap);

/* Walk all of the heap and prove every invariant, every header and every canary. NULL if it is
 * sound, else a constant sentence that names the first thing that is wrong. Reports no fault. */
const char *heap_check(const struct heap *heap) __attribute__((warn_unused_result));

#endif
