#include "kernel/mm/frames/bit_tree.h"

#include "kernel/mm/frames/bit_tree_bound.h"
#include "kernel/mm/frames/bit_tree_node.h"
#include "kernel/core/panic.h"
#include "shared/memory.h"

/* --- Memory ---------------------------------------------------------------------------------- */

static uint64_t node_count(uint64_t bit_count, uint32_t level)
{
    uint32_t shift = bit_tree_node_shift(level);
    return (bit_count + (UINT64_C(1) << shift) - 1) >> shift;
}

static uint32_t top_level_for(uint64_t bit_count)
{
    uint32_t level = BIT_TREE_BOUNDED_LEVEL;
    while (node_count(bit_count, level) > 1)
        level++;
    return level;
}

uint64_t bit_tree_size_bytes(uint64_t bit_count)
{
    uint32_t top_level = top_level_for(bit_count);
    uint64_t words = bit_count / BIT_TREE_WORD_BITS + 1 + node_count(bit_count, 1);
    uint64_t groups = node_count(bit_count, 2) * BIT_TREE_GROUPS_PER_NODE;
    uint64_t size_bytes = words * sizeof(uint64_t) + groups * sizeof(struct bit_tree_group_bounds);
    for (uint32_t level = 2; level <= top_level; level++)
        size_bytes += node_count(bit_count, level) * sizeof(struct bit_tree_node);
    for (uint32_t level = BIT_TREE_BOUNDED_LEVEL; level <= top_level; level++)
        size_bytes += node_count(bit_count, level) * sizeof(struct bit_tree_bounds);
    return size_bytes;
}

static void forget_shortcuts(struct bit_tree *tree)
{
    tree->highest_word = tree->bit_count / BIT_TREE_WORD_BITS;
    tree->open_block = BIT_TREE_NO_BLOCK;
}

/* Place the bounds behind the words and nodes, from `next` on. */
static void place_bounds(struct bit_tree *tree, void *next)
{
    tree->group_bounds = next;
    struct bit_tree_bounds *next_bounds =
        (void *)(tree->group_bounds + node_count(tree->bit_count, 2) * BIT_TREE_GROUPS_PER_NODE);
    for (uint32_t level = BIT_TREE_BOUNDED_LEVEL; level <= tree->top_level; level++) {
        tree->bounds[level] = next_bounds;
        next_bounds += node_count(tree->bit_count, level);
    }
}

void bit_tree_initialise(struct bit_tree *tree, void *memory, uint64_t bit_count,
                         const struct bit_tree_extent *extents, uint32_t extent_count)
{
    uint64_t *next_word = memory;
    *tree = (struct bit_tree){
        .extents = extents,
        .extent_count = extent_count,
        .top_level = top_level_for(bit_count),
        .bit_count = bit_count,
    };
    tree->words = next_word;
    tree->words[bit_count / BIT_TREE_WORD_BITS] = 0;
    tree->block_words = next_word += bit_count / BIT_TREE_WORD_BITS + 1;
    struct bit_tree_node *next_node = (void *)(next_word + node_count(bit_count, 1));
    for (uint32_t level = 2; level <= tree->top_level; level++) {
        tree->nodes[level] = next_node;
        next_node += node_count(bit_count, level);
    }
    place_bounds(tree, next_node);
    tree->nodes[tree->top_level][0] = (struct bit_tree_node){0, 0, 0};
    bit_tree_open_bounds(tree, tree->top_level, 0, false);
    forget_shortcuts(tree);
}

/* --- Opening and closing --------------------------------------------------------------------- */

static void open_block(struct bit_tree *tree, uint64_t index, bool full)
{
    memset(&tree->words[index * BIT_TREE_WORDS_PER_BLOCK], full ? 0xff : 0,
           BIT_TREE_WORDS_PER_BLOCK * sizeof(uint64_t));
    tree->block_words[index] = full ? BIT_TREE_ALL_BITS : 0;
}

/* Write into the node the state that its parent had for it. */
static void open_node(struct bit_tree *tree, uint32_t level, uint64_t index, bool full)
{
    uint64_t all = full ? BIT_TREE_ALL_BITS : 0;
    if (level == 1) {
        open_block(tree, index, full);
        return;
    }
    tree->nodes[level][index] = (struct bit_tree_node){all, all, 0};
    bit_tree_open_bounds(tree, level, index, full);
}

