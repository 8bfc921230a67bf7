/*
 * bit_tree_bound.h - private to bit_tree*.c: upper bounds of the lengths of runs.
 *
 *   node of level 3 …   longest[2^0] longest[2^1] … longest[2^42]     2^24 numbers and more
 *   group of 16 blocks  longest[2^0] … longest[2^15]                  2^16 numbers
 *
 * A bound is one number for each alignment: no run that starts at a multiple of it, and lies in the
 * node or group, is longer. A node's bound is the highest of its children's bounds and of the runs
 * that cross from one child to the next. Only the part of a run counts that lies in the node and in
 * one extent.
 *
 * Bounds are exact when they are computed. Removing members does not change them, so they may be
 * too high. A search that follows a bound and finds no run computes the bound again. Adding a
 * member marks its block as grown, in each node above. The next search reads only those blocks, and
 * raises the bounds by the runs there. An exact bound stays exact.
 *
 * A child that is not open has no bounds in memory: all of its numbers are members, or no number
 * is.
 */
#ifndef KERNEL_MM_FRAMES_BIT_TREE_BOUND_H
#define KERNEL_MM_FRAMES_BIT_TREE_BOUND_H

#include "kernel/mm/frames/bit_tree.h"
#include "kernel/mm/frames/bit_tree_node.h"

#define BIT_TREE_ALIGNMENTS       43U /* 2^0 … 2^42: beyond that only 0 is a multiple */
#define BIT_TREE_GROUP_SHIFT      16U
#define BIT_TREE_GROUP_BITS       (UINT64_C(1) << BIT_TREE_GROUP_SHIFT)
#define BIT_TREE_BLOCKS_PER_GROUP (BIT_TREE_GROUP_BITS / BIT_TREE_BLOCK_BITS)
#define BIT_TREE_GROUPS_PER_NODE  4U /* of level 2 */

/* In an extent, a group has at most one multiple of 2^16 or more. The run there is measured when a
 * request needs it. 65535 stands for 65535 and for 65536, the whole group. */
struct bit_tree_group_bounds {
    uint16_t longest[BIT_TREE_GROUP_SHIFT];
};

struct bit_tree_bounds {
    uint64_t longest[BIT_TREE_ALIGNMENTS];
};

/* A part of one extent: the numbers [start, end). */
struct bit_tree_piece {
    uint64_t start;
    uint64_t end;
    uint64_t offset;
};

/* The children of a node of level 3 …, from whose bounds its own are computed: groups, or nodes. */
static inline uint32_t bit_tree_bound_shift(uint32_t level)
{
    return level == BIT_TREE_BOUNDED_LEVEL ? BIT_TREE_GROUP_SHIFT : bit_tree_child_shift(level);
}

/* Return the node one level below `level` that contains such a child, or is the child. The child's
 * bounds are in memory while that node is open. */
static inline uint64_t bit_tree_node_of_child(uint32_t level, uint64_t child)
{
    return level == BIT_TREE_BOUNDED_LEVEL ? child / BIT_TREE_GROUPS_PER_NODE : child;
}

/* Return the numbers of such a child, or of a node, as far as they exist. */
static inline struct bit_range bit_tree_numbers_of(const struct bit_tree *tree, uint64_t index,
                                                   uint32_t shift)
{
    return (struct bit_range){bit_tree_smaller(index << shift, tree->bit_count),
                              bit_tree_smaller((index + 1) << shift, tree->bit_count)};
}

/* --- Measuring (bit_tree_measure.c) ----------------------------------------------------------- */

/* Return the part of `numbers` that lies in the extent of `number`, which is one of them. */
struct bit_tree_piece bit_tree_piece_at(const struct bit_tree *tree, struct bit_range numbers,
                                        uint64_t number);

/* Return the highest part of `numbers` that lies in one extent. Precondition: `numbers` is not
 * empty. */
struct bit_tree_piece bit_tree_last_piece(const struct bit_tree *tree, struct bit_range numbers);

