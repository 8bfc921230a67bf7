/*
 * bit_tree_run.c - runs of members: how long they are, remembered, and finding them.
 *
 * A byte for each open block and node holds a bound: no run that touches the node is longer. It is
 * known or 0. Removing members keeps every bound true; adding one makes bounds unknown: those of
 * its block and of the two beside it, and of all nodes above the three. That is enough, since a
 * bound says no more than "4096 or longer": a run that reaches further has a whole block in it, and
 * each block beside that one became unknown when it became whole.
 */
#include "kernel/mm/bit_tree.h"
#include "kernel/mm/bit_tree_node.h"

/* The byte: 1 + the class of the longest run in the low bits, and whether 512 members in a row
 * begin at a multiple of 512 (a 2 MiB page). All nodes' bytes are the highest class and the bits of
 * their children together. */
#define CLASS_BITS         0x7fU
#define HAS_ALIGNED_PIECE  0x80U
#define ALIGNED_PIECE_BITS UINT64_C(512)
#define WORDS_PER_PIECE    (ALIGNED_PIECE_BITS / BIT_TREE_WORD_BITS)

/* Classes: each length below 8 is one, then each power of two has four. So a search is misled only
 * by runs that are less than a quarter too short. Lengths of a block and more are one class. */
static unsigned class_of_length(uint64_t length)
{
    if (length < 8)
        return (unsigned)length;
    if (length > BIT_TREE_BLOCK_BITS)
        length = BIT_TREE_BLOCK_BITS;
    unsigned power = (unsigned)bit_tree_highest_bit(length);
    return 8 + (power - 3) * 4 + (unsigned)(length >> (power - 2) & 3);
}

/* What a bound must be for a search to look at the node. An aligned run of whole pieces has one in
 * every block that it touches; any other may end in a block that has none. */
static uint8_t bound_for_request(const struct bit_tree_run_request *request)
{
    unsigned bound = 1 + class_of_length(request->length);
    if (request->length % ALIGNED_PIECE_BITS == 0 && request->alignment >= ALIGNED_PIECE_BITS)
        bound |= HAS_ALIGNED_PIECE;
    return (uint8_t)bound;
}

static bool bound_suffices(uint8_t bound, uint8_t required)
{
    bool has_piece = (required & HAS_ALIGNED_PIECE) == 0 || (bound & HAS_ALIGNED_PIECE) != 0;
    return has_piece && (bound & CLASS_BITS) >= (required & CLASS_BITS);
}

static uint8_t combine(uint8_t a, uint8_t b)
{
    unsigned class = (a & CLASS_BITS) > (b & CLASS_BITS) ? a & CLASS_BITS : b & CLASS_BITS;
    return (uint8_t)(class | ((a | b) & HAS_ALIGNED_PIECE));
}

void bit_tree_forget_runs(struct bit_tree *tree, uint64_t first_block, uint64_t last_block)
{
    /* The bytes have one more at either end: the neighbour of a first or last block may be written.
     */
    uint8_t *runs = tree->runs[1];
    runs[first_block] = 0;
    runs[last_block] = 0;
    *(runs + first_block - 1) = 0;
    runs[last_block + 1] = 0;
    uint64_t below = first_block > 0 ? first_block - 1 : 0;
    uint64_t above = last_block + 1;
    for (uint32_t level = 2; level <= tree->top_level; level++) {
        uint32_t shift = bit_tree_node_shift(level) - bit_tree_node_shift(1);
        tree->runs[level][below >> shift] = 0;
        tree->runs[level][first_block >> shift] = 0;
        tree->runs[level][last_block >> shift] = 0;
        tree->runs[level][above >> shift] = 0;
    }
}

/* --- Measuring a block --------------------------------------------------------------------------
 */

/* Members at the top end of an open block, without a gap. */
static uint64_t members_at_top(const uint64_t *words)
{
    uint64_t count = 0;
    for (uint64_t i = BIT_TREE_WORDS_PER_BLOCK; i-- > 0;) {
        if (words[i] != BIT_TREE_ALL_BITS)
            return count + (uint64_t)__builtin_clzll(~words[i]);
        count += BIT_TREE_WORD_BITS;
    }
    return count;
}

