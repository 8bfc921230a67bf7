/* Bit tree: every operation against an array of bools. */
#include "tests/unit/support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/mm/bit_tree.h"
#include "tests/unit/support/random.h"

struct pair {
    struct bit_tree tree;
    uint64_t *memory;
    bool *members; /* the oracle */
    uint64_t bit_count;
};

static void pair_create(struct pair *pair, uint64_t bit_count)
{
    size_t size_bytes = bit_tree_word_count(bit_count) * sizeof(uint64_t);
    pair->bit_count = bit_count;
    pair->memory = malloc(size_bytes);
    memset(pair->memory, 0xcc, size_bytes); /* initialising must not rely on zeroes */
    pair->members = calloc(bit_count, sizeof(bool));
    bit_tree_initialise(&pair->tree, pair->memory, bit_count);
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

static void assert_finds_agree(const struct pair *pair, uint64_t start, uint64_t end)
{
    uint64_t expected_count = 0;
    uint64_t last = end;
    uint64_t absent = end;
    for (uint64_t i = start; i < end; i++)
        expected_count += pair->members[i];
    for (uint64_t i = end; i-- > 0 && last == end;)
        last = pair->members[i] ? i : end;
    for (uint64_t i = start; i < end && absent == end; i++)
        absent = pair->members[i] ? end : i;

    uint64_t found = end;
    assert_int_equal(bit_tree_find_last_below(&pair->tree, end, &found), last != end);
    assert_int_equal(found, last);
    found = end;
    assert_int_equal(bit_tree_find_first_absent(&pair->tree, start, end, &found), absent != end);
    assert_int_equal(found, absent);
    assert_int_equal(bit_tree_count(&pair->tree, start, end), expected_count);
    assert_int_equal(bit_tree_longest_run(&pair->tree, start, end),
                     oracle_longest_run(pair, start, end));
}

static void random_steps(uint64_t bit_count, unsigned step_count)
{
    struct random random = {bit_count + 1};
    struct pair pair;
    pair_create(&pair, bit_count);
    for (unsigned step = 0; step < step_count; step++) {
        uint64_t start = random_below(&random, bit_count);
        uint64_t length = 1 + random_below(&random, random_below(&random, 3) == 0 ? bit_count : 70);
        uint64_t end = length < bit_count - start ? start + length : bit_count;
        bool insert = random_below(&random, 2) == 0;
        if (insert)
            bit_tree_insert(&pair.tree, start, end);
        else
            bit_tree_remove(&pair.tree, start, end);
        memset(&pair.members[start], insert, end - start);
        assert_true(bit_tree_check(&pair.tree));
        assert_finds_agree(&pair, random_below(&random, end), end);
        assert_finds_agree(&pair, 0, bit_count);
    }
    pair_destroy(&pair);
}

static void test_random_operations_agree_with_an_array(void **state)
{
    const uint64_t bit_counts[] = {1, 2, 63, 64, 65, 127, 128, 4095, 4096, 4097, 9000};
    (void)state;
    for (size_t i = 0; i < sizeof(bit_counts) / sizeof(bit_counts[0]); i++)
        random_steps(bit_counts[i], bit_counts[i] < 200 ? 1000 : 250);
}

static void test_four_levels_agree_with_an_array(void **state)
{
    (void)state;
    random_steps(64 * 64 * 64 + 1, 4);
}

static void test_starts_empty(void **state)
{
    struct pair pair;
    uint64_t index;
    (void)state;
    pair_create(&pair, 5000);
    assert_false(bit_tree_find_last_below(&pair.tree, UINT64_MAX, &index));
    assert_int_equal(bit_tree_count(&pair.tree, 0, 5000), 0);
    assert_true(bit_tree_check(&pair.tree));
    pair_destroy(&pair);
}

static void test_word_count_covers_every_level(void **state)
{
    (void)state;
    assert_int_equal(bit_tree_word_count(1), 1);
    assert_int_equal(bit_tree_word_count(64), 1);
    assert_int_equal(bit_tree_word_count(65), 2 + 1);
    assert_int_equal(bit_tree_word_count(4096), 64 + 1);
    assert_int_equal(bit_tree_word_count(4097), 65 + 2 + 1);
    /* The largest set has BIT_TREE_LEVELS_MAX levels: 2^36 + 2^30 + … + 1 words. */
    assert_true(bit_tree_word_count(BIT_TREE_BITS_MAX) == UINT64_C(0x1041041041));
}

static void test_check_finds_a_wrong_bit_on_every_level(void **state)
{
    struct pair pair;
    (void)state;
    pair_create(&pair, 64 * 64 * 3 + 5);
    bit_tree_insert(&pair.tree, 100, 5000);
    for (uint32_t level = 0; level < pair.tree.level_count; level++) {
        uint64_t last = pair.tree.word_counts[level] - 1;
        pair.tree.levels[level][last] ^= UINT64_C(1) << 63;
        assert_false(bit_tree_check(&pair.tree));
        pair.tree.levels[level][last] ^= UINT64_C(1) << 63;
        assert_true(bit_tree_check(&pair.tree));
    }
    pair.tree.levels[1][0] ^= 1; /* says that word 0 has a member; it has none */
    assert_false(bit_tree_check(&pair.tree));
    pair_destroy(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_operations_agree_with_an_array),
        cmocka_unit_test(test_four_levels_agree_with_an_array),
        cmocka_unit_test(test_starts_empty),
        cmocka_unit_test(test_word_count_covers_every_level),
        cmocka_unit_test(test_check_finds_a_wrong_bit_on_every_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
