#include "kernel/mm/frames/bit_tree_bound.h"

#include "shared/memory.h"

/* --- In memory -------------------------------------------------------------------------------- */

void bit_tree_open_bounds(struct bit_tree *tree, uint32_t level, uint64_t index, bool full)
{
    if (level == 2)
        memset(&tree->group_bounds[index * BIT_TREE_GROUPS_PER_NODE], full ? 0xff : 0,
               BIT_TREE_GROUPS_PER_NODE * sizeof(struct bit_tree_group_bounds));
    for (uint32_t shift = 0; level > 2 && shift < BIT_TREE_ALIGNMENTS; shift++)
        tree->bounds[level][index].longest[shift] =
            full ? UINT64_C(1) << bit_tree_node_shift(level) : 0;
}

static void load_group(const struct bit_tree *tree, uint64_t group, struct bit_tree_bounds *bounds)
{
    *bounds = (struct bit_tree_bounds){0};
    for (uint32_t shift = 0; shift < BIT_TREE_GROUP_SHIFT; shift++)
        bounds->longest[shift] = tree->group_bounds[group].longest[shift];
}

static void store_group(struct bit_tree *tree, uint64_t group, const struct bit_tree_bounds *bounds)
{
    for (uint32_t shift = 0; shift < BIT_TREE_GROUP_SHIFT; shift++)
        tree->group_bounds[group].longest[shift] =
            (uint16_t)bit_tree_smaller(bounds->longest[shift], UINT16_MAX);
}

void bit_tree_mark_grown(struct bit_tree *tree, uint64_t block)
{
    uint64_t child = block;
    for (uint32_t level = 2; level <= tree->top_level; level++) {
        struct bit_tree_node *node = &tree->nodes[level][child / BIT_TREE_WORD_BITS];
        if ((node->grown & bit_tree_child_bit(child)) != 0)
            return;
        node->grown |= bit_tree_child_bit(child);
        child /= BIT_TREE_WORD_BITS;
    }
}

/* --- Bounds of children ----------------------------------------------------------------------- */

static uint64_t first_multiple(const struct bit_tree_piece *piece, uint32_t shift)
{
    return piece->end - bit_tree_aligned_length(piece, shift);
}

/* Return the length of the longest run in a group that starts at a multiple of 2^shift, shift >=
 * 16. */
static uint64_t measure_group(const struct bit_tree *tree, struct bit_range numbers, uint32_t shift)
{
    uint64_t longest = 0;
    while (!bit_range_is_empty(numbers)) {
        struct bit_tree_piece piece = bit_tree_last_piece(tree, numbers);
        uint64_t first = first_multiple(&piece, shift);
        uint64_t end = piece.end;
        if (first < piece.end) {
            (void)bit_tree_find_first_absent(tree, bit_range(first, piece.end), &end);
            longest = bit_tree_larger(longest, end - first);
        }
        numbers.end = piece.start;
    }
    return longest;
}

static uint64_t group_bound(const struct bit_tree *tree, uint64_t group, uint32_t shift)
{
    struct bit_range numbers = bit_tree_numbers_of(tree, group, BIT_TREE_GROUP_SHIFT);
    uint64_t absent;
    if (shift >= BIT_TREE_GROUP_SHIFT)
        return measure_group(tree, numbers, shift);
    uint64_t longest = tree->group_bounds[group].longest[shift];
    if (longest == UINT16_MAX && bit_range_count(numbers) == BIT_TREE_GROUP_BITS &&
        !bit_tree_find_first_absent(tree, numbers, &absent))
        longest = BIT_TREE_GROUP_BITS;
    return longest;
}

/* Return the bound of numbers that are all members. */
static uint64_t longest_in_whole(const struct bit_tree *tree, struct bit_range numbers,
                                 uint32_t shift)
{
    uint64_t longest = 0;
    while (!bit_range_is_empty(numbers)) {
        struct bit_tree_piece piece = bit_tree_last_piece(tree, numbers);
        longest = bit_tree_larger(longest, bit_tree_aligned_length(&piece, shift));
        numbers.end = piece.start;
    }
    return longest;
}

uint64_t bit_tree_child_bound(const struct bit_tree *tree, uint32_t level, uint64_t child,
                              uint32_t shift)
{
    switch (bit_tree_state(tree, level - 1, bit_tree_node_of_child(level, child))) {
    case BIT_TREE_NONE:
        return 0;
    case BIT_TREE_WHOLE:
        return longest_in_whole(tree, bit_tree_numbers_of(tree, child, bit_tree_bound_shift(level)),
                                shift);
    case BIT_TREE_OPEN:
        break;
    }
    return level == BIT_TREE_BOUNDED_LEVEL ? group_bound(tree, child, shift)
                                           : tree->bounds[level - 1][child].longest[shift];
}

