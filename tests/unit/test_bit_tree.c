/* Compare every operation of the bit tree with an array of bools. */
#include "tests/unit/support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/mm/frames/bit_tree.h"
#include "kernel/mm/frames/bit_tree_bound.h"
#include "kernel/mm/frames/bit_tree_node.h"
#include "tests/unit/support/random.h"

#define EXTENTS_MAX 5U

struct pair {
    struct bit_tree tree;
    void *memory;
    bool *members; /* the oracle */
    uint64_t bit_count;
    struct bit_tree_extent extents[EXTENTS_MAX];
    uint32_t extent_count;
};

static void add_extent(struct pair *pair, uint64_t end_bit, uint64_t offset)
{
    struct bit_tree_extent *extent = &pair->extents[pair->extent_count];
    extent->first_bit = pair->extent_count == 0 ? 0 : extent[-1].first_bit + extent[-1].bit_count;
    extent->bit_count = end_bit - extent->first_bit;
    extent->offset = offset;
    pair->extent_count++;
}

/* The extents cover the numbers up to bit_count. */
static void pair_start(struct pair *pair, uint64_t bit_count)
{
    size_t size_bytes = bit_tree_size_bytes(bit_count);
    pair->bit_count = bit_count;
    pair->memory = malloc(size_bytes);
    /* Memory that is not opened has random content. As bounds it is very high or very low. */
    memset(pair->memory, bit_count / BIT_TREE_BLOCK_BITS % 2 == 0 ? 0xcc : 0x02, size_bytes);
    pair->members = calloc(bit_count, sizeof(bool));
    bit_tree_initialise(&pair->tree, pair->memory, bit_count, pair->extents, pair->extent_count);
}

static void pair_create(struct pair *pair, uint64_t bit_count)
{
    pair->extent_count = 0;
    add_extent(pair, bit_count, 0);
    pair_start(pair, bit_count);
}

/* Make a tree of up to EXTENTS_MAX extents, which begin anywhere. */
static void pair_create_of_extents(struct pair *pair, uint64_t block_count, struct random *random)
{
    uint64_t offset = random_below(random, 9) * BIT_TREE_BLOCK_BITS;
    uint64_t block = 0;
    pair->extent_count = 0;
    while (block < block_count) {
        bool last = pair->extent_count == EXTENTS_MAX - 1;
        block = last ? block_count : block + 1 + random_below(random, block_count - block);
        add_extent(pair, block * BIT_TREE_BLOCK_BITS, offset);
        offset += BIT_TREE_BLOCK_BITS << random_below(random, 8);
    }
    pair_start(pair, block_count * BIT_TREE_BLOCK_BITS);
}

static void pair_destroy(struct pair *pair)
{
    free(pair->memory);
    free(pair->members);
}

static uint64_t oracle_longest_run(const struct pair *pair, uint64_t start, uint64_t end)
{
    uint64_t longest = 0;
    uint64_t current = 0;
    for (uint64_t i = start; i < end; i++) {
        current = pair->members[i] ? current + 1 : 0;
        longest = current > longest ? current : longest;
    }
    return longest;
}

/* Return the highest member below `limit`, or bit_count if there is no such member. */
static uint64_t oracle_last_below(const struct pair *pair, uint64_t limit)
{
    while (limit > 0) {
        if (pair->members[--limit])
            return limit;
    }
    return pair->bit_count;
}

static void assert_finds_agree(const struct pair *pair, uint64_t start, uint64_t end)
{
    uint64_t expected_count = 0;
    uint64_t absent = pair->bit_count;
    for (uint64_t i = start; i < end; i++)
        expected_count += pair->members[i];
    for (uint64_t i = end; i-- > start;)
        absent = pair->members[i] ? absent : i;

    uint64_t last = oracle_last_below(pair, end);
    uint64_t found = pair->bit_count;
    assert_int_equal(bit_tree_find_last_below(&pair->tree, end, &found), last != pair->bit_count);
    assert_int_equal(found, last);
    found = pair->bit_count;
    assert_int_equal(bit_tree_find_first_absent(&pair->tree, bit_range(start, end), &found),
                     absent != pair->bit_count);
    assert_int_equal(found, absent);
    assert_int_equal(bit_tree_count(&pair->tree, bit_range(start, end)), expected_count);
    assert_int_equal(bit_tree_longest_run(&pair->tree, bit_range(start, end)),
                     oracle_longest_run(pair, start, end));
}

