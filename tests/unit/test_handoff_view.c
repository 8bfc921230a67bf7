/* The view of a checked handoff. */
#include "kernel/handoff/handoff_view.h"
#include "tests/unit/support/handoff_expect.h"

static void test_random_seed_of_zeros_or_of_an_unknown_source_is_refused(void **state)
{
    struct handoff_sample *sample = *state;
    const struct handoff_view view = {.handoff = sample->handoff};
    sample->handoff->random_seed_source = HANDOFF_SEED_CPU;
    assert_false(handoff_view_has_random_seed(&view));
    sample->handoff->random_seed[31] = 1;
    assert_true(handoff_view_has_random_seed(&view));
    sample->handoff->random_seed_source = HANDOFF_SEED_EFI_RNG;
    assert_true(handoff_view_has_random_seed(&view));
    sample->handoff->random_seed_source = HANDOFF_SEED_NONE;
    assert_false(handoff_view_has_random_seed(&view));
    sample->handoff->random_seed_source = HANDOFF_SEED_CPU + 1;
    assert_false(handoff_view_has_random_seed(&view));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HANDOFF_TEST(test_random_seed_of_zeros_or_of_an_unknown_source_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
