#include "kernel/mm/bit_tree.h"

#include "shared/memory.h"

#define ALL_BITS UINT64_MAX

static uint64_t words_for(uint64_t bit_count)
{
    return (bit_count + BIT_TREE_WORD_BITS - 1) / BIT_TREE_WORD_BITS;
}

/* The `count` lowest bits, 0 <= count <= 64. */
static uint64_t low_bits(uint64_t count)
{
    return count == BIT_TREE_WORD_BITS ? ALL_BITS : (UINT64_C(1) << count) - 1;
}

/* Those bits of one word that stand for numbers in [start, end). */
static uint64_t word_mask(uint64_t word_index, uint64_t start, uint64_t end)
{
    uint64_t first = word_index * BIT_TREE_WORD_BITS;
    uint64_t low = start > first ? start - first : 0;
    uint64_t high = end - first < BIT_TREE_WORD_BITS ? end - first : BIT_TREE_WORD_BITS;
    return low_bits(high) & ~low_bits(low);
}

static uint64_t highest_bit(uint64_t word)
{
    return BIT_TREE_WORD_BITS - 1 - (uint64_t)__builtin_clzll(word);
}

static uint64_t lowest_bit(uint64_t word)
{
    return (uint64_t)__builtin_ctzll(word);
}

uint64_t bit_tree_word_count(uint64_t bit_count)
{
    uint64_t total = 0;
    uint64_t level_words = bit_count;
    do {
        level_words = words_for(level_words);
        total += level_words;
    } while (level_words > 1);
    return total;
}

void bit_tree_initialise(struct bit_tree *tree, uint64_t *memory, uint64_t bit_count)
{
    *tree = (struct bit_tree){.bit_count = bit_count};
    uint64_t level_words = bit_count;
    do {
        level_words = words_for(level_words);
        tree->levels[tree->level_count] = memory;
        tree->word_counts[tree->level_count] = level_words;
        tree->level_count++;
        memset(memory, 0, level_words * sizeof(uint64_t));
        memory += level_words;
    } while (level_words > 1);
}

/* The words that are wholly inside a range get one value at once: at 1 TiB of RAM there are four
 * million of them. */
static void fill_inner_words(uint64_t *words, uint64_t first_word, uint64_t end_word, int byte)
{
    if (end_word - first_word > 2)
        memset(&words[first_word + 1], byte, (end_word - first_word - 2) * sizeof(uint64_t));
}

void bit_tree_insert(struct bit_tree *tree, uint64_t start, uint64_t end)
{
    for (uint32_t level = 0; level < tree->level_count; level++) {
        uint64_t *words = tree->levels[level];
        uint64_t first_word = start / BIT_TREE_WORD_BITS;
        uint64_t end_word = words_for(end);
        words[first_word] |= word_mask(first_word, start, end);
        words[end_word - 1] |= word_mask(end_word - 1, start, end);
        fill_inner_words(words, first_word, end_word, 0xff);
        /* Every word that was touched is now not zero, so all their bits above get set. */
        start = first_word;
        end = end_word;
    }
}

void bit_tree_remove(struct bit_tree *tree, uint64_t start, uint64_t end)
{
    for (uint32_t level = 0; level < tree->level_count && start < end; level++) {
        uint64_t *words = tree->levels[level];
        uint64_t first_word = start / BIT_TREE_WORD_BITS;
        uint64_t end_word = words_for(end);
        words[first_word] &= ~word_mask(first_word, start, end);
        words[end_word - 1] &= ~word_mask(end_word - 1, start, end);
        fill_inner_words(words, first_word, end_word, 0);
        /* Only the words at the two ends can have kept a member; the bits above the others go. */
        if (words[first_word] != 0)
            first_word++;
        if (first_word < end_word && words[end_word - 1] != 0)
            end_word--;
        start = first_word;
        end = end_word;
    }
}

/* Follow set bits from `index` on `level` down to the highest member below it. */
static uint64_t descend_to_highest(const struct bit_tree *tree, uint32_t level, uint64_t index)
{
    while (level > 0) {
        level--;
        index = index * BIT_TREE_WORD_BITS + highest_bit(tree->levels[level][index]);
    }
    return index;
}

bool bit_tree_find_last_below(const struct bit_tree *tree, uint64_t limit, uint64_t *ret_index)
{
    uint64_t end = limit < tree->bit_count ? limit : tree->bit_count;
    for (uint32_t level = 0; level < tree->level_count && end > 0; level++) {
        uint64_t word_index = (end - 1) / BIT_TREE_WORD_BITS;
        uint64_t candidates = tree->levels[level][word_index] & word_mask(word_index, 0, end);
        if (candidates != 0) {
            uint64_t index = word_index * BIT_TREE_WORD_BITS + highest_bit(candidates);
            *ret_index = descend_to_highest(tree, level, index);
            return true;
        }
        end = word_index;
    }
    return false;
}

bool bit_tree_find_first_absent(const struct bit_tree *tree, uint64_t start, uint64_t end,
                                uint64_t *ret_index)
{
    for (uint64_t i = start / BIT_TREE_WORD_BITS; i < words_for(end); i++) {
        uint64_t absent = ~tree->levels[0][i] & word_mask(i, start, end);
        if (absent != 0) {
            *ret_index = i * BIT_TREE_WORD_BITS + lowest_bit(absent);
            return true;
        }
    }
    return false;
}

uint64_t bit_tree_count(const struct bit_tree *tree, uint64_t start, uint64_t end)
{
    uint64_t count = 0;
    for (uint64_t i = start / BIT_TREE_WORD_BITS; i < words_for(end); i++) {
        uint64_t members = tree->levels[0][i] & word_mask(i, start, end);
        count += (uint64_t)__builtin_popcountll(members);
    }
    return count;
}

uint64_t bit_tree_longest_run(const struct bit_tree *tree, uint64_t start, uint64_t end)
{
    uint64_t longest = 0;
    uint64_t current = 0; /* length of the run that ends just before the bits that come next */
    for (uint64_t i = start / BIT_TREE_WORD_BITS; i < words_for(end); i++) {
        uint64_t members = tree->levels[0][i] & word_mask(i, start, end);
        if (members == ALL_BITS) {
            current += BIT_TREE_WORD_BITS;
            continue;
        }
        for (uint64_t bit = 0; bit < BIT_TREE_WORD_BITS; bit++) {
            longest = current > longest ? current : longest;
            current = (members >> bit) & 1 ? current + 1 : 0;
        }
    }
    return current > longest ? current : longest;
}

static bool level_is_sound(const struct bit_tree *tree, uint32_t level)
{
    uint64_t bit_count = level == 0 ? tree->bit_count : tree->word_counts[level - 1];
    for (uint64_t i = 0; i < tree->word_counts[level]; i++) {
        uint64_t expected = 0;
        uint64_t known = word_mask(i, 0, bit_count);
        uint64_t word = tree->levels[level][i];
        if ((word & ~known) != 0)
            return false;
        if (level == 0)
            continue;
        for (uint64_t bit = 0; bit < BIT_TREE_WORD_BITS && (known >> bit & 1); bit++) {
            if (tree->levels[level - 1][i * BIT_TREE_WORD_BITS + bit] != 0)
                expected |= UINT64_C(1) << bit;
        }
        if (word != expected)
            return false;
    }
    return true;
}

bool bit_tree_check(const struct bit_tree *tree)
{
    for (uint32_t level = 0; level < tree->level_count; level++) {
        if (!level_is_sound(tree, level))
            return false;
    }
    return true;
}