static const struct bit_tree_extent *extent_of(const struct pair *pair, uint64_t number)
{
    const struct bit_tree_extent *extent = pair->extents;
    while (number - extent->first_bit >= extent->bit_count)
        extent++;
    return extent;
}

/* Return the highest start that matches the request, or bit_count. */
static uint64_t oracle_run(const struct pair *pair, const struct bit_tree_run_request *request)
{
    const struct bit_tree_extent *extent = extent_of(pair, request->within.end - 1);
    uint64_t run = 0;
    for (uint64_t i = request->within.end; i-- > request->within.start;) {
        if (i < extent->first_bit) {
            extent--;
            run = 0;
        }
        run = pair->members[i] ? run + 1 : 0;
        if (run >= request->length && ((i + extent->offset) & (request->alignment - 1)) == 0)
            return i;
    }
    return pair->bit_count;
}

/* Return the length of the longest run that starts at a multiple of `alignment`. */
static uint64_t oracle_longest(const struct pair *pair, uint64_t alignment)
{
    uint64_t longest = 0;
    for (uint32_t i = 0; i < pair->extent_count; i++) {
        const struct bit_tree_extent *extent = &pair->extents[i];
        uint64_t run = 0;
        for (uint64_t number = extent->first_bit + extent->bit_count;
             number-- > extent->first_bit;) {
            run = pair->members[number] ? run + 1 : 0;
            if (run > longest && ((number + extent->offset) & (alignment - 1)) == 0)
                longest = run;
        }
    }
    return longest;
}

static void assert_run_agrees(struct pair *pair, struct random *random)
{
    uint64_t limit = random_below(random, 4) == 0 ? pair->bit_count : 700;
    struct bit_tree_run_request request = {
        .within.start = random_below(random, 3) == 0 ? random_below(random, pair->bit_count) : 0,
        .within.end = pair->bit_count,
        .length = 1 + random_below(random, 1 + random_below(random, limit)),
        .alignment = random_below(random, 2) == 0 ? 1 : UINT64_C(1) << random_below(random, 20),
    };
    if (random_below(random, 3) == 0)
        request.within.end -= random_below(random, request.within.end - request.within.start);
    uint64_t expected = oracle_run(pair, &request);
    uint64_t start = pair->bit_count;
    bool found = bit_tree_find_run(&pair->tree, &request, &start);
    assert_int_equal(found, expected != pair->bit_count);
    assert_int_equal(start, expected);
}

/* A run that is one longer than the longest is not found. After this search the bound is exact. The
 * check shows that no bound of the tree is too low. */
static void assert_bound_is_exact(struct pair *pair, uint64_t alignment)
{
    uint64_t longest = oracle_longest(pair, alignment);
    struct bit_tree_run_request request = {{0, pair->bit_count}, longest + 1, alignment};
    uint64_t start = 0;
    assert_false(bit_tree_find_run(&pair->tree, &request, &start));
    assert_int_equal(bit_tree_run_bound(&pair->tree, alignment), longest);
    request.length = longest;
    if (longest > 0) {
        assert_true(bit_tree_find_run(&pair->tree, &request, &start));
        assert_int_equal(start, oracle_run(pair, &request));
    }
}

static void take_last(struct pair *pair, struct random *random)
{
    uint64_t tried = pair->bit_count;
    uint64_t number = pair->bit_count;
    uint64_t expected = oracle_last_below(pair, pair->bit_count);
    bool quick = random_below(random, 2) == 0 &&
                 bit_tree_try_take_last(&pair->tree, 0, pair->bit_count, &tried);
    if (quick)
        assert_int_equal(tried, expected);
    else
        assert_int_equal(bit_tree_take_last(&pair->tree, &number), expected != pair->bit_count);
    assert_int_equal(quick ? tried : number, expected);
    if (expected != pair->bit_count)
        pair->members[expected] = false;
}

