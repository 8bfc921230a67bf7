/*
 * frame_records.h - private to the frame allocator: the holder of each frame, and the place of its
 * bit.
 *
 *   regions      | usable            | loader | reserved |      | usable |
 *   records      |zero| usable | own | loader | reserved |      | usable |     as held
 *   extents      [ blocks of bits               ]          [ blocks of bits ]
 *
 * A record is a range of frames with one holder and one state: a region of the map, or a part of
 * one. Frame 0, the records' own memory, and reclaims of a part split regions.
 *
 * Bits exist only in extents, for RAM that is free now or can become free. The frame's number is
 * the bit's number + the extent's offset. Both are congruent modulo BIT_TREE_BLOCK_BITS, so that
 * small holes in RAM cost little.
 *
 * The records, the extents and the bit tree are in one block of memory, in this order.
 */
#ifndef KERNEL_MM_FRAMES_FRAME_RECORDS_H
#define KERNEL_MM_FRAMES_FRAME_RECORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/mm/early_heap.h"
#include "kernel/mm/frames/bit_tree.h"
#include "kernel/mm/region_list.h"
#include "shared/range.h"

/* The limit of reclaims inside of regions. Each splits a region into three parts, and every part
 * needs a record. */
#define FRAME_RECORDS_SPLITS_MAX 64

enum frame_holder {
    FRAME_HOLDER_MAP,     /* the region's type, as the map has it */
    FRAME_HOLDER_RECORDS, /* the allocator's own records */
    FRAME_HOLDER_ZERO,    /* frame 0: in many places, address 0 means "none" */
};

struct frame_record {
    struct frame_range frames;
    uint64_t offset; /* frame number - bit number; only if managed */
    const char *phase;
    uint64_t timestamp;
    uint32_t type; /* enum handoff_region_type, as in the map */
    uint8_t holder;
    uint8_t reuse; /* enum handoff_reuse; any other value counts as NEVER */
    bool is_ram : 1;
    bool managed : 1;  /* free now, or can become free */
    bool released : 1; /* free, used or cached; not released: reserved */
};

struct frame_records {
    struct frame_record *list; /* sorted, disjoint */
    uint32_t count;
    uint32_t capacity;
    struct bit_tree_extent *extents;
    uint32_t extent_count;
    const struct bit_tree_extent *recent_extent; /* where the last frame was allocated */
    struct phys_range own;                       /* their memory, if it is usable RAM; else empty */
    uint64_t size_bytes;
};

/* --- Building (frame_records_build.c) --------------------------------------------------------- */

/* Return true for RAM that is free now or can be reclaimed: RAM that the map gives to the kernel,
 * and the loader's blocks. The type does not matter, since a newer loader may have more types. */
bool frame_records_is_managed(const struct handoff_region *region);

/* Build the records and extents of all regions. Their memory is in the early heap if half of it
 * stays free, else in usable RAM, through the direct map. early_heap may be NULL. No record is
 * released yet. Return false, and change nothing, if there is no room. Precondition: the regions
 * are normalised, and at least one of them is managed. */
bool frame_records_build(const struct region_list *regions, struct early_heap *early_heap,
                         struct virt_addr direct_map_base, struct frame_records *ret_records)
    __attribute__((warn_unused_result));

/* Return the memory behind the extents. The tree has bit_tree_size_bytes(frame_records_bit_count())
 * bytes there. */
void *frame_records_tree_memory(const struct frame_records *records);

/* --- From frame to record and bit, and back --------------------------------------------------- */

/* Return the number of bits of all extents. */
uint64_t frame_records_bit_count(const struct frame_records *records);

/* Return the number of frames of RAM in all records. */
uint64_t frame_records_ram_count(const struct frame_records *records);

/* Return the bits of a managed record. */
static inline struct bit_range frame_record_bits(const struct frame_record *record)
{
    return bit_range(record->frames.start - record->offset, record->frames.end - record->offset);
}

/* Return the index of the record that has `frame`, or `count` if there is no such record. */
uint32_t frame_records_find(const struct frame_records *records, uint64_t frame);

/* Return the frame of a bit. Remember its extent: the next bit is probably in it, too. */
uint64_t frame_records_frame_of_bit(struct frame_records *records, uint64_t bit);

/* Return the bits of the frames in a range. The result is empty or reversed if the range has no
 * bits, or is reversed.
 */
struct bit_range frame_records_bits_within(const struct frame_records *records,
                                           struct frame_range frames);

/* --- Cutting ---------------------------------------------------------------------------------- */

/* Return true if a record has frames on both sides of the boundary before `frame`. */
bool frame_records_need_split_at(const struct frame_records *records, uint64_t frame);

/* Split a record in two before `frame`, if needed. Precondition: there is room for one more. */
void frame_records_split_at(struct frame_records *records, uint64_t frame);

/* --- Checking --------------------------------------------------------------------------------- */

/* Check that extents and records are sorted and disjoint, that the extents have `bit_count` bits,
 * and that the bits of each managed record are in one extent. Return NULL if all are correct, else
 * a constant sentence. */
const char *frame_records_check(const struct frame_records *records, uint64_t bit_count)
    __attribute__((warn_unused_result));

#endif
