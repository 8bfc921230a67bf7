/*
 * bit_tree_run.c - find the highest run of members.
 *
 * The search goes from the top down, and only into children whose bound allows the run. Between two
 * children it measures the run that crosses from one to the other. If a bound was too high, it is
 * computed again.
 */
#include "kernel/mm/frames/bit_tree.h"
#include "kernel/mm/frames/bit_tree_bound.h"

struct search {
    const struct bit_tree_run_request *request;
    uint32_t shift;   /* of the alignment; at most that of the highest bound */
    uint64_t aligned; /* the bits of a word that are multiples of the alignment, if bit 0 is */
    uint64_t start;   /* of the run, once it is found */
};

static bool search_all_of(const struct search *search, struct bit_range numbers)
{
    const struct bit_range *within = &search->request->within;
    return within->start <= numbers.start && numbers.end <= within->end;
}

/* Return the part of `numbers` that the request covers; empty or reversed if it covers nothing. */
static struct bit_range requested_of(const struct search *search, struct bit_range numbers)
{
    return bit_range(bit_tree_larger(numbers.start, search->request->within.start),
                     bit_tree_smaller(numbers.end, search->request->within.end));
}

/* Find the highest aligned start of the requested run in a longer run. Return false if there is no
 * room. */
static bool fit(struct search *search, const struct bit_tree_piece *run)
{
    const struct bit_tree_run_request *request = search->request;
    if (run->start >= run->end || run->end - run->start < request->length)
        return false;
    uint64_t shifted = (run->end - request->length + run->offset) & ~(request->alignment - 1);
    if (shifted < run->start + run->offset)
        return false;
    search->start = shifted - run->offset;
    return true;
}

/* --- In a group ------------------------------------------------------------------------------- */

/* The state of a walk down the words of a piece. */
struct walk {
    const struct bit_tree_piece *piece;
    uint64_t run_end; /* of the run that may continue into the word that was read last */
    uint64_t above;   /* the members of that word */
};

/* Return the multiples of the request's alignment in the word `index`, as bits. */
static uint64_t aligned_starts(const struct search *search, const struct walk *walk, uint64_t index)
{
    uint64_t first = index * BIT_TREE_WORD_BITS + walk->piece->offset;
    bool is_multiple = (first & (search->request->alignment - 1)) == 0;
    return search->shift <= 6 || is_multiple ? search->aligned : 0;
}

/* Search for the runs of up to 64 that begin in the word `index`. */
static inline bool search_word_for_short(struct search *search, struct walk *walk, uint64_t index,
                                         uint64_t members)
{
    uint64_t starts = 0;
    if (members != 0)
        starts = bit_tree_starts_of_runs(members, walk->above, search->request->length) &
                 aligned_starts(search, walk, index);
    walk->above = members;
    if (starts == 0)
        return false;
    search->start = index * BIT_TREE_WORD_BITS + bit_tree_highest_bit(starts);
    return true;
}

/* Search for the run of more than 64 that begins in the word `index`, or at the start of the word
 * above it. */
static inline bool search_word_for_long(struct search *search, struct walk *walk, uint64_t index,
                                        uint64_t members)
{
    uint64_t absent = ~members;
    if (absent == 0)
        return false;
    struct bit_tree_piece run = {index * BIT_TREE_WORD_BITS + bit_tree_highest_bit(absent) + 1,
                                 walk->run_end, walk->piece->offset};
    walk->run_end = index * BIT_TREE_WORD_BITS + bit_tree_lowest_bit(absent);
    return fit(search, &run);
}

static bool search_word(struct search *search, struct walk *walk, uint64_t index, uint64_t members)
{
    return search->request->length <= BIT_TREE_WORD_BITS
               ? search_word_for_short(search, walk, index, members)
               : search_word_for_long(search, walk, index, members);
}

/* Search an open block that lies completely in the piece. */
static bool search_open_block(const struct bit_tree *tree, struct search *search, struct walk *walk,
                              uint64_t block)
{
    uint64_t first = block * BIT_TREE_WORDS_PER_BLOCK;
    uint64_t i = first + BIT_TREE_WORDS_PER_BLOCK;
    if (search->request->length > BIT_TREE_WORD_BITS) {
        while (i-- > first) {
            if (search_word_for_long(search, walk, i, tree->words[i]))
                return true;
        }
        return false;
    }
    while (i-- > first) {
        if (search_word_for_short(search, walk, i, tree->words[i]))
            return true;
    }
    return false;
}

/* Search a block that is full, or that lies only partly in the piece. */
static bool search_other_block(const struct bit_tree *tree, struct search *search,
                               struct walk *walk, uint64_t block, bool whole)
{
    uint64_t first = block * BIT_TREE_WORDS_PER_BLOCK;
    for (uint64_t i = first + BIT_TREE_WORDS_PER_BLOCK; i-- > first;) {
        uint64_t mask = bit_tree_mask_of_word(i, walk->piece->start, walk->piece->end);
        if (search_word(search, walk, i, whole ? mask : tree->words[i] & mask))
            return true;
    }
    return false;
}

