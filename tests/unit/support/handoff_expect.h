/*
 * handoff_expect.h - the status that the check must return for a handoff with one mistake.
 */
#ifndef TESTS_UNIT_SUPPORT_HANDOFF_EXPECT_H
#define TESTS_UNIT_SUPPORT_HANDOFF_EXPECT_H

#include "kernel/handoff/handoff_check.h"
#include "tests/unit/support/cmocka.h"
#include "tests/unit/support/handoff_sample.h"

/* A test whose state is a separate struct handoff_sample. */
int handoff_expect_set_up(void **state);
int handoff_expect_tear_down(void **state);
#define HANDOFF_TEST(name)                                                                         \
    cmocka_unit_test_setup_teardown(name, handoff_expect_set_up, handoff_expect_tear_down)

/* Check it without a change. */
enum handoff_check_status handoff_expect_run(const struct handoff_sample *sample,
                                             struct handoff_view *ret_view);

/* Write the checksum, and check the handoff. A refusal that writes the view fails the test. */
enum handoff_check_status handoff_expect_sealed(struct handoff_sample *sample,
                                                struct handoff_view *ret_view);

/* Write the checksum, and check the handoff. Fail the test if the status is another one. */
void handoff_expect_status(struct handoff_sample *sample, enum handoff_check_status expected);

/* Set one field, expect a status, and restore the field. */
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
