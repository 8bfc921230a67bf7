/*
 * heap.h - a heap over one contiguous range of memory whose end moves.
 *
 *   base                                             base + size_bytes          base + limit_bytes
 *    |  blocks and free memory, laid out by the policy  |  may be added by grow()      |
 *
 * A policy decides how memory is divided: heap_bump.h, heap_first_fit.h, heap_best_fit.h,
 * heap_fast.h. This header is the interface that all policies serve. The heap is freestanding. The
 * caller gives it mapped memory and, optionally, a page source that moves its end. It uses no page
 * tables, logs or panics. All of its state is in memory that the caller gives, so there may be many
 * heaps.
 *
 * Blocks are aligned to HEAP_ALIGNMENT_BYTES. The policy validates each pointer that comes back.
 * The fault callback reports a double free, a bad pointer and a write outside of a block. The
 * report names the block, its size and the callers. No such misuse is ignored.
 *
 * `caller` in the calls below is the code address to name in such a report (HEAP_CALLER, or NULL).
 *
 * Phase: any. Concurrency: the caller serialises calls on one heap.
 */
#ifndef HANDOFF_HEAP_H
#define HANDOFF_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
    HEAP_TOO_SMALL, /* below the policy's minimum, or the storage for the state is */
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
    HEAP_FAULT_WRITE_AFTER_FREE, /* a freed block was written to; only with heap_debug.h */
};

/* A constant English name: "double free", … Never NULL. */
const char *heap_fault_kind_name(enum heap_fault_kind kind);

/* A misuse or a corruption, with all that the heap knows about it. */
struct heap_fault {
    enum heap_fault_kind kind;
    const char *detail;       /* a constant clause, to print behind a colon */
    const void *pointer;      /* the argument of the call, or the first byte that was written
                                 after the free; NULL if unknown */
    const void *block;        /* the block that is concerned, live or freed; NULL if unknown */
    bool is_free;             /* it was freed */
    size_t size_bytes;        /* as it was asked for; 0 if unknown */
    size_t free_bytes;        /* if not 0, the freed block is unknown, and `block` is the free
                                 memory of this many bytes that contains it */
    const void *caller;       /* of the call that found it */
    const void *allocated_by; /* caller that allocated the block; NULL if unknown */
    const void *freed_by;     /* caller that freed it first; NULL if none did, or it is unknown */
};

/* The page source: it moves the heap's end. Sizes are multiples of HEAP_PAGE_SIZE_BYTES. */
struct heap_page_source {
    void *context;
    /* Make the next `additional_bytes` behind the heap's end usable. False: it failed and changed
     * nothing. NULL for a heap of fixed size. */
    bool (*grow)(void *context, size_t additional_bytes);
    /* Take back the last `bytes` bytes. Cannot fail. NULL if memory is never given back. */
    void (*shrink)(void *context, size_t bytes);
    /* Return how many bytes before the heap's end read as zero: the heap has not used these pages
     * since the system provided them. Called after each grow(). It may return fewer than there are.
     * NULL if this is unknown: heap_allocate_zeroed() then writes all zeros. */
    size_t (*fresh_bytes)(void *context);
    /* Take back the pages of these bytes, inside of the heap. `offset_bytes` counts from the base.
     * Cannot fail. A later shrink() may include them. NULL if memory is given back only at the end.
     */
    void (*discard)(void *context, size_t offset_bytes, size_t bytes);
    /* Make discarded bytes usable again, with any content. The heap calls it before it touches
     * them. False: it failed and changed nothing. NULL if discarded bytes stay usable: the system
     * provides pages again when the heap touches them. Only the fast policy uses a page source that
     * has both functions. The others use `discard` only without `restore`, and in heap_trim(). */
    bool (*restore)(void *context, size_t offset_bytes, size_t bytes);
};

/* A heap. Its members are private. The calls below take a pointer to it. */
struct heap;

struct heap_policy_functions; /* private */

/* A policy, as the caller chooses one. Constant. */
struct heap_policy {
    const char *name;       /* "best-fit" */
    bool frees_newest_only; /* to free any other block is a fault */
    size_t storage_bytes;   /* of the state of a heap */
    size_t minimum_bytes;   /* of a heap */
    size_t maximum_bytes;   /* of a heap */
    const struct heap_policy_functions *functions;
};

/* A layer of checks between the heap's callers and its policy. */
struct heap_layer;

/* The alignment of the memory for a heap's state. */
#define HEAP_STORAGE_ALIGNMENT_BYTES 16