static void add(struct pair *pair, struct random *random)
{
    uint64_t number = random_below(random, pair->bit_count);
    bool quick = random_below(random, 2) == 0 &&
                 (bit_tree_try_add(&pair->tree, number) ||
                  (random_below(random, 2) == 0 && bit_tree_try_add_to_empty(&pair->tree, number)));
    if (quick)
        assert_false(pair->members[number]);
    else
        assert_int_equal(bit_tree_add(&pair->tree, number), !pair->members[number]);
    pair->members[number] = true;
}

static void take_last_word(struct pair *pair)
{
    uint64_t first = pair->bit_count;
    uint64_t members = 0;
    uint64_t last = oracle_last_below(pair, pair->bit_count);
    bool taken = bit_tree_take_last_word(&pair->tree, &first, &members);
    assert_int_equal(taken, last != pair->bit_count);
    if (!taken)
        return;
    assert_int_equal(first, last - last % 64);
    for (uint64_t i = 0; i < 64; i++)
        assert_int_equal(members >> i & 1, pair->members[first + i]);
    memset(&pair->members[first], 0, 64);
}

static void change_range(struct pair *pair, struct random *random, bool insert)
{
    uint64_t start = random_below(random, pair->bit_count);
    uint64_t limit = random_below(random, 3) == 0 ? pair->bit_count : 70;
    uint64_t length = 1 + random_below(random, limit);
    if (random_below(random, 3) == 0)
        start -= start % BIT_TREE_BLOCK_BITS;
    uint64_t end = length < pair->bit_count - start ? start + length : pair->bit_count;
    if (random_below(random, 3) == 0)
        end += (BIT_TREE_BLOCK_BITS - end % BIT_TREE_BLOCK_BITS) % BIT_TREE_BLOCK_BITS;
    if (insert)
        bit_tree_insert(&pair->tree, bit_range(start, end));
    else
        bit_tree_remove(&pair->tree, bit_range(start, end));
    memset(&pair->members[start], insert, end - start);
}

static void random_step(struct pair *pair, struct random *random)
{
    switch (random_below(random, 8)) {
    case 0:
        change_range(pair, random, true);
        break;
    case 1:
        change_range(pair, random, false);
        break;
    case 2:
        take_last_word(pair);
        break;
    case 3:
        for (unsigned i = 0; i < 130; i++)
            take_last(pair, random);
        break;
    case 4:
    case 5:
        for (unsigned i = 0; i < 100; i++)
            add(pair, random);
        break;
    default:
        for (unsigned i = 0; i < 4; i++)
            assert_run_agrees(pair, random);
    }
}

static void random_steps(uint64_t block_count, unsigned step_count)
{
    struct random random = {block_count + 1};
    struct pair pair;
    pair_create_of_extents(&pair, block_count, &random);
    for (unsigned step = 0; step < step_count; step++) {
        random_step(&pair, &random);
        uint64_t start = random_below(&random, pair.bit_count);
        assert_true(bit_tree_check(&pair.tree));
        assert_finds_agree(&pair, start, start + 1 + random_below(&random, pair.bit_count - start));
        assert_finds_agree(&pair, 0, pair.bit_count);
        if (random_below(&random, 3) == 0)
            assert_bound_is_exact(&pair, UINT64_C(1) << random_below(&random, 22));
        assert_true(bit_tree_check(&pair.tree));
    }
    pair_destroy(&pair);
}

static void test_random_operations_agree_with_an_array(void **state)
{
    const uint64_t block_counts[] = {1, 2, 3, 5};
    (void)state;
    for (size_t i = 0; i < sizeof(block_counts) / sizeof(block_counts[0]); i++)
        random_steps(block_counts[i], 1500);
}

static void test_three_levels_of_nodes_agree_with_an_array(void **state)
{
    (void)state;
    random_steps(63, 120);
    random_steps(64, 120);
    random_steps(65, 120);
    random_steps(200, 60);
}

static void test_starts_empty(void **state)
{
    struct pair pair;
    uint64_t index;
    (void)state;
    pair_create(&pair, 65 * BIT_TREE_BLOCK_BITS);
    assert_false(bit_tree_find_last_below(&pair.tree, UINT64_MAX, &index));
    assert_false(bit_tree_take_last(&pair.tree, &index));
    assert_int_equal(bit_tree_count(&pair.tree, bit_range(0, pair.bit_count)), 0);
    assert_int_equal(bit_tree_longest_run(&pair.tree, bit_range(0, pair.bit_count)), 0);
    assert_true(bit_tree_check(&pair.tree));
    pair_destroy(&pair);
}

