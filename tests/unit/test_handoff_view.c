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

static void test_waiting_processors_are_counted_by_the_stride(void **state)
{
    struct handoff_sample *sample = *state;
    const struct handoff_view view = {.handoff = sample->handoff};
    struct {
        struct handoff_processor processor;
        uint64_t appended;
    } processors[4] = {{.processor.flags = HANDOFF_PROCESSOR_BOOT},
                       {.processor.flags = HANDOFF_PROCESSOR_STARTED},
                       {.processor.flags = 0},
                       {.processor.flags = HANDOFF_PROCESSOR_STARTED | UINT32_C(0x80000000)}};
    uint64_t direct_map_base = 0x1000;
    sample->handoff->processors =
        (struct handoff_array){(uint64_t)processors - direct_map_base, 4, sizeof(processors[0])};
    assert_int_equal(handoff_view_waiting_count(&view, virt_addr(direct_map_base)), 2);
    sample->handoff->processors = (struct handoff_array){0, 0, 0};
    assert_int_equal(handoff_view_waiting_count(&view, virt_addr(direct_map_base)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HANDOFF_TEST(test_random_seed_of_zeros_or_of_an_unknown_source_is_refused),
        HANDOFF_TEST(test_waiting_processors_are_counted_by_the_stride),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