struct heap_configuration {
    const struct heap_policy *policy;
    /* Memory for the heap's state: aligned to HEAP_STORAGE_ALIGNMENT_BYTES, at least
     * policy->storage_bytes. Each policy's header declares a type for static allocation. */
    void *storage;
    size_t storage_bytes;
    void *base;           /* aligned as HEAP_UNALIGNED says */
    size_t initial_bytes; /* usable at `base` now; 0 lets the page source give the first step */
    size_t limit_bytes;   /* the heap never grows beyond; >= initial_bytes */
    struct heap_page_source pages;
    uint64_t secret;            /* random: makes the seals of the headers unpredictable */
    struct heap_layer *debug;   /* of heap_debug_layer() (heap_debug.h); NULL for none */
    struct heap_layer *guarded; /* of guarded_layer() (guarded.h); NULL for none */
    /* The fault callback. Never NULL. It is called once for each fault and may not call the heap.
     * In a kernel it should not return. If it returns, the call that found the fault fails. After
     * OVERRUN, CORRUPT or WRITE_AFTER_FREE every later call fails, too, and heap_free() does
     * nothing. */
    void (*fault)(void *context, const struct heap_fault *fault);
    void *fault_context;
};

/* Start a heap. On HEAP_OK, *ret_heap is the heap, in `configuration->storage`. Failures:
 * UNALIGNED, TOO_SMALL (also for the storage), TOO_LARGE, NO_MEMORY. A failure writes nothing.
 * Ownership: the storage, the layers, the range [base, base + limit_bytes) and the guarded window
 * belong to the heap until its last use. The configuration itself is copied. */
enum heap_status heap_initialise(const struct heap_configuration *configuration,
                                 struct heap **ret_heap) __attribute__((warn_unused_result));

/* Add `additional_bytes` behind the end to a heap without page source. Precondition: the caller has
 * made them usable. Failures: UNALIGNED, TOO_SMALL, TOO_LARGE, NO_MEMORY if the heap is corrupt. A
 * failure changes nothing. */
enum heap_status heap_extend(struct heap *heap, size_t additional_bytes)
    __attribute__((warn_unused_result));

/* The functions behind the calls of the same names below. This is the first member of every heap,
 * so a call costs one indirect jump. A corrupt heap gets operations that always fail, so a sound
 * heap needs no test. Only the calls below use it. */
struct heap_operations {
    void *(*allocate)(struct heap *heap, size_t size_bytes, const void *caller);
    void *(*allocate_aligned)(struct heap *heap, size_t size_bytes, size_t alignment_bytes,
                              const void *caller);
    void (*free)(struct heap *heap, void *block, const void *caller);
    void *(*reallocate)(struct heap *heap, void *block, size_t size_bytes, const void *caller);
    size_t (*usable_size)(struct heap *heap, const void *block, const void *caller);
};

static inline const struct heap_operations *heap_operations(const struct heap *heap)
{
    return (const struct heap_operations *)(const void *)heap;
}

/* Return a block of at least `size_bytes` bytes with undefined content. The caller owns it until
 * heap_free(). Size 0 returns a distinct block, which must also be freed. NULL: the heap is
 * exhausted and cannot grow. */
static inline __attribute__((warn_unused_result)) void *
heap_allocate(struct heap *heap, size_t size_bytes, const void *caller)
{
    return heap_operations(heap)->allocate(heap, size_bytes, caller);
}

/* The same for `count` elements, filled with zeros. NULL also if count × element wraps. Pages that
 * are known to read as zero (heap_page_source.fresh_bytes) are not written. Exception: the layer of
 * heap_debug.h writes to the ends of the block (HEAP_DEBUG_EDGE_BYTES). */
void *heap_allocate_zeroed(struct heap *heap, size_t count, size_t element_bytes,
                           const void *caller) __attribute__((warn_unused_result));

/* The same at a multiple of `alignment_bytes`, a power of two. A value below HEAP_ALIGNMENT_BYTES
 * has no effect. NULL also for an alignment that is 0 or not a power of two. */
static inline __attribute__((warn_unused_result)) void *
heap_allocate_aligned(struct heap *heap, size_t size_bytes, size_t alignment_bytes,
                      const void *caller)
{
    return heap_operations(heap)->allocate_aligned(heap, size_bytes, alignment_bytes, caller);
}

/* Free a block. NULL is ignored. Any other pointer that is not a live block of this heap is
 * reported as a fault. So is a write beyond the bounds of the block. */
static inline void heap_free(struct heap *heap, void *block, const void *caller)
{
    heap_operations(heap)->free(heap, block, caller);
}