static uint64_t members_at_bottom(const uint64_t *words)
{
    uint64_t count = 0;
    for (uint64_t i = 0; i < BIT_TREE_WORDS_PER_BLOCK; i++) {
        if (words[i] != BIT_TREE_ALL_BITS)
            return count + bit_tree_lowest_bit(~words[i]);
        count += BIT_TREE_WORD_BITS;
    }
    return count;
}

/* The members that a block has at the end that touches its neighbour. */
static uint64_t members_beside(const struct bit_tree *tree, uint64_t block, bool at_top)
{
    const uint64_t *words = &tree->words[block * BIT_TREE_WORDS_PER_BLOCK];
    switch (bit_tree_state(tree, 1, block)) {
    case BIT_TREE_NONE:
        return 0;
    case BIT_TREE_WHOLE:
        return BIT_TREE_BLOCK_BITS;
    case BIT_TREE_OPEN:
        break;
    }
    return at_top ? members_at_top(words) : members_at_bottom(words);
}

/* `longest`, or the longest run within the word if that is longer. */
static uint64_t longest_in_word(uint64_t word, uint64_t longest)
{
    uint64_t length = 0;
    for (; word != 0; word &= word << 1)
        length++;
    return length > longest ? length : longest;
}

/* The longest run that lies in an open block that is not full. */
static uint64_t longest_in_block(const uint64_t *words)
{
    uint64_t longest = 0;
    uint64_t current = 0; /* ends with the word before */
    for (uint64_t i = 0; i < BIT_TREE_WORDS_PER_BLOCK; i++) {
        if (words[i] == BIT_TREE_ALL_BITS) {
            current += BIT_TREE_WORD_BITS;
            continue;
        }
        current += bit_tree_lowest_bit(~words[i]);
        longest = longest_in_word(words[i], current > longest ? current : longest);
        current = (uint64_t)__builtin_clzll(~words[i]);
    }
    return current > longest ? current : longest;
}

static bool has_aligned_piece(const uint64_t *words)
{
    for (uint64_t i = 0; i < BIT_TREE_WORDS_PER_BLOCK; i += WORDS_PER_PIECE) {
        uint64_t common = BIT_TREE_ALL_BITS;
        for (uint64_t j = 0; j < WORDS_PER_PIECE; j++)
            common &= words[i + j];
        if (common == BIT_TREE_ALL_BITS)
            return true;
    }
    return false;
}

/* The bound of an open block, from its words and its neighbours'. */
static uint8_t measure(const struct bit_tree *tree, uint64_t block)
{
    const uint64_t *words = &tree->words[block * BIT_TREE_WORDS_PER_BLOCK];
    uint64_t block_count = tree->bit_count / BIT_TREE_BLOCK_BITS;
    uint64_t bottom = members_at_bottom(words);
    uint64_t top = members_at_top(words);
    uint64_t longest = longest_in_block(words);
    if (bottom > 0 && block > 0)
        bottom += members_beside(tree, block - 1, true);
    if (top > 0 && block + 1 < block_count)
        top += members_beside(tree, block + 1, false);
    longest = bottom > longest ? bottom : longest;
    longest = top > longest ? top : longest;
    unsigned bound = 1 + class_of_length(longest);
    return (uint8_t)(has_aligned_piece(words) ? bound | HAS_ALIGNED_PIECE : bound);
}

/* An open block that turns out to be full is closed, and so is a node all of whose children are.
 * Nothing is added by that: what is remembered stays true, and of this block nothing is. */
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

/* Measure an open block and remember it. False if it was full, and is not open any more. */
static bool learn_block(struct bit_tree *tree, uint64_t block)
{
    const uint64_t *words = &tree->words[block * BIT_TREE_WORDS_PER_BLOCK];
    if (members_at_bottom(words) == BIT_TREE_BLOCK_BITS) {
        close_full_block(tree, block);
        return false;
    }
    uint8_t bound = measure(tree, block);
    if (tree->runs[1][block] == bound)
        return true;
    tree->runs[1][block] = bound;
    /* Let the nodes above learn it, too. */
    for (uint32_t level = 2; level <= tree->top_level; level++)
        tree->runs[level][block >> (bit_tree_node_shift(level) - bit_tree_node_shift(1))] = 0;
    return true;
}

