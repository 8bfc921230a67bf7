/*
 * bit_tree.h - a set of numbers, for very many numbers in long runs.
 *
 *   level 2 …  some  [ 0  1  1  1 ]     a node: 64 children, two bits for each
 *              whole [ 0  0  1  0 ]
 *                         │  └ every number is a member: nothing below is written or read
 *                         └ open: look below          (neither bit: no number is a member)
 *   level 1    some  [0 1 … 1 0]        a block of 4096 numbers: one bit for each of its words
 *   level 0    [0…0] [0110…] [1111…]    one bit a number, 64 to a word: set = member
 *
 * Only open nodes and blocks are ever written. Starting the set costs a few stores. Adding or
 * removing a range writes only a few words at its two ends, however long it is. A leaf is filled
 * when it is needed first. A search skips 64, 4096, … members or absent numbers in one step.
 *
 * Runs in fragmented sets: each group of 16 blocks, and each node above, remembers for each
 * alignment the length of the longest run that begins there (bit_tree_bound.h). A search for a run
 * skips groups and nodes whose runs are too short. It goes down only to the place of the run.
 *
 * Numbers lie in extents, with or without gaps between them. A run lies in one extent. The
 * alignment of a run is the alignment of its first number + the offset of its extent.
 *
 * Size: 1 + 1/64 + 3/64^2 + 1/256 + … = 1.0205 bits a number.
 *
 * The caller gives the memory. Pure. Concurrency: the caller serialises all calls.
 */
#ifndef KERNEL_MM_FRAMES_BIT_TREE_H
#define KERNEL_MM_FRAMES_BIT_TREE_H

#include <stdbool.h>
#include <stdint.h>

#define BIT_TREE_WORD_BITS  UINT64_C(64)
#define BIT_TREE_BLOCK_BITS UINT64_C(4096)
/* The smallest tree has level 3, too, since the nodes from level 3 up have bounds. */
#define BIT_TREE_BOUNDED_LEVEL 3
/* A node of level 6 has 64^7 = 2^42 numbers: more than the frames of 52-bit physical addresses. */
#define BIT_TREE_LEVELS_MAX 7
#define BIT_TREE_BITS_MAX   (UINT64_C(1) << 42)

struct bit_tree_bounds;
struct bit_tree_group_bounds;
struct bit_tree_node;

/* Numbers [start, end). */
struct bit_range {
    uint64_t start;
    uint64_t end; /* start <= end */
};

static inline struct bit_range bit_range(uint64_t start, uint64_t end)
{
    return (struct bit_range){start, end};
}

static inline uint64_t bit_range_count(struct bit_range range)
{
    return range.end - range.start;
}

static inline bool bit_range_is_empty(struct bit_range range)
{
    return range.start == range.end;
}

/* Consecutive numbers: [first_bit, first_bit + bit_count). */
struct bit_tree_extent {
    uint64_t first_bit;
    uint64_t bit_count;
    uint64_t offset; /* number + offset is the index outside of the tree; alignments refer to it */
};

static inline struct bit_range bit_tree_extent_bits(const struct bit_tree_extent *extent)
{
    return bit_range(extent->first_bit, extent->first_bit + extent->bit_count);
}

/* Private to the implementation. */
struct bit_tree {
    uint64_t *words; /* with one additional word, which is always zero: see highest_word */
    /* No member lies above this word. Its block is open, or it is the additional word. When this
     * word has lost its last member, the level above may still state that it has one. No other word
     * may disagree with the level above. */
    uint64_t highest_word;
    /* A block that is open and marked as grown, or BIT_TREE_NO_BLOCK. */
    uint64_t open_block;
    uint64_t *block_words; /* level 1: which words of a block have members */
    struct bit_tree_node *nodes[BIT_TREE_LEVELS_MAX]; /* of level 2 … top_level */
    struct bit_tree_group_bounds *group_bounds;
    struct bit_tree_bounds *bounds[BIT_TREE_LEVELS_MAX]; /* of level 3 … top_level */
    const struct bit_tree_extent *extents;
    uint32_t extent_count;
    uint32_t top_level; /* has one node, which is always open */
    uint64_t bit_count;
    uint64_t run_search_step_count; /* see bit_tree_find_run() */
};

#define BIT_TREE_NO_BLOCK UINT64_MAX

/* Return the memory that a set of the numbers [0, bit_count) needs. Precondition: bit_count is a
 * multiple of BIT_TREE_BLOCK_BITS, not 0, at most BIT_TREE_BITS_MAX. */
uint64_t bit_tree_size_bytes(uint64_t bit_count);

/* Start as the empty set. `memory` has bit_tree_size_bytes(bit_count) bytes, is aligned to 8, may
 * have any content, and belongs to the tree from now on. The call writes a few words of it. The
 * extents are sorted, consist of whole blocks, and cover the numbers from 0 to bit_count without
 * gaps. The caller does not move or change them. Their offsets are multiples of
 * BIT_TREE_BLOCK_BITS, in ascending order. number + offset stays below BIT_TREE_BITS_MAX. */
void bit_tree_initialise(struct bit_tree *tree, void *memory, uint64_t bit_count,
                         const struct bit_tree_extent *extents, uint32_t extent_count);

/* A range must not be empty, and ends at or below bit_count. Some numbers of an added range may be
 * members already. Some numbers of a removed range may not be members. */
