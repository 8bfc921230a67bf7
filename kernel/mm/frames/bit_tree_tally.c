/*
 * bit_tree_tally.c - count members and measure runs by a walk over a whole range, for logs.
 */
#include "kernel/mm/frames/bit_tree.h"
#include "kernel/mm/frames/bit_tree_node.h"

/* The result so far of a walk from the lowest number up. */
struct tally {
    uint64_t count;
    uint64_t longest;
    uint64_t current; /* length of the run that ends before the next number */
};

static void tally_members(struct tally *tally, uint64_t count)
{
    tally->count += count;
    tally->current += count;
    tally->longest = bit_tree_larger(tally->longest, tally->current);
}

/* Count the `length` lowest bits of `members`. */
static void tally_word(struct tally *tally, uint64_t members, uint64_t length)
{
    while (length > 0) {
        uint64_t run = members == BIT_TREE_ALL_BITS ? length : bit_tree_lowest_bit(~members);
        run = bit_tree_smaller(run, length);
        if (run > 0)
            tally_members(tally, run);
        if (run == length)
            return;
        members >>= run;
        length -= run;
        uint64_t gap =
            members == 0 ? length : bit_tree_smaller(bit_tree_lowest_bit(members), length);
        tally->current = 0;
        members = gap == BIT_TREE_WORD_BITS ? 0 : members >> gap;
        length -= gap;
    }
}

static void tally_block(const struct bit_tree *tree, uint64_t start, uint64_t end,
                        struct tally *tally)
{
    while (start < end) {
        uint64_t first_bit = start % BIT_TREE_WORD_BITS;
        uint64_t length = bit_tree_smaller(end - start, BIT_TREE_WORD_BITS - first_bit);
        tally_word(tally, tree->words[start / BIT_TREE_WORD_BITS] >> first_bit, length);
        start += length;
    }
}

static void tally_node(const struct bit_tree *tree, uint32_t level, uint64_t start, uint64_t end,
                       struct tally *tally)
{
    if (level == 1) {
        tally_block(tree, start, end, tally);
        return;
    }
    uint64_t index = start >> bit_tree_node_shift(level);
    const struct bit_tree_node *node = &tree->nodes[level][index];
    struct bit_tree_child_span span = bit_tree_children_in_range(level, start, end);
    uint32_t shift = bit_tree_child_shift(level);
    for (uint64_t i = span.first; i <= span.last; i++) {
        uint64_t child = index * BIT_TREE_WORD_BITS + i;
        uint64_t child_start = bit_tree_larger(start, child << shift);
        uint64_t child_end = bit_tree_smaller(end, (child + 1) << shift);
        if ((node->whole & bit_tree_child_bit(i)) != 0)
            tally_members(tally, child_end - child_start);
        else if ((node->some & bit_tree_child_bit(i)) == 0)
            tally->current = 0;
        else
            tally_node(tree, level - 1, child_start, child_end, tally);
    }
}

static struct tally tally_range(const struct bit_tree *tree, struct bit_range range)
{
    struct tally tally = {0};
    if (!bit_range_is_empty(range))
        tally_node(tree, tree->top_level, range.start, range.end, &tally);
    return tally;
}

uint64_t bit_tree_count(const struct bit_tree *tree, struct bit_range range)
{
    return tally_range(tree, range).count;
}

uint64_t bit_tree_longest_run(const struct bit_tree *tree, struct bit_range range)
{
    return tally_range(tree, range).longest;
}