static bool node_is_empty(const struct bit_tree *tree, uint32_t level, uint64_t index)
{
    return (level == 1 ? tree->block_words[index] : tree->nodes[level][index].some) == 0;
}

/* --- Ranges ----------------------------------------------------------------------------------- */

static void insert_into_block(struct bit_tree *tree, uint64_t start, uint64_t end)
{
    uint64_t first = start / BIT_TREE_WORD_BITS;
    uint64_t last = (end - 1) / BIT_TREE_WORD_BITS;
    tree->words[first] |= bit_tree_mask_of_word(first, start, end);
    tree->words[last] |= bit_tree_mask_of_word(last, start, end);
    for (uint64_t i = first + 1; i < last; i++)
        tree->words[i] = BIT_TREE_ALL_BITS;
    tree->block_words[start / BIT_TREE_BLOCK_BITS] |=
        bit_tree_bits_between(first % BIT_TREE_WORD_BITS, last % BIT_TREE_WORD_BITS);
}

static void remove_from_block(struct bit_tree *tree, uint64_t start, uint64_t end)
{
    uint64_t first = start / BIT_TREE_WORD_BITS;
    uint64_t last = (end - 1) / BIT_TREE_WORD_BITS;
    tree->words[first] &= ~bit_tree_mask_of_word(first, start, end);
    tree->words[last] &= ~bit_tree_mask_of_word(last, start, end);
    for (uint64_t i = first + 1; i < last; i++)
        tree->words[i] = 0;
    uint64_t emptied = bit_tree_bits_between(first % BIT_TREE_WORD_BITS, last % BIT_TREE_WORD_BITS);
    if (tree->words[first] != 0)
        emptied &= ~bit_tree_child_bit(first);
    if (tree->words[last] != 0)
        emptied &= ~bit_tree_child_bit(last);
    tree->block_words[start / BIT_TREE_BLOCK_BITS] &= ~emptied;
}

static void insert_into(struct bit_tree *tree, uint32_t level, uint64_t start, uint64_t end);
static void remove_from(struct bit_tree *tree, uint32_t level, uint64_t start, uint64_t end);

/* Insert into a child of which the range covers only a part. `index` is its number in its level. */
static void insert_into_child(struct bit_tree *tree, uint32_t level, struct bit_tree_node *node,
                              uint64_t index, uint64_t start, uint64_t end)
{
    uint64_t bit = bit_tree_child_bit(index);
    uint32_t shift = bit_tree_child_shift(level);
    if ((node->whole & bit) != 0)
        return;
    if ((node->some & bit) == 0)
        open_node(tree, level - 1, index, false);
    node->some |= bit;
    insert_into(tree, level - 1, bit_tree_larger(start, index << shift),
                bit_tree_smaller(end, (index + 1) << shift));
    if (level > 2 && tree->nodes[level - 1][index].whole == BIT_TREE_ALL_BITS)
        node->whole |= bit;
}

static void remove_from_child(struct bit_tree *tree, uint32_t level, struct bit_tree_node *node,
                              uint64_t index, uint64_t start, uint64_t end)
{
    uint64_t bit = bit_tree_child_bit(index);
    uint32_t shift = bit_tree_child_shift(level);
    if ((node->some & bit) == 0)
        return;
    if ((node->whole & bit) != 0)
        open_node(tree, level - 1, index, true);
    node->whole &= ~bit;
    remove_from(tree, level - 1, bit_tree_larger(start, index << shift),
                bit_tree_smaller(end, (index + 1) << shift));
    if (node_is_empty(tree, level - 1, index))
        node->some &= ~bit;
}

