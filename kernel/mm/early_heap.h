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
 * phase at once. A freeable block can be freed by itself, in last-in-first-out order. It carries
 * one 8-byte footer, with which a free checks that the block is the newest live one.
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

/* Below this the bring-up cannot do its work (it took 54 KiB with the most rows seen); the fixed
 * region serves. */
#define EARLY_HEAP_SIZE_MIN_BYTES (UINT64_C(64) << 10)
/* A footer has 31 bits for an offset in units of 8 bytes. */
#define EARLY_HEAP_SIZE_MAX_BYTES (UINT64_C(16) << 30)

/* Starts and ends of the region are rounded inward to this, so that footers are aligned. */
#define EARLY_HEAP_GRANULE_BYTES UINT64_C(8)

#define EARLY_HEAP_PHASES_MAX 16

/* The allocations between two calls of early_heap_begin_phase(). */
struct early_heap_phase {
    const char *name;
    uint64_t allocation_count;
    uint64_t allocated_bytes; /* with alignment and footers; not lowered by a free */
};

struct early_heap {
    struct virt_addr start; /* start <= next <= end */
    struct virt_addr end;
    struct virt_addr next;
    struct virt_addr mark_floor; /* nothing below it may be freed: where the newest mark stands */
    bool newest_is_freeable;     /* the block that ends at `next` carries a footer */
    bool retired;
    struct virt_addr peak; /* the highest `next` ever */
    uint64_t allocation_count;
    uint32_t phase_count; /* at least 1: allocations before the first named phase are "start" */
    struct early_heap_phase phases[EARLY_HEAP_PHASES_MAX];
};

enum early_heap_status {
    EARLY_HEAP_OK = 0,
    EARLY_HEAP_WRAPS,     /* base + size_bytes leaves the address space (2^64 itself included) */
    EARLY_HEAP_TOO_SMALL, /* below EARLY_HEAP_SIZE_MIN_BYTES after rounding */
    EARLY_HEAP_TOO_LARGE, /* above EARLY_HEAP_SIZE_MAX_BYTES */
};

/* Start a heap over [base, base + size_bytes), which the caller owns and keeps mapped, writable.
 * A misaligned base is rounded up, a misaligned end down. Nothing is written into the region.
 * On failure *heap is not written. */
enum early_heap_status early_heap_initialise(struct early_heap *heap, struct virt_addr base,
                                             uint64_t size_bytes)
    __attribute__((warn_unused_result));

/* Allocate `size_bytes` aligned to `alignment_bytes`. NULL, and the heap unchanged, if the size is
 * 0, the alignment is 0 or not a power of two, or there is no room. Panics after retirement
 * (PANIC_EARLY_HEAP_RETIRED), as every call below that would change the heap. */
void *early_heap_allocate(struct early_heap *heap, uint64_t size_bytes, uint64_t alignment_bytes)
    __attribute__((warn_unused_result));

/* The same, for memory that the boot needs: panics with the usage in the message
 * (PANIC_EARLY_HEAP_EXHAUSTED) where the other returns NULL. */
void *early_heap_allocate_or_panic(struct early_heap *heap, uint64_t size_bytes,
                                   uint64_t alignment_bytes);

/* The same as early_heap_allocate(), for a block that may be given to early_heap_free(). Costs 8
 * bytes and the rounding of its end to 8. */
void *early_heap_allocate_freeable(struct early_heap *heap, uint64_t size_bytes,
                                   uint64_t alignment_bytes) __attribute__((warn_unused_result));

/* Free the newest live block, which must be a freeable one. NULL is a no-op. Panics
 * (PANIC_EARLY_HEAP_FREE) on any other pointer: an older block, a double free, a plain block, a
 * foreign pointer, or a block older than the newest mark. Panics (PANIC_EARLY_HEAP_CORRUPT) if the
 * footer was overwritten. */
void early_heap_free(struct early_heap *heap, void *pointer);

/* A moment to which the heap can return. Opaque. */
struct early_heap_mark {
    struct virt_addr next;
    struct virt_addr mark_floor;
    bool newest_is_freeable;
};

/* Remember this moment. Until the mark is released, blocks older than it cannot be freed. */
struct early_heap_mark early_heap_mark(struct early_heap *heap);

/* Free all blocks that were allocated since the mark, plain or not, and drop all newer marks.
 * Precondition: the mark is valid: neither it nor an older one was released.
 * Panics (PANIC_EARLY_HEAP_FREE) if the mark lies above the newest valid mark. A mark that was
 * released or dropped lies there until another is set. The heap keeps no list of marks. */
void early_heap_release(struct early_heap *heap, struct early_heap_mark mark);

/* Later allocations count for the phase `name` (a constant text). Panics (PANIC_ASSERTION) at more
 * than EARLY_HEAP_PHASES_MAX phases. */
void early_heap_begin_phase(struct early_heap *heap, const char *name);

/* End the heap's life: any later call that would change it panics. Returns the whole pages that
 * are not in use, [page_align_up(next), page_align_down(end)), for the caller to give back; may be
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

/* Verify every invariant and the footer of every freeable block that can be reached from the
 * newest down. NULL if all is well, else a constant sentence. Also after retirement, while the
 * blocks are still untouched. */
const char *early_heap_check(const struct early_heap *heap) __attribute__((warn_unused_result));

#endif
