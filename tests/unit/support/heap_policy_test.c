#include "tests/unit/support/heap_policy_test.h"

#include <stdio.h>
#include <stdlib.h>

/* The policies and layers that the tests run over. */
struct subject {
    const char *name;
    const struct heap_policy *policy;
    bool debug;
};

static const struct subject SUBJECTS[] = {
    {"bump", &heap_policy_bump, false},
    {"first-fit", &heap_policy_first_fit, false},
    {"best-fit", &heap_policy_best_fit, false},
    {"fast", &heap_policy_fast, false},
    {"bump+debug", &heap_policy_bump, true},
    {"first-fit+debug", &heap_policy_first_fit, true},
    {"best-fit+debug", &heap_policy_best_fit, true},
    {"fast+debug", &heap_policy_fast, true},
};
#define SUBJECT_COUNT (sizeof SUBJECTS / sizeof SUBJECTS[0])
#define TEST_LIMIT    64
#define NAME_BYTES    100

static int create_arena(void **state)
{
    const struct subject *subject = *state;
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->policy = subject->policy;
    fixture->debug = subject->debug;
    heap_arena_create(&fixture->arena, ARENA_BYTES);
    *state = fixture;
    return 0;
}

static int destroy_arena(void **state)
{
    struct fixture *fixture = *state;
    heap_arena_destroy(&fixture->arena);
    free(fixture);
    return 0;
}

int heap_policy_test_run(const char *group, const struct heap_policy_test *tests, size_t count)
{
    static struct CMUnitTest cases[SUBJECT_COUNT * TEST_LIMIT];
    static char names[SUBJECT_COUNT * TEST_LIMIT][NAME_BYTES];
    size_t case_count = 0;
    for (size_t i = 0; i < SUBJECT_COUNT * count && count <= TEST_LIMIT; i++) {
        const struct heap_policy_test *test = &tests[i % count];
        const struct subject *subject = &SUBJECTS[i / count];
        if (test->is_of_policy && subject->debug)
            continue;
        (void)snprintf(names[case_count], NAME_BYTES, "%s: %s", subject->name, test->name);
        cases[case_count] = (struct CMUnitTest){
            .name = names[case_count],
            .test_func = test->run,
            .setup_func = create_arena,
            .teardown_func = destroy_arena,
            .initial_state = (void *)(uintptr_t)subject,
        };
        case_count++;
    }
    const char *filter = getenv("HEAP_TESTS");
    if (filter != NULL)
        cmocka_set_test_filter(filter);
    return _cmocka_run_group_tests(group, cases, case_count, NULL, NULL);
}
