/*
 * early_heap.h - the kernel's first heap: a bump allocator over one region.
 *
 *        start                          next                     end
 *          │ allocated                    │ free                   │
 *          ▼                              ▼                        ▼
 *          ├────────┬─┬──────────┬──┬─────┼────────────────────────┤
 *          │ plain  │ │ freeable │f │plain│                        │
 *          └────────┴─┴──────────┴──┴─────┴────────────────────────┘
 *                    └ alignment  └ footer: 8 bytes, only behind blocks that may be freed
 *
 * Allocation is O(1) and has no overhead except alignment. Mark and release free all blocks of a
 * phase at once. A freeable block can be freed by itself, in last-in-first-out order. It has a
 * footer of 8 bytes. With the footer, a free checks that the block is the newest live one.
 *
 * Memory is not zeroed. Phase: from the kernel's first act until early_heap_retire(). Blocks that
 * are live at that time stay valid for ever. Concurrency: none, one CPU with interrupts off.
 * Pure. Fuzzed by tests/fuzz/fuzz_early_heap.c. Catalogue group B.
 */
#ifndef KERNEL_MM_EARLY_HEAP_H
#define KERNEL_MM_EARLY_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/range.h"

/* A smaller heap is not enough for the start of the kernel, so the fallback region is used. The
 * start needed 54 KiB with the longest memory map that was seen. */
#define EARLY_HEAP_SIZE_MIN_BYTES (UINT64_C(64) << 10)
/* A footer has 31 bits for an offset in units of 8 bytes. */
#define EARLY_HEAP_SIZE_MAX_BYTES (UINT64_C(16) << 30)

/* The start and the end of the region are rounded inward to this, so that footers are aligned. */
#define EARLY_HEAP_GRANULE_BYTES UINT64_C(8)

#define EARLY_HEAP_PHASES_MAX 16

/* The allocations between two calls of early_heap_begin_phase(). */
struct early_heap_phase {
    const char *name;
    uint64_t allocation_count;
    uint64_t allocated_bytes; /* with alignment and footers; a free does not lower it */
};

struct early_heap {
    struct virt_addr start; /* start <= next <= end */
    struct virt_addr end;
    struct virt_addr next;
    struct virt_addr mark_floor; /* of the newest mark: blocks below it cannot be freed */
    bool newest_is_freeable;     /* the block that ends at `next` has a footer */
    bool retired;
    struct virt_addr peak; /* the highest value that `next` had */
    uint64_t allocation_count;
    uint32_t phase_count; /* at least 1: "start", for allocations before the first phase */
    struct early_heap_phase phases[EARLY_HEAP_PHASES_MAX];
};

enum early_heap_status {
    EARLY_HEAP_OK = 0,
    EARLY_HEAP_WRAPS,     /* base + size_bytes is 2^64 or more */
    EARLY_HEAP_TOO_SMALL, /* below EARLY_HEAP_SIZE_MIN_BYTES after rounding */
    EARLY_HEAP_TOO_LARGE, /* above EARLY_HEAP_SIZE_MAX_BYTES */
};

/* Start a heap over [base, base + size_bytes). The caller owns this memory, and keeps it mapped and
 * writable. The base is rounded up and the end is rounded down, if they are not aligned. The region
 * is not written. On failure *heap is not written. */
enum early_heap_status early_heap_initialise(struct early_heap *heap, struct virt_addr base,
                                             uint64_t size_bytes)
    __attribute__((warn_unused_result));

/* Allocate `size_bytes` aligned to `alignment_bytes`. Return NULL, and do not change the heap, if
 * the size is 0, if the alignment is 0 or not a power of two, or if there is no room. After the
 * retirement, this call and every later call that would change the heap panic
 * (PANIC_EARLY_HEAP_RETIRED). */
void *early_heap_allocate(struct early_heap *heap, uint64_t size_bytes, uint64_t alignment_bytes)
    __attribute__((warn_unused_result));

/* The same, for memory that the boot needs. Instead of returning NULL it panics
 * (PANIC_EARLY_HEAP_EXHAUSTED), with the usage in the message. */
void *early_heap_allocate_or_panic(struct early_heap *heap, uint64_t size_bytes,
                                   uint64_t alignment_bytes);

/* The same as early_heap_allocate(), for a block that early_heap_free() can free. The block costs 8
 * more bytes, and its end is rounded up to 8. */
void *early_heap_allocate_freeable(struct early_heap *heap, uint64_t size_bytes,
                                   uint64_t alignment_bytes) __attribute__((warn_unused_result));

/* Free the newest live block, which must be freeable. NULL is ignored. Any other pointer is a panic
 * (PANIC_EARLY_HEAP_FREE): an older block, a double free, a plain block, a foreign pointer, or a
 * block that is older than the newest mark. A footer that was overwritten is a panic, too
 * (PANIC_EARLY_HEAP_CORRUPT). */
void early_heap_free(struct early_heap *heap, void *pointer);

/* An earlier state to which the heap can return. Opaque. */
struct early_heap_mark {
    struct virt_addr next;
    struct virt_addr mark_floor;
    bool newest_is_freeable;
};

/* Remember this state. Until the mark is released, blocks that are older than the mark cannot be
 * freed. */
struct early_heap_mark early_heap_mark(struct early_heap *heap);

/* Free all blocks that were allocated since the mark, plain or not, and drop all newer marks.
 * Precondition: the mark is valid: neither it nor an older one was released.
 * A mark above the newest valid mark is a panic (PANIC_EARLY_HEAP_FREE). A mark that was released
 * or dropped lies there until another mark is set. The heap keeps no list of marks. */
void early_heap_release(struct early_heap *heap, struct early_heap_mark mark);

/* Later allocations count for the phase `name` (a constant text). More than EARLY_HEAP_PHASES_MAX
 * phases are a panic (PANIC_ASSERTION). */
void early_heap_begin_phase(struct early_heap *heap, const char *name);

/* End the heap: a later call that would change it panics. Return the whole pages that are not in
 * use, [page_align_up(next), page_align_down(end)). The caller can make them free. The range may be
 * empty. */
struct virt_range early_heap_retire(struct early_heap *heap) __attribute__((warn_unused_result));

struct early_heap_statistics {
    uint64_t size_bytes;
    uint64_t used_bytes; /* with alignment and footers; used + free == size */
    uint64_t free_bytes;
    uint64_t peak_bytes;
    uint64_t allocation_count; /* successful ones, ever */
};

/* Also after retirement. */
struct early_heap_statistics early_heap_statistics(const struct early_heap *heap);

/* Check every invariant, and the footer of every freeable block that can be reached from the newest
 * block. Return NULL if all are correct, else a constant sentence. It works after the retirement,
 * too, as long as the blocks are not overwritten. */
const char *early_heap_check(const struct early_heap *heap) __attribute__((warn_unused_result));

#endif