static uint64_t changed_bytes(const uint8_t *memory, uint64_t size_bytes)
{
    uint64_t count = 0;
    for (uint64_t i = 0; i < size_bytes; i++)
        count += memory[i] != 0xcc;
    return count;
}

/* Adding 16 GiB of frames writes only at the two ends of the range. */
static void test_leaves_are_filled_on_first_touch(void **state)
{
    struct pair pair;
    uint64_t number;
    (void)state;
    pair_create(&pair, 1024 * BIT_TREE_BLOCK_BITS);
    uint64_t size_bytes = bit_tree_size_bytes(pair.bit_count);
    assert_true(changed_bytes(pair.memory, size_bytes) < 400);
    bit_tree_insert(&pair.tree, bit_range(100, pair.bit_count - 100));
    assert_int_equal(bit_tree_count(&pair.tree, bit_range(0, pair.bit_count)),
                     pair.bit_count - 200);
    assert_true(changed_bytes(pair.memory, size_bytes) < 2 * 512 + 800);
    /* Remove a gigabyte from the middle. Nothing in the middle is written. */
    bit_tree_remove(&pair.tree, bit_range(512 * BIT_TREE_BLOCK_BITS, 576 * BIT_TREE_BLOCK_BITS));
    assert_true(changed_bytes(pair.memory, size_bytes) < 2 * 512 + 900);
    assert_true(bit_tree_take_last(&pair.tree, &number));
    assert_int_equal(number, pair.bit_count - 101);
    assert_true(bit_tree_check(&pair.tree));
    pair_destroy(&pair);
}

static void test_size_is_1_0205_bits_a_number(void **state)
{
    const uint64_t large[] = {UINT64_C(1) << 28, UINT64_C(1) << 34, BIT_TREE_BITS_MAX};
    (void)state;
    for (size_t i = 0; i < sizeof(large) / sizeof(large[0]); i++)
        assert_true(bit_tree_size_bytes(large[i]) * 8 < large[i] / 10000 * 10206);
    /* Leaves, the word that is always zero, one block, two nodes, bounds of four groups, and of a
     * node. */
    assert_int_equal(bit_tree_size_bytes(BIT_TREE_BLOCK_BITS), 512 + 8 + 8 + 2 * 24 + 128 + 344);
}

/* After a search that found no run, the next one does not search again. */
static void test_a_search_stores_exact_bounds(void **state)
{
    struct pair pair;
    const uint64_t bit_count = 200 * BIT_TREE_BLOCK_BITS;
    struct bit_tree_run_request request = {{0, bit_count}, 2, 1};
    uint64_t start;
    (void)state;
    pair_create(&pair, bit_count);
    for (uint64_t i = 0; i < bit_count; i += 2)
        assert_true(bit_tree_add(&pair.tree, i));
    assert_false(bit_tree_find_run(&pair.tree, &request, &start));
    assert_false(bit_tree_find_run(&pair.tree, &request, &start));
    assert_int_equal(bit_tree_run_bound(&pair.tree, 1), 1);
    /* Members that are added in searched memory are found, also across the boundary of two
     * blocks. */
    assert_true(bit_tree_add(&pair.tree, 100 * BIT_TREE_BLOCK_BITS - 1));
    request.length = 3;
    assert_true(bit_tree_find_run(&pair.tree, &request, &start));
    assert_int_equal(start, 100 * BIT_TREE_BLOCK_BITS - 2);
    assert_true(bit_tree_check(&pair.tree));
    pair_destroy(&pair);
}

/* Change *word, expect the check to report it, and restore it. */
static void assert_check_finds(const struct bit_tree *tree, uint64_t *word, uint64_t difference)
{
    *word ^= difference;
    assert_false(bit_tree_check(tree));
    *word ^= difference;
    assert_true(bit_tree_check(tree));
}

