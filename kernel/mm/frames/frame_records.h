/*
 * frame_records.h - private to the frame allocator: the holder of each frame, and the place of its bit.
 *
 *   regions      | usable            | loader | reserved |      | usable |
 *   records      |zero| usable | own | loader | reserved |      | usable |     as held
 *   extents      [ blocks of bits               ]          [ blocks of bits ]
 *
 * A record is a range of frames that are held alike: a region of the map, or a part of one. Regions
 * are cut by frame 0, by the records' own memory, and by reclaims of a part.
 *
 * Bits exist in extents only, where there is RAM that is free now or one day. Frame and bit numbers
 * differ by the extent's offset, and are congruent modulo BIT_TREE_BLOCK_BITS, so that small holes
 * in RAM cost little.
 *
 * Memory, in one piece: room for the records, the extents, the bit tree.
 */
#ifndef KERNEL_MM_FRAMES_FRAME_RECORDS_H
#define KERNEL_MM_FRAMES_FRAME_RECORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/mm/early_heap.h"
#include "kernel/mm/frames/bit_tree.h"
#include "kernel/mm/region_list.h"
#include "shared/range.h"

/* How many ranges may be reclaimed out of the middle of a region: each cuts it in three, and every
 * part needs a record. */
#define FRAME_RECORDS_SPLITS_MAX 64

enum frame_holder {
    FRAME_HOLDER_MAP,     /* the region's type, as the map has it */
    FRAME_HOLDER_RECORDS, /* the allocator's own records */
    FRAME_HOLDER_ZERO,    /* frame 0: an address that means "none" in too many places */
};

struct frame_record {
    struct frame_range frames;
    uint64_t offset; /* frame number - bit number; only if managed */
    const char *phase;
    uint64_t timestamp;
    uint32_t type; /* enum handoff_region_type, as in the map */
    uint8_t holder;
    uint8_t reuse; /* enum handoff_reuse; a value that is not in it is NEVER */
    bool is_ram : 1;
    bool managed : 1;  /* free one day, or now */
    bool released : 1; /* free, used or cached; not released: reserved */
};

struct frame_records {
    struct frame_record *list; /* sorted, disjoint */
    uint32_t count;
    uint32_t capacity;
    struct bit_tree_extent *extents;
    uint32_t extent_count;
    const struct bit_tree_extent *recent_extent; /* where the last frame was allocated */
    struct phys_range own; /* their memory, if it came from usable RAM; else empty */
    uint64_t size_bytes;
};

/* --- Building (frame_records_build.c) -----------------------------------------------------------
 */

/* True for RAM that is free now or can be reclaimed one day: RAM that the map gives to the kernel,
 * and the loader's objects. The type does not matter: a newer loader may have more types. */
bool frame_records_is_managed(const struct handoff_region *region);

/* Build the records and extents of all regions. Their memory comes from the early heap if half of
 * it stays free, else from usable RAM, reached through the direct map; early_heap may be NULL.
 * No record is released. False, and nothing changed, if there is no room.
 * Precondition: the regions are normalised, and one of them at least is managed. */
bool frame_records_build(const struct region_list *regions, struct early_heap *early_heap,
                         struct virt_addr direct_map_base, struct frame_records *ret_records)
    __attribute__((warn_unused_result));

/* The memory behind the extents: bit_tree_size_bytes(frame_records_bit_count()) for the tree. */
void *frame_records_tree_memory(const struct frame_records *records);

/* --- From frame to record and bit, and back ----------------------------------------------------
 */

/* The bits of all extents. */
uint64_t frame_records_bit_count(const struct frame_records *records);

/* The frames of RAM in all records. */
uint64_t frame_records_ram_count(const struct frame_records *records);

/* The bits of a managed record. */
static inline struct bit_range frame_record_bits(const struct frame_record *record)
{
    return bit_range(record->frames.start - record->offset, record->frames.end - record->offset);
}

/* The index of the record that has `frame`, or `count`. */
uint32_t frame_records_find(const struct frame_records *records, uint64_t frame);

/* The frame of a bit. Remembers the extent: the next bit is probably in it, too. */
uint64_t frame_records_frame_of_bit(struct frame_records *records, uint64_t bit);

/* The bits of the frames in a range, which may have no bits, or be reversed: then empty or
 * reversed.
 */
struct bit_range frame_records_bits_within(const struct frame_records *records,
                                           struct frame_range frames);

/* --- Cutting ------------------------------------------------------------------------------------
 */

/* True if a record has frames on both sides of the boundary before `frame`. */
bool frame_records_need_split_at(const struct frame_records *records, uint64_t frame);

/* Cut a record in two before `frame`, if needed. Precondition: there is room for one more. */
void frame_records_split_at(struct frame_records *records, uint64_t frame);

/* --- Checking -----------------------------------------------------------------------------------
 */

/* Verify that extents and records are sorted and disjoint, that the extents have `bit_count` bits,
 * and that each managed record has its bits in one extent. NULL if all is well, else a constant
 * sentence. */
const char *frame_records_check(const struct frame_records *records, uint64_t bit_count)
    __attribute__((warn_unused_result));

#endif
