/*
 * bit_tree_measure.c - measure runs in the words.
 */
#include "kernel/mm/frames/bit_tree_bound.h"

struct bit_tree_piece bit_tree_piece_at(const struct bit_tree *tree, struct bit_range numbers,
                                        uint64_t number)
{
    uint32_t low = 0;
    uint32_t high = tree->extent_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (number < tree->extents[middle].first_bit)
            high = middle;
        else
            low = middle;
    }
    const struct bit_tree_extent *extent = &tree->extents[low];
    return (struct bit_tree_piece){
        .start = bit_tree_larger(numbers.start, extent->first_bit),
        .end = bit_tree_smaller(numbers.end, extent->first_bit + extent->bit_count),
        .offset = extent->offset,
    };
}

struct bit_tree_piece bit_tree_last_piece(const struct bit_tree *tree, struct bit_range numbers)
{
    return bit_tree_piece_at(tree, numbers, numbers.end - 1);
}

uint64_t bit_tree_word_at(const struct bit_tree *tree, uint64_t index)
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

struct bit_tree_piece bit_tree_run_at(const struct bit_tree *tree, struct bit_range numbers,
                                      uint64_t number)
{
    struct bit_tree_piece run = bit_tree_piece_at(tree, numbers, number);
    uint64_t absent;
    if (bit_tree_find_last_absent(tree, bit_range(run.start, number + 1), &absent))
        run.start = absent + 1;
    if (bit_tree_find_first_absent(tree, bit_range(number, run.end), &absent))
        run.end = absent;
    return run;
}

struct bit_tree_piece bit_tree_crossing_run(const struct bit_tree *tree, struct bit_range numbers,
                                            uint64_t number)
{
    uint64_t index = number / BIT_TREE_WORD_BITS;
    uint64_t absent_below = ~bit_tree_word_at(tree, index - 1);
    uint64_t absent_above = ~bit_tree_word_at(tree, index);
    struct bit_tree_piece run = {number, number, 0};
    if (absent_below >> (BIT_TREE_WORD_BITS - 1) != 0 || (absent_above & 1) != 0)
        return run;
    struct bit_tree_piece piece = bit_tree_piece_at(tree, numbers, number);
    if (absent_below == 0 || absent_above == 0)
        return bit_tree_run_at(tree, numbers, number);
    run.start = bit_tree_larger(number - (uint64_t)__builtin_clzll(absent_below), piece.start);
    run.end = bit_tree_smaller(number + bit_tree_lowest_bit(absent_above), piece.end);
    run.offset = piece.offset;
    return run;
}

uint64_t bit_tree_aligned_length(const struct bit_tree_piece *run, uint32_t shift)
{
    uint64_t mask = (UINT64_C(1) << shift) - 1;
    uint64_t end = run->end + run->offset;
    uint64_t first = (run->start + run->offset + mask) & ~mask;
    return run->start < run->end && first < end ? end - first : 0;
}

void bit_tree_raise_by_run(struct bit_tree_bounds *bounds, const struct bit_tree_piece *run)
{
    for (uint32_t shift = 0; shift < BIT_TREE_ALIGNMENTS; shift++) {
        uint64_t length = bit_tree_aligned_length(run, shift);
        if (length == 0)
            return;
        bounds->longest[shift] = bit_tree_larger(bounds->longest[shift], length);
    }
}

/* The runs that touch neither end of the word: none of them starts at a multiple of 64. The
 * loop goes from the largest alignment down: the longest run is never shorter than the one before.
 * So each step only removes runs from `runs`, until no run is longer than the bound. */
static void raise_by_word(struct bit_tree_bounds *bounds, uint64_t word)
{
    uint64_t at_bottom = bit_tree_low_bits(bit_tree_lowest_bit(~word));
    uint64_t at_top = ~bit_tree_low_bits(bit_tree_highest_bit(~word) + 1);
    uint64_t runs = word & ~at_bottom & ~at_top; /* starts of the runs of at least `length` */
    uint64_t length = 1;
    uint64_t longest = 0;
    for (uint32_t shift = 6; shift-- > 0;) {
        if (runs == 0 && longest <= bounds->longest[shift])
            return;
        longest = bit_tree_larger(longest, bounds->longest[shift]);
        for (;;) {
            while (length <= longest && runs != 0) {
                uint64_t step = bit_tree_smaller(length, longest + 1 - length);
                runs &= runs >> step;
                length += step;
            }
            if ((runs & bit_tree_multiples(shift)) == 0)
                break;
            longest = length;
        }
        bounds->longest[shift] = longest;
    }
}

static void raise_by_numbers(struct bit_tree_bounds *bounds, uint64_t start, uint64_t end,
                             uint64_t offset)
{
    const struct bit_tree_piece run = {start, end, offset};
    if (start < end)
        bit_tree_raise_by_run(bounds, &run);
}

/* `run_end` is the end of a run that may continue from above into this block. Return the end of the
 * run that may continue below it. */
static uint64_t raise_by_open_block(const struct bit_tree *tree, uint64_t block, uint64_t run_end,
                                    uint64_t offset, struct bit_tree_bounds *bounds)
{
    uint64_t first = block * BIT_TREE_WORDS_PER_BLOCK;
    for (uint64_t i = first + BIT_TREE_WORDS_PER_BLOCK; i-- > first;) {
        uint64_t absent = ~tree->words[i];
        if (absent == 0)
            continue;
        uint64_t start = i * BIT_TREE_WORD_BITS + bit_tree_highest_bit(absent) + 1;
        raise_by_numbers(bounds, start, run_end, offset);
        raise_by_word(bounds, tree->words[i]);
        run_end = i * BIT_TREE_WORD_BITS + bit_tree_lowest_bit(absent);
    }
    return run_end;
}

void bit_tree_raise_by_blocks(const struct bit_tree *tree, uint64_t first, uint64_t end,
                              const struct bit_tree_piece *piece, struct bit_tree_bounds *bounds)
{
    uint64_t start = first * BIT_TREE_BLOCK_BITS;
    uint64_t run_end = end * BIT_TREE_BLOCK_BITS;
    uint64_t absent;
    if (run_end < piece->end &&
        !bit_tree_find_first_absent(tree, bit_range(run_end, piece->end), &run_end))
        run_end = piece->end;
    for (uint64_t block = end; block-- > first;) {
        switch (bit_tree_state(tree, 1, block)) {
        case BIT_TREE_NONE:
            raise_by_numbers(bounds, (block + 1) * BIT_TREE_BLOCK_BITS, run_end, piece->offset);
            run_end = block * BIT_TREE_BLOCK_BITS;
            break;
        case BIT_TREE_OPEN:
            run_end = raise_by_open_block(tree, block, run_end, piece->offset, bounds);
            break;
        case BIT_TREE_WHOLE:
            break;
        }
    }
    if (start > piece->start)
        start = bit_tree_find_last_absent(tree, bit_range(piece->start, start), &absent)
                    ? absent + 1
                    : piece->start;
    raise_by_numbers(bounds, start, run_end, piece->offset);
}