static void insert_into(struct bit_tree *tree, uint32_t level, uint64_t start, uint64_t end)
{
    if (level == 1) {
        insert_into_block(tree, start, end);
        return;
    }
    uint64_t index = start >> bit_tree_node_shift(level);
    struct bit_tree_node *node = &tree->nodes[level][index];
    struct bit_tree_child_span span = bit_tree_children_in_range(level, start, end);
    uint64_t touched = bit_tree_bits_between(span.first, span.last);
    uint64_t partial = touched & ~span.covered;
    node->grown |= touched;
    node->some |= span.covered;
    node->whole |= span.covered;
    for (; partial != 0; partial &= partial - 1)
        insert_into_child(tree, level, node,
                          index * BIT_TREE_WORD_BITS + bit_tree_lowest_bit(partial), start, end);
}

static void remove_from(struct bit_tree *tree, uint32_t level, uint64_t start, uint64_t end)
{
    if (level == 1) {
        remove_from_block(tree, start, end);
        return;
    }
    uint64_t index = start >> bit_tree_node_shift(level);
    struct bit_tree_node *node = &tree->nodes[level][index];
    struct bit_tree_child_span span = bit_tree_children_in_range(level, start, end);
    uint64_t partial = bit_tree_bits_between(span.first, span.last) & ~span.covered;
    node->some &= ~span.covered;
    node->whole &= ~span.covered;
    for (; partial != 0; partial &= partial - 1)
        remove_from_child(tree, level, node,
                          index * BIT_TREE_WORD_BITS + bit_tree_lowest_bit(partial), start, end);
}

void bit_tree_flush_shortcuts(struct bit_tree *tree)
{
    kernel_assert(tree->top_level != 0);
    uint64_t start = tree->highest_word * BIT_TREE_WORD_BITS;
    if (start < tree->bit_count && tree->words[tree->highest_word] == 0)
        remove_from(tree, tree->top_level, start, start + BIT_TREE_WORD_BITS);
    forget_shortcuts(tree);
}

void bit_tree_insert(struct bit_tree *tree, struct bit_range range)
{
    bit_tree_flush_shortcuts(tree);
    insert_into(tree, tree->top_level, range.start, range.end);
}

void bit_tree_remove(struct bit_tree *tree, struct bit_range range)
{
    bit_tree_flush_shortcuts(tree);
    remove_from(tree, tree->top_level, range.start, range.end);
}

/* --- One number, one word --------------------------------------------------------------------- */

/* Let highest_word be the next lower word of the same block that has a member. Return false if no
 * such word exists, or if the highest word is not known. */
static bool step_down(struct bit_tree *tree)
{
    if (tree->highest_word == tree->bit_count / BIT_TREE_WORD_BITS)
        return false;
    uint64_t block = tree->highest_word / BIT_TREE_WORDS_PER_BLOCK;
    uint64_t some = tree->block_words[block] & ~bit_tree_child_bit(tree->highest_word);
    if (some == 0)
        return false;
    tree->block_words[block] = some;
    tree->highest_word = block * BIT_TREE_WORDS_PER_BLOCK + bit_tree_highest_bit(some);
    return true;
}

/* Let highest_word be the word of the highest member, and open its block. Return false if the set
 * is empty. */
static bool seek_highest(struct bit_tree *tree)
{
    uint64_t number;
    if (tree->words[tree->highest_word] != 0 || step_down(tree))
        return true;
    bit_tree_flush_shortcuts(tree);
    if (!bit_tree_find_last_below(tree, tree->bit_count, &number))
        return false;
    uint64_t block = number / BIT_TREE_BLOCK_BITS;
    uint64_t index = number / BIT_TREE_WORD_BITS;
    /* Removing a member opens the block. Then the member is put back into its word, which is
     * full. */
    if (bit_tree_state(tree, 1, block) == BIT_TREE_WHOLE) {
        remove_from(tree, tree->top_level, number, number + 1);
        tree->words[index] |= bit_tree_child_bit(number);
    }
    tree->open_block = bit_tree_is_grown(tree, block) ? block : BIT_TREE_NO_BLOCK;
    tree->highest_word = index;
    return true;
}

bool bit_tree_take_last(struct bit_tree *tree, uint64_t *ret_number)
{
    return seek_highest(tree) && bit_tree_try_take_last(tree, 0, tree->bit_count, ret_number);
}