void bit_tree_insert(struct bit_tree *tree, struct bit_range range);
void bit_tree_remove(struct bit_tree *tree, struct bit_range range);

/* Remove the highest member, and write it to *ret_number. Return false if the set is empty. */
bool bit_tree_take_last(struct bit_tree *tree, uint64_t *ret_number);

/* The same, if only one word changes and the member lies in [start, start + length). Otherwise
 * return false and change nothing; the caller then calls bit_tree_take_last(). In a sequence of
 * calls, nearly every call returns true. */
static inline bool bit_tree_try_take_last(struct bit_tree *tree, uint64_t start, uint64_t length,
                                          uint64_t *ret_number)
{
    uint64_t first = tree->highest_word * BIT_TREE_WORD_BITS;
    uint64_t word = tree->words[tree->highest_word];
    if (word == 0 || first - start >= length)
        return false;
    uint64_t bit = BIT_TREE_WORD_BITS - 1 - (uint64_t)__builtin_clzll(word);
    tree->words[tree->highest_word] = word ^ UINT64_C(1) << bit;
    *ret_number = first + bit;
    return true;
}

/* Add one number. Return false, and change nothing, if it is a member. Precondition: it is below
 * bit_count. */
bool bit_tree_add(struct bit_tree *tree, uint64_t number);

/* The same, if only one word changes and it has a member already. So it is not above highest_word.
 * Otherwise, and if the number is a member, return false and change nothing; the caller then calls
 * bit_tree_add(). */
static inline bool bit_tree_try_add(struct bit_tree *tree, uint64_t number)
{
    uint64_t index = number / BIT_TREE_WORD_BITS;
    uint64_t bit = number % BIT_TREE_WORD_BITS;
    if (number / BIT_TREE_BLOCK_BITS != tree->open_block)
        return false;
    uint64_t word = tree->words[index];
    if (word == 0 || (word >> bit & 1) != 0)
        return false;
    tree->words[index] = word | UINT64_C(1) << bit;
    return true;
}

/* The same, if only one block changes and the number's word in it is empty. */
static inline bool bit_tree_try_add_to_empty(struct bit_tree *tree, uint64_t number)
{
    uint64_t index = number / BIT_TREE_WORD_BITS;
    if (number / BIT_TREE_BLOCK_BITS != tree->open_block || index > tree->highest_word ||
        tree->words[index] != 0)
        return false;
    tree->block_words[tree->open_block] |= UINT64_C(1) << index % BIT_TREE_WORD_BITS;
    tree->words[index] = UINT64_C(1) << number % BIT_TREE_WORD_BITS;
    return true;
}

/* Remove all members of the highest word that has members. Write its first number, a multiple of
 * 64, and its members as bits. Return false if the set is empty. */
bool bit_tree_take_last_word(struct bit_tree *tree, uint64_t *ret_first, uint64_t *ret_members);

/* Write the highest member below `limit` to *ret_number. Return false if there is no such member. A
 * limit above bit_count includes all numbers. */
bool bit_tree_find_last_below(const struct bit_tree *tree, uint64_t limit, uint64_t *ret_number);

/* Write the lowest number in the range that is not a member to *ret_number. Return false if all are
 * members. Precondition: the range is not empty. */
bool bit_tree_find_first_absent(const struct bit_tree *tree, struct bit_range range,
                                uint64_t *ret_number);

struct bit_tree_run_request {
    struct bit_range within; /* the run lies in it, and in one extent */
    uint64_t length;         /* not 0 */
    uint64_t alignment; /* a power of two: the run's first number + offset is a multiple of it */
};

/* Find the highest run of members that matches the request, and write its start to *ret_start.
 * Return false if there is no such run. The bounds change, but never the set.
 *
 * Cost. If no member was added or removed since a search of all numbers found nothing: one
 * comparison. In general at most
 *   - for each block that members were added to since the last search: its 64 words, once;
 *   - for each group whose bound allows the run and is old: its 1024 words, twice, and the bounds
 *     of the 256 or 64 children of the nodes above. A bound is old if members were removed from
 *     the group since it was computed;
 *   - on the way down to the run: 1024 words, and 256 or 64 bounds a level;
 *   - the same at each end of `within`, if it does not include all numbers.
 * A tree with 64 times as many numbers has one more level. tree->run_search_step_count counts the
 * steps: the words and bounds that were read. */
bool bit_tree_find_run(struct bit_tree *tree, const struct bit_tree_run_request *request,
                       uint64_t *ret_start);

/* Return the bound: no run that starts at a multiple of `alignment` (number + offset) is longer.
 * After a search of all numbers that finds no run, the bound is below the requested length. If the
 * bound had allowed that length before the search, it is exact afterwards. The bound includes added
 * members only after the next search. */
uint64_t bit_tree_run_bound(const struct bit_tree *tree, uint64_t alignment);

/* Return the number of members in a range, which may be empty. */
uint64_t bit_tree_count(const struct bit_tree *tree, struct bit_range range);

/* Return the length of the longest run of members in a range, which may be empty. */
uint64_t bit_tree_longest_run(const struct bit_tree *tree, struct bit_range range);

/* Check every node, word and bound that is in use. Return true if all are correct. */
bool bit_tree_check(const struct bit_tree *tree) __attribute__((warn_unused_result));

#endif
