/*
 * bit_tree.h - a set of small numbers with a fast "highest member below".
 *
 *   level 2   [1]                              one bit a word of level 1
 *   level 1   [0 … 1 1]                        one bit a word of level 0
 *   level 0   [0…0] … [0110…] [1111…]          one bit a number: set = member
 *
 * A bit above level 0 is set exactly if the word below it is not zero, so a search skips 64, 4096,
 * … numbers that are absent at a glance, and one that fails costs a word. All zero is the empty
 * set: what was never inserted is not there.
 *
 * The caller gives the memory. Pure.
 */
#ifndef KERNEL_MM_BIT_TREE_H
#define KERNEL_MM_BIT_TREE_H

#include <stdbool.h>
#include <stdint.h>

#define BIT_TREE_WORD_BITS UINT64_C(64)
/* 64^7 = 2^42 numbers: every frame of a 52-bit physical address space. */
#define BIT_TREE_LEVELS_MAX 7
#define BIT_TREE_BITS_MAX   (UINT64_C(1) << 42)

struct bit_tree {
    uint64_t bit_count;
    uint32_t level_count;
    uint64_t *levels[BIT_TREE_LEVELS_MAX];
    uint64_t word_counts[BIT_TREE_LEVELS_MAX];
};

/* How many 64-bit words a set of the numbers [0, bit_count) takes, all levels together.
 * Precondition: 0 < bit_count <= BIT_TREE_BITS_MAX. */
uint64_t bit_tree_word_count(uint64_t bit_count);

/* Start as the empty set. `memory` has bit_tree_word_count(bit_count) words and stays the tree's.
 */
void bit_tree_initialise(struct bit_tree *tree, uint64_t *memory, uint64_t bit_count);

/* Ranges are half open, [start, end), and must not be empty or pass bit_count. */
void bit_tree_insert(struct bit_tree *tree, uint64_t start, uint64_t end);
void bit_tree_remove(struct bit_tree *tree, uint64_t start, uint64_t end);

/* Write the highest member below `limit` to *ret_index. False if there is none. A limit beyond
 * bit_count means all. */
bool bit_tree_find_last_below(const struct bit_tree *tree, uint64_t limit, uint64_t *ret_index);

/* Write the lowest number in [start, end) that is not a member to *ret_index. False if all are. */
bool bit_tree_find_first_absent(const struct bit_tree *tree, uint64_t start, uint64_t end,
                                uint64_t *ret_index);

/* Members in [start, end). */
uint64_t bit_tree_count(const struct bit_tree *tree, uint64_t start, uint64_t end);

/* The length of the longest run of members in [start, end). */
uint64_t bit_tree_longest_run(const struct bit_tree *tree, uint64_t start, uint64_t end);

/* True if every bit above level 0 says the truth and no bit beyond bit_count is set. */
bool bit_tree_check(const struct bit_tree *tree) __attribute__((warn_unused_result));

#endif
