#include "tests/unit/support/handoff_expect.h"

#include <stdlib.h>
#include <string.h>

int handoff_expect_set_up(void **state)
{
    struct handoff_sample *sample = malloc(sizeof(*sample));
    handoff_sample_create(sample);
    *state = sample;
    return 0;
}

int handoff_expect_tear_down(void **state)
{
    struct handoff_sample *sample = *state;
    handoff_sample_destroy(sample);
    free(sample);
    return 0;
}

enum handoff_check_status handoff_expect_run(const struct handoff_sample *sample,
                                             struct handoff_view *ret_view)
{
    return handoff_check(sample->address, &sample->state, ret_view);
}

enum handoff_check_status handoff_expect_sealed(struct handoff_sample *sample,
                                                struct handoff_view *ret_view)
{
    struct handoff_view untouched;
    memset(&untouched, 0xab, sizeof(untouched));
    memset(ret_view, 0xab, sizeof(*ret_view));
    handoff_sample_seal(sample);
    enum handoff_check_status status = handoff_expect_run(sample, ret_view);
    if (status != HANDOFF_CHECK_OK)
        assert_memory_equal(ret_view, &untouched, sizeof(untouched));
    return status;
}

void handoff_expect_status(struct handoff_sample *sample, enum handoff_check_status expected)
{
    struct handoff_view view;
    enum handoff_check_status status = handoff_expect_sealed(sample, &view);
    if (status != expected)
        fail_msg("'%s' instead of '%s'", handoff_check_status_text(status),
                 handoff_check_status_text(expected));
}