static bool search_block(const struct bit_tree *tree, struct search *search, struct walk *walk,
                         uint64_t block)
{
    enum bit_tree_state state = bit_tree_state(tree, 1, block);
    bool all = walk->piece->start <= block * BIT_TREE_BLOCK_BITS &&
               (block + 1) * BIT_TREE_BLOCK_BITS <= walk->piece->end;
    if (state == BIT_TREE_OPEN && all)
        return search_open_block(tree, search, walk, block);
    if (state != BIT_TREE_NONE)
        return search_other_block(tree, search, walk, block, state == BIT_TREE_WHOLE);
    if (search_word(search, walk, (block + 1) * BIT_TREE_WORDS_PER_BLOCK - 1, 0))
        return true;
    walk->run_end = block * BIT_TREE_BLOCK_BITS;
    return false;
}

/* Precondition: the piece is not empty. */
static bool search_piece(struct bit_tree *tree, struct search *search,
                         const struct bit_tree_piece *piece)
{
    struct walk walk = {piece, piece->end, 0};
    uint64_t first = piece->start / BIT_TREE_BLOCK_BITS;
    for (uint64_t block = (piece->end - 1) / BIT_TREE_BLOCK_BITS + 1; block-- > first;) {
        tree->run_search_step_count += BIT_TREE_WORDS_PER_BLOCK;
        if (search_block(tree, search, &walk, block))
            return true;
    }
    struct bit_tree_piece last = {piece->start, walk.run_end, piece->offset};
    return search->request->length > BIT_TREE_WORD_BITS && fit(search, &last);
}

/* Search a group, or the part of it that the request covers. */
static bool search_numbers(struct bit_tree *tree, struct search *search, struct bit_range numbers)
{
    numbers = requested_of(search, numbers);
    while (numbers.start < numbers.end) {
        struct bit_tree_piece piece = bit_tree_last_piece(tree, numbers);
        if (search_piece(tree, search, &piece))
            return true;
        numbers.end = piece.start;
    }
    return false;
}

/* --- In a node -------------------------------------------------------------------------------- */

static bool search_node(struct bit_tree *tree, struct search *search, uint32_t level,
                        uint64_t index);

/* Search numbers that are all members. */
static bool search_whole(const struct bit_tree *tree, struct search *search,
                         struct bit_range numbers)
{
    numbers = requested_of(search, numbers);
    while (numbers.start < numbers.end) {
        struct bit_tree_piece piece = bit_tree_last_piece(tree, numbers);
        if (fit(search, &piece))
            return true;
        numbers.end = piece.start;
    }
    return false;
}

/* Search a group of a node of level 3. Precondition: the node of level 2 that contains it is
 * open. */
static bool search_group(struct bit_tree *tree, struct search *search, uint64_t group)
{
    struct bit_range numbers = bit_tree_numbers_of(tree, group, BIT_TREE_GROUP_SHIFT);
    if (search_numbers(tree, search, numbers))
        return true;
    if (search_all_of(search, numbers))
        bit_tree_recompute_group(tree, group);
    return false;
}

/* Search a child of a node of `level` whose bound allows the run. */
static bool search_child(struct bit_tree *tree, struct search *search, uint32_t level,
                         uint64_t child)
{
    if (bit_tree_state(tree, level - 1, bit_tree_node_of_child(level, child)) == BIT_TREE_WHOLE)
        return search_whole(tree, search,
                            bit_tree_numbers_of(tree, child, bit_tree_bound_shift(level)));
    if (level == BIT_TREE_BOUNDED_LEVEL)
        return search_group(tree, search, child);
    return search_node(tree, search, level - 1, child);
}

/* Search the run that crosses into the child that starts at `start`, as far as it lies in
 * `numbers`. */
static bool search_crossing(struct bit_tree *tree, struct search *search, struct bit_range numbers,
                            uint64_t start)
{
    if (start <= numbers.start || start >= numbers.end)
        return false;
    struct bit_tree_piece run = bit_tree_crossing_run(tree, numbers, start);
    return fit(search, &run);
}

/* Search an open node of level 3 … whose bound allows the run. */
static bool search_node(struct bit_tree *tree, struct search *search, uint32_t level,
                        uint64_t index)
{
    struct bit_range all = bit_tree_numbers_of(tree, index, bit_tree_node_shift(level));
    struct bit_range numbers = requested_of(search, all);
    uint32_t shift = bit_tree_bound_shift(level);
    if (numbers.start >= numbers.end)
        return false;
    for (uint64_t child = (numbers.end - 1) >> shift;; child--) {
        tree->run_search_step_count++;
        if (bit_tree_child_bound(tree, level, child, search->shift) >= search->request->length &&
            search_child(tree, search, level, child))
            return true;
        if (search_crossing(tree, search, numbers, child << shift))
            return true;
        if (child << shift <= numbers.start)
            break;
    }
    if (search_all_of(search, all))
        bit_tree_recompute_node(tree, level, index, search->shift);
    return false;
}

bool bit_tree_find_run(struct bit_tree *tree, const struct bit_tree_run_request *request,
                       uint64_t *ret_start)
{
    struct search search = {.request = request};
    search.shift = (uint32_t)bit_tree_smaller(bit_tree_lowest_bit(request->alignment),
                                              BIT_TREE_ALIGNMENTS - 1);
    search.aligned = bit_tree_multiples((uint32_t)bit_tree_smaller(search.shift, 6));
    bit_tree_flush_shortcuts(tree);
    bit_tree_update_bounds(tree);
    tree->run_search_step_count++;
    if (bit_tree_run_bound(tree, request->alignment) < request->length ||
        !search_node(tree, &search, tree->top_level, 0))
        return false;
    *ret_start = search.start;
    return true;
}