/* Change a block's size. The first min(old, new) bytes and the alignment stay. The block may move.
 * A NULL block allocates. Size 0 frees the block and returns NULL. Otherwise NULL means that there
 * is no memory: the old block is unchanged, and the caller still owns it. */
static inline __attribute__((warn_unused_result)) void *
heap_reallocate(struct heap *heap, void *block, size_t size_bytes, const void *caller)
{
    return heap_operations(heap)->reallocate(heap, block, size_bytes, caller);
}

/* Return how many bytes of a live block may be used: exactly the requested size, since the bytes
 * behind hold a canary. 0 for NULL. A pointer that is not a live block is reported as a fault. */
static inline size_t heap_usable_size(struct heap *heap, const void *block, const void *caller)
{
    return heap_operations(heap)->usable_size(heap, block, caller);
}

/* Merge freed memory that the policy keeps apart for speed, or heap_debug.h in quarantine. Give
 * free memory at the end back to the page source. Offer it the pages inside of other free memory.
 * The heap also merges all of it before a request fails. Before it grows, it merges the memory that
 * the policy keeps apart. The time is linear in the number of blocks. For the fast policy without
 * heap_debug.h it is linear in the free memory. Afterwards the report of a double free may no
 * longer name the block. */
void heap_trim(struct heap *heap);

/* --- Views ------------------------------------------------------------------------------------ */

struct heap_statistics {
    size_t size_bytes;     /* used + free + overhead, guarded pages among them */
    size_t limit_bytes;    /* it may grow to this, without guarded pages */
    size_t used_bytes;     /* requested sizes of the live blocks */
    size_t free_bytes;     /* largest sum of requests, one for each free piece */
    size_t absent_bytes;   /* of the free bytes: their pages are given back (discard()) */
    size_t overhead_bytes; /* headers and rounding; with heap_debug.h also records and the
                              quarantine */
    size_t peak_used_bytes;
    size_t largest_free_bytes; /* the largest request that succeeds without growing, and without
                                  the quarantine, if restore() does not fail */
    size_t quarantine_bytes;   /* of freed blocks that heap_debug.h keeps from being used again,
                                  with their records; part of the overhead */
    size_t quarantine_block_count;
    size_t live_block_count;
    size_t free_block_count;
    uint64_t allocation_count;
    uint64_t free_count;
    uint64_t failure_count;     /* requests that returned NULL */
    size_t guarded_block_count; /* of the live ones, those with pages of their own */
    size_t guarded_bytes;       /* these pages, and their records */
    uint64_t sampled_count;     /* small blocks so far that got such pages */
    uint64_t unguarded_count;   /* blocks so far for which there were no such pages */
};

/* Write the figures. The time is linear in the number of blocks. */
void heap_statistics(const struct heap *heap, struct heap_statistics *ret_statistics);

enum heap_piece_kind {
    HEAP_PIECE_LIVE,
    HEAP_PIECE_FREE, /* also memory that is kept apart for the next request of its size */
    HEAP_PIECE_OWN,  /* the heap's records; a block that is freed but cannot be used yet */
};

/* A part of the heap's memory. Between pieces there are headers and rounding. */
struct heap_piece {
    enum heap_piece_kind kind;
    const void *start;
    size_t extent_bytes;      /* from `start` on */
    size_t size_bytes;        /* of a live block, as asked for; 0 for others */
    const void *allocated_by; /* caller that allocated a live block; NULL if it is not recorded */
};

typedef void heap_piece_visitor(void *context, const struct heap_piece *piece);

/* Call `visit` for each piece of the policy, then for each guarded block, both in order of address.
 * Live blocks have the address and size that the callers see. The walk stops at a corrupt header.
 * `visit` may not call the heap. */
void heap_walk(const struct heap *heap, heap_piece_visitor *visit, void *context);

/* Return the policy's name: "best-fit". */
const char *heap_policy_name(const struct heap *heap);

/* True if the policy reports a fault when any block but the newest is freed. */
bool heap_frees_newest_only(const struct heap *heap);

/* Return the heap's first address, and how many bytes from there are usable now, without guarded
 * pages. */
void *heap_base(const struct heap *heap);
size_t heap_size_bytes(const struct heap *heap);

/* Walk the whole heap and check every invariant, every header and every canary. Return NULL if it
 * is sound, else a constant sentence that names the first problem. The fault callback is not
 * called. */
const char *heap_check(const struct heap *heap) __attribute__((warn_unused_result));

#endif
