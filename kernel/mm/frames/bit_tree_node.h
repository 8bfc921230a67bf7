/*
 * bit_tree_node.h - private to bit_tree*.c: the levels of a bit tree, and their children.
 */
#ifndef KERNEL_MM_FRAMES_BIT_TREE_NODE_H
#define KERNEL_MM_FRAMES_BIT_TREE_NODE_H

#include "kernel/mm/frames/bit_tree.h"

#define BIT_TREE_ALL_BITS        UINT64_MAX
#define BIT_TREE_WORDS_PER_BLOCK (BIT_TREE_BLOCK_BITS / BIT_TREE_WORD_BITS)

/* Of level 2 and above. whole is a subset of some. */
struct bit_tree_node {
    uint64_t some;  /* children that have a member */
    uint64_t whole; /* full children; an open child may be full, too */
    uint64_t grown; /* children that may have got a member since the bounds were updated */
};

/* A child's memory is valid only while the child is open. */
enum bit_tree_state { BIT_TREE_NONE, BIT_TREE_OPEN, BIT_TREE_WHOLE };

/* A node of `level` has 2^node_shift numbers, each of its 64 children 2^child_shift. */
static inline uint32_t bit_tree_node_shift(uint32_t level)
{
    return 6 * (level + 1);
}

static inline uint32_t bit_tree_child_shift(uint32_t level)
{
    return 6 * level;
}

/* Return the bit of the node or word `index` among its parent's 64 children. */
static inline uint64_t bit_tree_child_bit(uint64_t index)
{
    return UINT64_C(1) << index % BIT_TREE_WORD_BITS;
}

/* Return the `count` lowest bits, 0 <= count <= 64. */
static inline uint64_t bit_tree_low_bits(uint64_t count)
{
    return count >= BIT_TREE_WORD_BITS ? BIT_TREE_ALL_BITS : (UINT64_C(1) << count) - 1;
}

static inline uint64_t bit_tree_highest_bit(uint64_t word)
{
    return BIT_TREE_WORD_BITS - 1 - (uint64_t)__builtin_clzll(word);
}

static inline uint64_t bit_tree_lowest_bit(uint64_t word)
{
    return (uint64_t)__builtin_ctzll(word);
}

/* Bits first … last. */
static inline uint64_t bit_tree_bits_between(uint64_t first, uint64_t last)
{
    return bit_tree_low_bits(last + 1) & ~bit_tree_low_bits(first);
}

/* Return the bits of the word `index` that are in [start, end); 0 if the range does not touch the
 * word. */
static inline uint64_t bit_tree_mask_of_word(uint64_t index, uint64_t start, uint64_t end)
{
    uint64_t first = index * BIT_TREE_WORD_BITS;
    uint64_t low = start > first ? start - first : 0;
    uint64_t high = end > first ? end - first : 0;
    return bit_tree_low_bits(high) & ~bit_tree_low_bits(low);
}

/* Return the state of node `index` of `level`. Precondition: level < top_level. */
static inline enum bit_tree_state bit_tree_state(const struct bit_tree *tree, uint32_t level,
                                                 uint64_t index)
{
    for (uint32_t above = tree->top_level; above > level; above--) {
        uint64_t child = index >> (bit_tree_child_shift(above) - bit_tree_node_shift(level));
        const struct bit_tree_node *node = &tree->nodes[above][child / BIT_TREE_WORD_BITS];
        if ((node->whole & bit_tree_child_bit(child)) != 0)
            return BIT_TREE_WHOLE;
        if ((node->some & bit_tree_child_bit(child)) == 0)
            return BIT_TREE_NONE;
    }
    return BIT_TREE_OPEN;
}

/* The children of the node `index` of `level` that [start, end) touches. Precondition: the range
 * lies in the node and is not empty. */
struct bit_tree_child_span {
    uint64_t first; /* 0 … 63 */
    uint64_t last;
    uint64_t covered; /* as bits: children that lie wholly in the range */
};

static inline struct bit_tree_child_span bit_tree_children_in_range(uint32_t level, uint64_t start,
                                                                    uint64_t end)
{
    uint64_t child_mask = (UINT64_C(1) << bit_tree_child_shift(level)) - 1;
    struct bit_tree_child_span span = {
        .first = (start >> bit_tree_child_shift(level)) % BIT_TREE_WORD_BITS,
        .last = ((end - 1) >> bit_tree_child_shift(level)) % BIT_TREE_WORD_BITS,
    };
    span.covered = bit_tree_bits_between(span.first, span.last);
    if ((start & child_mask) != 0)
        span.covered &= ~bit_tree_child_bit(span.first);
    if ((end & child_mask) != 0)
        span.covered &= ~bit_tree_child_bit(span.last);
    return span;
}

static inline uint64_t bit_tree_larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static inline uint64_t bit_tree_smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Flush the shortcuts of try_add and try_take_last, so that all levels agree. Call it before every
 * change that is not made by these two. */
void bit_tree_flush_shortcuts(struct bit_tree *tree);

/* Write the highest number in the range that is not a member to *ret_number. Return false if all
 * are members. Precondition: the range is not empty. */
bool bit_tree_find_last_absent(const struct bit_tree *tree, struct bit_range range,
                               uint64_t *ret_number);

#endif