/* A bound that is too low would hide free memory for ever. */
static void test_the_check_finds_each_bound_that_is_too_low(void **state)
{
    const uint64_t group_bits = 16 * BIT_TREE_BLOCK_BITS;
    const uint64_t bit_count = 8192 * BIT_TREE_BLOCK_BITS;
    struct bit_tree_run_request request = {{0, bit_count}, 2 * group_bits, 1};
    struct pair pair;
    uint64_t start;
    (void)state;
    pair_create(&pair, bit_count);
    bit_tree_insert(&pair.tree, bit_range(0, bit_count));
    for (uint64_t group = 0; group < bit_count / group_bits; group++)
        bit_tree_remove(&pair.tree, bit_range(group * group_bits + 5, group * group_bits + 6));
    for (unsigned i = 0; i < 4; i++)
        assert_false(bit_tree_find_run(&pair.tree, &request, &start));
    assert_true(bit_tree_check(&pair.tree));
    for (uint64_t group = 0; group < bit_count / group_bits; group += 37) {
        uint16_t *bound = &pair.tree.group_bounds[group].longest[0];
        uint16_t promised = *bound;
        *bound = 0;
        assert_false(bit_tree_check(&pair.tree));
        *bound = promised;
    }
    for (uint32_t level = 3; level <= pair.tree.top_level; level++)
        assert_check_finds(&pair.tree, &pair.tree.bounds[level][0].longest[0],
                           pair.tree.bounds[level][0].longest[0]);
    pair_destroy(&pair);
}

/* Two runs of 60 meet at a boundary. One number on either side is removed. The run that stays
 * complete is the longest. */
static void assert_a_run_grows_across(uint64_t boundary)
{
    struct bit_tree_run_request request = {{0, 2 * boundary}, 100, 1};
    for (uint64_t missing = boundary - 1; missing <= boundary; missing++) {
        struct pair pair;
        uint64_t start;
        pair_create(&pair, 2 * boundary);
        bit_tree_insert(&pair.tree, bit_range(boundary - 60, boundary + 60));
        bit_tree_remove(&pair.tree, bit_range(missing, missing + 1));
        for (unsigned i = 0; i < 4; i++)
            assert_false(bit_tree_find_run(&pair.tree, &request, &start));
        assert_int_equal(bit_tree_run_bound(&pair.tree, 1), 60);
        assert_true(bit_tree_add(&pair.tree, missing));
        assert_true(bit_tree_check(&pair.tree));
        assert_true(bit_tree_find_run(&pair.tree, &request, &start));
        assert_int_equal(start, boundary + 60 - 100);
        assert_int_equal(bit_tree_run_bound(&pair.tree, 1), 120);
        pair_destroy(&pair);
    }
}

static void test_a_run_is_found_that_grows_across_two_nodes(void **state)
{
    (void)state;
    assert_a_run_grows_across(BIT_TREE_BLOCK_BITS);
    assert_a_run_grows_across(16 * BIT_TREE_BLOCK_BITS);   /* groups */
    assert_a_run_grows_across(64 * BIT_TREE_BLOCK_BITS);   /* nodes of level 2 */
    assert_a_run_grows_across(4096 * BIT_TREE_BLOCK_BITS); /* nodes of level 3 */
}

/* The bound of a group has 16 bits. The run of a full group is one longer than that. */
static void test_a_group_that_is_whole_is_longer_than_one_that_is_not(void **state)
{
    const uint64_t group_bits = 16 * BIT_TREE_BLOCK_BITS;
    struct bit_tree_run_request request = {{0, 4 * group_bits}, group_bits, group_bits};
    struct pair pair;
    uint64_t start;
    (void)state;
    pair_create(&pair, 4 * group_bits);
    bit_tree_insert(&pair.tree, bit_range(group_bits, 2 * group_bits));
    assert_true(bit_tree_find_run(&pair.tree, &request, &start));
    assert_int_equal(start, group_bits);
    request.alignment = 1;
    assert_true(bit_tree_find_run(&pair.tree, &request, &start));
    assert_int_equal(start, group_bits);
    bit_tree_remove(&pair.tree, bit_range(start, start + 1));
    assert_false(bit_tree_find_run(&pair.tree, &request, &start));
    assert_int_equal(bit_tree_run_bound(&pair.tree, 1), group_bits - 1);
    assert_true(bit_tree_check(&pair.tree));
    pair_destroy(&pair);
}