/* Return a word of any block, open or not, or 0 beyond all blocks. */
uint64_t bit_tree_word_at(const struct bit_tree *tree, uint64_t index);

/* Return the part in `numbers` of the run that has `number`. It is empty, or reversed, if `number`
 * is not a member. */
struct bit_tree_piece bit_tree_run_at(const struct bit_tree *tree, struct bit_range numbers,
                                      uint64_t number);

/* Return the part in `numbers` of the run that has `number` and number - 1. It is empty if one of
 * the two is not a member. If they lie in two extents, the run starts at `number`. Precondition:
 * `number` is a multiple of 64, and both lie in `numbers`. */
struct bit_tree_piece bit_tree_crossing_run(const struct bit_tree *tree, struct bit_range numbers,
                                            uint64_t number);

/* Return the length of a run from its first multiple of 2^shift on; 0 if it has no such
 * multiple. */
uint64_t bit_tree_aligned_length(const struct bit_tree_piece *run, uint32_t shift);

/* Raise each bound to at least the aligned length of the run. */
void bit_tree_raise_by_run(struct bit_tree_bounds *bounds, const struct bit_tree_piece *run);

/* Raise the bounds by all runs that touch the blocks [first, end), as far as the runs lie in the
 * piece. Precondition: the blocks lie in the piece. */
void bit_tree_raise_by_blocks(const struct bit_tree *tree, uint64_t first, uint64_t end,
                              const struct bit_tree_piece *piece, struct bit_tree_bounds *bounds);

/* Return the bits of `low` at which a run of `length` members begins, 1 <= length <= 64. The bits
 * of `high` follow those of `low`.
 */
static inline uint64_t bit_tree_starts_of_runs(uint64_t low, uint64_t high, uint64_t length)
{
    /* After each step, a set bit stands for a run that is longer by `step`. */
    for (uint64_t known = 1; known < length;) {
        uint64_t step = known < length - known ? known : length - known;
        low &=
            step == BIT_TREE_WORD_BITS ? high : low >> step | high << (BIT_TREE_WORD_BITS - step);
        high &= high >> step;
        known += step;
    }
    return low;
}

/* Return the multiples of 2^shift, shift <= 6, as bits. */
static inline uint64_t bit_tree_multiples(uint32_t shift)
{
    return shift == 6 ? 1 : BIT_TREE_ALL_BITS / bit_tree_low_bits(UINT64_C(1) << shift);
}

/* --- Keeping (bit_tree_bound.c) --------------------------------------------------------------- */

/* Set the bounds of a node of level 2 … that is being opened: all of its numbers are members, or no
 * number is. */
void bit_tree_open_bounds(struct bit_tree *tree, uint32_t level, uint64_t index, bool full);

/* Mark an open block as grown. */
void bit_tree_mark_grown(struct bit_tree *tree, uint64_t block);

static inline bool bit_tree_is_grown(const struct bit_tree *tree, uint64_t block)
{
    return (tree->nodes[2][block / BIT_TREE_WORD_BITS].grown & bit_tree_child_bit(block)) != 0;
}

/* Raise all bounds by the members that were added, and remove all marks. */
void bit_tree_update_bounds(struct bit_tree *tree);

/* Return the bound of one child of a node of `level`; see bit_tree_bound_shift(). */
uint64_t bit_tree_child_bound(const struct bit_tree *tree, uint32_t level, uint64_t child,
                              uint32_t shift);

/* Compute the exact bounds of a group again. Precondition: its node is open. */
void bit_tree_recompute_group(struct bit_tree *tree, uint64_t group);

/* Compute one bound of an open node again, from the bounds of its children. */
void bit_tree_recompute_node(struct bit_tree *tree, uint32_t level, uint64_t index, uint32_t shift);

/* --- Checking (bit_tree_bound_check.c) -------------------------------------------------------- */

/* Return true if no run is longer than its bounds, and if all marks are in the nodes above, too. */
bool bit_tree_bounds_are_sound(const struct bit_tree *tree);

#endif