/* The bound of an open node out of its children's, remembered; 0 if one of them is not known. */
static uint8_t learn_node(struct bit_tree *tree, uint32_t level, uint64_t index)
{
    const struct bit_tree_node *node = &tree->nodes[level][index];
    uint8_t bound = 1;
    if (node->whole != 0)
        return 0;
    for (uint64_t some = node->some; some != 0; some &= some - 1) {
        uint64_t child = index * BIT_TREE_WORD_BITS + bit_tree_lowest_bit(some);
        uint8_t child_bound = tree->runs[level - 1][child];
        if (child_bound == 0 && level > 2)
            child_bound = learn_node(tree, level - 1, child);
        if (child_bound == 0)
            return 0;
        bound = combine(bound, child_bound);
    }
    tree->runs[level][index] = bound;
    return bound;
}

/* --- Finding ------------------------------------------------------------------------------------
 */

/* True if a node of `level`, a child of an open one, is known to have no run long enough. */
static bool is_known_short(const struct bit_tree *tree, uint32_t level, uint64_t index,
                           uint8_t required)
{
    const struct bit_tree_node *parent = &tree->nodes[level + 1][index / BIT_TREE_WORD_BITS];
    uint8_t bound = tree->runs[level][index];
    if ((parent->some & bit_tree_child_bit(index)) == 0)
        return true;
    return (parent->whole & bit_tree_child_bit(index)) == 0 && bound != 0 &&
           !bound_suffices(bound, required);
}

/* If `last`, a member, lies in a node that has no run long enough, write the start of the largest
 * such node, or of the last such sibling below it, to *ret_end. */
static bool skip_short_runs(struct bit_tree *tree, uint8_t required, uint64_t last,
                            uint64_t *ret_end)
{
    for (uint32_t level = tree->top_level;; level--) {
        uint64_t index = last >> bit_tree_node_shift(level);
        uint8_t bound = tree->runs[level][index];
        if (bound == 0 && level > 1)
            bound = learn_node(tree, level, index);
        if (bound == 0 && level == 1 && learn_block(tree, index))
            bound = tree->runs[1][index];
        if (bound != 0 && !bound_suffices(bound, required)) {
            while (index % BIT_TREE_WORD_BITS != 0 &&
                   is_known_short(tree, level, index - 1, required))
                index--;
            *ret_end = index << bit_tree_node_shift(level);
            return true;
        }
        if (level == 1)
            return false;
        uint64_t child = last >> bit_tree_child_shift(level);
        if ((tree->nodes[level][index].whole & bit_tree_child_bit(child)) != 0)
            return false;
    }
}

/* A word that may be of any block, or of none. */
static uint64_t word_at(const struct bit_tree *tree, uint64_t index)
{
    if (index >= tree->bit_count / BIT_TREE_WORD_BITS)
        return 0;
    switch (bit_tree_state(tree, 1, index / BIT_TREE_WORDS_PER_BLOCK)) {
    case BIT_TREE_NONE:
        return 0;
    case BIT_TREE_WHOLE:
        return BIT_TREE_ALL_BITS;
    case BIT_TREE_OPEN:
        break;
    }
    return tree->words[index];
}

/* Those bits of `low` at which a run of `length` members begins, 1 <= length <= 64; `high` follows.
 */
static uint64_t starts_of_runs(uint64_t low, uint64_t high, uint64_t length)
{
    /* Both are thinned out: after each step a bit stands for a run that is longer by `step`. */
    for (uint64_t known = 1; known < length;) {
        uint64_t step = known < length - known ? known : length - known;
        low &=
            step == BIT_TREE_WORD_BITS ? high : low >> step | high << (BIT_TREE_WORD_BITS - step);
        high &= high >> step;
        known += step;
    }
    return low;
}

/* The multiples of a power of two up to 64, as bits. */
static uint64_t multiples(uint64_t alignment)
{
    return alignment == BIT_TREE_WORD_BITS ? 1 : BIT_TREE_ALL_BITS / bit_tree_low_bits(alignment);
}

/* For a length and an alignment up to 64: the highest start in the block, by looking at each of its
 * words once. The block has a member. */