/* The indices outside of the tree may have another alignment than the numbers. */
static void test_a_large_alignment_is_met_in_the_middle_of_a_group(void **state)
{
    const uint64_t group_bits = 16 * BIT_TREE_BLOCK_BITS;
    const uint64_t number = 5 * group_bits - 3 * BIT_TREE_BLOCK_BITS;
    struct pair pair;
    (void)state;
    pair.extent_count = 0;
    add_extent(&pair, 8 * group_bits, 3 * BIT_TREE_BLOCK_BITS);
    pair_start(&pair, 8 * group_bits);
    bit_tree_insert(&pair.tree, bit_range(number - 5, number + 10));
    for (uint64_t length = 10; length <= 11; length++) {
        struct bit_tree_run_request request = {{0, 8 * group_bits}, length, group_bits};
        uint64_t start = 0;
        assert_int_equal(bit_tree_find_run(&pair.tree, &request, &start), length == 10);
        assert_int_equal(start, length == 10 ? number : 0);
    }
    assert_int_equal(bit_tree_run_bound(&pair.tree, group_bits), 10);
    pair_destroy(&pair);
}

/* Numbers of two extents are consecutive, but their indices are not. */
static void test_a_run_ends_where_its_extent_does(void **state)
{
    const uint64_t blocks[] = {1, 16, 64, 65};
    (void)state;
    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
        const uint64_t boundary = blocks[i] * BIT_TREE_BLOCK_BITS;
        struct bit_tree_run_request request = {{0, 2 * boundary}, 61, 1};
        struct pair pair;
        uint64_t start;
        pair.extent_count = 0;
        add_extent(&pair, boundary, 0);
        add_extent(&pair, 2 * boundary, BIT_TREE_BLOCK_BITS);
        pair_start(&pair, 2 * boundary);
        bit_tree_insert(&pair.tree, bit_range(boundary - 60, boundary + 60));
        assert_false(bit_tree_find_run(&pair.tree, &request, &start));
        assert_int_equal(bit_tree_run_bound(&pair.tree, 1), 60);
        request.length = 60;
        request.within.end = boundary + 59;
        assert_true(bit_tree_find_run(&pair.tree, &request, &start));
        assert_int_equal(start, boundary - 60);
        /* All numbers are members, and no node is open. */
        bit_tree_insert(&pair.tree, bit_range(0, 2 * boundary));
        request = (struct bit_tree_run_request){{0, 2 * boundary}, boundary + 1, 1};
        assert_false(bit_tree_find_run(&pair.tree, &request, &start));
        assert_int_equal(bit_tree_run_bound(&pair.tree, 1), boundary);
        assert_true(bit_tree_check(&pair.tree));
        pair_destroy(&pair);
    }
}

/* The run begins in an aligned part, and ends in a block without an aligned number. */
static void test_an_aligned_run_may_end_in_a_block_without_a_piece(void **state)
{
    struct pair pair;
    const uint64_t first = BIT_TREE_BLOCK_BITS - 512;
    struct bit_tree_run_request request = {{0, 2 * BIT_TREE_BLOCK_BITS}, 700, 512};
    uint64_t start;
    (void)state;
    pair_create(&pair, 2 * BIT_TREE_BLOCK_BITS);
    bit_tree_insert(&pair.tree, bit_range(first, first + 700));
    for (unsigned i = 0; i < 2; i++) {
        assert_true(bit_tree_find_run(&pair.tree, &request, &start));
        assert_int_equal(start, first);
    }
    pair_destroy(&pair);
}

/* The content of the memory of a full block that was never opened does not count as runs. */
static void test_garbage_in_full_blocks_has_no_effect(void **state)
{
    struct pair pair;
    const uint64_t bit_count = 5 * BIT_TREE_BLOCK_BITS;
    struct bit_tree_run_request request = {{0, bit_count}, bit_count - 30, 1};
    uint64_t start;
    (void)state;
    pair_create(&pair, bit_count);
    bit_tree_insert(&pair.tree, bit_range(0, bit_count));
    bit_tree_remove(&pair.tree, bit_range(10, 40));
    bit_tree_remove(&pair.tree, bit_range(bit_count - 40, bit_count - 10));
    for (unsigned i = 0; i < 3; i++) {
        assert_false(bit_tree_find_run(&pair.tree, &request, &start));
        assert_true(bit_tree_check(&pair.tree));
    }
    request.length = request.alignment = BIT_TREE_BLOCK_BITS;
    assert_true(bit_tree_find_run(&pair.tree, &request, &start));
    assert_int_equal(start, 3 * BIT_TREE_BLOCK_BITS);
    pair_destroy(&pair);
}

