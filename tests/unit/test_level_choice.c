/*
 * test_level_choice.c - four or five levels of page tables: every combination of firmware, user,
 * kernel and RAM.
 */
#include "tests/unit/support/cmocka.h"

#include "bootloader/pure/level_choice.h"

#define FOUR LEVEL_MASK(4)
#define FIVE LEVEL_MASK(5)
#define BOTH (FOUR | FIVE)

/* A column for each pair of firmware's levels and RAM's need: 4, 4 with much RAM, 5, 5 with much
 * RAM. */
static const struct {
    unsigned wish;
    uint64_t kernel_levels;
    unsigned levels[4];
    bool is_wish_refused;
} CASES[] = {
    {0, BOTH, {4, 5, 5, 5}, false}, {0, FOUR, {4, 4, 4, 4}, false}, {0, FIVE, {5, 5, 5, 5}, false},
    {4, BOTH, {4, 4, 4, 4}, false}, {4, FOUR, {4, 4, 4, 4}, false}, {4, FIVE, {5, 5, 5, 5}, true},
    {5, BOTH, {5, 5, 5, 5}, false}, {5, FOUR, {4, 4, 4, 4}, true},  {5, FIVE, {5, 5, 5, 5}, false},
};

static void test_L1_every_combination(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        for (unsigned column = 0; column < 4; column++) {
            const struct level_request request = {
                .firmware_levels = column < 2 ? 4 : 5,
                .wish = CASES[i].wish,
                .kernel_levels = CASES[i].kernel_levels,
                .ram_needs_five = column % 2 == 1,
            };
            struct level_choice choice = level_choose(&request);
            assert_int_equal(choice.levels, CASES[i].levels[column]);
            assert_int_equal(choice.is_wish_refused, CASES[i].is_wish_refused);
        }
    }
}

static void test_bits_for_other_numbers_are_ignored(void **state)
{
    (void)state;
    const struct level_request request = {4, 5, FOUR | LEVEL_MASK(3) | LEVEL_MASK(6), false};
    assert_int_equal(level_choose(&request).levels, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_L1_every_combination),
        cmocka_unit_test(test_bits_for_other_numbers_are_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