static bool find_short_run(const struct bit_tree *tree, const struct bit_tree_run_request *request,
                           uint64_t block, uint64_t *ret_start)
{
    uint64_t aligned = multiples(request->alignment);
    uint64_t index = (block + 1) * BIT_TREE_WORDS_PER_BLOCK;
    uint64_t high = word_at(tree, index) & bit_tree_mask_of_word(index, 0, request->end);
    bool whole = bit_tree_state(tree, 1, block) == BIT_TREE_WHOLE;
    while (index-- > block * BIT_TREE_WORDS_PER_BLOCK) {
        uint64_t low = whole ? BIT_TREE_ALL_BITS : tree->words[index];
        low &= bit_tree_mask_of_word(index, request->start, request->end);
        uint64_t starts = starts_of_runs(low, high, request->length) & aligned;
        if (starts != 0) {
            *ret_start = index * BIT_TREE_WORD_BITS + bit_tree_highest_bit(starts);
            return true;
        }
        high = low;
    }
    return false;
}

/* The highest aligned start of a run that ends at or below `end`; false if there is no room. */
static bool highest_start_below(const struct bit_tree_run_request *request, uint64_t end,
                                uint64_t *ret_start)
{
    if (end - request->start < request->length)
        return false;
    uint64_t shifted = (end - request->length + request->offset) & ~(request->alignment - 1);
    if (shifted < request->start + request->offset)
        return false;
    *ret_start = shifted - request->offset;
    return true;
}

/* One step from the top down: the highest candidate that ends at or below *end. If a number of it
 * is absent, the next candidate ends below the lowest such number: *end becomes that, or 0 if there
 * is no room for another. */
static bool try_highest_run(const struct bit_tree *tree, const struct bit_tree_run_request *request,
                            uint64_t *end, uint64_t *ret_start)
{
    uint64_t start;
    if (!highest_start_below(request, *end, &start))
        *end = 0;
    else if (!bit_tree_find_first_absent(tree, start, start + request->length, end)) {
        *ret_start = start;
        return true;
    }
    return false;
}

bool bit_tree_find_run(struct bit_tree *tree, const struct bit_tree_run_request *request,
                       uint64_t *ret_start)
{
    bool is_short =
        request->length <= BIT_TREE_WORD_BITS && request->alignment <= BIT_TREE_WORD_BITS;
    uint8_t required = bound_for_request(request);
    uint64_t searched = BIT_TREE_NO_BLOCK;
    uint64_t end = request->end;
    uint64_t last;
    bit_tree_settle(tree);
    while (bit_tree_find_last_below(tree, end, &last) && last >= request->start) {
        uint64_t block = last / BIT_TREE_BLOCK_BITS;
        /* A block that was searched for nothing may have changed since it was measured. */
        if (searched != block && searched != BIT_TREE_NO_BLOCK &&
            bit_tree_state(tree, 1, searched) == BIT_TREE_OPEN)
            (void)learn_block(tree, searched);
        searched = BIT_TREE_NO_BLOCK;
        if (skip_short_runs(tree, required, last, &end))
            continue;
        searched = block;
        end = last + 1;
        if (is_short ? find_short_run(tree, request, block, ret_start)
                     : try_highest_run(tree, request, &end, ret_start))
            return true;
        if (is_short)
            end = block * BIT_TREE_BLOCK_BITS;
    }
    return false;
}

/* --- Checking -----------------------------------------------------------------------------------
 */

/* Write what the bound of an open node would be, if all were measured, to *ret_truth. False if what
 * is remembered of the node or of one below it is less than that. */
static bool node_is_sound(const struct bit_tree *tree, uint32_t level, uint64_t index,
                          uint8_t *ret_truth)
{
    uint8_t bound = tree->runs[level][index];
    if (level == 1) {
        *ret_truth = measure(tree, index);
        return bound == 0 || bound_suffices(bound, *ret_truth);
    }
    const struct bit_tree_node *node = &tree->nodes[level][index];
    if (node->whole != 0 && bound != 0)
        return false;
    *ret_truth = 1;
    for (uint64_t open = node->some & ~node->whole; open != 0; open &= open - 1) {
        uint64_t child = index * BIT_TREE_WORD_BITS + bit_tree_lowest_bit(open);
        uint8_t truth;
        if (!node_is_sound(tree, level - 1, child, &truth))
            return false;
        *ret_truth = combine(*ret_truth, truth);
    }
    return bound == 0 || bound_suffices(bound, *ret_truth);
}

bool bit_tree_runs_are_sound(const struct bit_tree *tree)
{
    uint8_t truth;
    return node_is_sound(tree, tree->top_level, 0, &truth);
}
