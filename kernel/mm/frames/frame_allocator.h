/*
 * frame_allocator.h - physical memory in frames of 4 KiB, from the handoff's regions.
 *
 * Every frame starts as reserved. Only RAM of the handoff becomes free:
 *
 *   RAM that the handoff gives at entry            free at once
 *   RAM that it gives later, the loader's objects  reserved, until frame_allocator_reclaim()
 *   everything else                                never
 *   frame 0, the allocator's own records           never
 *
 * A frame of RAM has one of four states. It is `free`, `used` (allocated), `cached` (in a CPU's
 * reserve, frame_reserve.h) or `reserved` (the rest). The sum of the four is always `total`.
 * The allocator detects every free of a frame that is not used, and panics.
 *
 * Every region of the map stays on record with its holder. A reclaimed region also has the time and
 * the phase of its reclaim: see frame_allocator_holding().
 *
 * The highest free address that fits is given first. Low memory is scarce: some devices cannot
 * address more, and the start-up code of other CPUs needs it. Faulty firmware also writes there.
 * There are no zones: a caller that needs low memory says so in the request.
 *
 * Cost. Initialising and reclaiming take time by the number of regions, never by the amount of RAM.
 * A request for a run looks at the frames that were freed since the last such request, and then at
 * the way to the run. If nothing was freed, one comparison refuses it. See bit_tree_find_run().
 * The records take 1.0205 bits a frame and 48 bytes a region. A hole that is smaller than 16 MiB,
 * or not aligned to that, takes bits, too: for up to 32 MiB, as if they were RAM. The records come from the early
 * heap if half of it stays free, else from usable RAM itself. The highest address does not matter.
 *
 * Phase: after the early heap, for ever. Concurrency: the caller serialises all calls.
 * Pure: the records are reached at `direct_map_base + physical`. Fuzzed by
 * tests/fuzz/fuzz_frame_allocator.c. Catalogue groups F and M.
 *
 * frame_allocator.c starts it, allocates and frees; frame_allocator_reclaim.c and
 * frame_allocator_view.c have the sections of their names; frame_records.h and frame_word.h are
 * private to them.
 */
#ifndef KERNEL_MM_FRAMES_FRAME_ALLOCATOR_H
#define KERNEL_MM_FRAMES_FRAME_ALLOCATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/mm/early_heap.h"
#include "kernel/mm/frames/bit_tree.h"
#include "kernel/mm/frames/frame.h"
#include "kernel/mm/frames/frame_records.h"
#include "kernel/mm/region_list.h"
#include "shared/address.h"
#include "shared/range.h"

/* The least available RAM with which the kernel comes up. Its page tables, stacks and a first piece
 * of heap need about 2 MiB. Half of the 16 MiB heap window can then be used. */
#define FRAME_ALLOCATOR_RAM_MIN_BYTES (UINT64_C(16) << 20)

/* Where a run may lie: anywhere. */
#define FRAME_ALLOCATOR_ANYWHERE phys_range(0, UINT64_MAX)

struct frame_word;

/* Where a frame was freed: a whole record, released. The next free finds itself here. */
struct frame_allocator_recent_free {
    struct phys_addr base; /* of the first frame */
    uint64_t first_bit;    /* and its number in the tree */
    uint64_t frame_count;
};

/* Private to the implementation. */
struct frame_allocator {
    struct bit_tree free_frames; /* a set bit is a free frame */
    uint64_t free_count;         /* = the set bits */
    struct frame_allocator_recent_free recent_free;
    struct frame_word *words; /* a list of all that may be out: of the reserves */
    struct frame_records records;
    uint64_t total_count;
    uint64_t released_count; /* free, used or cached */
    const char *phase;       /* see frame_allocator_begin_phase() */
    uint64_t timestamp;
};

enum frame_allocator_status {
    FRAME_ALLOCATOR_OK = 0,
    FRAME_ALLOCATOR_MAP_EMPTY,          /* no region at all */
    FRAME_ALLOCATOR_MAP_NOT_NORMALISED, /* see region_list.h */
    FRAME_ALLOCATOR_TOO_LITTLE_RAM,     /* below FRAME_ALLOCATOR_RAM_MIN_BYTES */
    FRAME_ALLOCATOR_NO_ROOM,            /* for the records: neither early heap nor one region */
};

const char *frame_allocator_status_text(enum frame_allocator_status status);

/* RAM that the kernel may take, at entry or later, in bytes, for the message about too little of
 * it. Precondition: the list is normalised. */
uint64_t frame_allocator_available_bytes(const struct region_list *regions);

/* Build the allocator.
 *   regions          copied: may go away afterwards
 *   early_heap       for the records; NULL: always from usable RAM
 *   direct_map_base  where physical address 0 is, or would be, mapped; all usable RAM is mapped
 *                    there
 * On failure *allocator and *early_heap are unchanged. */
