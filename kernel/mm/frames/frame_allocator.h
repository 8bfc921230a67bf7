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
 * The allocator keeps a record of every region of the map, with its holder. A reclaimed region also
 * has the time and the phase of its reclaim: see frame_allocator_holding().
 *
 * The highest free address that fits is allocated first. Low memory is scarce: some devices can
 * address only low memory, and the start-up code of other CPUs needs it. Faulty firmware also
 * writes there. There are no zones: a caller that needs low memory says so in the request.
 *
 * Cost. Initialising and reclaiming take time by the number of regions, never by the amount of RAM.
 * A request for a run reads the bits of the frames that were freed since the last such request, and
 * then the path to the run. If no run is possible and nothing was freed, one comparison refuses the
 * request. See bit_tree_find_run(). The records take 1.0205 bits a frame and 48 bytes a region. A
 * hole in RAM also takes bits, for up to 32 MiB, if it is smaller than 16 MiB or not aligned to 16
 * MiB. The records are in the early heap if half of it stays free, else in usable RAM. The highest
 * address does not matter.
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

/* The least available RAM with which the kernel starts. Its page tables, its stacks and a first
 * part of the heap need about 2 MiB. Then half of the 16 MiB heap window can be used. */
#define FRAME_ALLOCATOR_RAM_MIN_BYTES (UINT64_C(16) << 20)

/* A run may lie anywhere. */
#define FRAME_ALLOCATOR_ANYWHERE phys_range(0, UINT64_MAX)

struct frame_word;

/* The record in which a frame was freed last. All of it is released. The next free probably uses
 * it, too. */
struct frame_allocator_recent_free {
    struct phys_addr base; /* of the first frame */
    uint64_t first_bit;    /* and its number in the tree */
    uint64_t frame_count;
};

/* Private to the implementation. */
struct frame_allocator {
    struct bit_tree free_frames; /* a set bit is a free frame */
    uint64_t free_count;         /* the number of set bits */
    struct frame_allocator_recent_free recent_free;
    struct frame_word *words; /* a list of the words that reserves may own */
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
    FRAME_ALLOCATOR_NO_ROOM,            /* for the records, in the early heap or in one region */
};

const char *frame_allocator_status_text(enum frame_allocator_status status);

/* Return how many bytes of RAM the kernel may use, at entry or later. The message about too little
 * RAM needs it. Precondition: the list is normalised. */
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

/* --- Reclaiming reserved frames --------------------------------------------------------------- */

/* Record later reclaims with `phase` (a constant text) and `timestamp`, in a unit of the caller.
 * Before the first call these are "start" and 0. */
void frame_allocator_begin_phase(struct frame_allocator *allocator, const char *phase,
                                 uint64_t timestamp);

/* Make the reserved frames of `bytes` free, when nothing needs them any more. The range may span
 * several regions. Frame 0 is left out. Panic (PANIC_FRAME_FREE) if start or end are unaligned, or
 * if the range is reversed. Panic, too, if a frame of it cannot be reclaimed (usable, the
 * firmware's, unknown), or was reclaimed before. Return false, and change nothing, only if there is
 * no record left for a part of a region (see FRAME_RECORDS_SPLITS_MAX). */
bool frame_allocator_reclaim(struct frame_allocator *allocator, struct phys_range bytes)
    __attribute__((warn_unused_result));

/* Reclaim all regions with this reuse that are still reserved, after the event that it names.
 * Return the number of frames that became free; 0 for NEVER. */
uint64_t frame_allocator_reclaim_reusable(struct frame_allocator *allocator,
                                          enum handoff_reuse reuse);

/* --- Single frames ---------------------------------------------------------------------------- */

/* Allocate one frame; its content is undefined. Return false if no frame is free. */
bool frame_allocator_allocate(struct frame_allocator *allocator, struct phys_addr *ret_frame)
    __attribute__((warn_unused_result));

/* Free one frame. Panic (PANIC_FRAME_FREE) if the address is unaligned, or if the frame is not RAM
 * of this allocator, is reserved, or is already free. */
void frame_allocator_free(struct frame_allocator *allocator, struct phys_addr frame);

/* --- Runs ------------------------------------------------------------------------------------- */

/* Allocate `frame_count` frames in one run that lies in `within`. It starts at a multiple of
 * `alignment_frames`, a power of two: 512 gives 2 MiB, 2^18 gives 1 GiB. Return false if no such
 * run is free, if the count is 0, or if the alignment is 0 or not a power of two. */
bool frame_allocator_allocate_contiguous(struct frame_allocator *allocator, uint64_t frame_count,
                                         uint64_t alignment_frames, struct phys_range within,
                                         struct phys_addr *ret_base)
    __attribute__((warn_unused_result));

/* Free a run, or any part of one. Panic as frame_allocator_free() does, for any frame of it and
 * before anything is changed. Panic also if the count is 0. */
void frame_allocator_free_contiguous(struct frame_allocator *allocator, struct phys_addr base,
                                     uint64_t frame_count);

/* --- Reading its state ------------------------------------------------------------------------ */

/* All members but the last count frames. total = free + used + cached + reserved, always. */
struct frame_allocator_statistics {
    uint64_t total_count; /* all RAM of the map, the firmware's included */
    uint64_t free_count;
    uint64_t used_count;     /* allocated and not yet freed */
    uint64_t cached_count;   /* in a CPU's reserve */
    uint64_t reserved_count; /* the rest: held by firmware, kernel, handoff, or these records */
    uint64_t run_search_step_count; /* words and bounds that requests for runs have read */
};

struct frame_allocator_statistics
frame_allocator_statistics(const struct frame_allocator *allocator);

/* Return the length of the longest run of free frames, in frames. It reads the bits of every 16 MiB
 * that are partly free, so it is only for logs. */
uint64_t frame_allocator_largest_run(const struct frame_allocator *allocator);

/* The holder of a range of frames. The list covers exactly the regions of the map, RAM or not, in
 * order, without gaps and overlaps. */
struct frame_holding {
    struct frame_range frames;
    uint32_t type;      /* enum handoff_region_type, or another number that the map had */
    const char *holder; /* the type's name; "frame-zero" and "frame-records" are the allocator's */
    bool is_ram;        /* counts in the total */
    bool released;      /* belongs to the allocator: free, used or cached */
    const char *phase;  /* if released: the time, from frame_allocator_begin_phase() */
    uint64_t timestamp;
    uint64_t free_count; /* of these frames; if released, the others are used or cached */
};

uint32_t frame_allocator_holding_count(const struct frame_allocator *allocator);

/* Precondition: index < frame_allocator_holding_count(). It costs as much as
 * frame_allocator_largest_run(). */
struct frame_holding frame_allocator_holding(const struct frame_allocator *allocator,
                                             uint32_t index);

/* Check every record, bit and count. Return NULL if all are correct, else a constant sentence. */
const char *frame_allocator_check(const struct frame_allocator *allocator)
    __attribute__((warn_unused_result));

#endif
