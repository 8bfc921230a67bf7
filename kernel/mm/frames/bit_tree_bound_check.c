/*
 * bit_tree_bound_check.c - compare the bounds with the runs, which are found one by one.
 */
#include "kernel/mm/frames/bit_tree_bound.h"

static void raise_by_all_runs(const struct bit_tree *tree, struct bit_range numbers,
                              struct bit_tree_bounds *bounds)
{
    uint64_t last;
    *bounds = (struct bit_tree_bounds){0};
    while (bit_tree_find_last_below(tree, numbers.end, &last) && last >= numbers.start) {
        struct bit_tree_piece run = bit_tree_run_at(tree, numbers, last);
        bit_tree_raise_by_run(bounds, &run);
        numbers.end = run.start;
    }
}

static bool group_is_sound(const struct bit_tree *tree, uint64_t group)
{
    struct bit_tree_bounds truth;
    raise_by_all_runs(tree, bit_tree_numbers_of(tree, group, BIT_TREE_GROUP_SHIFT), &truth);
    for (uint32_t shift = 0; shift < BIT_TREE_GROUP_SHIFT; shift++) {
        uint64_t longest = tree->group_bounds[group].longest[shift];
        if (longest < truth.longest[shift] && longest != UINT16_MAX)
            return false;
    }
    return true;
}

/* An open node of level 2. */
static bool groups_are_sound(const struct bit_tree *tree, uint64_t index)
{
    uint64_t grown = tree->nodes[2][index].grown;
    for (uint64_t i = 0; i < BIT_TREE_GROUPS_PER_NODE; i++) {
        uint64_t marks =
            grown >> i * BIT_TREE_BLOCKS_PER_GROUP & bit_tree_low_bits(BIT_TREE_BLOCKS_PER_GROUP);
        if (marks == 0 && !group_is_sound(tree, index * BIT_TREE_GROUPS_PER_NODE + i))
            return false;
    }
    return true;
}

static bool bounds_of_node_are_sound(const struct bit_tree *tree, uint32_t level, uint64_t index)
{
    struct bit_tree_bounds truth;
    raise_by_all_runs(tree, bit_tree_numbers_of(tree, index, bit_tree_node_shift(level)), &truth);
    for (uint32_t shift = 0; shift < BIT_TREE_ALIGNMENTS; shift++) {
        if (tree->bounds[level][index].longest[shift] < truth.longest[shift])
            return false;
    }
    return true;
}

/* An open node. */
static bool node_is_sound(const struct bit_tree *tree, uint32_t level, uint64_t index)
{
    const struct bit_tree_node *node = &tree->nodes[level][index];
    if (level == 2)
        return groups_are_sound(tree, index);
    for (uint64_t open = node->some & ~node->whole; open != 0; open &= open - 1) {
        uint64_t bit = bit_tree_lowest_bit(open);
        uint64_t child = index * BIT_TREE_WORD_BITS + bit;
        if (tree->nodes[level - 1][child].grown != 0 &&
            (node->grown & bit_tree_child_bit(bit)) == 0)
            return false;
        if (!node_is_sound(tree, level - 1, child))
            return false;
    }
    return node->grown != 0 || bounds_of_node_are_sound(tree, level, index);
}

bool bit_tree_bounds_are_sound(const struct bit_tree *tree)
{
    return node_is_sound(tree, tree->top_level, 0);
}