bool bit_tree_take_last_word(struct bit_tree *tree, uint64_t *ret_first, uint64_t *ret_members)
{
    if (!seek_highest(tree))
        return false;
    *ret_first = tree->highest_word * BIT_TREE_WORD_BITS;
    *ret_members = tree->words[tree->highest_word];
    tree->words[tree->highest_word] = 0;
    return true;
}

bool bit_tree_add(struct bit_tree *tree, uint64_t number)
{
    uint64_t block = number / BIT_TREE_BLOCK_BITS;
    uint64_t index = number / BIT_TREE_WORD_BITS;
    bool is_highest = index > tree->highest_word;
    if (is_highest)
        bit_tree_flush_shortcuts(tree);
    for (uint32_t level = tree->top_level; level > 1; level--) {
        uint64_t child = number >> bit_tree_child_shift(level);
        struct bit_tree_node *node = &tree->nodes[level][child / BIT_TREE_WORD_BITS];
        if ((node->whole & bit_tree_child_bit(child)) != 0)
            return false;
        if ((node->some & bit_tree_child_bit(child)) != 0)
            continue;
        open_node(tree, level - 1, child, false);
        node->some |= bit_tree_child_bit(child);
    }
    if ((tree->words[index] & bit_tree_child_bit(number)) != 0)
        return false;
    tree->words[index] |= bit_tree_child_bit(number);
    tree->block_words[block] |= bit_tree_child_bit(index);
    if (!bit_tree_is_grown(tree, block))
        bit_tree_mark_grown(tree, block);
    tree->open_block = block;
    if (is_highest)
        tree->highest_word = index;
    return true;
}

/* --- Checking --------------------------------------------------------------------------------- */

static bool block_is_sound(const struct bit_tree *tree, uint64_t index)
{
    for (uint64_t i = 0; i < BIT_TREE_WORDS_PER_BLOCK; i++) {
        uint64_t word = index * BIT_TREE_WORDS_PER_BLOCK + i;
        bool has_members = tree->words[word] != 0;
        bool says_so = (tree->block_words[index] & bit_tree_child_bit(i)) != 0;
        if (says_so != has_members && !(says_so && word == tree->highest_word))
            return false;
    }
    return true;
}

static bool node_is_sound(const struct bit_tree *tree, uint32_t level, uint64_t index)
{
    if (level == 1)
        return block_is_sound(tree, index);
    const struct bit_tree_node *node = &tree->nodes[level][index];
    uint32_t shift = bit_tree_child_shift(level);
    if ((node->whole & ~node->some) != 0)
        return false;
    for (uint64_t i = 0; i < BIT_TREE_WORD_BITS; i++) {
        uint64_t child = index * BIT_TREE_WORD_BITS + i;
        if ((node->some & bit_tree_child_bit(i)) == 0)
            continue;
        if (child << shift >= tree->bit_count)
            return false;
        if ((node->whole & bit_tree_child_bit(i)) != 0) {
            if ((child + 1) << shift > tree->bit_count)
                return false;
        } else if (node_is_empty(tree, level - 1, child) ||
                   !node_is_sound(tree, level - 1, child)) {
            return false;
        }
    }
    return true;
}

static bool shortcuts_are_sound(const struct bit_tree *tree)
{
    uint64_t none = tree->bit_count / BIT_TREE_WORD_BITS;
    uint64_t highest;
    if (tree->words[none] != 0 || tree->highest_word > none)
        return false;
    if (tree->open_block != BIT_TREE_NO_BLOCK &&
        (bit_tree_state(tree, 1, tree->open_block) != BIT_TREE_OPEN ||
         !bit_tree_is_grown(tree, tree->open_block)))
        return false;
    if (tree->highest_word == none)
        return true;
    if (bit_tree_state(tree, 1, tree->highest_word / BIT_TREE_WORDS_PER_BLOCK) != BIT_TREE_OPEN)
        return false;
    return !bit_tree_find_last_below(tree, tree->bit_count, &highest) ||
           highest / BIT_TREE_WORD_BITS <= tree->highest_word;
}

bool bit_tree_check(const struct bit_tree *tree)
{
    return node_is_sound(tree, tree->top_level, 0) && shortcuts_are_sound(tree) &&
           bit_tree_bounds_are_sound(tree);
}