uint64_t bit_tree_run_bound(const struct bit_tree *tree, uint64_t alignment)
{
    uint32_t shift = (uint32_t)bit_tree_lowest_bit(alignment);
    if (shift >= BIT_TREE_ALIGNMENTS)
        shift = BIT_TREE_ALIGNMENTS - 1;
    return tree->bounds[tree->top_level][0].longest[shift];
}

/* --- Computing -------------------------------------------------------------------------------- */

void bit_tree_recompute_group(struct bit_tree *tree, uint64_t group)
{
    struct bit_range numbers = bit_tree_numbers_of(tree, group, BIT_TREE_GROUP_SHIFT);
    struct bit_tree_bounds bounds = {0};
    tree->run_search_step_count += bit_range_count(numbers) / BIT_TREE_WORD_BITS;
    while (!bit_range_is_empty(numbers)) {
        struct bit_tree_piece piece = bit_tree_last_piece(tree, numbers);
        bit_tree_raise_by_blocks(tree, piece.start / BIT_TREE_BLOCK_BITS,
                                 piece.end / BIT_TREE_BLOCK_BITS, &piece, &bounds);
        numbers.end = piece.start;
    }
    store_group(tree, group, &bounds);
}

void bit_tree_recompute_node(struct bit_tree *tree, uint32_t level, uint64_t index, uint32_t shift)
{
    uint32_t child_shift = bit_tree_bound_shift(level);
    struct bit_range numbers = bit_tree_numbers_of(tree, index, bit_tree_node_shift(level));
    struct bit_tree_bounds *bounds = &tree->bounds[level][index];
    uint64_t longest = 0;
    for (uint64_t start = numbers.start; start < numbers.end; start += UINT64_C(1) << child_shift) {
        uint64_t bound = bit_tree_child_bound(tree, level, start >> child_shift, shift);
        longest = bit_tree_larger(longest, bound);
        tree->run_search_step_count++;
        if (start > numbers.start) {
            struct bit_tree_piece run = bit_tree_crossing_run(tree, numbers, start);
            longest = bit_tree_larger(longest, bit_tree_aligned_length(&run, shift));
        }
    }
    for (; shift < BIT_TREE_ALIGNMENTS; shift++)
        bounds->longest[shift] = bit_tree_smaller(bounds->longest[shift], longest);
}

/* --- Raising bounds after additions ----------------------------------------------------------- */

/* Close an open block if it is full, and a node if all of its children are full. This adds no
 * member, so the bounds stay correct. */
static void close_full_block(struct bit_tree *tree, uint64_t block)
{
    uint64_t child = block;
    for (uint32_t level = 2; level <= tree->top_level; level++) {
        struct bit_tree_node *node = &tree->nodes[level][child / BIT_TREE_WORD_BITS];
        node->whole |= bit_tree_child_bit(child);
        if (node->whole != BIT_TREE_ALL_BITS)
            return;
        child /= BIT_TREE_WORD_BITS;
    }
}

static void close_if_full(struct bit_tree *tree, uint64_t block)
{
    uint64_t absent;
    uint64_t start = block * BIT_TREE_BLOCK_BITS;
    if (bit_tree_state(tree, 1, block) == BIT_TREE_OPEN &&
        !bit_tree_find_first_absent(tree, bit_range(start, start + BIT_TREE_BLOCK_BITS), &absent))
        close_full_block(tree, block);
}

/* Raise a group's bounds by the runs that touch one of its blocks. */
static void raise_group(struct bit_tree *tree, uint64_t block)
{
    uint64_t group = block / BIT_TREE_BLOCKS_PER_GROUP;
    struct bit_range numbers = bit_tree_numbers_of(tree, group, BIT_TREE_GROUP_SHIFT);
    struct bit_tree_piece piece = bit_tree_piece_at(tree, numbers, block * BIT_TREE_BLOCK_BITS);
    struct bit_tree_bounds bounds;
    tree->run_search_step_count += BIT_TREE_WORDS_PER_BLOCK;
    load_group(tree, group, &bounds);
    bit_tree_raise_by_blocks(tree, block, block + 1, &piece, &bounds);
    store_group(tree, group, &bounds);
}

