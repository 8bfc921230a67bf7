/*
 * handoff_expect.h - the status that the check must return for a handoff with one mistake.
 */
#ifndef TESTS_UNIT_SUPPORT_HANDOFF_EXPECT_H
#define TESTS_UNIT_SUPPORT_HANDOFF_EXPECT_H

#include "kernel/handoff/handoff_check.h"
#include "tests/unit/support/cmocka.h"
#include "tests/unit/support/handoff_sample.h"

/* A test with a struct handoff_sample of its own as its state. */
int handoff_expect_set_up(void **state);
int handoff_expect_tear_down(void **state);
#define HANDOFF_TEST(name)                                                                         \
    cmocka_unit_test_setup_teardown(name, handoff_expect_set_up, handoff_expect_tear_down)

/* Check it as it is. */
enum handoff_check_status handoff_expect_run(const struct handoff_sample *sample,
                                             struct handoff_view *ret_view);

/* Seal and check it. A refusal that writes the view fails the test. */
enum handoff_check_status handoff_expect_sealed(struct handoff_sample *sample,
                                                struct handoff_view *ret_view);

/* Seal and check it, and fail the test unless this status comes out. */
void handoff_expect_status(struct handoff_sample *sample, enum handoff_check_status expected);

/* Set one field, expect a status, put the field back. */
#define assert_field_gives(sample, field, bad_value, expected)                                     \
    do {                                                                                           \
        __typeof__((sample)->handoff->field) good_value = (sample)->handoff->field;                \
        (sample)->handoff->field = (bad_value);                                                    \
        handoff_expect_status((sample), (expected));                                               \
        (sample)->handoff->field = good_value;                                                     \
        handoff_expect_status((sample), HANDOFF_CHECK_OK);                                         \
    } while (0)

/* The same for a fact that the kernel knows by itself. */
#define assert_state_gives(sample, field, bad_value, expected)                                     \
    do {                                                                                           \
        __typeof__((sample)->state.field) good_value = (sample)->state.field;                      \
        (sample)->state.field = (bad_value);                                                       \
        handoff_expect_status((sample), (expected));                                               \
        (sample)->state.field = good_value;                                                        \
        handoff_expect_status((sample), HANDOFF_CHECK_OK);                                         \
    } while (0)

#endif