/* A block whose run was removed meanwhile is searched once more. Then its bound is exact. */
static void test_a_search_computes_changed_bounds_again(void **state)
{
    struct pair pair;
    const uint64_t bit_count = 4 * BIT_TREE_BLOCK_BITS;
    struct bit_tree_run_request request = {{0, bit_count}, 100, 1};
    uint64_t start;
    (void)state;
    pair_create(&pair, bit_count);
    bit_tree_insert(&pair.tree,
                    bit_range(3 * BIT_TREE_BLOCK_BITS + 500, 3 * BIT_TREE_BLOCK_BITS + 600));
    bit_tree_insert(&pair.tree, bit_range(BIT_TREE_BLOCK_BITS + 500, BIT_TREE_BLOCK_BITS + 600));
    assert_true(bit_tree_find_run(&pair.tree, &request, &start));
    assert_int_equal(start, 3 * BIT_TREE_BLOCK_BITS + 500);
    bit_tree_remove(&pair.tree, bit_range(start + 1, start + 100));
    assert_int_equal(bit_tree_run_bound(&pair.tree, 1), 100);
    assert_true(bit_tree_find_run(&pair.tree, &request, &start));
    assert_int_equal(start, BIT_TREE_BLOCK_BITS + 500);
    bit_tree_remove(&pair.tree, bit_range(start, start + 100));
    assert_false(bit_tree_find_run(&pair.tree, &request, &start));
    assert_int_equal(bit_tree_run_bound(&pair.tree, 1), 1);
    assert_true(bit_tree_check(&pair.tree));
    pair_destroy(&pair);
}

static void test_check_finds_a_wrong_bit_on_every_level(void **state)
{
    struct pair pair;
    struct bit_tree *tree = &pair.tree;
    const uint64_t highest = UINT64_C(1) << 63;
    (void)state;
    pair_create(&pair, 70 * BIT_TREE_BLOCK_BITS);
    bit_tree_insert(tree, bit_range(100, 66 * BIT_TREE_BLOCK_BITS + 5));
    assert_check_finds(tree, &tree->nodes[3][0].some, highest);  /* beyond the end */
    assert_check_finds(tree, &tree->nodes[3][0].whole, highest); /* full, but without members */
    assert_check_finds(tree, &tree->nodes[2][0].some, highest);
    assert_check_finds(tree, &tree->nodes[2][1].some, 8); /* a block that is not open */
    assert_check_finds(tree, &tree->block_words[0], 1);   /* a word that is empty */
    assert_check_finds(tree, &tree->words[0], 1);
    assert_check_finds(tree, &tree->words[tree->bit_count / 64], 1);
    assert_check_finds(tree, &tree->highest_word, tree->highest_word); /* members are above it */
    assert_check_finds(tree, &tree->open_block, tree->open_block ^ 1); /* it is whole */
    pair_destroy(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_operations_agree_with_an_array),
        cmocka_unit_test(test_three_levels_of_nodes_agree_with_an_array),
        cmocka_unit_test(test_starts_empty),
        cmocka_unit_test(test_leaves_are_filled_on_first_touch),
        cmocka_unit_test(test_size_is_1_0205_bits_a_number),
        cmocka_unit_test(test_a_search_stores_exact_bounds),
        cmocka_unit_test(test_the_check_finds_each_bound_that_is_too_low),
        cmocka_unit_test(test_a_run_is_found_that_grows_across_two_nodes),
        cmocka_unit_test(test_a_group_that_is_whole_is_longer_than_one_that_is_not),
        cmocka_unit_test(test_a_large_alignment_is_met_in_the_middle_of_a_group),
        cmocka_unit_test(test_a_run_ends_where_its_extent_does),
        cmocka_unit_test(test_an_aligned_run_may_end_in_a_block_without_a_piece),
        cmocka_unit_test(test_garbage_in_full_blocks_has_no_effect),
        cmocka_unit_test(test_a_search_computes_changed_bounds_again),
        cmocka_unit_test(test_check_finds_a_wrong_bit_on_every_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