/* Raise the bounds of the groups with grown blocks in an open node of level 2. */
static void update_groups(struct bit_tree *tree, uint64_t index)
{
    struct bit_tree_node *node = &tree->nodes[2][index];
    for (uint64_t grown = node->grown; grown != 0; grown &= grown - 1)
        close_if_full(tree, index * BIT_TREE_WORD_BITS + bit_tree_lowest_bit(grown));
    for (uint64_t i = 0; i < BIT_TREE_GROUPS_PER_NODE; i++) {
        uint64_t first = i * BIT_TREE_BLOCKS_PER_GROUP;
        uint64_t grown = node->grown >> first & bit_tree_low_bits(BIT_TREE_BLOCKS_PER_GROUP);
        /* Most of the group must be read anyway. Reading all of it makes the bounds exact. */
        if ((unsigned)__builtin_popcountll(grown) > BIT_TREE_BLOCKS_PER_GROUP / 2) {
            bit_tree_recompute_group(tree, index * BIT_TREE_GROUPS_PER_NODE + i);
            continue;
        }
        for (; grown != 0; grown &= grown - 1)
            raise_group(tree, index * BIT_TREE_WORD_BITS + first + bit_tree_lowest_bit(grown));
    }
    node->grown = 0;
}

/* Raise a node's bounds by the run that has `number`, which is in the node. */
static void raise_by_run_at(const struct bit_tree *tree, struct bit_range node, uint64_t number,
                            struct bit_tree_bounds *bounds)
{
    uint64_t word = bit_tree_word_at(tree, number / BIT_TREE_WORD_BITS);
    if ((word & bit_tree_child_bit(number)) == 0)
        return;
    struct bit_tree_piece run = bit_tree_run_at(tree, node, number);
    bit_tree_raise_by_run(bounds, &run);
}

/* Raise a node's bounds by the runs that cross the ends of a child, and by the runs at its start
 * that its own bounds do not include. */
static void raise_by_ends(const struct bit_tree *tree, struct bit_range node,
                          struct bit_range child, struct bit_tree_bounds *bounds)
{
    while (!bit_range_is_empty(child)) {
        struct bit_tree_piece piece = bit_tree_last_piece(tree, child);
        uint64_t first = first_multiple(&piece, BIT_TREE_GROUP_SHIFT);
        raise_by_run_at(tree, node, piece.end - 1, bounds);
        raise_by_run_at(tree, node, piece.start, bounds);
        if (first < piece.end)
            raise_by_run_at(tree, node, first, bounds);
        child.end = piece.start;
    }
}

/* Raise the bounds of a node of level 3 … by those of one child, a group or a node. */
static void raise_by_child(struct bit_tree *tree, uint32_t level, uint64_t index, uint64_t child)
{
    struct bit_tree_bounds *bounds = &tree->bounds[level][index];
    struct bit_range node = bit_tree_numbers_of(tree, index, bit_tree_node_shift(level));
    struct bit_range numbers = bit_tree_numbers_of(tree, child, bit_tree_bound_shift(level));
    enum bit_tree_state state =
        bit_tree_state(tree, level - 1, bit_tree_node_of_child(level, child));
    struct bit_tree_bounds of_child;
    tree->run_search_step_count++;
    if (state == BIT_TREE_NONE || bit_range_is_empty(numbers))
        return;
    if (state == BIT_TREE_OPEN) {
        if (level == BIT_TREE_BOUNDED_LEVEL)
            load_group(tree, child, &of_child);
        else
            of_child = tree->bounds[level - 1][child];
        for (uint32_t shift = 0; shift < BIT_TREE_ALIGNMENTS; shift++)
            bounds->longest[shift] =
                bit_tree_larger(bounds->longest[shift], of_child.longest[shift]);
    }
    if (state == BIT_TREE_WHOLE || level == BIT_TREE_BOUNDED_LEVEL) {
        raise_by_ends(tree, node, numbers, bounds);
        return;
    }
    raise_by_run_at(tree, node, numbers.start, bounds);
    raise_by_run_at(tree, node, numbers.end - 1, bounds);
}

/* Raise the bounds of an open node. */
static void update_node(struct bit_tree *tree, uint32_t level, uint64_t index)
{
    struct bit_tree_node *node = &tree->nodes[level][index];
    uint64_t first = index * BIT_TREE_WORD_BITS;
    uint64_t per_child = level == BIT_TREE_BOUNDED_LEVEL ? BIT_TREE_GROUPS_PER_NODE : 1;
    if (level == 2) {
        update_groups(tree, index);
        return;
    }
    for (uint64_t grown = node->grown; grown != 0; grown &= grown - 1) {
        uint64_t child = first + bit_tree_lowest_bit(grown);
        if (bit_tree_state(tree, level - 1, child) == BIT_TREE_OPEN)
            update_node(tree, level - 1, child);
    }
    for (uint64_t grown = node->grown; grown != 0; grown &= grown - 1) {
        uint64_t child = (first + bit_tree_lowest_bit(grown)) * per_child;
        for (uint64_t i = 0; i < per_child; i++)
            raise_by_child(tree, level, index, child + i);
    }
    node->grown = 0;
}

void bit_tree_update_bounds(struct bit_tree *tree)
{
    update_node(tree, tree->top_level, 0);
}
