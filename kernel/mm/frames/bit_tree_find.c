/*
 * bit_tree_find.c - find the next member or absent number, up or down.
 */
#include "kernel/mm/frames/bit_tree.h"
#include "kernel/mm/frames/bit_tree_node.h"

static bool find_last_in_block(const struct bit_tree *tree, uint64_t block, uint64_t end,
                               uint64_t *ret_number)
{
    uint64_t end_index = (end - 1) / BIT_TREE_WORD_BITS % BIT_TREE_WORD_BITS;
    uint64_t some = tree->block_words[block] & bit_tree_low_bits(end_index + 1);
    while (some != 0) {
        uint64_t highest = bit_tree_highest_bit(some);
        uint64_t index = block * BIT_TREE_WORDS_PER_BLOCK + highest;
        uint64_t members = tree->words[index] & bit_tree_mask_of_word(index, 0, end);
        if (members != 0) {
            *ret_number = index * BIT_TREE_WORD_BITS + bit_tree_highest_bit(members);
            return true;
        }
        some &= ~bit_tree_child_bit(highest);
    }
    return false;
}

/* Search the open node `index` of `level`; `end` lies in it or is its end. */
static bool find_last_in(const struct bit_tree *tree, uint32_t level, uint64_t index, uint64_t end,
                         uint64_t *ret_number)
{
    if (level == 1)
        return find_last_in_block(tree, index, end, ret_number);
    const struct bit_tree_node *node = &tree->nodes[level][index];
    uint32_t shift = bit_tree_child_shift(level);
    uint64_t some = node->some & bit_tree_low_bits(((end - 1) >> shift) % BIT_TREE_WORD_BITS + 1);
    while (some != 0) {
        uint64_t highest = bit_tree_highest_bit(some);
        uint64_t child = index * BIT_TREE_WORD_BITS + highest;
        uint64_t child_end = bit_tree_smaller(end, (child + 1) << shift);
        if ((node->whole & bit_tree_child_bit(child)) != 0) {
            *ret_number = child_end - 1;
            return true;
        }
        if (find_last_in(tree, level - 1, child, child_end, ret_number))
            return true;
        some &= ~bit_tree_child_bit(highest);
    }
    return false;
}

bool bit_tree_find_last_below(const struct bit_tree *tree, uint64_t limit, uint64_t *ret_number)
{
    uint64_t end = bit_tree_smaller(limit, tree->bit_count);
    return end > 0 && find_last_in(tree, tree->top_level, 0, end, ret_number);
}

static bool find_absent_in_block(const struct bit_tree *tree, uint64_t start, uint64_t end,
                                 uint64_t *ret_number)
{
    for (uint64_t i = start / BIT_TREE_WORD_BITS; i * BIT_TREE_WORD_BITS < end; i++) {
        uint64_t absent = ~tree->words[i] & bit_tree_mask_of_word(i, start, end);
        if (absent != 0) {
            *ret_number = i * BIT_TREE_WORD_BITS + bit_tree_lowest_bit(absent);
            return true;
        }
    }
    return false;
}

/* Search an open node of `level`, which has all of [start, end). */
static bool find_absent_in(const struct bit_tree *tree, uint32_t level, uint64_t start,
                           uint64_t end, uint64_t *ret_number)
{
    if (level == 1)
        return find_absent_in_block(tree, start, end, ret_number);
    uint64_t index = start >> bit_tree_node_shift(level);
    const struct bit_tree_node *node = &tree->nodes[level][index];
    struct bit_tree_child_span span = bit_tree_children_in_range(level, start, end);
    uint32_t shift = bit_tree_child_shift(level);
    uint64_t doubtful = bit_tree_bits_between(span.first, span.last) & ~node->whole;
    for (; doubtful != 0; doubtful &= doubtful - 1) {
        uint64_t child = index * BIT_TREE_WORD_BITS + bit_tree_lowest_bit(doubtful);
        uint64_t child_start = bit_tree_larger(start, child << shift);
        if ((node->some & bit_tree_child_bit(child)) == 0) {
            *ret_number = child_start;
            return true;
        }
        if (find_absent_in(tree, level - 1, child_start,
                           bit_tree_smaller(end, (child + 1) << shift), ret_number))
            return true;
    }
    return false;
}

bool bit_tree_find_first_absent(const struct bit_tree *tree, struct bit_range range,
                                uint64_t *ret_number)
{
    return find_absent_in(tree, tree->top_level, range.start, range.end, ret_number);
}

static bool find_last_absent_in_block(const struct bit_tree *tree, uint64_t start, uint64_t end,
                                      uint64_t *ret_number)
{
    for (uint64_t i = (end - 1) / BIT_TREE_WORD_BITS + 1; i-- > start / BIT_TREE_WORD_BITS;) {
        uint64_t absent = ~tree->words[i] & bit_tree_mask_of_word(i, start, end);
        if (absent != 0) {
            *ret_number = i * BIT_TREE_WORD_BITS + bit_tree_highest_bit(absent);
            return true;
        }
    }
    return false;
}

/* Search an open node of `level`, which has all of [start, end). */
static bool find_last_absent_in(const struct bit_tree *tree, uint32_t level, uint64_t start,
                                uint64_t end, uint64_t *ret_number)
{
    if (level == 1)
        return find_last_absent_in_block(tree, start, end, ret_number);
    uint64_t index = start >> bit_tree_node_shift(level);
    const struct bit_tree_node *node = &tree->nodes[level][index];
    struct bit_tree_child_span span = bit_tree_children_in_range(level, start, end);
    uint32_t shift = bit_tree_child_shift(level);
    uint64_t doubtful = bit_tree_bits_between(span.first, span.last) & ~node->whole;
    while (doubtful != 0) {
        uint64_t highest = bit_tree_highest_bit(doubtful);
        uint64_t child = index * BIT_TREE_WORD_BITS + highest;
        uint64_t child_end = bit_tree_smaller(end, (child + 1) << shift);
        if ((node->some & bit_tree_child_bit(child)) == 0) {
            *ret_number = child_end - 1;
            return true;
        }
        if (find_last_absent_in(tree, level - 1, bit_tree_larger(start, child << shift), child_end,
                                ret_number))
            return true;
        doubtful &= ~bit_tree_child_bit(highest);
    }
    return false;
}

bool bit_tree_find_last_absent(const struct bit_tree *tree, struct bit_range range,
                               uint64_t *ret_number)
{
    return find_last_absent_in(tree, tree->top_level, range.start, range.end, ret_number);
}