enum frame_allocator_status
frame_allocator_initialise(struct frame_allocator *allocator, const struct region_list *regions,
                           struct early_heap *early_heap, struct virt_addr direct_map_base)
    __attribute__((warn_unused_result));

/* --- Giving reserved frames back ----------------------------------------------------------------
 */

/* Record later reclaims with `phase` (a constant text) and `timestamp` (the caller chooses the
 * unit). Until the first call: "start", 0. */
void frame_allocator_begin_phase(struct frame_allocator *allocator, const char *phase,
                                 uint64_t timestamp);

/* Give the frames of `bytes`, which are reserved, to the allocator as soon as nothing needs them.
 * The range may span several regions. Frame 0 in it is passed over.
 * Panics (PANIC_FRAME_FREE) if start or end are unaligned, or the range is reversed. It also panics
 * if any frame of it is not reclaimable (usable, firmware's, unknown), or was reclaimed before: each
 * frame is released once.
 * False, and nothing changed, only if there is no record left for a part of a region (see
 * FRAME_RECORDS_SPLITS_MAX). */
bool frame_allocator_reclaim(struct frame_allocator *allocator, struct phys_range bytes)
    __attribute__((warn_unused_result));

/* Reclaim all regions with this reuse that are still reserved: the event that it names has come.
 * Returns the number of frames that this released; 0 for NEVER. */
uint64_t frame_allocator_reclaim_reusable(struct frame_allocator *allocator,
                                          enum handoff_reuse reuse);

/* --- Single frames ------------------------------------------------------------------------------
 */

/* Allocate one frame; its content is not defined. False if no frame is free. */
bool frame_allocator_allocate(struct frame_allocator *allocator, struct phys_addr *ret_frame)
    __attribute__((warn_unused_result));

/* Free one frame. Panics (PANIC_FRAME_FREE) if it is unaligned, not RAM of this allocator,
 * reserved, or free already. */
void frame_allocator_free(struct frame_allocator *allocator, struct phys_addr frame);

/* --- Runs ---------------------------------------------------------------------------------------
 */

/* Allocate `frame_count` frames in one unbroken run that lies in `within`. It starts at a multiple
 * of `alignment_frames`, a power of two: 512 gives 2 MiB, 2^18 gives 1 GiB.
 * False if no such run is free, or on a count of 0, an alignment of 0 or not a power of two. */
bool frame_allocator_allocate_contiguous(struct frame_allocator *allocator, uint64_t frame_count,
                                         uint64_t alignment_frames, struct phys_range within,
                                         struct phys_addr *ret_base)
    __attribute__((warn_unused_result));

/* Free a run, or any part of one. Panics as frame_allocator_free(), for any frame of it and before
 * anything is changed; also on a count of 0. */
void frame_allocator_free_contiguous(struct frame_allocator *allocator, struct phys_addr base,
                                     uint64_t frame_count);

/* --- Looking at it ------------------------------------------------------------------------------
 */

/* In frames, but for the last. total = free + used + cached + reserved, always. */
struct frame_allocator_statistics {
    uint64_t total_count; /* all RAM of the map, the firmware's included */
    uint64_t free_count;
    uint64_t used_count;   /* allocated and not yet freed */
    uint64_t cached_count; /* in a CPU's reserve */
    uint64_t
        reserved_count; /* none of these: held by firmware, kernel, handoff, or these records */
    uint64_t run_search_step_count; /* words and bounds that requests for runs have looked at */
};

struct frame_allocator_statistics
frame_allocator_statistics(const struct frame_allocator *allocator);

/* The length, in frames, of the longest run of free frames. Looks at every 16 MiB that are neither
 * wholly free nor wholly taken: for logs. */
uint64_t frame_allocator_largest_run(const struct frame_allocator *allocator);

/* The holder of a range of frames. The list covers exactly the map's regions, RAM or not, in order,
 * without a gap or an overlap. */
struct frame_holding {
    struct frame_range frames;
    uint32_t type;      /* enum handoff_region_type, or any other number that the map had */
    const char *holder; /* the type's name; "frame-zero" and "frame-records" are the allocator's */
    bool is_ram;        /* counts in the total */
    bool released;      /* is the allocator's: free, used or cached */
    const char *phase;  /* if released: when, as frame_allocator_begin_phase() said */
    uint64_t timestamp;
    uint64_t free_count; /* of these frames; the others, if released, are used or cached */
};

uint32_t frame_allocator_holding_count(const struct frame_allocator *allocator);

/* Precondition: index < frame_allocator_holding_count(). Cost as frame_allocator_largest_run(). */
struct frame_holding frame_allocator_holding(const struct frame_allocator *allocator,
                                             uint32_t index);

/* Verify every record, bit and count. NULL if all is well, else a constant sentence. */
const char *frame_allocator_check(const struct frame_allocator *allocator)
    __attribute__((warn_unused_result));

#endif
